#include "tokenize/subject.h"

#include <inttypes.h>

#include "base/error.h"

/* What a scanner may want to see behind the longest token before it decides. */
enum { undecided_slack = 1 << 20 };

lxm_status lxm_subject_init(lxm_subject *subject, const lxm_scanner *scanner,
                            const lxm_token_sink *sink, size_t max_token, bool offsets,
                            const lxm_allocator *allocator, lxm_error *error)
{
    subject->scanner = scanner;
    subject->workspace = NULL;
    subject->sink = *sink;
    subject->max_token = max_token;
    subject->allocator = *allocator;
    subject->offsets = NULL;
    lxm_buffer_init(&subject->carry, allocator);
    lxm_alignment_init(&subject->alignment, allocator);
    lxm_subject_reset(subject);
    if (offsets) {
        subject->offsets = lxm_allocate(allocator, 2 * lxm_subject_spans, sizeof(uint64_t));
        if (!subject->offsets)
            return lxm_fail_memory(error);
    }
    if (!scanner->workspace_new)
        return LXM_OK;
    return scanner->workspace_new(scanner, &subject->workspace, allocator, error);
}

void lxm_subject_free(lxm_subject *subject)
{
    if (subject->scanner && subject->scanner->workspace_free)
        subject->scanner->workspace_free(subject->scanner, subject->workspace);
    lxm_buffer_free(&subject->carry);
    lxm_alignment_free(&subject->alignment);
    if (subject->offsets)
        lxm_release(&subject->allocator, subject->offsets);
}

void lxm_subject_reset(lxm_subject *subject)
{
    subject->first = true;
    subject->carry.length = 0;
    subject->position = 0;
    subject->wanted = 0;
    lxm_alignment_clear(&subject->alignment);
}

static lxm_status emit(lxm_subject *subject, const lxm_scan *scan, const lxm_alignment *alignment,
                       lxm_error *error)
{
    if (scan->count == 0)
        return LXM_OK;
    if (subject->offsets)
        lxm_alignment_map(alignment, scan->spans, scan->count, subject->offsets);
    lxm_tokens tokens = {scan->text, scan->spans, scan->count, subject->offsets, true};
    return subject->sink.tokens(subject->sink.context, &tokens, error);
}

static lxm_status too_long(const lxm_subject *subject, const lxm_alignment *alignment, size_t begin,
                           lxm_error *error)
{
    return lxm_fail_at(error, LXM_ERROR_LIMIT, lxm_alignment_source(alignment, begin),
                       "a token of more than %zu bytes begins here: raise --max-token",
                       subject->max_token);
}

/* A token over the limit is refused even where all of it was at hand at once. */
static lxm_status check_lengths(const lxm_subject *subject, const lxm_scan *scan,
                                const lxm_alignment *alignment, lxm_error *error)
{
    if (scan->length <= subject->max_token)
        return LXM_OK;
    for (size_t i = 0; i < scan->count; i++)
        if (scan->spans[i].end - scan->spans[i].begin > subject->max_token)
            return too_long(subject, alignment, scan->spans[i].begin, error);
    return LXM_OK;
}

/* Where text begins that still matters once all before `position` is decided. */
static size_t context_start(const lxm_subject *subject, const uint8_t *text, size_t position)
{
    size_t context = subject->scanner->context;
    size_t start = position > context ? position - context : 0;
    while (start > 0 && (text[start] & 0xC0) == 0x80)
        start--;
    return start;
}

/* Scans all that can be decided; says where it got to. */
static lxm_status scan_text(lxm_subject *subject, const uint8_t *text, size_t length,
                            size_t *position, bool final, const lxm_alignment *alignment,
                            lxm_error *error)
{
    lxm_scan scan = {.text = text,
                     .length = length,
                     .position = *position,
                     .first = subject->first,
                     .final = final,
                     .spans = subject->spans,
                     .capacity = lxm_subject_spans};
    lxm_status status;
    do {
        scan.count = 0;
        status = subject->scanner->scan(subject->scanner, subject->workspace, &scan, error);
        if (status && error && error->offset != LXM_NO_OFFSET)
            error->offset = lxm_alignment_source(alignment, (size_t)error->offset);
        if (!status)
            status = check_lengths(subject, &scan, alignment, error);
        if (!status)
            status = emit(subject, &scan, alignment, error);
    } while (!status && scan.count == scan.capacity);
    *position = scan.position;
    if (!status && length - scan.position > subject->max_token + undecided_slack)
        status = too_long(subject, alignment, scan.position, error);
    return status;
}

/* Asking again for every byte that comes would take quadratic time. */
static void want_more(lxm_subject *subject)
{
    enum { times = 4 };
    size_t undecided = subject->carry.length - subject->position;
    subject->wanted = subject->carry.length + times * undecided;
}

/* Drops what is decided from the carry, but for the context. */
static void trim(lxm_subject *subject)
{
    size_t start = context_start(subject, subject->carry.data, subject->position);
    if (start > 0) {
        subject->first = false;
        subject->carry.length -= start;
        memmove(subject->carry.data, subject->carry.data + start, subject->carry.length);
        lxm_alignment_drop(&subject->alignment, start);
        subject->position -= start;
    }
    want_more(subject);
}

static lxm_status push_carry(lxm_subject *subject, const uint8_t *text, size_t length,
                             const lxm_alignment *alignment, lxm_error *error)
{
    if (!lxm_alignment_append(&subject->alignment, alignment, subject->carry.length) ||
        !lxm_buffer_append(&subject->carry, text, length))
        return lxm_fail_memory(error);
    if (subject->carry.length < subject->wanted &&
        subject->carry.length - subject->position <= subject->max_token + undecided_slack)
        return LXM_OK;
    lxm_status status = scan_text(subject, subject->carry.data, subject->carry.length,
                                  &subject->position, false, &subject->alignment, error);
    if (!status)
        trim(subject);
    return status;
}

lxm_status lxm_subject_push(lxm_subject *subject, const uint8_t *text, size_t length,
                            const lxm_alignment *alignment, lxm_error *error)
{
    if (length == 0)
        return LXM_OK;
    if (subject->carry.length > 0)
        return push_carry(subject, text, length, alignment, error);
    size_t position = 0;
    lxm_status status = scan_text(subject, text, length, &position, false, alignment, error);
    if (status)
        return status;
    size_t start = context_start(subject, text, position);
    if (start > 0)
        subject->first = false;
    if (!lxm_alignment_append(&subject->alignment, alignment, 0) ||
        !lxm_buffer_append(&subject->carry, text + start, length - start))
        return lxm_fail_memory(error);
    lxm_alignment_drop(&subject->alignment, start);
    subject->position = position - start;
    want_more(subject);
    return LXM_OK;
}

lxm_status lxm_subject_end(lxm_subject *subject, lxm_error *error)
{
    lxm_status status = LXM_OK;
    if (subject->position < subject->carry.length)
        status = scan_text(subject, subject->carry.data, subject->carry.length, &subject->position,
                           true, &subject->alignment, error);
    lxm_subject_reset(subject);
    return status;
}
