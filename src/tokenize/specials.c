#include "tokenize/specials.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/utf8.h"

static int compare(const void *left, const void *right)
{
    const lxm_special *a = left, *b = right;
    if (a->bytes[0] != b->bytes[0])
        return a->bytes[0] < b->bytes[0] ? -1 : 1;
    if (a->length != b->length)
        return a->length > b->length ? -1 : 1;
    return memcmp(a->bytes, b->bytes, a->length);
}

static lxm_status copy(lxm_specials *specials, const char *token, lxm_error *error)
{
    size_t length = strlen(token);
    if (length == 0 || lxm_utf8_valid((const uint8_t *)token, length) != length)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "a special token must be UTF-8 and not empty");
    lxm_special *s = &specials->list[specials->count];
    s->bytes = (uint8_t *)lxm_copy_string(&specials->allocator, token);
    if (!s->bytes)
        return lxm_fail_memory(error);
    s->length = length;
    specials->count++;
    if (length > specials->longest)
        specials->longest = length;
    return LXM_OK;
}

lxm_status lxm_specials_init(lxm_specials *specials, const char *const *tokens, size_t count,
                             const lxm_allocator *allocator, lxm_error *error)
{
    *specials = (lxm_specials){.allocator = *allocator};
    if (count == 0)
        return LXM_OK;
    specials->list = lxm_allocate(allocator, count, sizeof *specials->list);
    if (!specials->list)
        return lxm_fail_memory(error);
    for (size_t i = 0; i < count; i++) {
        lxm_status status = copy(specials, tokens[i], error);
        if (status)
            return status;
    }
    qsort(specials->list, count, sizeof *specials->list, compare);
    for (size_t i = 0; i < count; i++)
        specials->from[specials->list[i].bytes[0] + 1]++;
    for (size_t b = 0; b < 256; b++)
        specials->from[b + 1] += specials->from[b];
    return LXM_OK;
}

void lxm_specials_free(lxm_specials *specials)
{
    for (size_t i = 0; i < specials->count; i++)
        lxm_release(&specials->allocator, specials->list[i].bytes);
    lxm_release(&specials->allocator, specials->list);
    specials->list = NULL;
    specials->count = 0;
}

/* The longest one at the start of text; *cut: a longer one may stand there when more comes. */
static size_t longest_at(const lxm_specials *specials, const uint8_t *text, size_t length,
                         bool *cut)
{
    *cut = false;
    for (size_t i = specials->from[text[0]]; i < specials->from[text[0] + 1]; i++) {
        const lxm_special *s = &specials->list[i];
        size_t n = s->length < length ? s->length : length;
        if (memcmp(s->bytes, text, n) != 0)
            continue;
        if (s->length <= length)
            return s->length;
        *cut = true;
    }
    return 0;
}

/* The next byte that begins a special token. */
static size_t candidate(const lxm_specials *specials, const uint8_t *text, size_t length, size_t i)
{
    uint8_t first = specials->list[0].bytes[0];
    if (specials->from[first + 1] - specials->from[first] == specials->count) {
        const uint8_t *found = memchr(text + i, first, length - i);
        return found ? (size_t)(found - text) : length;
    }
    while (i < length && specials->from[text[i]] == specials->from[text[i] + 1])
        i++;
    return i;
}

lxm_special_match lxm_specials_find(const lxm_specials *specials, const uint8_t *text,
                                    size_t length, bool final)
{
    for (size_t i = 0; (i = candidate(specials, text, length, i)) < length; i++) {
        bool cut;
        size_t size = longest_at(specials, text + i, length - i, &cut);
        if (cut && !final)
            return (lxm_special_match){i, i};
        if (size)
            return (lxm_special_match){i, i + size};
    }
    return (lxm_special_match){length, length};
}
