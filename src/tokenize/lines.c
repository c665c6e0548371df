#include "tokenize/lines.h"

#include "base/error.h"
#include "base/lines.h"
#include "base/utf8.h"
#include "tokenize/scan/scan.h"
#include "tokenize/tokenizer.h"

enum {
    scanned_spans = 4096,
    most_ends = 1024,
    step = 16, /* tokens are moved so many at a time, as where a line ends can't be foretold */
    block = 64,
    most_growth = 32, /* of text that is normalised; U+FDFA becomes 11 times as long */
};

struct lxm_lines {
    lxm_allocator allocator;
    const lxm_tokenizer *tokenizer;
    lxm_lines_sink *sink;
    void *context;
    bool slashes;           /* a / belongs to punctuation before it, over line ends */
    lxm_stage stage;        /* of normalisation, where it has a step */
    lxm_alignment straight; /* of text that is handed to it: one entry */
    lxm_buffer normalized;
    const uint8_t *text;
    size_t length;
    size_t line, newline; /* where the document under way begins and its newline stands */
    size_t block;         /* that is in this block of the text, */
    uint64_t newlines;    /* which has these behind it */
    size_t count, end_count;
    lxm_span scanned[scanned_spans + step];
    lxm_span spans[scanned_spans + most_ends + step]; /* each end may cut a token in two */
    uint32_t ends[most_ends];
    uint64_t offsets[]; /* for each span, where they are wanted */
};

/* Case and normal forms leave newlines where they are, and look over none; a clean-up makes spaces
 * of them. Where all tokens came from isn't followed through that. */
static bool joins(const lxm_tokenizer *t)
{
    bool known = t->step_count == 1 && t->steps->kind == &lxm_step_unicode &&
                 !t->steps->unicode.clean && !t->options.offsets && !t->normalized_specials.count;
    return !t->compiled && (t->step_count == 0 || known) && !t->metaspace &&
           !t->options.prefix_space && !t->options.max_characters;
}

static lxm_status make(lxm_lines *l, lxm_error *error)
{
    const lxm_tokenizer *t = l->tokenizer;
    lxm_buffer_init(&l->normalized, &l->allocator);
    lxm_alignment_init(&l->straight, &l->allocator);
    l->slashes = t->scanner == lxm_scanner_for_preset("o200k", lxm_cpu_features());
    if (t->step_count == 0)
        return LXM_OK;
    return lxm_stage_init(&l->stage, t->steps, t->max_token, &l->allocator, error);
}

lxm_status lxm_lines_new(lxm_lines **out, const lxm_tokenizer *tokenizer, lxm_lines_sink *sink,
                         void *context, const lxm_allocator *allocator, lxm_error *error)
{
    *out = NULL;
    if (!joins(tokenizer))
        return LXM_OK;
    size_t offsets = tokenizer->options.offsets ? 2 * (scanned_spans + most_ends) : 0;
    lxm_lines *lines = lxm_new(allocator, sizeof *lines + offsets * sizeof *lines->offsets);
    if (!lines)
        return lxm_fail_memory(error);
    lines->allocator = *allocator;
    lines->tokenizer = tokenizer;
    lines->sink = sink;
    lines->context = context;
    lxm_status status = make(lines, error);
    if (status)
        lxm_lines_free(lines);
    else
        *out = lines;
    return status;
}

void lxm_lines_free(lxm_lines *lines)
{
    if (!lines)
        return;
    if (lines->stage.step)
        lxm_stage_free(&lines->stage);
    lxm_alignment_free(&lines->straight);
    lxm_buffer_free(&lines->normalized);
    lxm_allocator a = lines->allocator;
    lxm_release(&a, lines);
}

/* ---- what can be joined ---- */

static bool has_lone_return(const uint8_t *text, size_t length)
{
    const uint8_t *end = text + length;
    while ((text = memchr(text, '\r', (size_t)(end - text)))) {
        text++;
        if (text == end || *text != '\n')
            return true;
    }
    return false;
}

static bool has_special(const lxm_specials *specials, const uint8_t *text, size_t length)
{
    return specials->count && lxm_specials_find(specials, text, length, true).special;
}

bool lxm_lines_can(const lxm_lines *lines, const uint8_t *text, size_t length)
{
    const lxm_tokenizer *t = lines->tokenizer;
    size_t most = t->max_token / (t->step_count ? most_growth : 1);
    return length <= most && lxm_utf8_valid(text, length) == length &&
           !has_lone_return(text, length) && !has_special(&t->specials, text, length) &&
           !has_special(&t->normalized_specials, text, length);
}

/* Where the text that begins at `at` must end for a document that begins with a slash. */
static size_t join_until(const lxm_lines *l, const uint8_t *text, size_t at, size_t length)
{
    for (size_t i = at + 1; l->slashes && i < length; i++) {
        const uint8_t *slash = memchr(text + i, '/', length - i);
        if (!slash)
            break;
        i = (size_t)(slash - text);
        if (text[i - 1] == '\n')
            return i;
    }
    return length;
}

/* ---- cutting ---- */

/* Those of the block that begins at `at`. */
static uint64_t newlines_at(const lxm_lines *l, size_t at)
{
    uint8_t tail[block] = {0};
    if (l->length - at >= block)
        return lxm_newlines(l->text + at);
    memcpy(tail, l->text + at, l->length - at);
    return lxm_newlines(tail);
}

/* Goes to the next newline, or the end. */
static void find_newline(lxm_lines *l)
{
    while (!l->newlines && l->length - l->block > block)
        l->newlines = newlines_at(l, l->block += block);
    l->newline = l->newlines ? l->block + (size_t)__builtin_ctzll(l->newlines) : l->length;
    l->newlines &= l->newlines - 1;
}

/* The last tokens, from number `from` on, are those of the document under way. */
static void place(lxm_lines *l, size_t from)
{
    for (size_t i = from; l->tokenizer->options.offsets && i < l->count; i++) {
        l->offsets[2 * i] = l->spans[i].begin - l->line;
        l->offsets[2 * i + 1] = l->spans[i].end - l->line;
    }
}

static lxm_status hand_on(lxm_lines *l, lxm_error *error)
{
    const lxm_tokens tokens = {.text = l->text,
                               .spans = l->spans,
                               .count = l->count,
                               .offsets = l->tokenizer->options.offsets ? l->offsets : NULL,
                               .plain = true};
    size_t ends = l->end_count;
    if (l->count == 0 && ends == 0)
        return LXM_OK;
    l->count = l->end_count = 0;
    return l->sink(l->context, &tokens, l->ends, ends, error);
}

/* Two tokens: begin, end, begin, end. */
typedef int32_t pair __attribute__((vector_size(16)));

/* Copies tokens that end at `end` or before, and some more; returns how many do. */
static inline size_t move_before(lxm_span *out, const lxm_span *in, size_t end)
{
    const pair last = {(int32_t)end, (int32_t)end, (int32_t)end, (int32_t)end};
    size_t count = 0;
    for (size_t n = step; n == step; count += n) {
        pair within = {0}, two;
        for (size_t i = 0; i < step; i += 2) {
            memcpy(&two, in + count + i, sizeof two);
            memcpy(out + count + i, &two, sizeof two);
            within -= two <= last; /* true is -1 */
        }
        n = (size_t)(within[1] + within[3]);
    }
    return count;
}

/* Takes the tokens of the document under way, and what it has of one that goes over its end.
 * Returns where those behind begin. */
static lxm_span *take(lxm_lines *l, lxm_span *in)
{
    size_t from = l->count;
    size_t end = l->newline - (l->newline > l->line && l->text[l->newline - 1] == '\r');
    size_t whole = move_before(l->spans + from, in, end);
    l->count += whole;
    in += whole;
    if (in->begin < end)
        l->spans[l->count++] = (lxm_span){in->begin, (uint32_t)end};
    place(l, from);
    return in;
}

/* Ends that document, and leaves out its newline. */
static lxm_span *end_line(lxm_lines *l, lxm_span *in)
{
    size_t next = l->newline + 1;
    in = take(l, in);
    while (in->end <= next)
        in++;
    if (in->begin < next)
        in->begin = (uint32_t)next;
    l->ends[l->end_count++] = (uint32_t)l->count;
    l->line = next;
    find_newline(l);
    return in;
}

/* Cuts what the scanner found before `position`, where a token begins or the text ends. */
static lxm_status cut(lxm_lines *l, size_t count, size_t position, lxm_error *error)
{
    lxm_span *in = l->scanned;
    for (size_t i = 0; i < step; i++)
        in[count + i] = (lxm_span){INT32_MAX, INT32_MAX};
    while (l->newline < position) {
        in = end_line(l, in);
        lxm_status status = l->end_count == most_ends ? hand_on(l, error) : LXM_OK;
        if (status)
            return status;
    }
    take(l, in);
    return hand_on(l, error);
}

/* Documents that are scanned as one subject. */
static lxm_status push_joined(lxm_lines *l, size_t from, size_t to, lxm_error *error)
{
    const lxm_scanner *scanner = l->tokenizer->scanner;
    lxm_scan scan = {.text = l->text,
                     .length = to,
                     .position = from,
                     .final = true,
                     .spans = l->scanned,
                     .capacity = scanned_spans};
    lxm_status status;
    do {
        scan.count = 0;
        status = scanner->scan(scanner, NULL, &scan, error);
        if (!status)
            status = cut(l, scan.count, scan.position, error);
    } while (!status && scan.count == scan.capacity);
    return status;
}

/* Puts text in its normal form in its place. */
static lxm_status normalize(lxm_lines *l, const uint8_t **text, size_t *length, lxm_error *error)
{
    lxm_stage *stage = &l->stage;
    l->normalized.length = 0;
    lxm_stage_reset(stage, false);
    lxm_alignment_clear(&l->straight);
    if (!lxm_alignment_add(&l->straight, 0, 0, *length, false))
        return lxm_fail_memory(error);
    lxm_status status = lxm_stage_push(stage, *text, *length, &l->straight, error);
    if (!status && !lxm_buffer_append(&l->normalized, stage->text->data, stage->text->length))
        status = lxm_fail_memory(error);
    if (!status)
        status = lxm_stage_end(stage, error);
    if (!status && !lxm_buffer_append(&l->normalized, stage->text->data, stage->text->length))
        status = lxm_fail_memory(error);
    *text = l->normalized.data;
    *length = l->normalized.length;
    return status;
}

lxm_status lxm_lines_push(lxm_lines *lines, const uint8_t *text, size_t length, lxm_error *error)
{
    lxm_lines *l = lines;
    bool open = length && text[length - 1] != '\n';
    lxm_status status = l->stage.step ? normalize(l, &text, &length, error) : LXM_OK;
    l->text = text;
    l->length = length;
    l->line = l->count = l->end_count = 0;
    l->block = 0;
    l->newlines = !status && length ? newlines_at(l, 0) : 0;
    find_newline(l);
    for (size_t at = 0, to; !status && at < length; at = to) {
        to = join_until(l, text, at, length);
        status = push_joined(l, at, to, error);
    }
    if (status || !open)
        return status;
    l->ends[l->end_count++] = 0;
    return hand_on(l, error);
}
