/* Words as an lxm_tokens. */
#ifndef LXM_TESTS_WORDS_H
#define LXM_TESTS_WORDS_H

#include <stdlib.h>
#include <string.h>

#include "lexmill/tokenize.h"

typedef struct words {
    char *text;
    lxm_span *spans;
    size_t length, room, count, capacity;
} words;

static inline void words_add(words *w, const void *bytes, size_t length)
{
    if (w->count == w->capacity) {
        w->capacity = w->capacity ? 2 * w->capacity : 16;
        w->spans = realloc(w->spans, w->capacity * sizeof *w->spans);
    }
    if (w->length + length >= w->room) {
        w->room = 2 * (w->length + length) + 1;
        w->text = realloc(w->text, w->room);
    }
    memcpy(w->text + w->length, bytes, length);
    w->spans[w->count++] = (lxm_span){(uint32_t)w->length, (uint32_t)(w->length + length)};
    w->length += length;
}

/* Words between single spaces. */
static inline words words_of(const char *text)
{
    words w = {0};
    while (*text) {
        size_t length = strcspn(text, " ");
        words_add(&w, text, length);
        text += length + (text[length] == ' ');
    }
    return w;
}

static inline lxm_tokens words_tokens(const words *w)
{
    return (lxm_tokens){(const uint8_t *)w->text, w->spans, w->count, NULL};
}

static inline void words_free(words *w)
{
    free(w->text);
    free(w->spans);
}

#endif
