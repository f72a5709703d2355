/* The frames of docs/protocol.md. Their numbers are u32, big endian. */
#ifndef HOOKVISOR_FRAME_H
#define HOOKVISOR_FRAME_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "clock.h"

enum { protocol_version = 1, header_bytes = 6 };

/* Maximum value of the length field of a frame on the runtime's socket. */
enum { frame_limit = 64 * 1024 * 1024 };

static inline void put_u32(char *at, size_t value) {
    for (int byte = 0; byte < 4; byte++) at[byte] = (char)(value >> (24 - 8 * byte));
}

static inline uint32_t get_u32(const char *at) {
    const unsigned char *byte = (const unsigned char *)at;
    return (uint32_t)byte[0] << 24 | (uint32_t)byte[1] << 16 | (uint32_t)byte[2] << 8 | byte[3];
}

static inline void put_header(char *at, int type, size_t body_bytes) {
    put_u32(at, 2 + body_bytes);
    at[4] = protocol_version;
    at[5] = (char)type;
}

/* Advances the parts past the bytes that were sent. Returns the number of parts that are complete. */
static inline size_t skip_sent(struct iovec *parts, size_t count, size_t sent) {
    for (size_t part = 0; part < count; part++) {
        size_t taken = sent < parts[part].iov_len ? sent : parts[part].iov_len;
        parts[part].iov_base = (char *)parts[part].iov_base + taken;
        parts[part].iov_len -= taken;
        sent -= taken;
        if (parts[part].iov_len > 0) return part;
    }
    return count;
}

/* Returns whether a failed socket call is worth a retry. Pauses first if the kernel lacked memory. */
static inline bool is_passing(int error) {
    if (error == ENOMEM || error == ENOBUFS) pause_ms(again_ms);
    else return error == EINTR || error == EAGAIN;
    return true;
}

#endif
