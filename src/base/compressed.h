/* Compressed input: recognised by its first bytes and read as a stream. */
#ifndef LXM_BASE_COMPRESSED_H
#define LXM_BASE_COMPRESSED_H

#include "base/memory.h"

typedef enum lxm_compression {
    LXM_COMPRESSION_NONE,
    LXM_COMPRESSION_GZIP,
    LXM_COMPRESSION_ZSTD,
    LXM_COMPRESSION_XZ,
    LXM_COMPRESSION_BZIP2,
    LXM_COMPRESSION_LZ4
} lxm_compression;

/* As many bytes as it takes to recognise any of them. */
enum { lxm_compression_magic = 10 };

const char *lxm_compression_name(lxm_compression compression);

/* What data that begins so is compressed with; *more: too few bytes to be sure. */
lxm_compression lxm_compression_of(const uint8_t *bytes, size_t length, bool *more);

/* The bytes of a file as they stand in it. */
typedef struct lxm_raw {
    lxm_allocator allocator;
    int fd;
    uint64_t consumed;                   /* bytes taken from the file so far */
    uint8_t head[lxm_compression_magic]; /* the first ones, where they were looked at */
    size_t head_begin, head_end;
    uint8_t *buffer;   /* made by the first lxm_raw_next; to be released */
    size_t begin, end; /* what waits in the buffer */
} lxm_raw;

/* Adds to `head`, where that has room, before anything is read; *length 0 at the end. Of a
 * seekable file the bytes stay where they are, otherwise they are read first. */
lxm_status lxm_raw_peek(lxm_raw *raw, bool seekable, size_t *length, lxm_error *error);

/* As lxm_input_read. */
lxm_status lxm_raw_read(lxm_raw *raw, void *bytes, size_t capacity, size_t *length,
                        lxm_error *error);

/* Fills the buffer where nothing waits in it; at the end of the file nothing waits afterwards. */
lxm_status lxm_raw_next(lxm_raw *raw, lxm_error *error);

typedef struct lxm_decompressor lxm_decompressor;
struct lxm_decompressor {
    /* As lxm_input_read: *length 0 is the end, where all of the file has been found sound. */
    lxm_status (*read)(lxm_decompressor *decompressor, void *bytes, size_t capacity, size_t *length,
                       lxm_error *error);
    void (*free)(lxm_decompressor *decompressor);
};

/* `raw` must outlive it. LXM_ERROR_UNSUPPORTED where the library was built without. */
lxm_status lxm_decompressor_new(lxm_decompressor **decompressor, lxm_compression compression,
                                lxm_raw *raw, lxm_error *error);

/* One each for the libraries behind it. */
lxm_status lxm_gzip_new(lxm_decompressor **decompressor, lxm_raw *raw, lxm_error *error);
lxm_status lxm_archive_new(lxm_decompressor **decompressor, lxm_compression compression,
                           lxm_raw *raw, lxm_error *error);

/* LXM_ERROR_FORMAT for data that is cut or damaged; `reason` may be NULL. */
lxm_status lxm_compression_damaged(lxm_compression compression, const char *reason,
                                   lxm_error *error);

#endif
