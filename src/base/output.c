/* Writing: a named regular file appears whole or not at all. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/direct.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"

enum { buffer_size = 256 * 1024, send_step = 8 << 20, reserve_ahead = 64 << 20 };

/* A file that grows past this goes past the page cache: the copy into it is half the work of
 * writing, and a small file is better left there for whoever reads it next. */
enum { direct_from = 32 << 20 };

struct lxm_output {
    lxm_allocator allocator;
    const char *name; /* for messages: the caller's */
    int fd;
    bool regular; /* a regular file that we began at its start */
    bool empty;   /* and that held nothing then */
    bool terminal;
    char *target;    /* where a temporary file goes in the end; NULL: written straight */
    char *temporary; /* its name until then; NULL: it has none yet */
    uint8_t *buffer;
    size_t used;
    uint64_t written, sent, reserved; /* bytes: in the file; on their way to disk; with room */
    lxm_direct *direct;               /* NULL: through the page cache */
    bool tried_direct;
};

/* Says which output failed. */
static lxm_status named(const lxm_output *output, lxm_status status, lxm_error *error)
{
    if (status && error)
        error->path = output->name;
    return status;
}

/* The file that a path leads to, through symbolic links, one that is not there included. */
static lxm_status resolve(const lxm_allocator *allocator, const char *path, char **target,
                          lxm_error *error)
{
    char link[PATH_MAX];
    char *name = lxm_copy_string(allocator, path);
    for (int hops = 0; name; hops++) {
        ssize_t n = readlink(name, link, sizeof link - 1);
        if (n < 0) {
            *target = name;
            return LXM_OK;
        }
        link[n] = '\0';
        const char *slash = link[0] == '/' ? NULL : strrchr(name, '/');
        size_t folder = slash ? (size_t)(slash - name) + 1 : 0;
        char *next = hops < 40 ? lxm_allocate(allocator, folder + (size_t)n + 1, 1) : NULL;
        if (next) {
            memcpy(next, name, folder);
            memcpy(next + folder, link, (size_t)n + 1);
        }
        lxm_release(allocator, name);
        name = next;
        if (hops == 40)
            return lxm_fail_io(error, ELOOP, "can't write");
    }
    return lxm_fail_memory(error);
}

/* Length of the part of a path before its file name, slash included. */
static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

static char *folder_of(const lxm_allocator *allocator, const char *path)
{
    size_t length = folder_length(path);
    if (length == 0)
        return lxm_copy_string(allocator, ".");
    char *folder = lxm_allocate(allocator, length + 1, 1);
    if (folder) {
        memcpy(folder, path, length);
        folder[length] = '\0';
    }
    return folder;
}

/* TARGET's folder, a dot, its name, of which so much that the whole is no longer than a name may
 * be, and a random suffix. */
static char *temporary_name(const lxm_allocator *allocator, const char *target)
{
    enum { longest = NAME_MAX - 10 };
    size_t folder = folder_length(target), size = strlen(target) + 16;
    char *name = lxm_allocate(allocator, size, 1);
    if (name)
        snprintf(name, size, "%.*s.%.*s.%08x", (int)folder, target, (int)longest, target + folder,
                 (unsigned)lxm_random_seed());
    return name;
}

/* Makes a file beside the target, under a name that nobody has. */
static lxm_status open_visible(lxm_output *output, lxm_error *error)
{
    for (int tries = 0; tries < 100; tries++) {
        char *name = temporary_name(&output->allocator, output->target);
        if (!name)
            return lxm_fail_memory(error);
        output->fd = open(name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0666);
        if (output->fd >= 0) {
            output->temporary = name;
            return LXM_OK;
        }
        int failed = errno;
        lxm_release(&output->allocator, name);
        if (failed != EEXIST)
            return lxm_fail_io(error, failed, "can't write");
    }
    return lxm_fail_io(error, EEXIST, "can't write");
}

/* Opens a temporary file: one without a name where the file system can, so that nothing is left
 * behind even by a kill. It has the permissions of the file that it will replace. */
static lxm_status open_temporary(lxm_output *output, lxm_error *error)
{
    char *folder = folder_of(&output->allocator, output->target);
    if (!folder)
        return lxm_fail_memory(error);
    output->fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
    lxm_release(&output->allocator, folder);
    lxm_status status = output->fd < 0 ? open_visible(output, error) : LXM_OK;
    struct stat old;
    if (!status && stat(output->target, &old) == 0 && fchmod(output->fd, old.st_mode & 07777))
        status = lxm_fail_io(error, errno, "can't write");
    return status;
}

static lxm_status open_named(lxm_output *output, const char *path, lxm_error *error)
{
    struct stat status;
    if (!*path)
        return lxm_fail_io(error, ENOENT, "can't write");
    int failed = stat(path, &status) ? errno : 0;
    if (failed && failed != ENOENT) /* such as a name that is too long: not after all the work */
        return lxm_fail_io(error, failed, "can't write");
    if (!failed && !S_ISREG(status.st_mode)) {
        output->fd = open(path, O_WRONLY | O_CLOEXEC);
        return output->fd < 0 ? lxm_fail_io(error, errno, "can't write") : LXM_OK;
    }
    lxm_status result = resolve(&output->allocator, path, &output->target, error);
    if (!result)
        result = open_temporary(output, error);
    output->regular = output->empty = !result;
    return result;
}

static lxm_status open_standard(lxm_output *output, lxm_error *error)
{
    struct stat status;
    int flags = fcntl(STDOUT_FILENO, F_GETFL);
    if (flags < 0 || fstat(STDOUT_FILENO, &status))
        return lxm_fail_io(error, errno, "can't write");
    if ((flags & O_ACCMODE) == O_RDONLY)
        return lxm_fail_io(error, EBADF, "can't write");
    output->fd = STDOUT_FILENO;
    output->terminal = isatty(STDOUT_FILENO);
    output->regular =
        S_ISREG(status.st_mode) && !(flags & O_APPEND) && lseek(STDOUT_FILENO, 0, SEEK_CUR) == 0;
    output->empty = output->regular && status.st_size == 0;
#ifdef F_SETPIPE_SZ
    if (S_ISFIFO(status.st_mode))
        (void)fcntl(STDOUT_FILENO, F_SETPIPE_SZ, 1 << 20);
#endif
    return LXM_OK;
}

lxm_status lxm_output_open(lxm_output **out, const char *path, const lxm_allocator *allocator,
                           lxm_error *error)
{
    *out = NULL;
    lxm_allocator a = lxm_allocator_or_default(allocator);
    lxm_output *output = lxm_new(&a, sizeof *output);
    if (!output)
        return lxm_fail_memory(error);
    output->allocator = a;
    output->fd = -1;
    lxm_status status = LXM_OK;
    bool standard = strcmp(path, "-") == 0;
    output->name = standard ? "standard output" : path;
    output->buffer = lxm_allocate(&a, buffer_size, 1);
    if (!output->buffer)
        status = lxm_fail_memory(error);
    else if (standard)
        status = open_standard(output, error);
    else
        status = open_named(output, path, error);
    if (status) {
        named(output, status, error);
        lxm_output_discard(output);
        return status;
    }
    *out = output;
    return LXM_OK;
}

/* Room on the disk is taken in large steps: pages that have their place are written faster. In our
 * temporary file with the size, so that several writers needn't wait for each other; standard
 * output never looks longer than it is. It may fail: then writing says why. */
static void reserve(lxm_output *output)
{
    if (!output->empty || output->written + reserve_ahead / 2 <= output->reserved)
        return;
    int mode = output->target ? 0 : FALLOC_FL_KEEP_SIZE;
    (void)fallocate(output->fd, mode, (off_t)output->reserved, reserve_ahead);
    output->reserved += reserve_ahead;
}

static lxm_status give_back(const lxm_output *output, lxm_error *error)
{
    if (output->reserved > output->written && ftruncate(output->fd, (off_t)output->written))
        return lxm_fail_io(error, errno, "can't give back room on the disk");
    return LXM_OK;
}

/* After a failure, when the file's own size alone says how much is in it. */
static void drop_room(const lxm_output *output)
{
    struct stat status;
    if (output->reserved && fstat(output->fd, &status) == 0)
        (void)!ftruncate(output->fd, status.st_size);
}

/* What is written starts its way to disk at once: the sync at the end has little left to wait for.
 * It may fail. */
static void write_behind(lxm_output *output)
{
#ifdef SYNC_FILE_RANGE_WRITE
    if (output->written - output->sent < send_step)
        return;
    (void)sync_file_range(output->fd, (off_t)output->sent, (off_t)(output->written - output->sent),
                          SYNC_FILE_RANGE_WRITE);
    output->sent = output->written;
#else
    (void)output;
#endif
}

static lxm_status write_cached(lxm_output *output, const void *bytes, size_t length,
                               lxm_error *error)
{
    lxm_status status = lxm_write_all(output->fd, bytes, length, error);
    output->written += length;
    if (!status && output->written >= send_step)
        reserve(output);
    if (!status && output->target)
        write_behind(output);
    return status;
}

static lxm_status begin_direct(lxm_output *output, const uint8_t **bytes, size_t *length,
                               lxm_error *error)
{
    size_t over = output->written % lxm_direct_alignment,
           n = over ? lxm_direct_alignment - over : 0;
    n = n < *length ? n : *length;
    lxm_status status = write_cached(output, *bytes, n, error);
    *bytes += n;
    *length -= n;
    if (status || output->written % lxm_direct_alignment)
        return status;
    output->tried_direct = true;
    output->direct = lxm_direct_new(output->fd, output->written, &output->allocator);
    return LXM_OK;
}

/* Back to an ordinary file, with all that was written in it. */
static lxm_status end_direct(lxm_output *output, lxm_error *error)
{
    if (!output->direct)
        return LXM_OK;
    lxm_status status = lxm_direct_finish(output->direct, error);
    lxm_direct_free(output->direct);
    output->direct = NULL;
    if (!status && lseek(output->fd, (off_t)output->written, SEEK_SET) < 0)
        status = lxm_fail_io(error, errno, "write failed");
    return status;
}

static lxm_status write_out(lxm_output *output, const void *bytes, size_t length, lxm_error *error)
{
    const uint8_t *p = bytes;
    lxm_status status = LXM_OK;
    if (output->target && !output->tried_direct && output->written >= direct_from)
        status = begin_direct(output, &p, &length, error);
    if (status || !output->direct) {
        status = status ? status : write_cached(output, p, length, error);
    } else {
        reserve(output);
        status = lxm_direct_write(output->direct, p, length, error);
        output->written += length;
    }
    return named(output, status, error);
}

lxm_status lxm_output_flush(lxm_output *output, lxm_error *error)
{
    size_t used = output->used;
    output->used = 0;
    return write_out(output, output->buffer, used, error);
}

lxm_status lxm_output_write(lxm_output *output, const void *bytes, size_t length, lxm_error *error)
{
    if (length < buffer_size / 2 && length <= buffer_size - output->used) {
        if (length)
            memcpy(output->buffer + output->used, bytes, length);
        output->used += length;
        return LXM_OK;
    }
    lxm_status status = lxm_output_flush(output, error);
    if (status)
        return status;
    if (length >= buffer_size / 2)
        return write_out(output, bytes, length, error);
    memcpy(output->buffer, bytes, length);
    output->used = length;
    return LXM_OK;
}

bool lxm_output_can_patch(const lxm_output *output)
{
    return output->regular;
}

bool lxm_output_is_terminal(const lxm_output *output)
{
    return output->terminal;
}

lxm_status lxm_output_patch(lxm_output *output, uint64_t offset, const void *bytes, size_t length,
                            lxm_error *error)
{
    if (!output->regular)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "this output can't be rewound");
    lxm_status status = lxm_output_flush(output, error);
    if (!status)
        status = named(output, end_direct(output, error), error);
    const uint8_t *p = bytes;
    while (!status && length > 0) {
        ssize_t n = pwrite(output->fd, p, length, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return named(output, lxm_fail_io(error, errno, "write failed"), error);
        p += n;
        offset += (uint64_t)n;
        length -= (size_t)n;
    }
    return status;
}

/* Gives an unnamed temporary file a name beside the target. */
static lxm_status name_temporary(lxm_output *output, lxm_error *error)
{
    char self[64];
    snprintf(self, sizeof self, "/proc/self/fd/%d", output->fd);
    for (int tries = 0; tries < 100; tries++) {
        char *name = temporary_name(&output->allocator, output->target);
        if (!name)
            return lxm_fail_memory(error);
        int failed = linkat(AT_FDCWD, self, AT_FDCWD, name, AT_SYMLINK_FOLLOW) ? errno : 0;
        if (!failed) {
            output->temporary = name;
            return LXM_OK;
        }
        lxm_release(&output->allocator, name);
        if (failed != EEXIST)
            return lxm_fail_io(error, failed, "can't write");
    }
    return lxm_fail_io(error, EEXIST, "can't write");
}

/* Opens the target's folder while a failure can still leave the old file in place. */
static lxm_status open_folder(const lxm_output *output, int *fd, lxm_error *error)
{
    char *folder = folder_of(&output->allocator, output->target);
    *fd = -1;
    if (!folder)
        return lxm_fail_memory(error);
    *fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int failed = errno;
    lxm_release(&output->allocator, folder);
    return *fd < 0 ? lxm_fail_io(error, failed, "can't open the folder") : LXM_OK;
}

static lxm_status move_into_place(lxm_output *output, int folder, lxm_error *error)
{
    if (rename(output->temporary, output->target))
        return lxm_fail_io(error, errno, "can't rename");
    lxm_release(&output->allocator, output->temporary);
    output->temporary = NULL;
    if (fsync(folder) && errno != EINVAL && errno != EROFS)
        return lxm_fail_io(error, errno, "can't sync the folder");
    return LXM_OK;
}

static lxm_status put_in_place(lxm_output *output, lxm_error *error)
{
    int folder = -1, fd = output->fd;
    lxm_status status = end_direct(output, error);
    if (!status)
        status = give_back(output, error);
    if (!status && fsync(fd))
        status = lxm_fail_io(error, errno, "can't sync to disk");
    if (!status && !output->temporary)
        status = name_temporary(output, error);
    output->fd = -1;
    if (close(fd) && !status)
        status = lxm_fail_io(error, errno, "close failed");
    if (!status)
        status = open_folder(output, &folder, error);
    if (!status)
        status = move_into_place(output, folder, error);
    if (folder >= 0)
        close(folder);
    return status;
}

lxm_status lxm_output_commit(lxm_output *output, lxm_error *error)
{
    lxm_status status = lxm_output_flush(output, error);
    if (!status && output->target)
        status = put_in_place(output, error);
    else if (!status) {
        int fd = output->fd;
        status = give_back(output, error);
        output->fd = -1;
        if (close(fd) && !status)
            status = lxm_fail_io(error, errno, "close failed");
    }
    named(output, status, error);
    lxm_output_discard(output);
    return status;
}

void lxm_output_discard(lxm_output *output)
{
    if (!output)
        return;
    lxm_direct_free(output->direct);
    if (output->fd >= 0 && !output->target)
        drop_room(output);
    if (output->fd >= 0 && output->fd != STDOUT_FILENO)
        close(output->fd);
    if (output->temporary)
        unlink(output->temporary);
    lxm_release(&output->allocator, output->temporary);
    lxm_release(&output->allocator, output->target);
    lxm_release(&output->allocator, output->buffer);
    lxm_allocator a = output->allocator;
    lxm_release(&a, output);
}
