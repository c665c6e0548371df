/* The quick check: text that normalisation would give back as it is passes untouched. */
#include "base/utf8.h"
#include "tokenize/normalize.h"

static uint8_t *make_page(lxm_normalizer *z, size_t number)
{
    uint8_t *page = lxm_allocate(&z->allocator, 256, 1);
    bool failed = false;
    for (size_t i = 0; page && !failed && i < 256; i++)
        page[i] = lxm_normalizer_class(z, (int32_t)(number << 8 | i), &failed);
    if (failed) {
        lxm_release(&z->allocator, page);
        page = NULL;
    }
    z->pages[number] = page;
    return page;
}

static bool is_kept(uint8_t c)
{
    return ((c >= 0x20) & (c != 0x7F)) | (c == '\t') | (c == '\n') | (c == '\r');
}

/* Length of the ASCII at the start that clean-up keeps. */
static size_t clean_run(const uint8_t *text, size_t length)
{
    enum { block = 64 };
    size_t i = 0;
    for (; length - i >= block; i += block) {
        uint8_t dropped = 0;
        for (size_t k = 0; k < block; k++) /* without a branch, for the compiler's vectors */
            dropped |= (uint8_t)!is_kept(text[i + k]);
        if (dropped)
            break;
    }
    while (i < length && is_kept(text[i]))
        i++;
    return i;
}

/* Length of the ASCII at the start that passes. */
static size_t ascii_run(const lxm_normalizer *z, const uint8_t *text, size_t length)
{
    size_t i = 0;
    for (uint64_t words[4]; length - i >= sizeof words; i += sizeof words) {
        memcpy(words, text + i, sizeof words);
        if ((words[0] | words[1] | words[2] | words[3]) & 0x8080808080808080u)
            break;
    }
    while (i < length && text[i] < 0x80)
        i++;
    return z->clean ? clean_run(text, i) : i;
}

typedef struct run {
    size_t most, members; /* how many characters a cluster may have, and the last one has */
    size_t end;           /* of what passes */
    size_t boundary;      /* where the last cluster in it begins */
    uint8_t class;        /* of the last mark: those that follow may not be of a lower one */
    bool closed;          /* a cluster begins behind it */
} run;

/* Takes a character into the run; false where it ends before it. */
static bool take(run *r, uint8_t class, size_t size)
{
    r->closed = class == lxm_class_slow_start;
    if (class == lxm_class_passes) {
        r->boundary = r->end;
        r->class = 0;
        r->members = 0;
    } else if (r->members >= r->most) {
        return false; /* taken slowly, it is an error */
    } else if (class == lxm_class_inner && r->end > 0) {
        r->class = 0;
    } else if (class > 0 && class <= lxm_class_most && class >= r->class && r->end > 0) {
        r->class = class;
    } else {
        return false;
    }
    r->end += size;
    r->members++;
    return true;
}

size_t lxm_quick_run(lxm_normalizer *z, const uint8_t *text, size_t length, bool *failed)
{
    run r = {.most = z->most};
    *failed = false;
    while (r.end < length) {
        if (text[r.end] < 0x80) {
            size_t ascii = ascii_run(z, text + r.end, length - r.end);
            if (ascii == 0)
                break;
            r.end += ascii;
            r.boundary = r.end - 1;
            r.class = 0;
            r.members = 1;
            continue;
        }
        size_t size;
        uint32_t c = lxm_utf8_decode(text + r.end, &size);
        const uint8_t *page = z->pages[c >> 8];
        if (!page && !(page = make_page(z, c >> 8))) {
            *failed = true;
            return 0;
        }
        if (!take(&r, page[c & 0xFF], size))
            break;
    }
    return r.closed || !z->clusters ? r.end : r.boundary;
}
