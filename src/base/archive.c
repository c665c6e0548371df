/*
 * zstd, xz, bzip2 and lz4 through libarchive: one filter, and the raw format behind it.
 *
 * Where the very first read fails, libarchive can't tell damage from an empty file. So each file is
 * read behind a small compressed one of ours, which holds one newline that is dropped again.
 *
 * The library is loaded when the first such file is met: with what it depends on (libxml2, ICU,
 * ...) it takes longer to load than a small text to tokenize. It stays loaded for the next.
 */
#define _GNU_SOURCE
#include <archive.h>
#include <archive_entry.h>
#include <dlfcn.h>
#include <errno.h>

#include "base/compressed.h"
#include "base/error.h"

typedef struct prefix {
    int filter;
    uint8_t length;
    uint8_t bytes[56];
} prefix;

/* A newline, compressed. */
static const prefix prefixes[] = {
    [LXM_COMPRESSION_ZSTD] = {ARCHIVE_FILTER_ZSTD,
                              10,
                              {0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x58, 0x09, 0x00, 0x00, 0x0A}},
    [LXM_COMPRESSION_XZ] = {ARCHIVE_FILTER_XZ,
                            52,
                            {0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00, 0x00, 0x00, 0xFF, 0x12, 0xD9,
                             0x41, 0x02, 0x00, 0x21, 0x01, 0x0C, 0x00, 0x00, 0x00, 0x8F, 0x98,
                             0x41, 0x9C, 0x01, 0x00, 0x00, 0x0A, 0x00, 0x00, 0x00, 0x00, 0x00,
                             0x01, 0x11, 0x01, 0xAD, 0xA6, 0x58, 0x04, 0x06, 0x72, 0x9E, 0x7A,
                             0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x59, 0x5A}},
    [LXM_COMPRESSION_BZIP2] = {ARCHIVE_FILTER_BZIP2,
                               37,
                               {0x42, 0x5A, 0x68, 0x31, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59,
                                0x9E, 0x7D, 0x96, 0x9D, 0x00, 0x00, 0x00, 0x40, 0x00, 0x00,
                                0x10, 0x20, 0x00, 0x21, 0x18, 0x46, 0x82, 0xEE, 0x48, 0xA7,
                                0x0A, 0x12, 0x13, 0xCF, 0xB2, 0xD3, 0xA0}},
    [LXM_COMPRESSION_LZ4] = {ARCHIVE_FILTER_LZ4,
                             16,
                             {0x04, 0x22, 0x4D, 0x18, 0x60, 0x40, 0x82, 0x01, 0x00, 0x00, 0x80,
                              0x0A, 0x00, 0x00, 0x00, 0x00}},
};

/* What is used of it. */
#define EACH_FUNCTION(F)                                                                           \
    F(archive_errno)                                                                               \
    F(archive_error_string)                                                                        \
    F(archive_filter_bytes)                                                                        \
    F(archive_read_append_filter)                                                                  \
    F(archive_read_data)                                                                           \
    F(archive_read_free)                                                                           \
    F(archive_read_new)                                                                            \
    F(archive_read_next_header)                                                                    \
    F(archive_read_open)                                                                           \
    F(archive_read_support_format_raw)                                                             \
    F(archive_set_error)

#define AS_MEMBER(name) __typeof__(&name) name;

typedef struct functions {
    EACH_FUNCTION(AS_MEMBER)
} functions;

typedef struct decoder {
    lxm_decompressor base;
    void *library;
    functions f;
    lxm_compression compression;
    lxm_raw *raw;
    struct archive *archive;
    bool prefixed;     /* libarchive has been given the prefix */
    uint64_t given;    /* bytes that it has been given, the prefix among them */
    lxm_status failed; /* what a read of the file came to */
    lxm_error error;
} decoder;

/* A function's address, which C has no conversion to from that of an object. */
static bool find_function(void *library, const char *name, void *function)
{
    void *address = dlsym(library, name);
    memcpy(function, &address, sizeof address);
    return address != NULL;
}

static lxm_status load(decoder *d, lxm_error *error)
{
    d->library = dlopen(LXM_LIBARCHIVE, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    bool found = d->library != NULL;
#define FIND(name) found = found && find_function(d->library, #name, &d->f.name);
    EACH_FUNCTION(FIND)
    return found ? LXM_OK
                 : lxm_fail(error, LXM_ERROR_UNSUPPORTED,
                            "this is %s data, which takes " LXM_LIBARCHIVE
                            " to read: install it, or decompress the file first",
                            lxm_compression_name(d->compression));
}

static la_ssize_t give(struct archive *archive, void *context, const void **bytes)
{
    decoder *d = context;
    const prefix *p = &prefixes[d->compression];
    size_t length = p->length;
    *bytes = p->bytes;
    if (d->prefixed) {
        d->failed = lxm_raw_next(d->raw, &d->error);
        if (d->failed) {
            d->f.archive_set_error(archive, EIO, "%s", d->error.message);
            return ARCHIVE_FATAL;
        }
        length = d->raw->end - d->raw->begin;
        *bytes = d->raw->buffer + d->raw->begin;
        d->raw->begin = d->raw->end;
    }
    d->prefixed = true;
    d->given += length;
    return (la_ssize_t)length;
}

static lxm_status failure(decoder *d, lxm_error *error)
{
    if (d->failed) {
        if (error)
            *error = d->error;
        return d->failed;
    }
    if (d->f.archive_errno(d->archive) == ENOMEM)
        return lxm_fail_memory(error);
    return lxm_compression_damaged(d->compression, d->f.archive_error_string(d->archive), error);
}

/* The filters say "end" for whatever isn't the start of another frame: all must be used up. */
static lxm_status decoder_end(decoder *d, lxm_error *error)
{
    lxm_status status = LXM_OK;
    if (d->failed) /* between two streams the filter of bzip2 takes that for the end */
        return failure(d, error);
    bool rest = d->given != (uint64_t)d->f.archive_filter_bytes(d->archive, -1);
    if (!rest) {
        status = lxm_raw_next(d->raw, error);
        rest = !status && d->raw->begin < d->raw->end;
    }
    if (rest)
        status = lxm_compression_damaged(d->compression, "something else follows it", error);
    return status;
}

static lxm_status decoder_read(lxm_decompressor *base, void *bytes, size_t capacity, size_t *length,
                               lxm_error *error)
{
    decoder *d = (decoder *)base;
    *length = 0;
    la_ssize_t n = d->f.archive_read_data(d->archive, bytes, capacity);
    if (n < 0)
        return failure(d, error);
    if (n == 0 && capacity > 0)
        return decoder_end(d, error);
    *length = (size_t)n;
    return LXM_OK;
}

static void decoder_free(lxm_decompressor *base)
{
    decoder *d = (decoder *)base;
    if (d->archive)
        d->f.archive_read_free(d->archive);
    if (d->library)
        dlclose(d->library);
    lxm_release(&d->raw->allocator, d);
}

/* A warning, such as that of a filter run by another program, is not taken for success. */
static lxm_status begin(decoder *d, lxm_error *error)
{
    struct archive_entry *entry;
    uint8_t newline;
    lxm_status status = load(d, error);
    if (status)
        return status;
    d->archive = d->f.archive_read_new();
    if (!d->archive)
        return lxm_fail_memory(error);
    if (d->f.archive_read_append_filter(d->archive, prefixes[d->compression].filter) != ARCHIVE_OK)
        return lxm_fail(error, LXM_ERROR_UNSUPPORTED,
                        "this is %s data, which the libarchive of this system can't read: "
                        "decompress it first",
                        lxm_compression_name(d->compression));
    if (d->f.archive_read_support_format_raw(d->archive) != ARCHIVE_OK ||
        d->f.archive_read_open(d->archive, d, NULL, give, NULL) != ARCHIVE_OK ||
        d->f.archive_read_next_header(d->archive, &entry) != ARCHIVE_OK ||
        d->f.archive_read_data(d->archive, &newline, 1) != 1)
        return failure(d, error);
    return LXM_OK;
}

lxm_status lxm_archive_new(lxm_decompressor **decompressor, lxm_compression compression,
                           lxm_raw *raw, lxm_error *error)
{
    *decompressor = NULL;
    decoder *d = lxm_new(&raw->allocator, sizeof *d);
    if (!d)
        return lxm_fail_memory(error);
    d->base = (lxm_decompressor){decoder_read, decoder_free};
    d->compression = compression;
    d->raw = raw;
    lxm_status status = begin(d, error);
    if (status) {
        decoder_free(&d->base);
        return status;
    }
    *decompressor = &d->base;
    return LXM_OK;
}
