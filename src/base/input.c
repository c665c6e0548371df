/* lxm_input: files and pipes, decompressed where they are compressed. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/compressed.h"
#include "base/error.h"
#include "base/file.h"

struct lxm_input {
    lxm_allocator allocator;
    bool standard;
    char *path;
    uint64_t size;
    lxm_raw raw;
    bool begun;                     /* the first bytes have been looked at */
    lxm_decompressor *decompressor; /* NULL: the bytes are what they are */
    void (*watch)(void *context, uint64_t consumed);
    void *watch_context;
};

/* A bigger pipe lets two stages on two cores work at once. */
static void enlarge_pipe(int fd)
{
#ifdef F_SETPIPE_SZ
    (void)fcntl(fd, F_SETPIPE_SZ, 1 << 20);
#else
    (void)fd;
#endif
}

static lxm_status fail_path(lxm_error *error, int system, const char *what, const char *path)
{
    lxm_fail_io(error, system, what);
    if (error)
        error->path = path;
    return LXM_ERROR_IO;
}

static lxm_status inspect(lxm_input *input, const char *path, lxm_error *error)
{
    struct stat status;
    if (fstat(input->raw.fd, &status))
        return fail_path(error, errno, "can't read", path);
    if (S_ISDIR(status.st_mode))
        return fail_path(error, EISDIR, "can't read", path);
    input->size = S_ISREG(status.st_mode) ? (uint64_t)status.st_size : UINT64_MAX;
    if (S_ISFIFO(status.st_mode))
        enlarge_pipe(input->raw.fd);
#ifdef POSIX_FADV_SEQUENTIAL
    if (S_ISREG(status.st_mode))
        (void)posix_fadvise(input->raw.fd, 0, 0, POSIX_FADV_SEQUENTIAL);
#endif
    return LXM_OK;
}

lxm_status lxm_input_open(lxm_input **out, const char *path, const lxm_allocator *allocator,
                          lxm_error *error)
{
    *out = NULL;
    lxm_allocator a = lxm_allocator_or_default(allocator);
    lxm_input *input = lxm_new(&a, sizeof *input);
    if (!input)
        return lxm_fail_memory(error);
    input->allocator = a;
    input->raw = (lxm_raw){.allocator = a, .fd = -1};
    input->standard = strcmp(path, "-") == 0;
    input->path = lxm_copy_string(&a, input->standard ? "standard input" : path);
    lxm_status status = LXM_OK;
    if (!input->path)
        status = lxm_fail_memory(error);
    else if (input->standard)
        input->raw.fd = STDIN_FILENO;
    else if ((input->raw.fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
        status = fail_path(error, errno, "can't open", path);
    if (!status)
        status = inspect(input, path, error);
    if (status) {
        lxm_input_close(input);
        return status;
    }
    *out = input;
    return LXM_OK;
}

void lxm_input_close(lxm_input *input)
{
    if (!input)
        return;
    if (input->decompressor)
        input->decompressor->free(input->decompressor);
    if (input->raw.fd >= 0 && !input->standard)
        close(input->raw.fd); /* nothing was written: a failed close loses nothing */
    lxm_release(&input->allocator, input->raw.buffer);
    lxm_release(&input->allocator, input->path);
    lxm_allocator a = input->allocator;
    lxm_release(&a, input);
}

/* Looks at the first bytes: as many as it takes to know whether they are compressed. */
static lxm_status begin(lxm_input *input, lxm_error *error)
{
    lxm_raw *raw = &input->raw;
    lxm_compression found = LXM_COMPRESSION_NONE;
    lxm_status status = LXM_OK;
    bool seekable = input->size != UINT64_MAX && lseek(raw->fd, 0, SEEK_CUR) >= 0;
    bool more = true;
    for (size_t n = 1; !status && more && n > 0;) {
        status = lxm_raw_peek(raw, seekable, &n, error);
        if (!status)
            found = lxm_compression_of(raw->head, raw->head_end, &more);
    }
    if (seekable)
        raw->head_end = 0;
    if (!status && found)
        status = lxm_decompressor_new(&input->decompressor, found, raw, error);
    input->begun = !status;
    return status;
}

lxm_status lxm_input_read(lxm_input *input, void *bytes, size_t capacity, size_t *length,
                          lxm_error *error)
{
    *length = 0;
    if (!input->begun) {
        lxm_status status = begin(input, error);
        if (status)
            return status;
    }
    lxm_status status =
        input->decompressor
            ? input->decompressor->read(input->decompressor, bytes, capacity, length, error)
            : lxm_raw_read(&input->raw, bytes, capacity, length, error);
    if (input->watch)
        input->watch(input->watch_context, input->raw.consumed);
    return status;
}

void lxm_input_watch(lxm_input *input, void (*watch)(void *context, uint64_t consumed),
                     void *context)
{
    input->watch = watch;
    input->watch_context = context;
}

const char *lxm_input_name(const lxm_input *input)
{
    return input->path;
}

uint64_t lxm_input_size(const lxm_input *input)
{
    return input->size;
}

uint64_t lxm_input_consumed(const lxm_input *input)
{
    return input->raw.consumed;
}
