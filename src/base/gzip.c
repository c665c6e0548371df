/* gzip through zlib, which checks lengths and checksums; libarchive's reader doesn't. */
#include <limits.h>
#include <zlib.h>

#include "base/compressed.h"
#include "base/error.h"

typedef struct gzip {
    lxm_decompressor base;
    lxm_raw *raw;
    z_stream stream;
    bool inside; /* a member has begun, its end hasn't come */
    bool padded; /* zeros follow the last member */
    bool ended;
} gzip;

static voidpf zlib_allocate(voidpf context, uInt count, uInt size)
{
    return lxm_allocate(context, count, size);
}

static void zlib_release(voidpf context, voidpf pointer)
{
    lxm_release(context, pointer);
}

static lxm_status damaged(const char *reason, lxm_error *error)
{
    return lxm_compression_damaged(LXM_COMPRESSION_GZIP, reason, error);
}

/* Behind a member another one may stand, or padding: zeros, which tapes have. */
static lxm_status next_member(gzip *g, lxm_error *error)
{
    lxm_raw *raw = g->raw;
    lxm_status status = lxm_raw_next(raw, error);
    if (status)
        return status;
    if (raw->begin == raw->end) {
        g->ended = true;
    } else if (raw->buffer[raw->begin] == 0) {
        g->padded = true;
        raw->begin++;
    } else if (raw->buffer[raw->begin] == 0x1F && !g->padded) {
        g->inside = true;
        if (inflateReset(&g->stream) != Z_OK)
            return damaged(NULL, error);
    } else {
        return damaged("something else follows it", error);
    }
    return LXM_OK;
}

/* One step of inflating what waits; *length is how much text it gave. */
static lxm_status step(gzip *g, void *bytes, size_t capacity, size_t *length, lxm_error *error)
{
    z_stream *z = &g->stream;
    lxm_status status = lxm_raw_next(g->raw, error);
    if (status)
        return status;
    if (g->raw->begin == g->raw->end)
        return damaged("it ends too early", error);
    uInt room = capacity < UINT_MAX ? (uInt)capacity : UINT_MAX;
    z->next_in = g->raw->buffer + g->raw->begin;
    z->avail_in = (uInt)(g->raw->end - g->raw->begin);
    z->next_out = bytes;
    z->avail_out = room;
    int result = inflate(z, Z_NO_FLUSH);
    g->raw->begin = g->raw->end - z->avail_in;
    *length = room - z->avail_out;
    if (result == Z_MEM_ERROR)
        return lxm_fail_memory(error);
    if (result == Z_STREAM_END)
        g->inside = false;
    else if (result != Z_OK && result != Z_BUF_ERROR)
        return damaged(z->msg, error);
    return LXM_OK;
}

static lxm_status gzip_read(lxm_decompressor *base, void *bytes, size_t capacity, size_t *length,
                            lxm_error *error)
{
    gzip *g = (gzip *)base;
    lxm_status status = LXM_OK;
    *length = 0;
    while (!status && *length == 0 && !g->ended && capacity > 0)
        status = g->inside ? step(g, bytes, capacity, length, error) : next_member(g, error);
    return status;
}

static void gzip_free(lxm_decompressor *base)
{
    gzip *g = (gzip *)base;
    inflateEnd(&g->stream);
    lxm_release(&g->raw->allocator, g);
}

lxm_status lxm_gzip_new(lxm_decompressor **decompressor, lxm_raw *raw, lxm_error *error)
{
    enum { gzip_only = 16 };
    *decompressor = NULL;
    gzip *g = lxm_new(&raw->allocator, sizeof *g);
    if (!g)
        return lxm_fail_memory(error);
    g->base = (lxm_decompressor){gzip_read, gzip_free};
    g->raw = raw;
    g->inside = true;
    g->stream.zalloc = zlib_allocate;
    g->stream.zfree = zlib_release;
    g->stream.opaque = &raw->allocator;
    if (inflateInit2(&g->stream, MAX_WBITS + gzip_only) != Z_OK) {
        lxm_release(&raw->allocator, g);
        return lxm_fail_memory(error);
    }
    *decompressor = &g->base;
    return LXM_OK;
}
