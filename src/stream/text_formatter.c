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

enum {
    vector = 16,
    group = 16,          /* tokens that are written at a time */
    most_dense = 32,     /* bytes that a group of very short ones spans */
    most_range = 1 << 16 /* and any: gaps are not made room for */
};

/* Which of the first `length` bytes, at most 16, are written as escapes; 16 can be read. */
static unsigned escapes(const uint8_t *bytes, size_t length)
{
    unsigned found = 0, wanted = (1u << length) - 1;
#if defined(__SSE2__)
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)bytes);
    __m128i hit = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
    __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8('\r')), v);
    if (((unsigned)_mm_movemask_epi8(_mm_or_si128(hit, low)) & wanted) == 0) /* as most are */
        return 0;
    hit = _mm_or_si128(hit, _mm_cmpeq_epi8(v, _mm_set1_epi8('\n')));
    hit = _mm_or_si128(hit, _mm_cmpeq_epi8(v, _mm_set1_epi8('\r')));
    hit = _mm_or_si128(hit, _mm_cmpeq_epi8(v, _mm_set1_epi8('\t')));
    hit = _mm_or_si128(hit, _mm_cmpeq_epi8(v, _mm_setzero_si128()));
    found = (unsigned)_mm_movemask_epi8(hit);
#else
    for (unsigned i = 0; i < length; i++)
        found |= (unsigned)(lxm_escape_letters[bytes[i]] != 0) << i;
#endif
    return found & wanted;
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

/* Writes a byte, as an escape or not, and returns how many that makes. Where escapes are many,
 * which bytes are can't be foretold: there is no branch. */
static inline size_t put_byte(uint8_t *out, uint8_t byte)
{
    uint8_t letter = (uint8_t)lxm_escape_letters[byte], escaped = letter != 0;
    out[0] = '\\';
    out[escaped] = letter | (byte & (uint8_t)(escaped - 1));
    return 1 + (size_t)escaped;
}

/* Writes a token of whole characters and its newline, of which `readable` bytes can be read and
 * 2 length + 17 written, and returns the end. */
static uint8_t *put_characters(uint8_t *out, const uint8_t *token, size_t length, size_t readable)
{
    uint8_t tail[vector] = {0};
    for (size_t at = 0; at < length; at += vector) {
        size_t n = length - at < vector ? length - at : vector;
        const uint8_t *from = token + at;
        if (readable - at < vector)
            from = memcpy(tail, from, n);
        if (escapes(from, n)) {
            for (size_t i = 0; i < n; i++)
                out += put_byte(out, from[i]);
        } else {
            memcpy(out, from, vector); /* a fixed length is far cheaper */
            out += n;
        }
    }
    *out = '\n';
    return out + 1;
}

static bool is_ascii(const uint8_t *bytes)
{
    uint64_t words[most_dense / 8];
    memcpy(words, bytes, sizeof words);
    return ((words[0] | words[1] | words[2] | words[3]) & 0x8080808080808080) == 0;
}

/* Writes a group of tokens that span `range` bytes of ASCII byte by byte, if they have escapes:
 * `found` are those of the text, gaps and all. Returns the end. */
static uint8_t *put_dense(uint8_t *out, const uint8_t *text, const lxm_span *spans, size_t range,
                          uint32_t found)
{
    uint32_t begin = spans[0].begin;
    uint64_t covered = 0, last = 0;
    for (size_t i = 0; i < group; i++) {
        uint64_t end = (uint64_t)1 << (spans[i].end - begin);
        covered |= end - ((uint64_t)1 << (spans[i].begin - begin));
        last |= end >> 1;
    }
    if (!(covered & found))
        return out;
    for (size_t i = 0; i < range; i++, covered >>= 1, last >>= 1) { /* without a branch, too */
        out += put_byte(out, text[begin + i]) & -(covered & 1);
        *out = '\n';
        out += last & 1;
    }
    return out;
}

/* Writes a group of tokens of one byte each, none of them an escape. */
static uint8_t *put_bytes(uint8_t *out, const uint8_t *bytes)
{
#if defined(__SSE2__)
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)bytes),
            newline = _mm_set1_epi8('\n');
    _mm_storeu_si128((__m128i *)(void *)out, _mm_unpacklo_epi8(v, newline));
    _mm_storeu_si128((__m128i *)(void *)(out + vector), _mm_unpackhi_epi8(v, newline));
#else
    for (size_t i = 0; i < group; i++) {
        out[2 * i] = bytes[i];
        out[2 * i + 1] = '\n';
    }
#endif
    return out + 2 * group;
}

/* Writes a group, if its tokens are very short and there is a shorter way. Returns the end. */
static uint8_t *put_group(uint8_t *out, const uint8_t *text, const lxm_span *spans, size_t end)
{
    const uint8_t *first = text + spans[0].begin;
    size_t range = spans[group - 1].end - spans[0].begin;
    if (range < group || range > most_dense || end - spans[0].begin < most_dense ||
        !is_ascii(first))
        return out;
    uint32_t found = escapes(first, vector) | escapes(first + vector, range - vector) << vector;
    if (found)
        return put_dense(out, text, spans, range, found);
    return range == group ? put_bytes(out, first) : out;
}

/* Writes tokens of text that is UTF-8 and ends at `end`, up to one that cuts a character; returns
 * how many. There is room for twice the text that they span and 17 bytes for each. */
static size_t put_run(uint8_t **to, const uint8_t *text, const lxm_span *spans, size_t count,
                      size_t end)
{
    uint8_t *out = count == group ? put_group(*to, text, spans, end) : *to;
    size_t i = out > *to ? group : 0;
    for (; i < count; i++) {
        const uint8_t *token = text + spans[i].begin;
        size_t length = spans[i].end - spans[i].begin, readable = end - spans[i].begin;
        if (cuts_characters(token, length, readable))
            break;
        if (length < vector && readable >= vector && !escapes(token, length)) {
            memcpy(out, token, vector);
            out[length] = '\n';
            out += length + 1;
        } else {
            out = put_characters(out, token, length, readable);
        }
    }
    *to = out;
    return i;
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
    bool whole = valid && !offsets;
    for (size_t i = 0; i < tokens->count;) {
        size_t n = tokens->count - i < group ? tokens->count - i : group;
        size_t range = spans[i + n - 1].end - spans[i].begin;
        if (range > most_range) {
            n = 1;
            range = spans[i].end - spans[i].begin;
        }
        if (whole) {
            if (!lxm_buffer_reserve(&f->out, 2 * range + n * (vector + 1)))
                return false;
            uint8_t *out = f->out.data + f->out.length;
            size_t done = put_run(&out, tokens->text, spans + i, n, end);
            f->out.length = (size_t)(out - f->out.data);
            i += done;
            if (done == n)
                continue;
        }
        if (!put_token(f, tokens->text + spans[i].begin, spans[i].end - spans[i].begin,
                       offsets ? offsets + 2 * i : NULL))
            return false;
        i++;
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
