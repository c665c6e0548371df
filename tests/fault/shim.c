/*
 * Makes one call of a program fail, for LD_PRELOAD.
 *
 *   LEXMILL_FAULT=CALL:N:WHAT   the N-th call (from 1) of CALL fails
 *   LEXMILL_FAULT_REPORT=PATH   writes there, at the end, how often CALL was called
 *
 * CALL: read, write, pread, pwrite, open, close, fsync, ftruncate, fallocate, mmap, rename, linkat,
 * thread (pthread_create) or malloc (calloc and realloc as well).
 * WHAT: an error such as EIO; "short": this call and all that come after it do one byte at a time;
 * "on": this call and all that come after it fail with ENOMEM.
 */
#undef _FILE_OFFSET_BITS /* would rename calls to their 64-bit forms: both are given below */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { no_fault = 0, short_count = -1 };

static const char *fault_call = "";
static unsigned long fault_at;
static int fault_error;
static bool fault_short, fault_on;
static atomic_ulong calls;

static int error_named(const char *name)
{
    static const struct {
        const char *name;
        int error;
    } errors[] = {{"EIO", EIO},       {"EINTR", EINTR},   {"ENOSPC", ENOSPC},
                  {"EMFILE", EMFILE}, {"ENOMEM", ENOMEM}, {"EOPNOTSUPP", EOPNOTSUPP},
                  {"EACCES", EACCES}, {"EAGAIN", EAGAIN}, {"EDQUOT", EDQUOT},
                  {"on", ENOMEM}};
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        if (strcmp(name, errors[i].name) == 0)
            return errors[i].error;
    return 0;
}

__attribute__((constructor)) static void start(void)
{
    static char text[64];
    const char *fault = getenv("LEXMILL_FAULT");
    if (!fault || strlen(fault) >= sizeof text)
        return;
    memcpy(text, fault, strlen(fault) + 1);
    char *number = strchr(text, ':');
    char *what = number ? strchr(number + 1, ':') : NULL;
    if (!what)
        return;
    *number++ = *what++ = '\0';
    fault_at = strtoul(number, NULL, 10);
    fault_short = strcmp(what, "short") == 0;
    fault_on = strcmp(what, "on") == 0;
    fault_error = error_named(what);
    fault_call = text; /* last: from here on calls are counted */
}

__attribute__((destructor)) static void report(void)
{
    const char *path = getenv("LEXMILL_FAULT_REPORT");
    char text[32];
    if (!path)
        return;
    int length = snprintf(text, sizeof text, "%lu\n", atomic_load(&calls));
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd >= 0) {
        (void)!syscall(SYS_write, fd, text, (size_t)length);
        syscall(SYS_close, fd);
    }
}

/* What becomes of this call: no_fault, short_count or an errno. */
static int fault(const char *call)
{
    if (strcmp(call, fault_call) != 0)
        return no_fault;
    unsigned long n = atomic_fetch_add(&calls, 1) + 1;
    if (fault_short && fault_at && n >= fault_at)
        return short_count;
    if (n == fault_at || (fault_on && fault_at && n > fault_at))
        return fault_error;
    return no_fault;
}

/* Leaves the function with the error, if there is to be one. */
#define may_fail(call, result)                                                                     \
    int failed = fault(call);                                                                      \
    if (failed > 0) {                                                                              \
        errno = failed;                                                                            \
        return result;                                                                             \
    }

ssize_t read(int fd, void *bytes, size_t count)
{
    may_fail("read", -1);
    return syscall(SYS_read, fd, bytes, failed == short_count && count ? 1 : count);
}

ssize_t write(int fd, const void *bytes, size_t count)
{
    may_fail("write", -1);
    return syscall(SYS_write, fd, bytes,
                   failed == short_count && count > 1 ? (count + 1) / 2 : count);
}

#define define_pread(name)                                                                         \
    ssize_t name(int fd, void *bytes, size_t count, off_t offset);                                 \
    ssize_t name(int fd, void *bytes, size_t count, off_t offset)                                  \
    {                                                                                              \
        may_fail("pread", -1);                                                                     \
        return syscall(SYS_pread64, fd, bytes, failed == short_count && count ? 1 : count,         \
                       offset);                                                                    \
    }

#define define_pwrite(name)                                                                        \
    ssize_t name(int fd, const void *bytes, size_t count, off_t offset);                           \
    ssize_t name(int fd, const void *bytes, size_t count, off_t offset)                            \
    {                                                                                              \
        may_fail("pwrite", -1);                                                                    \
        return syscall(SYS_pwrite64, fd, bytes, failed == short_count && count ? 1 : count,        \
                       offset);                                                                    \
    }

#define define_open(name)                                                                          \
    int name(const char *path, int flags, ...);                                                    \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        va_list arguments;                                                                         \
        va_start(arguments, flags);                                                                \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;               \
        va_end(arguments);                                                                         \
        may_fail("open", -1);                                                                      \
        return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);                              \
    }

#define define_ftruncate(name)                                                                     \
    int name(int fd, off_t length);                                                                \
    int name(int fd, off_t length)                                                                 \
    {                                                                                              \
        may_fail("ftruncate", -1);                                                                 \
        return (int)syscall(SYS_ftruncate, fd, length);                                            \
    }

#define define_fallocate(name)                                                                     \
    int name(int fd, int mode, off_t offset, off_t length);                                        \
    int name(int fd, int mode, off_t offset, off_t length)                                         \
    {                                                                                              \
        may_fail("fallocate", -1);                                                                 \
        return (int)syscall(SYS_fallocate, fd, mode, offset, length);                              \
    }

#define define_mmap(name)                                                                          \
    void *name(void *address, size_t length, int protection, int flags, int fd, off_t offset);     \
    void *name(void *address, size_t length, int protection, int flags, int fd, off_t offset)      \
    {                                                                                              \
        may_fail("mmap", MAP_FAILED);                                                              \
        return (void *)syscall(SYS_mmap, address, length, protection, flags, fd, offset);          \
    }

define_pread(pread) define_pread(pread64) define_pwrite(pwrite) define_pwrite(pwrite64)
    define_open(open) define_open(open64) define_ftruncate(ftruncate) define_ftruncate(ftruncate64)
        define_fallocate(fallocate) define_fallocate(fallocate64) define_mmap(mmap)
            define_mmap(mmap64)

    /* The descriptor is gone, whatever close says. */
    int close(int fd)
{
    int result = (int)syscall(SYS_close, fd);
    may_fail("close", -1);
    return result;
}

int fsync(int fd)
{
    may_fail("fsync", -1);
    return (int)syscall(SYS_fsync, fd);
}

int rename(const char *from, const char *to)
{
    may_fail("rename", -1);
    return (int)syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags)
{
    may_fail("linkat", -1);
    return (int)syscall(SYS_linkat, from_folder, from, to_folder, to, flags);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                   void *argument)
{
    typedef int create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    int failed = fault("thread");
    if (failed > 0)
        return failed;
    create *next = (create *)dlsym(RTLD_NEXT, "pthread_create");
    return next(thread, attributes, run, argument);
}

/* glibc's own names of what is replaced here */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *pointer, size_t size);

void *malloc(size_t size)
{
    may_fail("malloc", NULL);
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    may_fail("malloc", NULL);
    return __libc_calloc(count, size);
}

void *realloc(void *pointer, size_t size)
{
    may_fail("malloc", NULL);
    return __libc_realloc(pointer, size);
}
