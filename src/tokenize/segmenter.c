/*
 * The chain that text goes through, each link a function that hands on to the next:
 *   bytes -> [UTF-8] -> text -> [special tokens] -> [normalisation] -> [subject, scanner] -> sink
 */
#include "base/error.h"
#include "base/utf8.h"
#include "tokenize/normalize.h"
#include "tokenize/segmenter.h"
#include "tokenize/subject.h"
#include "tokenize/tokenizer.h"

enum { most_at_once = 1 << 26 };

struct lxm_segmenter {
    lxm_allocator allocator;
    const lxm_tokenizer *tokenizer;
    lxm_token_sink sink;
    uint8_t partial[4]; /* a character that the last push cut */
    size_t partial_length;
    uint64_t source; /* position in the document of the next byte to be looked at */
    lxm_buffer held; /* text that may be the start of a special token */
    uint64_t held_source;
    size_t characters; /* of the document so far, where there is a limit to them */
    bool started;      /* the subject has text: no prefix is due */
    bool normalizes;
    lxm_normalizer normalizer;
    lxm_subject subject;
    lxm_alignment straight; /* of text that is handed on as it came: one entry */
};

lxm_status lxm_segmenter_new(lxm_segmenter **out, const lxm_tokenizer *tokenizer,
                             const lxm_token_sink *sink, const lxm_allocator *allocator,
                             lxm_error *error)
{
    *out = NULL;
    lxm_allocator a = lxm_allocator_or_default(allocator);
    lxm_segmenter *segmenter = lxm_new(&a, sizeof *segmenter);
    if (!segmenter)
        return lxm_fail_memory(error);
    segmenter->allocator = a;
    segmenter->tokenizer = tokenizer;
    segmenter->sink = *sink;
    lxm_buffer_init(&segmenter->held, &a);
    lxm_alignment_init(&segmenter->straight, &a);
    segmenter->normalizes = lxm_normalizer_wanted(&tokenizer->options);
    lxm_normalizer_init(&segmenter->normalizer, &tokenizer->options, tokenizer->max_token, &a);
    lxm_status status =
        lxm_subject_init(&segmenter->subject, tokenizer->scanner, sink, tokenizer->max_token,
                         tokenizer->options.offsets, &a, error);
    if (status) {
        lxm_segmenter_free(segmenter);
        return status;
    }
    *out = segmenter;
    return LXM_OK;
}

void lxm_segmenter_free(lxm_segmenter *segmenter)
{
    if (!segmenter)
        return;
    lxm_buffer_free(&segmenter->held);
    lxm_alignment_free(&segmenter->straight);
    lxm_normalizer_free(&segmenter->normalizer);
    lxm_subject_free(&segmenter->subject);
    lxm_allocator a = segmenter->allocator;
    lxm_release(&a, segmenter);
}

void lxm_segmenter_reset(lxm_segmenter *segmenter)
{
    segmenter->partial_length = 0;
    segmenter->source = 0;
    segmenter->held.length = 0;
    segmenter->characters = 0;
    segmenter->started = false;
    lxm_normalizer_reset(&segmenter->normalizer);
    lxm_subject_reset(&segmenter->subject);
}

/* ---- the prefix ---- */

/* A space that came from nowhere, at `source`. */
static lxm_status push_prefix(lxm_segmenter *s, uint64_t source, lxm_error *error)
{
    static const uint8_t space[] = {' '};
    lxm_alignment alignment;
    lxm_alignment_init(&alignment, &s->allocator);
    lxm_status status = LXM_OK;
    if (!lxm_alignment_add(&alignment, 0, source, source, true))
        status = lxm_fail_memory(error);
    if (!status)
        status = lxm_subject_push(&s->subject, space, sizeof space, &alignment, error);
    lxm_alignment_free(&alignment);
    return status;
}

static lxm_status push_subject(lxm_segmenter *s, const uint8_t *text, size_t length,
                               const lxm_alignment *alignment, lxm_error *error)
{
    if (s->tokenizer->options.prefix_space && !s->started && length > 0 && text[0] != ' ') {
        lxm_status status = push_prefix(s, alignment->list[0].source, error);
        if (status)
            return status;
    }
    s->started = s->started || length > 0;
    return lxm_subject_push(&s->subject, text, length, alignment, error);
}

/* ---- normalisation ---- */

static lxm_status push_normalized(lxm_segmenter *s, lxm_error *error)
{
    return push_subject(s, s->normalizer.text.data, s->normalizer.text.length,
                        &s->normalizer.alignment, error);
}

/* Text that came from [source, end), on its way to the scanner. */
static lxm_status push_text(lxm_segmenter *s, const uint8_t *text, size_t length, uint64_t source,
                            uint64_t end, lxm_error *error)
{
    if (length == 0)
        return LXM_OK;
    if (s->normalizes) {
        lxm_status status = lxm_normalizer_push(&s->normalizer, text, length, source, end, error);
        return status ? status : push_normalized(s, error);
    }
    lxm_alignment_clear(&s->straight);
    if (!lxm_alignment_add(&s->straight, 0, source, end, end - source != length))
        return lxm_fail_memory(error);
    return push_subject(s, text, length, &s->straight, error);
}

static lxm_status end_subject(lxm_segmenter *s, lxm_error *error)
{
    if (s->normalizes) {
        lxm_status status = lxm_normalizer_end(&s->normalizer, error);
        if (!status)
            status = push_normalized(s, error);
        if (status)
            return status;
    }
    s->started = false;
    return lxm_subject_end(&s->subject, error);
}

/* A token that no scanner has seen: it ends the subject. */
static lxm_status emit_whole(lxm_segmenter *s, const uint8_t *bytes, size_t length, uint64_t source,
                             lxm_error *error)
{
    lxm_status status = end_subject(s, error);
    if (status)
        return status;
    uint64_t offsets[2] = {source, source + length};
    lxm_span span = {0, (uint32_t)length};
    lxm_tokens tokens = {bytes, &span, 1, s->tokenizer->options.offsets ? offsets : NULL};
    return s->sink.tokens(s->sink.context, &tokens, error);
}

/* ---- special tokens ---- */

/* Cuts special tokens out; returns through *used how much of the text is dealt with. */
static lxm_status cut_specials(lxm_segmenter *s, const uint8_t *text, size_t length, bool final,
                               uint64_t source, size_t *used, lxm_error *error)
{
    lxm_status status = LXM_OK;
    size_t at = 0;
    while (!status && at < length) {
        lxm_special_match found =
            lxm_specials_find(&s->tokenizer->specials, text + at, length - at, final);
        status =
            push_text(s, text + at, found.begin, source + at, source + at + found.begin, error);
        at += found.begin;
        if (found.end == found.begin)
            break;
        size_t size = found.end - found.begin;
        if (!status)
            status = emit_whole(s, text + at, size, source + at, error);
        at += size;
    }
    *used = at;
    return status;
}

static lxm_status push_with_specials(lxm_segmenter *s, const uint8_t *text, size_t length,
                                     uint64_t source, lxm_error *error)
{
    bool joined = s->held.length > 0;
    if (joined) {
        if (!lxm_buffer_append(&s->held, text, length))
            return lxm_fail_memory(error);
        text = s->held.data;
        length = s->held.length;
        source = s->held_source;
    }
    size_t used;
    lxm_status status = cut_specials(s, text, length, false, source, &used, error);
    if (status)
        return status;
    s->held_source = source + used;
    if (joined) {
        s->held.length -= used;
        memmove(s->held.data, s->held.data + used, s->held.length);
    } else if (!lxm_buffer_append(&s->held, text + used, length - used)) {
        return lxm_fail_memory(error);
    }
    return LXM_OK;
}

/* No special token reaches beyond this place: what was held is plain text. */
static lxm_status release_held(lxm_segmenter *s, lxm_error *error)
{
    size_t used;
    size_t length = s->held.length;
    s->held.length = 0;
    if (length == 0)
        return LXM_OK;
    return cut_specials(s, s->held.data, length, true, s->held_source, &used, error);
}

/* ---- UTF-8 ---- */

/* Counts characters until the document has its most; returns the length of those. */
static size_t count_in(lxm_segmenter *s, const uint8_t *text, size_t length)
{
    size_t left = s->tokenizer->options.max_characters - s->characters, at = 0;
    if (length <= left) { /* so are its characters */
        s->characters += lxm_utf8_count(text, length);
        return length;
    }
    for (; at < length; at++)
        if ((text[at] & 0xC0) != 0x80 && left-- == 0)
            break;
    s->characters += lxm_utf8_count(text, at);
    return at;
}

/* Counts a character; false where the document has its most already. */
static bool count_one(lxm_segmenter *s)
{
    size_t most = s->tokenizer->options.max_characters;
    if (most && s->characters == most)
        return false;
    s->characters++;
    return true;
}

static lxm_status push_valid(lxm_segmenter *s, const uint8_t *text, size_t length, lxm_error *error)
{
    uint64_t source = s->source;
    s->source += length;
    if (s->tokenizer->options.max_characters)
        length = count_in(s, text, length);
    if (s->tokenizer->specials.count)
        return push_with_specials(s, text, length, source, error);
    return push_text(s, text, length, source, source + length, error);
}

static lxm_status push_invalid(lxm_segmenter *s, const uint8_t *bytes, size_t length,
                               lxm_error *error)
{
    static const uint8_t replacement[] = {0xEF, 0xBF, 0xBD};
    uint64_t source = s->source;
    if (s->tokenizer->options.invalid == LXM_INVALID_ERROR)
        return lxm_fail_at(error, LXM_ERROR_UTF8, source,
                           "byte 0x%02X is not UTF-8: convert the text, or use --invalid replace "
                           "or --invalid bytes",
                           bytes[0]);
    lxm_status status = release_held(s, error);
    s->source += length;
    if (status || !count_one(s))
        return status;
    if (s->tokenizer->options.invalid == LXM_INVALID_BYTES)
        return emit_whole(s, bytes, length, source, error);
    return push_text(s, replacement, sizeof replacement, source, source + length, error);
}

/* Completes the character that the last push cut; *used is how many of the bytes that took. */
static lxm_status complete_partial(lxm_segmenter *s, const uint8_t *bytes, size_t length,
                                   size_t *used, lxm_error *error)
{
    *used = 0;
    while (s->partial_length > 0 && *used < length) {
        s->partial[s->partial_length++] = bytes[(*used)++];
        size_t size = lxm_utf8_sequence(s->partial, s->partial_length);
        if (size) {
            s->partial_length = 0;
            return push_valid(s, s->partial, size, error);
        }
        size_t bad = lxm_utf8_ill_formed(s->partial, s->partial_length);
        if (bad) {
            /* the byte that broke it may begin something else: it is looked at again */
            *used -= s->partial_length - bad;
            s->partial_length = 0;
            return push_invalid(s, s->partial, bad, error);
        }
    }
    return LXM_OK;
}

static lxm_status push_bytes(lxm_segmenter *s, const uint8_t *bytes, size_t length,
                             lxm_error *error)
{
    size_t at;
    lxm_status status = complete_partial(s, bytes, length, &at, error);
    while (!status && at < length) {
        size_t valid = lxm_utf8_valid(bytes + at, length - at);
        if (valid)
            status = push_valid(s, bytes + at, valid, error);
        at += valid;
        if (status || at == length)
            break;
        size_t bad = lxm_utf8_ill_formed(bytes + at, length - at);
        if (bad == 0) {
            s->partial_length = length - at;
            memcpy(s->partial, bytes + at, s->partial_length);
            break;
        }
        status = push_invalid(s, bytes + at, bad, error);
        at += bad;
    }
    return status;
}

lxm_status lxm_segmenter_push(lxm_segmenter *segmenter, const void *bytes, size_t length,
                              lxm_error *error)
{
    const uint8_t *p = bytes;
    lxm_status status = LXM_OK;
    while (!status && length > 0) {
        size_t n = length < most_at_once ? length : most_at_once;
        status = push_bytes(segmenter, p, n, error);
        p += n;
        length -= n;
    }
    return status;
}

void lxm_segmenter_begin_part(lxm_segmenter *segmenter, uint64_t source)
{
    lxm_segmenter_reset(segmenter);
    segmenter->source = source;
    segmenter->started = source > 0;
}

lxm_status lxm_segmenter_end_part(lxm_segmenter *segmenter, lxm_error *error)
{
    lxm_segmenter *s = segmenter;
    lxm_status status = LXM_OK;
    if (s->partial_length) {
        size_t length = s->partial_length;
        s->partial_length = 0;
        status = push_invalid(s, s->partial, length, error);
    }
    if (!status)
        status = release_held(s, error);
    return status ? status : end_subject(s, error);
}

lxm_status lxm_segmenter_end_document(lxm_segmenter *segmenter, lxm_error *error)
{
    lxm_status status = lxm_segmenter_end_part(segmenter, error);
    segmenter->source = 0;
    segmenter->characters = 0;
    return status ? status : segmenter->sink.end_document(segmenter->sink.context, error);
}
