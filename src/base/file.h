/* Files: mapping, whole reads, unnamed temporary files. lxm_input and lxm_output are public. */
#ifndef LXM_BASE_FILE_H
#define LXM_BASE_FILE_H

#include "base/memory.h"
#include "lexmill/stream.h"

/* Calls `watch` after every read with the bytes taken from the file so far. */
void lxm_input_watch(lxm_input *input, void (*watch)(void *context, uint64_t consumed),
                     void *context);

/* A file mapped read-only. An empty file has no data. */
typedef struct lxm_map {
    const uint8_t *data;
    size_t length;
} lxm_map;

/* The error carries the path, which the caller owns. */
lxm_status lxm_map_open(lxm_map *map, const char *path, lxm_error *error);
void lxm_map_close(lxm_map *map);

/* The size and XXH3-64 of a file, which is read piece by piece: mapping it would count as memory.
 */
lxm_status lxm_hash_file(const char *path, uint64_t *length, uint64_t *hash,
                         const lxm_allocator *allocator, lxm_error *error);

/* Bytes that wait for their turn: in memory up to a size, past it in an unnamed file in `folder`
 * (NULL: $TMPDIR or /tmp). Write first, then read from the start. */
typedef struct lxm_spool {
    lxm_buffer buffer;
    size_t memory;
    const char *folder;
    int fd; /* -1: all is in the buffer */
    uint64_t length;
} lxm_spool;

void lxm_spool_init(lxm_spool *spool, size_t memory, const char *folder,
                    const lxm_allocator *allocator);
void lxm_spool_free(lxm_spool *spool);
lxm_status lxm_spool_write(lxm_spool *spool, const void *bytes, size_t length, lxm_error *error);

/* Reads exactly `length` bytes at `offset`. */
lxm_status lxm_spool_read(lxm_spool *spool, uint64_t offset, void *bytes, size_t length,
                          lxm_error *error);

/* Empties it. */
lxm_status lxm_spool_clear(lxm_spool *spool, lxm_error *error);

/* Writes all of it to an output and empties it. */
lxm_status lxm_spool_drain(lxm_spool *spool, lxm_output *output, lxm_error *error);

/* A new unnamed file in `folder` (NULL: $TMPDIR or /tmp), open for reading and writing. */
lxm_status lxm_unnamed_file(int *fd, const char *folder, lxm_error *error);

/* Write and read all of it, through short counts and EINTR. */
lxm_status lxm_write_all(int fd, const void *bytes, size_t length, lxm_error *error);
lxm_status lxm_read_at(int fd, uint64_t offset, void *bytes, size_t length, lxm_error *error);

#endif
