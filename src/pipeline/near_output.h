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

typedef struct lxm_near_writer {
    const char *name;
    bool (*put)(lxm_buffer *out, const lxm_row_names *names, const lxm_near_answer *answer);
} lxm_near_writer;

/* By lxm_near_format; NULL for what is none. */
const lxm_near_writer *lxm_near_writer_of(lxm_near_format format);

#endif
