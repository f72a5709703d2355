// Measures how long the machine takes for the parts of a hook call. Prints one line per measure: name, nanoseconds.
//
//   machine
//
// A cold event consists mostly of cache misses, process wake-ups and page faults.
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { line = 64, page = 4096, loads = 2000000, faults = 20000, wakes = 300, calm_us = 2000 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void die(const char *what) {
    perror(what);
    exit(2);
}

static char *map(size_t size) {
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) die("mmap");
    return memory;
}

/** Each cache line holds the address of the next, in an order that the processor cannot predict. */
static double load_ns(size_t size) {
    size_t lines = size / line;
    char *memory = map(size);
    uint32_t *order = malloc(lines * sizeof *order);
    if (order == NULL) die("malloc");
    for (size_t at = 0; at < lines; at++) order[at] = (uint32_t)at;
    for (size_t at = lines - 1; at > 0; at--) {
        size_t other = (size_t)random() % at;
        uint32_t swapped = order[at];
        order[at] = order[other];
        order[other] = swapped;
    }
    for (size_t at = 0; at < lines; at++) {
        *(void **)(memory + (size_t)order[at] * line) = memory + (size_t)order[(at + 1) % lines] * line;
    }
    free(order);
    void *volatile *next = (void *)memory;
    for (size_t done = 0; done < lines; done++) next = *next;
    double began = now();
    for (size_t done = 0; done < loads; done++) next = *next;
    double took = now() - began;
    munmap(memory, size);
    return took / loads;
}

static double fault_ns(void) {
    char *memory = map((size_t)faults * page);
    double began = now();
    for (size_t at = 0; at < faults; at++) memory[at * page] = 1;
    double took = now() - began;
    munmap(memory, (size_t)faults * page);
    return took / faults;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/** A round trip between two sleeping processes, like libvirt and its hook; median. */
static double wake_ns(void) {
    int there[2], back[2];
    if (pipe(there) || pipe(back)) die("pipe");
    pid_t pid = fork();
    if (pid < 0) die("fork");
    char byte = 0;
    if (pid == 0) {
        close(there[1]);
        while (read(there[0], &byte, 1) == 1 && write(back[1], &byte, 1) == 1) {}
        _exit(0);
    }
    static double took[wakes];
    for (int at = 0; at < wakes; at++) {
        usleep(calm_us);
        double began = now();
        if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1) die("pipe");
        took[at] = now() - began;
    }
    close(there[1]);
    waitpid(pid, NULL, 0);
    qsort(took, wakes, sizeof *took, ascending);
    return took[wakes / 2];
}

int main(void) {
    printf("load1MiB %.1f\n", load_ns(1 << 20));
    printf("load8MiB %.1f\n", load_ns(8 << 20));
    printf("pageFault %.0f\n", fault_ns());
    printf("wakeUp %.0f\n", wake_ns());
}
