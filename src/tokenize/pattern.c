/* The scanner that runs any pattern: PCRE2 with JIT, fed in parts through partial matching. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/error.h"
#include "tokenize/scanner.h"

enum {
    default_match_limit = 10000000,
    depth_limit = 100000,
    heap_limit_kib = 256 * 1024,
    jit_stack_start = 32 * 1024,
    jit_stack_most = 1024 * 1024,
};

typedef struct pattern_scanner {
    lxm_scanner base;
    lxm_allocator allocator;
    pcre2_general_context *general;
    pcre2_code *code;
    uint32_t match_limit;
    bool split;
    bool jit;
} pattern_scanner;

typedef struct workspace {
    pcre2_match_data *match;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
} workspace;

static void *pcre2_allocate(PCRE2_SIZE size, void *context)
{
    return lxm_allocate(context, size, 1);
}

static void pcre2_release(void *pointer, void *context)
{
    lxm_release(context, pointer);
}

static void workspace_free(const lxm_scanner *scanner, void *pointer)
{
    const pattern_scanner *pattern = (const pattern_scanner *)scanner;
    workspace *w = pointer;
    if (!w)
        return;
    pcre2_match_data_free(w->match);
    pcre2_match_context_free(w->context);
    pcre2_jit_stack_free(w->stack);
    lxm_release(&pattern->allocator, w);
}

static lxm_status workspace_new(const lxm_scanner *scanner, void **out,
                                const lxm_allocator *allocator, lxm_error *error)
{
    const pattern_scanner *pattern = (const pattern_scanner *)scanner;
    (void)allocator; /* PCRE2 knows the allocator of the code */
    *out = NULL;
    workspace *w = lxm_new(&pattern->allocator, sizeof *w);
    if (!w)
        return lxm_fail_memory(error);
    w->match = pcre2_match_data_create_from_pattern(pattern->code, pattern->general);
    w->context = pcre2_match_context_create(pattern->general);
    if (pattern->jit)
        w->stack = pcre2_jit_stack_create(jit_stack_start, jit_stack_most, pattern->general);
    if (!w->match || !w->context || (pattern->jit && !w->stack)) {
        workspace_free(scanner, w);
        return lxm_fail_memory(error);
    }
    pcre2_set_match_limit(w->context, pattern->match_limit);
    pcre2_set_depth_limit(w->context, depth_limit);
    pcre2_set_heap_limit(w->context, heap_limit_kib);
    if (w->stack)
        pcre2_jit_stack_assign(w->context, NULL, w->stack);
    *out = w;
    return LXM_OK;
}

/* One match from `start` on. A JIT stack that is too small leaves it to the interpreter. */
static int match(const pattern_scanner *pattern, const workspace *w, const lxm_scan *scan,
                 size_t start, uint32_t options)
{
    if (!scan->final)
        options |= PCRE2_PARTIAL_HARD;
    if (!scan->first)
        options |= PCRE2_NOTBOL;
    if (pattern->jit) {
        int result = pcre2_jit_match(pattern->code, scan->text, scan->length, start, options,
                                     w->match, w->context);
        if (result != PCRE2_ERROR_JIT_STACKLIMIT)
            return result;
    }
    return pcre2_match(pattern->code, scan->text, scan->length, start,
                       options | PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, w->match, w->context);
}

static lxm_status failure(int code, size_t offset, lxm_error *error)
{
    PCRE2_UCHAR reason[160] = "";
    switch (code) {
    case PCRE2_ERROR_MATCHLIMIT:
    case PCRE2_ERROR_DEPTHLIMIT:
    case PCRE2_ERROR_HEAPLIMIT:
        return lxm_fail_at(error, LXM_ERROR_LIMIT, offset,
                           "the pattern needs too many steps here: make its repeats possessive "
                           "(such as a++), or raise --match-limit");
    case PCRE2_ERROR_NOMEMORY:
        return lxm_fail_memory(error);
    default:
        pcre2_get_error_message(code, reason, sizeof reason);
        return lxm_fail_at(error, LXM_ERROR_PATTERN, offset, "matching failed: %s", (char *)reason);
    }
}

static lxm_status scan_matches(const pattern_scanner *pattern, const workspace *w, lxm_scan *scan,
                               lxm_error *error)
{
    const size_t *found = pcre2_get_ovector_pointer(w->match);
    while (scan->count < scan->capacity && scan->position < scan->length) {
        int result = match(pattern, w, scan, scan->position, PCRE2_NOTEMPTY);
        if (result == PCRE2_ERROR_NOMATCH) {
            scan->position = scan->length;
        } else if (result == PCRE2_ERROR_PARTIAL) {
            scan->position = found[0];
            return LXM_OK;
        } else if (result < 0) {
            return failure(result, scan->position, error);
        } else {
            scan->spans[scan->count++] = (lxm_span){(uint32_t)found[0], (uint32_t)found[1]};
            scan->position = found[1];
        }
    }
    return LXM_OK;
}

static lxm_status scan_between(const pattern_scanner *pattern, const workspace *w, lxm_scan *scan,
                               lxm_error *error)
{
    const size_t *found = pcre2_get_ovector_pointer(w->match);
    uint32_t options = 0;
    while (scan->count < scan->capacity && scan->position < scan->length) {
        size_t end = scan->length, next = scan->length;
        int result = match(pattern, w, scan, scan->position, options);
        if (result == PCRE2_ERROR_PARTIAL || (result == PCRE2_ERROR_NOMATCH && !scan->final))
            return LXM_OK;
        if (result < 0 && result != PCRE2_ERROR_NOMATCH)
            return failure(result, scan->position, error);
        if (result >= 0) {
            end = found[0];
            next = found[1];
            options = next == end ? PCRE2_NOTEMPTY_ATSTART : 0;
        }
        if (end > scan->position)
            scan->spans[scan->count++] = (lxm_span){(uint32_t)scan->position, (uint32_t)end};
        scan->position = next;
    }
    return LXM_OK;
}

static lxm_status pattern_scan(const lxm_scanner *scanner, void *pointer, lxm_scan *scan,
                               lxm_error *error)
{
    const pattern_scanner *pattern = (const pattern_scanner *)scanner;
    return (pattern->split ? scan_between : scan_matches)(pattern, pointer, scan, error);
}

static void pattern_free(lxm_scanner *scanner)
{
    pattern_scanner *pattern = (pattern_scanner *)scanner;
    pcre2_code_free(pattern->code);
    pcre2_general_context_free(pattern->general);
    lxm_allocator a = pattern->allocator;
    lxm_release(&a, pattern);
}

static lxm_status compile(pattern_scanner *pattern, const char *text, lxm_error *error)
{
    int code;
    PCRE2_SIZE offset;
    PCRE2_UCHAR reason[160] = "";
    pattern->general =
        pcre2_general_context_create(pcre2_allocate, pcre2_release, &pattern->allocator);
    if (!pattern->general)
        return lxm_fail_memory(error);
    pcre2_compile_context *context = pcre2_compile_context_create(pattern->general);
    if (!context)
        return lxm_fail_memory(error);
    pattern->code =
        pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
                      PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &code, &offset, context);
    pcre2_compile_context_free(context);
    if (pattern->code)
        return LXM_OK;
    if (code == PCRE2_ERROR_HEAP_FAILED)
        return lxm_fail_memory(error);
    pcre2_get_error_message(code, reason, sizeof reason);
    return lxm_fail_at(error, LXM_ERROR_PATTERN, offset, "the pattern doesn't compile: %s",
                       (char *)reason);
}

/* How far a match may look back. A lookbehind inside a lookbehind goes further than PCRE2 says;
 * eight levels are allowed for. */
static size_t context_of(const pcre2_code *code)
{
    uint32_t characters = 0;
    pcre2_pattern_info(code, PCRE2_INFO_MAXLOOKBEHIND, &characters);
    return 4 * (8 * (size_t)characters + 2);
}

lxm_status lxm_pattern_new(lxm_scanner **scanner, const lxm_pattern_options *options,
                           const lxm_allocator *allocator, lxm_error *error)
{
    *scanner = NULL;
    lxm_allocator a = lxm_allocator_or_default(allocator);
    pattern_scanner *pattern = lxm_new(&a, sizeof *pattern);
    if (!pattern)
        return lxm_fail_memory(error);
    pattern->base = (lxm_scanner){pattern_scan, workspace_new, workspace_free, pattern_free, 0};
    pattern->allocator = a;
    pattern->split = options->split;
    pattern->match_limit = options->match_limit ? options->match_limit : default_match_limit;
    lxm_status status = compile(pattern, options->pattern, error);
    if (status) {
        pattern_free(&pattern->base);
        return status;
    }
    pattern->base.context = context_of(pattern->code);
    /* where JIT can't be had (a hardened kernel, another processor) the interpreter serves */
    pattern->jit =
        pcre2_jit_compile(pattern->code, PCRE2_JIT_COMPLETE | PCRE2_JIT_PARTIAL_HARD) == 0;
    *scanner = &pattern->base;
    return LXM_OK;
}

lxm_status lxm_pattern_matches_empty(const char *pattern, bool *empty,
                                     const lxm_allocator *allocator, lxm_error *error)
{
    lxm_scanner *scanner;
    lxm_status status =
        lxm_pattern_new(&scanner, &(lxm_pattern_options){.pattern = pattern}, allocator, error);
    if (status)
        return status;
    uint32_t answer = 1;
    pcre2_pattern_info(((pattern_scanner *)scanner)->code, PCRE2_INFO_MATCHEMPTY, &answer);
    *empty = answer != 0;
    pattern_free(scanner);
    return LXM_OK;
}
