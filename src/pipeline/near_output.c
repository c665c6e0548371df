#include "pipeline/near_output.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/escape.h"
#include "base/json_string.h"
#include "formats/vectors.h"

static bool put(lxm_buffer *out, const char *text)
{
    return lxm_buffer_append(out, text, strlen(text));
}

static bool put_number(lxm_buffer *out, uint64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, number);
    return put(out, text);
}

static bool put_score(lxm_buffer *out, float score)
{
    char text[lxm_float_size];
    return lxm_buffer_append(out, text, lxm_float_text(score, text));
}

/* ---- a line a neighbour ---- */

static bool put_word(lxm_buffer *out, const lxm_row_names *names, uint32_t row)
{
    size_t length;
    const uint8_t *word = names->words ? lxm_row_names_word(names, row, &length) : NULL;
    return word ? lxm_escape(out, word, length) : put_number(out, row);
}

static bool put_text_line(lxm_buffer *out, const lxm_row_names *names, const lxm_near_answer *a,
                          size_t i)
{
    size_t length;
    const uint8_t *text = lxm_row_names_text(names, a->ids[i], &length);
    return lxm_escape(out, a->label, a->label_length) && put(out, "\t") && put_number(out, i + 1) &&
           put(out, "\t") && put_word(out, names, a->ids[i]) && put(out, "\t") &&
           put_score(out, a->scores[i]) &&
           (!text || (put(out, "\t") && lxm_buffer_append(out, text, length))) && put(out, "\n");
}

static bool put_text(lxm_buffer *out, const lxm_row_names *names, const lxm_near_answer *a)
{
    bool good = true;
    for (size_t i = 0; good && i < a->count; i++)
        good = put_text_line(out, names, a, i);
    return good;
}

/* ---- JSON Lines ---- */

/* A member with a string; nothing where there is none. */
static bool put_member(lxm_buffer *out, const char *name, const uint8_t *text, size_t length)
{
    return !text || (put(out, name) && lxm_json_string(out, text, length));
}

static bool put_object(lxm_buffer *out, const lxm_row_names *names, uint32_t row, float score)
{
    size_t word_length = 0, text_length = 0;
    const uint8_t *word = names->words ? lxm_row_names_word(names, row, &word_length) : NULL;
    const uint8_t *text = lxm_row_names_text(names, row, &text_length);
    return put(out, "{\"id\":") && put_number(out, row) &&
           put_member(out, ",\"word\":", word, word_length) && put(out, ",\"score\":") &&
           (isfinite(score) ? put_score(out, score) : put(out, "null")) &&
           put_member(out, ",\"text\":", text, text_length) && put(out, "}");
}

static bool put_jsonl(lxm_buffer *out, const lxm_row_names *names, const lxm_near_answer *a)
{
    bool good = put(out, "{\"query\":") &&
                (a->words ? lxm_json_string(out, a->label, a->label_length)
                          : lxm_buffer_append(out, a->label, a->label_length)) &&
                put(out, ",\"neighbours\":[");
    for (size_t i = 0; good && i < a->count; i++)
        good = (i == 0 || put(out, ",")) && put_object(out, names, a->ids[i], a->scores[i]);
    return good && put(out, "]}\n");
}

static const lxm_near_writer text_writer = {"text", put_text};
static const lxm_near_writer jsonl_writer = {"jsonl", put_jsonl};

const lxm_near_writer *lxm_near_writer_of(lxm_near_format format)
{
    switch (format) {
    case LXM_NEAR_TEXT:
        return &text_writer;
    case LXM_NEAR_JSONL:
        return &jsonl_writer;
    }
    return NULL;
}
