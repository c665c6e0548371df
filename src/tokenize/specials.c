#include "tokenize/specials.h"

#include <stdlib.h>

#include "base/error.h"

void lxm_specials_init(lxm_specials *specials, const lxm_allocator *allocator)
{
    *specials = (lxm_specials){.allocator = *allocator};
}

void lxm_specials_free(lxm_specials *specials)
{
    for (size_t i = 0; i < specials->count; i++)
        lxm_release(&specials->allocator, specials->list[i].bytes);
    lxm_release(&specials->allocator, specials->list);
    specials->list = NULL;
    specials->count = 0;
}

static bool reserve(lxm_specials *specials)
{
    if (specials->count < specials->capacity)
        return true;
    size_t capacity = 2 * specials->capacity + 8;
    lxm_special *list =
        lxm_resize(&specials->allocator, specials->list, capacity, sizeof *specials->list);
    if (!list)
        return false;
    specials->list = list;
    specials->capacity = capacity;
    return true;
}

lxm_status lxm_specials_add(lxm_specials *specials, const lxm_added *added, const uint8_t *bytes,
                            size_t length, lxm_error *error)
{
    size_t token_length = strlen(added->content);
    uint8_t *copy = NULL;
    if (reserve(specials))
        copy = lxm_allocate(&specials->allocator, length + token_length, 1);
    if (!copy)
        return lxm_fail_memory(error);
    memcpy(copy, bytes, length);
    memcpy(copy + length, added->content, token_length);
    specials->list[specials->count] = (lxm_special){.bytes = copy,
                                                    .length = length,
                                                    .token_length = token_length,
                                                    .order = specials->count,
                                                    .single_word = added->single_word,
                                                    .lstrip = added->lstrip,
                                                    .rstrip = added->rstrip};
    specials->lstrip |= added->lstrip;
    specials->count++;
    return LXM_OK;
}

static int compare(const void *left, const void *right)
{
    const lxm_special *a = left, *b = right;
    int order = memcmp(a->bytes, b->bytes, a->length < b->length ? a->length : b->length);
    if (order)
        return order;
    if (a->length != b->length)
        return a->length < b->length ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

void lxm_specials_finish(lxm_specials *specials)
{
    if (specials->count == 0)
        return;
    qsort(specials->list, specials->count, sizeof *specials->list, compare);
    for (size_t i = 0; i < specials->count; i++)
        specials->from[specials->list[i].bytes[0] + 1]++;
    for (size_t b = 0; b < 256; b++)
        specials->from[b + 1] += specials->from[b];
}

/* The first of list[low, high), which agree in `depth` bytes, of which the next byte is not below
 * `byte`. Those that end there come before. */
static size_t lower_bound(const lxm_specials *specials, size_t low, size_t high, size_t depth,
                          unsigned byte)
{
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const lxm_special *s = &specials->list[middle];
        if (s->length == depth || s->bytes[depth] < byte)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The longest one at the start of text; *cut: a longer one may stand there when more comes. */
static const lxm_special *longest_at(const lxm_specials *specials, const uint8_t *text,
                                     size_t length, bool *cut)
{
    const lxm_special *found = NULL;
    size_t low = specials->from[text[0]], high = specials->from[text[0] + 1], depth = 1;
    for (;;) {
        for (; low < high && specials->list[low].length == depth; low++)
            found = &specials->list[low];
        *cut = low < high && depth == length;
        if (low == high || depth == length)
            return found;
        low = lower_bound(specials, low, high, depth, text[depth]);
        high = lower_bound(specials, low, high, depth, text[depth] + 1u);
        depth++;
    }
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
        const lxm_special *found = longest_at(specials, text + i, length - i, &cut);
        if (cut && !final)
            return (lxm_special_match){i, NULL};
        if (found)
            return (lxm_special_match){i, found};
    }
    return (lxm_special_match){length, NULL};
}
