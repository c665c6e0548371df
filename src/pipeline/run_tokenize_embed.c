/* text -> vectors: the ids of the documents go on as numbers, and no stream is written. */
#include "base/error.h"
#include "pipeline/run_embed.h"

lxm_status lxm_run_tokenize_embed(const lxm_tokenizer *tokenizer, const lxm_vocab *vocab,
                                  const lxm_embed_options *embed, const char *const *paths,
                                  size_t path_count, const lxm_tokenize_run_options *options,
                                  const char *output_path, const lxm_job *job,
                                  lxm_tokenize_run_result *result, lxm_embed_result *embed_result,
                                  lxm_error *error)
{
    static const lxm_job plain;
    lxm_embed_run *run;
    job = job ? job : &plain;
    lxm_status status = lxm_embed_run_new(&run, embed, output_path, job, error);
    if (status)
        return status;
    lxm_id_sink sink = lxm_embed_run_sink(run);
    lxm_stream_options stream = {.fingerprint = lxm_vocab_fingerprint(vocab), .sink = &sink};
    status = lxm_run_tokenize_encode(tokenizer, vocab, paths, path_count, options, &stream, NULL,
                                     job, result, error);
    return lxm_embed_run_finish(run, status, embed_result, error);
}
