#include "tokenize/cutter.h"

#include <utf8proc.h>

#include "base/error.h"
#include "base/utf8.h"
#include "tokenize/unicode.h"

/* Text that is looked at: what was held, or what came. */
typedef struct view {
    const uint8_t *text;
    size_t length;
    const lxm_alignment *alignment;
} view;

void lxm_cutter_init(lxm_cutter *cutter, const lxm_specials *specials, const lxm_cutter_sink *sink,
                     size_t most, const lxm_allocator *allocator)
{
    *cutter = (lxm_cutter){.specials = specials, .sink = *sink, .most = most};
    lxm_buffer_init(&cutter->held, allocator);
    lxm_alignment_init(&cutter->alignment, allocator);
    lxm_alignment_init(&cutter->slice, allocator);
}

void lxm_cutter_free(lxm_cutter *cutter)
{
    lxm_buffer_free(&cutter->held);
    lxm_alignment_free(&cutter->alignment);
    lxm_alignment_free(&cutter->slice);
}

void lxm_cutter_reset(lxm_cutter *cutter)
{
    cutter->held.length = 0;
    lxm_alignment_clear(&cutter->alignment);
    cutter->searched = 0;
    cutter->previous = 0;
    cutter->open = NULL;
}

/* ---- characters ---- */

static bool is_space(uint32_t c)
{
    return lxm_unicode_kind(c) == LXM_KIND_SPACE;
}

/* What Rust's regex calls a word character: Alphabetic, marks, decimal digits, connectors and
 * joiners. Beside letters, numbers that are letters and marks, circled letters are alphabetic. */
static bool is_word(uint32_t c)
{
    switch (utf8proc_category((utf8proc_int32_t)c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_PC:
        return true;
    default:
        return c == 0x200C || c == 0x200D || (c >= 0x24B6 && c <= 0x24E9) ||
               (c >= 0x1F130 && c <= 0x1F149) || (c >= 0x1F150 && c <= 0x1F169) ||
               (c >= 0x1F170 && c <= 0x1F189);
    }
}

/* The character that ends before text[at]; *begin: where it begins. */
static uint32_t before(const uint8_t *text, size_t at, size_t *begin)
{
    size_t size;
    do
        at--;
    while (at > 0 && (text[at] & 0xC0) == 0x80);
    *begin = at;
    return lxm_utf8_decode(text + at, &size);
}

/* Where the white space before text[at] begins, but not before `from`. */
static size_t back_over_space(const uint8_t *text, size_t from, size_t at)
{
    for (size_t begin; at > from && is_space(before(text, at, &begin));)
        at = begin;
    return at;
}

static size_t over_space(const uint8_t *text, size_t at, size_t end)
{
    size_t size;
    while (at < end && is_space(lxm_utf8_decode(text + at, &size)))
        at += size;
    return at;
}

/* ---- handing on ---- */

static lxm_status close_token(lxm_cutter *c, lxm_error *error)
{
    const lxm_special *open = c->open;
    c->open = NULL;
    if (!open)
        return LXM_OK;
    return c->sink.token(c->sink.context, open, c->source, c->source_end, error);
}

/* Text [from, to) is no token. */
static lxm_status give(lxm_cutter *c, const view *v, size_t from, size_t to, lxm_error *error)
{
    uint64_t source;
    size_t begin = c->open ? over_space(v->text, from, to) : from;
    if (begin > from)
        lxm_alignment_range(v->alignment, from, begin, &source, &c->source_end);
    if (begin == to)
        return LXM_OK;
    lxm_status status = close_token(c, error);
    if (status)
        return status;
    if (begin == 0 && to == v->length)
        return c->sink.text(c->sink.context, v->text, to, v->alignment, error);
    lxm_alignment_clear(&c->slice);
    if (!lxm_alignment_append_part(&c->slice, 0, v->alignment, v->length, begin, to))
        return lxm_fail_memory(error);
    return c->sink.text(c->sink.context, v->text + begin, to - begin, &c->slice, error);
}

static lxm_status give_token(lxm_cutter *c, const view *v, const lxm_special *special, size_t from,
                             size_t to, lxm_error *error)
{
    lxm_status status = close_token(c, error);
    if (status)
        return status;
    c->open = special;
    lxm_alignment_range(v->alignment, from, to, &c->source, &c->source_end);
    return special->rstrip ? LXM_OK : close_token(c, error);
}

/* ---- finding ---- */

typedef enum judgement { PASSED_OVER, TAKEN, UNDECIDED } judgement;

/* Whether a token may stand at text[begin, end). */
static judgement judge(const lxm_cutter *c, const view *v, const lxm_special *special, size_t begin,
                       bool final)
{
    size_t end = begin + special->length, size;
    if (!special->single_word)
        return TAKEN;
    uint32_t previous = begin ? before(v->text, begin, &size) : c->previous;
    if (previous && is_word(previous))
        return PASSED_OVER;
    if (end == v->length)
        return final ? TAKEN : UNDECIDED;
    return is_word(lxm_utf8_decode(v->text + end, &size)) ? PASSED_OVER : TAKEN;
}

static lxm_status too_much_space(const lxm_cutter *c, const view *v, size_t at, lxm_error *error)
{
    return lxm_fail_at(error, LXM_ERROR_LIMIT, lxm_alignment_source(v->alignment, at),
                       "more than %zu bytes of white space, which a token may take in, begin here: "
                       "raise --max-token",
                       c->most);
}

/* Hands on text [at, begin), then the token behind it. */
static lxm_status take(lxm_cutter *c, const view *v, const lxm_special *special, size_t at,
                       size_t begin, lxm_error *error)
{
    size_t from = special->lstrip ? back_over_space(v->text, at, begin) : begin;
    if (begin - from > c->most)
        return too_much_space(c, v, from, error);
    lxm_status status = from > at ? give(c, v, at, from, error) : LXM_OK;
    return status ? status : give_token(c, v, special, from, begin + special->length, error);
}

/* Hands on all that is decided; returns through *used how much that is. */
static lxm_status cut(lxm_cutter *c, const view *v, bool final, size_t *used, lxm_error *error)
{
    /* all before `at` is handed on; none begins before i; text [tail, i) is white space */
    size_t at = 0, i = c->searched, tail = 0, begin;
    lxm_status status = LXM_OK;
    for (;;) {
        lxm_special_match found = lxm_specials_find(c->specials, v->text + i, v->length - i, final);
        begin = i + found.begin;
        judgement verdict = found.special ? judge(c, v, found.special, begin, final) : UNDECIDED;
        if (verdict == UNDECIDED)
            break;
        i = begin + found.special->length;
        if (verdict == TAKEN) {
            status = take(c, v, found.special, at, begin, error);
            at = i;
        }
        if (status)
            return status;
        tail = c->specials->lstrip ? back_over_space(v->text, at, i) : i;
    }
    size_t space = c->specials->lstrip ? back_over_space(v->text, i, begin) : begin;
    tail = space > i ? space : tail;
    *used = final ? v->length : c->specials->lstrip ? tail : begin;
    c->searched = final ? 0 : begin - *used;
    if (*used > at)
        status = give(c, v, at, *used, error);
    if (*used > 0)
        c->previous = before(v->text, *used, &at);
    return status;
}

/* ---- pushing ---- */

static lxm_status hold(lxm_cutter *c, const view *v, size_t from, lxm_error *error)
{
    if (!lxm_alignment_append_part(&c->alignment, c->held.length, v->alignment, v->length, from,
                                   v->length) ||
        !lxm_buffer_append(&c->held, v->text + from, v->length - from))
        return lxm_fail_memory(error);
    return LXM_OK;
}

/* Forgets the first bytes of what is held. */
static void drop(lxm_cutter *c, size_t length)
{
    lxm_alignment_drop(&c->alignment, length);
    c->held.length -= length;
    memmove(c->held.data, c->held.data + length, c->held.length);
    if (c->held.length == 0)
        lxm_alignment_clear(&c->alignment);
}

lxm_status lxm_cutter_push(lxm_cutter *c, const uint8_t *text, size_t length,
                           const lxm_alignment *alignment, lxm_error *error)
{
    view v = {text, length, alignment};
    bool joined = c->held.length > 0;
    size_t used;
    lxm_status status = LXM_OK;
    if (c->specials->count == 0)
        return c->sink.text(c->sink.context, text, length, alignment, error);
    if (joined) {
        status = hold(c, &v, 0, error);
        v = (view){c->held.data, c->held.length, &c->alignment};
    }
    if (!status)
        status = cut(c, &v, false, &used, error);
    if (status)
        return status;
    if (v.length - used > c->most)
        return too_much_space(c, &v, used, error);
    if (!joined)
        return used < length ? hold(c, &v, used, error) : LXM_OK;
    drop(c, used);
    return LXM_OK;
}

lxm_status lxm_cutter_end(lxm_cutter *c, lxm_error *error)
{
    size_t used;
    lxm_status status = LXM_OK;
    if (c->held.length) {
        view v = {c->held.data, c->held.length, &c->alignment};
        status = cut(c, &v, true, &used, error);
    }
    if (!status)
        status = close_token(c, error);
    lxm_cutter_reset(c);
    return status;
}
