/* Text to a stream, or to a sink of ids. */
#ifndef LXM_PIPELINE_RUN_TOKENIZE_H
#define LXM_PIPELINE_RUN_TOKENIZE_H

#include "lexmill/pipeline.h"
#include "pipeline/token_end.h"

typedef struct lxm_text_run {
    const lxm_tokenizer *tokenizer;
    const lxm_vocab *vocab; /* NULL: tokens stay what they are */
    const char *const *paths;
    size_t path_count;
    const lxm_tokenize_run_options *options; /* or NULL */
    const lxm_job *job;
} lxm_text_run;

/* With `sink`, which needs a vocabulary, `output` is NULL, and the sink is called on this thread,
 * in the order of the documents. */
lxm_status lxm_run_text(const lxm_text_run *text, const lxm_stream_options *stream,
                        lxm_output *output, const lxm_id_sink *sink,
                        lxm_tokenize_run_result *result, lxm_error *error);

#endif
