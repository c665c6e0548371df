#define _POSIX_C_SOURCE 200809L
#include "base/compressed.h"

#include <errno.h>
#include <unistd.h>

#include "base/error.h"

enum { buffer_size = 128 * 1024 };

typedef struct magic {
    lxm_compression compression;
    uint8_t length;
    uint8_t bytes[lxm_compression_magic];
    uint8_t variable; /* index of a byte of which the lower four bits vary; 0: none does */
} magic;

/* RFC 1952, RFC 8878, the specifications of xz, bzip2 (an unwritten one) and LZ4 frames. A letter
 * says little: of bzip2 the start of the first block is looked at as well, or that of the end. */
static const magic magics[] = {
    {LXM_COMPRESSION_GZIP, 3, {0x1F, 0x8B, 0x08}, 0},
    {LXM_COMPRESSION_ZSTD, 4, {0x28, 0xB5, 0x2F, 0xFD}, 0},
    {LXM_COMPRESSION_XZ, 6, {0xFD, '7', 'z', 'X', 'Z', 0}, 0},
    {LXM_COMPRESSION_BZIP2, 10, {'B', 'Z', 'h', '0', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59}, 3},
    {LXM_COMPRESSION_BZIP2, 10, {'B', 'Z', 'h', '0', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90}, 3},
    {LXM_COMPRESSION_LZ4, 4, {0x04, 0x22, 0x4D, 0x18}, 0},
};

/* A frame to be skipped, of zstd or LZ4: parallel zstd programs begin with one. */
static bool is_skippable(const uint8_t *bytes, size_t length)
{
    static const uint8_t rest[] = {0x2A, 0x4D, 0x18};
    size_t n = length < 4 ? length : 4;
    return n > 0 && bytes[0] >> 4 == 5 && memcmp(bytes + 1, rest, n - 1) == 0;
}

static bool agrees(const magic *m, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        uint8_t mask = m->variable && i == m->variable ? 0xF0 : 0xFF;
        if ((bytes[i] & mask) != m->bytes[i])
            return false;
    }
    return true;
}

lxm_compression lxm_compression_of(const uint8_t *bytes, size_t length, bool *more)
{
    *more = length < 4 && is_skippable(bytes, length);
    if (length >= 4 && is_skippable(bytes, length))
        return LXM_COMPRESSION_ZSTD;
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++) {
        const magic *m = &magics[i];
        if (length >= m->length && agrees(m, bytes, m->length))
            return m->compression;
        *more = *more || (length < m->length && agrees(m, bytes, length));
    }
    return LXM_COMPRESSION_NONE;
}

const char *lxm_compression_name(lxm_compression compression)
{
    static const char *const names[] = {"no", "gzip", "zstd", "xz", "bzip2", "lz4"};
    return names[compression];
}

static lxm_status take(lxm_raw *raw, off_t at, void *bytes, size_t capacity, size_t *length,
                       lxm_error *error)
{
    ssize_t n;
    *length = 0;
    do
        n = at < 0 ? read(raw->fd, bytes, capacity) : pread(raw->fd, bytes, capacity, at);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return lxm_fail_io(error, errno, "can't read");
    *length = (size_t)n;
    return LXM_OK;
}

lxm_status lxm_raw_peek(lxm_raw *raw, bool seekable, size_t *length, lxm_error *error)
{
    off_t at = seekable ? lseek(raw->fd, 0, SEEK_CUR) : -1;
    if (at >= 0)
        at += (off_t)raw->head_end;
    lxm_status status =
        take(raw, at, raw->head + raw->head_end, sizeof raw->head - raw->head_end, length, error);
    raw->head_end += *length;
    return status;
}

lxm_status lxm_raw_read(lxm_raw *raw, void *bytes, size_t capacity, size_t *length,
                        lxm_error *error)
{
    lxm_status status = LXM_OK;
    size_t waiting = raw->head_end - raw->head_begin;
    if (waiting) {
        *length = capacity < waiting ? capacity : waiting;
        memcpy(bytes, raw->head + raw->head_begin, *length);
        raw->head_begin += *length;
    } else {
        status = take(raw, -1, bytes, capacity, length, error);
    }
    raw->consumed += *length;
    return status;
}

lxm_status lxm_raw_next(lxm_raw *raw, lxm_error *error)
{
    if (raw->begin < raw->end)
        return LXM_OK;
    if (!raw->buffer)
        raw->buffer = lxm_allocate(&raw->allocator, buffer_size, 1);
    if (!raw->buffer)
        return lxm_fail_memory(error);
    raw->begin = 0;
    return lxm_raw_read(raw, raw->buffer, buffer_size, &raw->end, error);
}

lxm_status lxm_decompressor_new(lxm_decompressor **decompressor, lxm_compression compression,
                                lxm_raw *raw, lxm_error *error)
{
#ifdef LXM_HAVE_ARCHIVE
    if (compression == LXM_COMPRESSION_GZIP)
        return lxm_gzip_new(decompressor, raw, error);
    return lxm_archive_new(decompressor, compression, raw, error);
#else
    (void)raw;
    *decompressor = NULL;
    return lxm_fail(error, LXM_ERROR_UNSUPPORTED,
                    "this is %s data, which this build can't read: decompress it first, or build "
                    "lexmill with libarchive and zlib",
                    lxm_compression_name(compression));
#endif
}

lxm_status lxm_compression_damaged(lxm_compression compression, const char *reason,
                                   lxm_error *error)
{
    char text[160];
    if (!reason || !*reason)
        reason = "it doesn't end where it should";
    return lxm_fail(error, LXM_ERROR_FORMAT,
                    "the %s data is cut short or damaged: %s (get or make the file again)",
                    lxm_compression_name(compression),
                    lxm_printable(text, sizeof text, reason, strlen(reason)));
}
