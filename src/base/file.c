/* Mappings and unnamed files. */
#define _GNU_SOURCE
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/hash.h"

static lxm_status fail_path(lxm_error *error, int system, const char *what, const char *path)
{
    lxm_fail_io(error, system, what);
    if (error)
        error->path = path;
    return LXM_ERROR_IO;
}

lxm_status lxm_map_open(lxm_map *map, const char *path, lxm_error *error)
{
    *map = (lxm_map){0};
    struct stat status;
    lxm_status result = LXM_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* or a FIFO would make it wait */
    if (fd < 0)
        return fail_path(error, errno, "can't open", path);
    if (fstat(fd, &status))
        result = fail_path(error, errno, "can't read", path);
    else if (S_ISDIR(status.st_mode))
        result = fail_path(error, EISDIR, "can't read", path);
    else if (!S_ISREG(status.st_mode))
        result = fail_path(error, EINVAL, "can't map what is no regular file", path);
    else if ((uint64_t)status.st_size > SIZE_MAX)
        result = fail_path(error, EFBIG, "can't map", path);
    else if (status.st_size > 0) {
        void *data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, fd, 0);
        if (data == MAP_FAILED)
            result = fail_path(error, errno, "can't map", path);
        else
            *map = (lxm_map){data, (size_t)status.st_size};
    }
    close(fd);
    return result;
}

void lxm_map_close(lxm_map *map)
{
    if (map->data)
        munmap((void *)(uintptr_t)map->data, map->length);
    *map = (lxm_map){0};
}

static lxm_status hash_pieces(int fd, uint64_t length, lxm_hasher *hasher,
                              const lxm_allocator *allocator, lxm_error *error)
{
    enum { piece = 256 * 1024 };
    uint8_t *bytes = lxm_allocate(allocator, piece, 1);
    lxm_status status = bytes ? LXM_OK : lxm_fail_memory(error);
    for (uint64_t at = 0; !status && at < length; at += piece) {
        size_t n = length - at < piece ? (size_t)(length - at) : piece;
        status = lxm_read_at(fd, at, bytes, n, error);
        if (!status)
            lxm_hash_update(hasher->state, bytes, n);
    }
    lxm_release(allocator, bytes);
    return status;
}

lxm_status lxm_hash_file(const char *path, uint64_t *length, uint64_t *hash,
                         const lxm_allocator *allocator, lxm_error *error)
{
    struct stat status;
    lxm_hasher hasher;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status)) {
        int failed = errno;
        if (fd >= 0)
            close(fd);
        return fail_path(error, failed, "can't read", path);
    }
    *length = (uint64_t)status.st_size;
    lxm_status result = lxm_hasher_init(&hasher, allocator)
                            ? hash_pieces(fd, *length, &hasher, allocator, error)
                            : lxm_fail_memory(error);
    if (!result)
        *hash = XXH3_64bits_digest(hasher.state);
    lxm_hasher_free(&hasher, allocator);
    close(fd);
    return result;
}

lxm_status lxm_write_all(int fd, const void *bytes, size_t length, lxm_error *error)
{
    const uint8_t *p = bytes;
    while (length > 0) {
        ssize_t n = write(fd, p, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return lxm_fail_io(error, errno, "write failed");
        p += n;
        length -= (size_t)n;
    }
    return LXM_OK;
}

lxm_status lxm_read_at(int fd, uint64_t offset, void *bytes, size_t length, lxm_error *error)
{
    uint8_t *p = bytes;
    while (length > 0) {
        ssize_t n = pread(fd, p, length, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return lxm_fail_io(error, errno, "can't read");
        if (n == 0)
            return lxm_fail_at(error, LXM_ERROR_FORMAT, offset, "the file ends too early");
        p += n;
        offset += (uint64_t)n;
        length -= (size_t)n;
    }
    return LXM_OK;
}

lxm_status lxm_unnamed_file(int *fd, const char *folder, lxm_error *error)
{
    if (!folder)
        folder = getenv("TMPDIR");
    if (!folder || !*folder)
        folder = "/tmp";
    *fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (*fd >= 0)
        return LXM_OK;
    char path[4096];
    size_t length = strlen(folder);
    static const char name[] = "/lexmill.XXXXXX";
    if (length + sizeof name > sizeof path)
        return lxm_fail_io(error, ENAMETOOLONG, "can't make a temporary file");
    memcpy(path, folder, length);
    memcpy(path + length, name, sizeof name);
    *fd = mkostemp(path, O_CLOEXEC);
    if (*fd < 0)
        return lxm_fail_io(error, errno, "can't make a temporary file (set TMPDIR)");
    unlink(path);
    return LXM_OK;
}

void lxm_spool_init(lxm_spool *spool, size_t memory, const char *folder,
                    const lxm_allocator *allocator)
{
    *spool = (lxm_spool){.memory = memory, .folder = folder, .fd = -1};
    lxm_buffer_init(&spool->buffer, allocator);
}

void lxm_spool_free(lxm_spool *spool)
{
    lxm_buffer_free(&spool->buffer);
    if (spool->fd >= 0)
        close(spool->fd);
    spool->fd = -1;
    spool->length = 0;
}

/* Moves the buffer to the end of the file. */
static lxm_status spill(lxm_spool *spool, lxm_error *error)
{
    lxm_status status = LXM_OK;
    if (spool->fd < 0)
        status = lxm_unnamed_file(&spool->fd, spool->folder, error);
    if (!status)
        status = lxm_write_all(spool->fd, spool->buffer.data, spool->buffer.length, error);
    if (!status)
        spool->buffer.length = 0;
    return status;
}

lxm_status lxm_spool_write(lxm_spool *spool, const void *bytes, size_t length, lxm_error *error)
{
    lxm_status status = LXM_OK;
    if (spool->buffer.length && length > spool->memory - spool->buffer.length)
        status = spill(spool, error);
    if (status)
        return status;
    if (length > spool->memory) {
        if (spool->fd < 0)
            status = lxm_unnamed_file(&spool->fd, spool->folder, error);
        if (!status)
            status = lxm_write_all(spool->fd, bytes, length, error);
    } else if (!lxm_buffer_append(&spool->buffer, bytes, length)) {
        status = lxm_fail_memory(error);
    }
    if (!status)
        spool->length += length;
    return status;
}

lxm_status lxm_spool_read(lxm_spool *spool, uint64_t offset, void *bytes, size_t length,
                          lxm_error *error)
{
    if (offset > spool->length || length > spool->length - offset)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "read past the end of a spool");
    uint64_t in_file = spool->length - spool->buffer.length;
    uint8_t *p = bytes;
    if (offset < in_file) {
        size_t n = length < in_file - offset ? length : (size_t)(in_file - offset);
        lxm_status status = lxm_read_at(spool->fd, offset, p, n, error);
        if (status)
            return status;
        p += n;
        offset += n;
        length -= n;
    }
    if (length)
        memcpy(p, spool->buffer.data + (offset - in_file), length);
    return LXM_OK;
}

lxm_status lxm_spool_clear(lxm_spool *spool, lxm_error *error)
{
    spool->buffer.length = 0;
    spool->length = 0;
    if (spool->fd >= 0 && (ftruncate(spool->fd, 0) || lseek(spool->fd, 0, SEEK_SET)))
        return lxm_fail_io(error, errno, "can't rewind a temporary file");
    return LXM_OK;
}

lxm_status lxm_spool_drain(lxm_spool *spool, lxm_output *output, lxm_error *error)
{
    uint8_t bytes[16384];
    lxm_status status = LXM_OK;
    for (uint64_t at = 0; !status && at < spool->length;) {
        uint64_t left = spool->length - at;
        size_t n = left < sizeof bytes ? (size_t)left : sizeof bytes;
        status = lxm_spool_read(spool, at, bytes, n, error);
        if (!status)
            status = lxm_output_write(output, bytes, n, error);
        at += n;
    }
    return status ? status : lxm_spool_clear(spool, error);
}
