#include "pipeline/near_output.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/error.h"
#include "base/escape.h"
#include "base/json_string.h"
#include "formats/vectors.h"

/* Bytes that are written at a time, and that the numbers of answers take in memory. */
enum { write_at = 64 * 1024, spool_memory = 4 << 20 };

void lxm_near_out_init(lxm_near_out *out, const lxm_row_names *names, size_t width,
                       const lxm_allocator *allocator)
{
    *out = (lxm_near_out){.allocator = *allocator, .names = names, .width = width};
    lxm_buffer_init(&out->bytes, allocator);
    lxm_spool_init(&out->ids, spool_memory, NULL, allocator);
    lxm_spool_init(&out->scores, spool_memory, NULL, allocator);
}

void lxm_near_out_free(lxm_near_out *out)
{
    lxm_buffer_free(&out->bytes);
    lxm_spool_free(&out->ids);
    lxm_spool_free(&out->scores);
}

lxm_status lxm_near_out_send(lxm_near_out *out, size_t at_least, lxm_error *error)
{
    if (out->bytes.length < at_least)
        return LXM_OK;
    lxm_status status = lxm_output_write(out->output, out->bytes.data, out->bytes.length, error);
    out->bytes.length = 0;
    return status;
}

static lxm_status finish(lxm_near_out *out, lxm_error *error)
{
    return lxm_near_out_send(out, 1, error);
}

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

static lxm_status put_text(lxm_near_out *out, const lxm_near_answer *a, lxm_error *error)
{
    bool good = true;
    for (size_t i = 0; good && i < a->count; i++)
        good = put_text_line(&out->bytes, out->names, a, i);
    return good ? lxm_near_out_send(out, write_at, error) : lxm_fail_memory(error);
}

const lxm_near_writer lxm_text_near = {"text", put_text, finish};

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

static lxm_status put_jsonl(lxm_near_out *o, const lxm_near_answer *a, lxm_error *error)
{
    lxm_buffer *out = &o->bytes;
    bool good = put(out, "{\"query\":") &&
                (a->words ? lxm_json_string(out, a->label, a->label_length)
                          : lxm_buffer_append(out, a->label, a->label_length)) &&
                put(out, ",\"neighbours\":[");
    for (size_t i = 0; good && i < a->count; i++)
        good = (i == 0 || put(out, ",")) && put_object(out, o->names, a->ids[i], a->scores[i]);
    good = good && put(out, "]}\n");
    return good ? lxm_near_out_send(o, write_at, error) : lxm_fail_memory(error);
}

const lxm_near_writer lxm_jsonl_near = {"jsonl", put_jsonl, finish};

const lxm_near_writer *lxm_near_writer_of(lxm_near_format format)
{
    static const lxm_near_writer *const writers[] = {&lxm_text_near, &lxm_jsonl_near,
                                                     &lxm_safetensors_near};
    return format < sizeof writers / sizeof *writers ? writers[format] : NULL;
}
