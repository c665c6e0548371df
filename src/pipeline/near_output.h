/* What is written of the nearest rows: one lxm_near_writer a format. */
#ifndef LXM_PIPELINE_NEAR_OUTPUT_H
#define LXM_PIPELINE_NEAR_OUTPUT_H

#include "pipeline/near_queries.h"

/* A query and what was found for it. */
typedef struct lxm_near_answer {
    const uint8_t *label;
    size_t label_length;
    bool words; /* the label is words: otherwise a number */
    const uint32_t *ids;
    const float *scores;
    size_t count;
} lxm_near_answer;

/* What is being written. */
typedef struct lxm_near_out {
    lxm_allocator allocator;
    lxm_output *output;
    const lxm_row_names *names;
    size_t width;          /* the most that an answer has */
    lxm_buffer bytes;      /* that wait to be written */
    uint64_t answers;      /* so far; */
    lxm_spool ids, scores; /* and what they were, until it is known how many there are */
} lxm_near_out;

typedef struct lxm_near_writer {
    const char *name;
    lxm_status (*put)(lxm_near_out *out, const lxm_near_answer *answer, lxm_error *error);
    /* Writes what is left. */
    lxm_status (*finish)(lxm_near_out *out, lxm_error *error);
} lxm_near_writer;

extern const lxm_near_writer lxm_text_near, lxm_jsonl_near, lxm_safetensors_near;

/* By lxm_near_format; NULL for what is none. */
const lxm_near_writer *lxm_near_writer_of(lxm_near_format format);

void lxm_near_out_init(lxm_near_out *out, const lxm_row_names *names, size_t width,
                       const lxm_allocator *allocator);
void lxm_near_out_free(lxm_near_out *out);

/* Writes the bytes that wait, where there are so many. */
lxm_status lxm_near_out_send(lxm_near_out *out, size_t at_least, lxm_error *error);

#endif
