// The server of the baseline: reads a document, replies with one byte, one connection after the other.
//   floor-server SOCKET
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv) {
    static char document[1 << 20];
    if (argc != 2) return 2;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, argv[1], sizeof address.sun_path - 1);
    int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(server, (struct sockaddr *)&address, sizeof address) < 0 || listen(server, 1024) < 0) return 3;
    for (;;) {
        int fd = accept(server, 0, 0);
        unsigned have = 0, size = 0;
        ssize_t n;
        while ((have < 4 || have < size + 4) && (n = read(fd, document + have, sizeof document - have)) > 0) {
            have += (unsigned)n;
            if (have >= 4) memcpy(&size, document, 4);
        }
        char status = 0;
        if (write(fd, &status, 1) != 1) {
            // The client has disconnected; serve the next one.
        }
        close(fd);
    }
}
