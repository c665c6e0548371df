/* The quick check: text that normalisation would give back as it is passes untouched. */
#include "base/utf8.h"
#include "tokenize/normalize.h"

/* Length of the ASCII at the start that clean-up keeps. */
static size_t clean_run(const uint8_t *text, size_t length)
{
    enum { block = 64 };
    size_t i = 0;
    for (; length - i >= block; i += block) {
        uint8_t dropped = 0;
        for (size_t k = 0; k < block; k++) /* without a branch, for the compiler's vectors */
            dropped |= (uint8_t)!lxm_clean_keeps(text[i + k]);
        if (dropped)
            break;
    }
    while (i < length && lxm_clean_keeps(text[i]))
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

static bool passes(const lxm_normalizer *z, size_t row, uint8_t last)
{
    return z->passing[row] >> (last & 0x3F) & 1;
}

/* Takes characters that simply pass, `most` bytes of them or a little more. A loop for each length,
 * for the next character mostly has that of the last. Returns how many bytes; *last is where the
 * last begins. */
static size_t few_passing(const lxm_normalizer *z, const uint8_t *text, size_t length, size_t most,
                          size_t *last)
{
    enum { longest = 4 };
    size_t at = 0, end = length < longest ? 0 : length - longest + 1;
    end = end < most ? end : most;
    for (size_t before = 1; at < end && at != before;) {
        before = at;
        for (const uint8_t *p = text + at; at < end && p[0] >= 0xE0 && p[0] < 0xF0; p += 3) {
            if (!passes(z, (size_t)(p[0] & 0x0F) << 6 | (p[1] & 0x3F), p[2]))
                return at;
            *last = at;
            at += 3;
        }
        for (const uint8_t *p = text + at; at < end && p[0] >= 0xC0 && p[0] < 0xE0; p += 2) {
            if (!passes(z, p[0] & 0x1F, p[1]))
                return at;
            *last = at;
            at += 2;
        }
        while (at < end && text[at] < 0x80 && passes(z, text[at] >> 6, text[at]))
            *last = at++;
    }
    return at;
}

/* Many at once only where the first few pass: text of which nothing does isn't looked at twice. */
static void take_passing(const lxm_normalizer *z, run *r, const uint8_t *text, size_t length)
{
    enum { few = 32, many = 256 };
    size_t end = r->end, last = 0, boundary = r->end, n;
    do {
        n = few_passing(z, text + end, length - end, z->wide_vectors ? few : many, &last);
        boundary = n ? end + last : boundary;
        end += n;
#ifdef LXM_QUICK_CHECK_AVX512
        if (n >= few && z->wide_vectors) {
            n = lxm_quick_passing_avx512(z->passing, text + end, length - end, &last);
            boundary = n ? end + last : boundary;
            end += n;
        }
#endif
    } while (n >= few);
    if (end > r->end)
        *r = (run){.most = r->most, .members = 1, .end = end, .boundary = boundary};
}

size_t lxm_quick_run(lxm_normalizer *z, const uint8_t *text, size_t length, bool *failed)
{
    run r = {.most = z->most};
    *failed = !z->passing && !lxm_normalizer_passing(z);
    if (*failed)
        return 0;
    while (r.end < length) {
        take_passing(z, &r, text, length);
        if (r.end == length)
            break;
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
        const lxm_character_page *page = z->pages[c >> 8];
        if (!page && !(page = lxm_normalizer_page(z, c >> 8))) {
            *failed = true;
            return 0;
        }
        if (!take(&r, page->class[c & 0xFF], size))
            break;
    }
    return r.closed || !z->clusters ? r.end : r.boundary;
}
