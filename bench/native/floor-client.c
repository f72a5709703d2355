// The baseline: a hook that sends its document to a server on a Unix socket and reads a reply of one byte.
//   floor-client, with FLOOR_SOCKET in the environment
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(void) {
    static char document[1 << 20];
    unsigned size = 0;
    ssize_t n;
    while ((n = read(0, document + 4 + size, sizeof document - 4 - size)) > 0) size += (unsigned)n;
    memcpy(document, &size, 4);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = getenv("FLOOR_SOCKET");
    if (path == NULL) return 2;
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) return 3;
    if (write(fd, document, size + 4) != (ssize_t)(size + 4)) return 4;
    char status;
    return read(fd, &status, 1) == 1 ? status : 5;
}
