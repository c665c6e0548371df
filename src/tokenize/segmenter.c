/*
 * The chain that text goes through, each link a function that hands on to the next:
 *   bytes -> [UTF-8] -> text -> [tokens kept whole] -> [normalisation, step by step]
 *         -> [those that stand in normalised text] -> [marks for spaces] -> [subject, scanner] ->
 * sink
 */
#include "base/error.h"
#include "base/utf8.h"
#include "tokenize/cutter.h"
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
    uint64_t source;   /* position in the document of the next byte to be looked at */
    size_t characters; /* of the document so far, where there is a limit to them */
    bool started;      /* the subject has text: no prefix is due */
    lxm_cutter raw, normalized;
    lxm_stage *stages; /* as many as the tokenizer has steps */
    size_t stage_count;
    lxm_stage metaspace;
    lxm_subject subject;
    lxm_alignment straight; /* of text that is handed on as it came: one entry */
};

static lxm_status raw_text(void *context, const uint8_t *text, size_t length,
                           const lxm_alignment *alignment, lxm_error *error);
static lxm_status raw_token(void *context, const lxm_special *special, uint64_t source,
                            uint64_t source_end, lxm_error *error);
static lxm_status normalized_text(void *context, const uint8_t *text, size_t length,
                                  const lxm_alignment *alignment, lxm_error *error);
static lxm_status normalized_token(void *context, const lxm_special *special, uint64_t source,
                                   uint64_t source_end, lxm_error *error);

static lxm_status make_stages(lxm_segmenter *s, lxm_error *error)
{
    const lxm_tokenizer *t = s->tokenizer;
    lxm_status status = LXM_OK;
    s->stages = lxm_new(&s->allocator, (t->step_count + 1) * sizeof *s->stages);
    if (!s->stages)
        return lxm_fail_memory(error);
    for (; !status && s->stage_count < t->step_count; s->stage_count++)
        status = lxm_stage_init(&s->stages[s->stage_count], &t->steps[s->stage_count], t->max_token,
                                &s->allocator, error);
    if (!status && t->metaspace)
        status = lxm_stage_init(&s->metaspace, t->metaspace, t->max_token, &s->allocator, error);
    return status;
}

static lxm_status make(lxm_segmenter *s, lxm_error *error)
{
    const lxm_tokenizer *t = s->tokenizer;
    const lxm_cutter_sink raw = {raw_text, raw_token, s};
    const lxm_cutter_sink normalized = {normalized_text, normalized_token, s};
    lxm_alignment_init(&s->straight, &s->allocator);
    lxm_cutter_init(&s->raw, &t->specials, &raw, t->max_token, &s->allocator);
    lxm_cutter_init(&s->normalized, &t->normalized_specials, &normalized, t->max_token,
                    &s->allocator);
    lxm_status status = make_stages(s, error);
    return status ? status
                  : lxm_subject_init(&s->subject, t->scanner, &s->sink, t->max_token,
                                     t->options.offsets, &s->allocator, error);
}

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
    lxm_status status = make(segmenter, error);
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
    for (size_t i = 0; i < segmenter->stage_count; i++)
        lxm_stage_free(&segmenter->stages[i]);
    lxm_release(&segmenter->allocator, segmenter->stages);
    if (segmenter->metaspace.step)
        lxm_stage_free(&segmenter->metaspace);
    lxm_cutter_free(&segmenter->raw);
    lxm_cutter_free(&segmenter->normalized);
    lxm_alignment_free(&segmenter->straight);
    lxm_subject_free(&segmenter->subject);
    lxm_allocator a = segmenter->allocator;
    lxm_release(&a, segmenter);
}

/* What comes next begins a subject, or, with `started`, goes on with one. */
static void reset_subject(lxm_segmenter *s, bool started)
{
    s->started = started;
    if (s->metaspace.step)
        lxm_stage_reset(&s->metaspace, started);
}

static void reset_stages(lxm_segmenter *s, bool started)
{
    for (size_t i = 0; i < s->stage_count; i++)
        lxm_stage_reset(&s->stages[i], started);
    reset_subject(s, started);
}

static void reset(lxm_segmenter *s, uint64_t source)
{
    s->partial_length = 0;
    s->source = source;
    s->characters = 0;
    lxm_cutter_reset(&s->raw);
    lxm_cutter_reset(&s->normalized);
    reset_stages(s, source > 0);
    lxm_subject_reset(&s->subject);
}

void lxm_segmenter_reset(lxm_segmenter *segmenter)
{
    reset(segmenter, 0);
}

/* ---- the subject ---- */

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

/* Text between tokens that were kept whole, on its way to the scanner. */
static lxm_status normalized_text(void *context, const uint8_t *text, size_t length,
                                  const lxm_alignment *alignment, lxm_error *error)
{
    lxm_segmenter *s = context;
    lxm_status status = LXM_OK;
    if (s->metaspace.step) {
        status = lxm_stage_push(&s->metaspace, text, length, alignment, error);
        text = s->metaspace.text->data;
        length = s->metaspace.text->length;
        alignment = s->metaspace.alignment;
    }
    if (!status && s->tokenizer->options.prefix_space && !s->started && text[0] != ' ')
        status = push_prefix(s, alignment->list[0].source, error);
    s->started = true;
    return status ? status : lxm_subject_push(&s->subject, text, length, alignment, error);
}

static lxm_status end_subject(lxm_segmenter *s, lxm_error *error)
{
    reset_subject(s, false);
    return lxm_subject_end(&s->subject, error);
}

/* A token that no scanner has seen. */
static lxm_status emit_whole(lxm_segmenter *s, const uint8_t *bytes, size_t length, uint64_t source,
                             uint64_t source_end, lxm_error *error)
{
    uint64_t offsets[2] = {source, source_end};
    lxm_span span = {0, (uint32_t)length};
    lxm_tokens tokens = {bytes, &span, 1, s->tokenizer->options.offsets ? offsets : NULL, false};
    return s->sink.tokens(s->sink.context, &tokens, error);
}

static lxm_status normalized_token(void *context, const lxm_special *special, uint64_t source,
                                   uint64_t source_end, lxm_error *error)
{
    lxm_segmenter *s = context;
    lxm_status status = end_subject(s, error);
    return status ? status
                  : emit_whole(s, lxm_special_token(special), special->token_length, source,
                               source_end, error);
}

/* ---- normalisation ---- */

/* Text that has come through the first `from` stages. */
static lxm_status push_stages(lxm_segmenter *s, size_t from, const uint8_t *text, size_t length,
                              const lxm_alignment *alignment, lxm_error *error)
{
    for (size_t i = from; length > 0 && i < s->stage_count; i++) {
        lxm_stage *stage = &s->stages[i];
        lxm_status status = lxm_stage_push(stage, text, length, alignment, error);
        if (status)
            return status;
        text = stage->text->data;
        length = stage->text->length;
        alignment = stage->alignment;
    }
    return length ? lxm_cutter_push(&s->normalized, text, length, alignment, error) : LXM_OK;
}

static lxm_status raw_text(void *context, const uint8_t *text, size_t length,
                           const lxm_alignment *alignment, lxm_error *error)
{
    return push_stages(context, 0, text, length, alignment, error);
}

/* The text that is normalised as a whole ends. */
static lxm_status end_text(lxm_segmenter *s, lxm_error *error)
{
    lxm_status status = LXM_OK;
    for (size_t i = 0; !status && i < s->stage_count; i++) {
        lxm_stage *stage = &s->stages[i];
        status = lxm_stage_end(stage, error);
        if (!status)
            status = push_stages(s, i + 1, stage->text->data, stage->text->length, stage->alignment,
                                 error);
    }
    if (!status)
        status = lxm_cutter_end(&s->normalized, error);
    reset_stages(s, false);
    return status ? status : end_subject(s, error);
}

static lxm_status raw_token(void *context, const lxm_special *special, uint64_t source,
                            uint64_t source_end, lxm_error *error)
{
    lxm_segmenter *s = context;
    lxm_status status = end_text(s, error);
    return status ? status
                  : emit_whole(s, lxm_special_token(special), special->token_length, source,
                               source_end, error);
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

/* Text that came from the next `source_length` bytes. */
static lxm_status push_text(lxm_segmenter *s, const uint8_t *text, size_t length,
                            size_t source_length, lxm_error *error)
{
    uint64_t source = s->source, end = source + source_length;
    s->source = end;
    lxm_alignment_clear(&s->straight);
    if (!lxm_alignment_add(&s->straight, 0, source, end, source_length != length))
        return lxm_fail_memory(error);
    return lxm_cutter_push(&s->raw, text, length, &s->straight, error);
}

static lxm_status push_valid(lxm_segmenter *s, const uint8_t *text, size_t length, lxm_error *error)
{
    size_t kept = s->tokenizer->options.max_characters ? count_in(s, text, length) : length;
    lxm_status status = kept ? push_text(s, text, kept, kept, error) : LXM_OK;
    s->source += length - kept;
    return status;
}

static lxm_status push_invalid(lxm_segmenter *s, const uint8_t *bytes, size_t length,
                               lxm_error *error)
{
    static const uint8_t replacement[] = {0xEF, 0xBF, 0xBD};
    uint64_t source = s->source;
    if (s->tokenizer->options.invalid == LXM_INVALID_ERROR && source == 0 && bytes[0] >= 0xFE)
        return lxm_fail_at(error, LXM_ERROR_UTF8, source,
                           "byte 0x%02X is not UTF-8, the text may be UTF-16: convert it (iconv -f "
                           "UTF-16 -t UTF-8)",
                           bytes[0]);
    if (s->tokenizer->options.invalid == LXM_INVALID_ERROR)
        return lxm_fail_at(error, LXM_ERROR_UTF8, source,
                           "byte 0x%02X is not UTF-8: convert the text, or use --invalid replace "
                           "or --invalid bytes",
                           bytes[0]);
    if (!count_one(s)) {
        s->source += length;
        return LXM_OK;
    }
    if (s->tokenizer->options.invalid == LXM_INVALID_REPLACE)
        return push_text(s, replacement, sizeof replacement, length, error);
    lxm_status status = lxm_cutter_end(&s->raw, error);
    if (!status)
        status = end_text(s, error);
    s->source += length;
    return status ? status : emit_whole(s, bytes, length, source, source + length, error);
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
    reset(segmenter, source);
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
        status = lxm_cutter_end(&s->raw, error);
    return status ? status : end_text(s, error);
}

lxm_status lxm_segmenter_end_document(lxm_segmenter *segmenter, lxm_error *error)
{
    lxm_status status = lxm_segmenter_end_part(segmenter, error);
    segmenter->source = 0;
    segmenter->characters = 0;
    return status ? status : segmenter->sink.end_document(segmenter->sink.context, error);
}
