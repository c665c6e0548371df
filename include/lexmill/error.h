/*
 * Errors, allocators and the version: what every other header of lexmill uses.
 *
 * The library never prints, exits or aborts, and keeps no global state. A call that can fail
 * returns an lxm_status; one that takes an lxm_error * also fills it (NULL is allowed).
 */
#ifndef LEXMILL_ERROR_H
#define LEXMILL_ERROR_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define LXM_API __attribute__((visibility("default")))
#else
#define LXM_API
#endif

/* The values are pinned: they never change meaning. */
typedef enum lxm_status {
    LXM_OK = 0,
    LXM_ERROR_MEMORY = 1,    /* an allocation failed */
    LXM_ERROR_ARGUMENT = 2,  /* an option or a parameter makes no sense */
    LXM_ERROR_IO = 3,        /* open, read, write, sync or rename failed: see lxm_error.system */
    LXM_ERROR_FORMAT = 4,    /* a file or stream isn't what it claims to be, or is cut short */
    LXM_ERROR_UTF8 = 5,      /* bytes that are not UTF-8 */
    LXM_ERROR_PATTERN = 6,   /* a regular expression that doesn't compile */
    LXM_ERROR_LIMIT = 7,     /* a limit was hit: match steps, token length, a size that overflows */
    LXM_ERROR_TOKEN = 8,     /* a token that isn't in the vocabulary, and no unk */
    LXM_ERROR_ID = 9,        /* an id that has no row, no token or doesn't fit its width */
    LXM_ERROR_MISMATCH = 10, /* a table and a stream made for different vocabularies */
    LXM_ERROR_UNSUPPORTED = 11 /* a valid request that this build or version can't do */
} lxm_status;

/* Where something went wrong is counted from the start of what the call was given. */
#define LXM_NO_OFFSET UINT64_MAX

typedef struct lxm_error {
    lxm_status code;
    int system;        /* errno for LXM_ERROR_IO, otherwise 0 */
    uint64_t offset;   /* byte position, from 0, or LXM_NO_OFFSET */
    uint64_t line;     /* line number, from 1, or 0 where lines mean nothing */
    const char *path;  /* the caller's own name of the file at fault, or NULL */
    char message[320]; /* one line: what went wrong and what to do about it */
} lxm_error;

/* The name of a status in a few words; never NULL. Static: not to be freed. */
LXM_API const char *lxm_status_name(lxm_status status);

/*
 * What an object takes memory from. The struct is copied; `context` must outlive every object
 * made with it. `resize` behaves as realloc. NULL for the whole struct means malloc, realloc and
 * free.
 */
typedef struct lxm_allocator {
    void *(*allocate)(void *context, size_t size);
    void *(*resize)(void *context, void *pointer, size_t size);
    void (*release)(void *context, void *pointer);
    void *context;
} lxm_allocator;

/* The version of the library that is linked, such as "0.1.0". Static. */
LXM_API const char *lxm_version(void);

#ifdef __cplusplus
}
#endif
#endif
