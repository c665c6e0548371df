/* Text form. Tokens: one a line, an empty line between documents. Ids: one document a line. */
#include "base/error.h"
#include "base/escape.h"
#include "base/utf8.h"
#include "stream/formatter.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

static bool nothing(lxm_formatter *formatter)
{
    (void)formatter;
    return true;
}

/* Which of the first `length` bytes, at most 16, are written as escapes. */
static unsigned escapes(const uint8_t *bytes, size_t length)
{
    unsigned found = 0;
#if defined(__SSE2__)
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)bytes);
    __m128i hit = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
    hit = _mm_or_si128(hit, _mm_cmpeq_epi8(v, _mm_set1_epi8('\n')));
    hit = _mm_or_si128(hit, _mm_cmpeq_epi8(v, _mm_set1_epi8('\r')));
    hit = _mm_or_si128(hit, _mm_cmpeq_epi8(v, _mm_set1_epi8('\t')));
    hit = _mm_or_si128(hit, _mm_cmpeq_epi8(v, _mm_setzero_si128()));
    found = (unsigned)_mm_movemask_epi8(hit);
#else
    for (unsigned i = 0; i < length; i++)
        found |= (unsigned)(bytes[i] == '\\' || bytes[i] == '\n' || bytes[i] == '\r' ||
                            bytes[i] == '\t' || bytes[i] == '\0')
                 << i;
#endif
    return found & ((1u << length) - 1);
}

static bool is_inside_character(uint8_t byte)
{
    return (byte & 0xC0) == 0x80;
}

static bool cuts_characters(const uint8_t *token, size_t length, size_t readable)
{
    return is_inside_character(token[0]) ||
           (length < readable && is_inside_character(token[length]));
}

/* Writes the bytes at the start that letters stand for; *count: how many there were. */
static uint8_t *put_letters(uint8_t *out, const uint8_t *bytes, size_t length, size_t *count)
{
    size_t n = 0;
    for (; n < length && lxm_escape_letters[bytes[n]]; n++) {
        *out++ = '\\';
        *out++ = (uint8_t)lxm_escape_letters[bytes[n]];
    }
    *count = n;
    return out;
}

/* Writes a token of whole characters and its newline, of which `readable` bytes can be read and
 * 2 length + 17 written, and returns the end. */
static uint8_t *put_characters(uint8_t *out, const uint8_t *token, size_t length, size_t readable)
{
    uint8_t tail[32];
    for (size_t at = 0; at < length;) {
        size_t n = length - at < 16 ? length - at : 16;
        const uint8_t *from = token + at;
        if (readable - at < 16)
            from = memcpy(tail, from, n);
        memcpy(out, from, 16); /* a fixed length is far cheaper */
        unsigned found = escapes(from, n);
        if (found)
            n = (unsigned)__builtin_ctz(found);
        out += n;
        at += n;
        if (found) {
            out = put_letters(out, token + at, length - at, &n);
            at += n;
        }
    }
    *out = '\n';
    return out + 1;
}

static bool put_offsets(lxm_formatter *f, const uint64_t *offsets)
{
    if (!lxm_buffer_reserve(&f->out, 64))
        return false;
    uint8_t *p = f->out.data + f->out.length;
    *p++ = '\t';
    p = lxm_format_number(p, offsets[0]);
    *p++ = '\t';
    p = lxm_format_number(p, offsets[1]);
    f->out.length = (size_t)(p - f->out.data);
    return true;
}

static bool separate(lxm_formatter *f)
{
    bool due = f->separate;
    f->separate = false;
    return !due || lxm_buffer_append(&f->out, "\n", 1);
}

static bool put_token(lxm_formatter *f, const uint8_t *token, size_t length,
                      const uint64_t *offsets)
{
    return lxm_escape(&f->out, token, length) && (!offsets || put_offsets(f, offsets)) &&
           lxm_buffer_append(&f->out, "\n", 1);
}

static bool append_tokens(lxm_formatter *f, const lxm_tokens *tokens)
{
    const lxm_span *spans = tokens->spans;
    size_t begin = spans[0].begin, end = spans[tokens->count - 1].end;
    const uint64_t *offsets = f->offsets ? tokens->offsets : NULL;
    /* where the text as a whole is UTF-8, so is each token that begins and ends between characters
     */
    bool valid = f->valid || lxm_utf8_valid(tokens->text + begin, end - begin) == end - begin;
    for (size_t i = 0; i < tokens->count; i++) {
        const uint8_t *token = tokens->text + spans[i].begin;
        size_t length = spans[i].end - spans[i].begin, readable = end - spans[i].begin;
        if (!valid || offsets || cuts_characters(token, length, readable)) {
            if (!put_token(f, token, length, offsets ? offsets + 2 * i : NULL))
                return false;
            continue;
        }
        if (!lxm_buffer_reserve(&f->out, 2 * length + 32))
            return false;
        uint8_t *out = f->out.data + f->out.length;
        f->out.length += (size_t)(put_characters(out, token, length, readable) - out);
    }
    return true;
}

static lxm_status put_tokens(lxm_formatter *f, const lxm_tokens *tokens, lxm_error *error)
{
    if (tokens->count == 0)
        return LXM_OK;
    f->totals.items += tokens->count;
    return lxm_format_status(separate(f) && append_tokens(f, tokens), error);
}

static lxm_status documents_of_tokens(lxm_formatter *f, const lxm_tokens *tokens,
                                      const uint32_t *ends, size_t count, lxm_error *error)
{
    size_t from = 0;
    bool good = true;
    for (size_t i = 0; good && i <= count; i++) {
        size_t to = i < count ? ends[i] : tokens->count;
        const lxm_tokens some = lxm_some_tokens(tokens, from, to);
        if (i < count || to > from)
            good = separate(f);
        if (good && to > from)
            good = append_tokens(f, &some);
        f->separate |= i < count;
        from = to;
    }
    f->totals.items += tokens->count;
    f->totals.documents += count;
    return lxm_format_status(good, error);
}

/* Ids [from, to) as the next ones of a document. */
static uint8_t *write_ids(uint8_t *p, const uint32_t *ids, size_t from, size_t to,
                          bool *in_document)
{
    for (size_t i = from; i < to; i++) {
        if (*in_document)
            *p++ = ' ';
        *in_document = true;
        p = lxm_format_number(p, ids[i]);
    }
    return p;
}

static lxm_status documents_of_ids(lxm_formatter *f, const lxm_ids *ids, const uint32_t *ends,
                                   size_t count, lxm_error *error)
{
    size_t most, from = 0;
    if (ids->count == 0 && count == 0)
        return LXM_OK;
    if (!lxm_multiply(ids->count, 11, &most) || !lxm_add(most, count, &most) ||
        !lxm_buffer_reserve(&f->out, most))
        return lxm_fail_memory(error);
    f->totals.items += ids->count;
    uint8_t *p = f->out.data + f->out.length;
    for (size_t i = 0; i < count; i++) {
        p = write_ids(p, ids->ids, from, ends[i], &f->in_document);
        *p++ = '\n';
        f->in_document = false;
        from = ends[i];
    }
    p = write_ids(p, ids->ids, from, ids->count, &f->in_document);
    f->out.length = (size_t)(p - f->out.data);
    f->totals.documents += count;
    return LXM_OK;
}

static lxm_status put_ids(lxm_formatter *f, const lxm_ids *ids, lxm_error *error)
{
    return documents_of_ids(f, ids, NULL, 0, error);
}

static lxm_status end_document(lxm_formatter *f, lxm_error *error)
{
    bool good = f->kind == LXM_KIND_IDS ? lxm_buffer_append(&f->out, "\n", 1) : separate(f);
    f->separate = f->kind == LXM_KIND_TOKENS;
    f->in_document = false;
    f->totals.documents++;
    return lxm_format_status(good, error);
}

const lxm_formatter_functions lxm_text_formatter = {
    .begin = nothing,
    .tokens = put_tokens,
    .ids = put_ids,
    .end_document = end_document,
    .documents_of_tokens = documents_of_tokens,
    .documents_of_ids = documents_of_ids,
    .flush = nothing,
    .finish = nothing,
};
