/* ids -> text. */
#include <inttypes.h>

#include "base/error.h"
#include "idmap/join.h"
#include "pipeline/job.h"
#include "pipeline/run_ids.h"

enum { write_at = 64 * 1024 };

typedef struct run {
    const lxm_vocab *vocab;
    uint64_t fingerprint;
    lxm_joiner joiner;
    const lxm_decode_options *options;
    bool separate; /* a document has ended: a newline is due before the next */
    lxm_buffer text;
    lxm_output *output;
} run;

static lxm_status send(run *r, size_t at_least, lxm_error *error)
{
    if (r->text.length < at_least)
        return LXM_OK;
    lxm_status status = lxm_output_write(r->output, r->text.data, r->text.length, error);
    r->text.length = 0;
    return status;
}

static bool separate(run *r)
{
    bool due = r->separate;
    r->separate = false;
    return !due || lxm_buffer_append(&r->text, "\n", 1);
}

static bool end_document(run *r)
{
    bool good = true;
    lxm_joiner_end_document(&r->joiner);
    switch (r->options->documents) {
    case LXM_DOCUMENTS_LINE:
        return lxm_buffer_append(&r->text, "\n", 1);
    case LXM_DOCUMENTS_BLANK:
        return lxm_buffer_append(&r->text, "\n\n", 2);
    case LXM_DOCUMENTS_NUL:
        return lxm_buffer_append(&r->text, "", 1);
    default:
        good = separate(r);
        r->separate = true;
        return good;
    }
}

static lxm_status fail(const run *r, const lxm_block *block, size_t i, bool lines, lxm_error *error)
{
    lxm_fail_at(error, LXM_ERROR_ID, i,
                "id %" PRIu32
                " has no token: the vocabulary has %zu (is it the one that made the ids?)",
                block->ids.ids[i], lxm_vocab_size(r->vocab));
    lxm_place_id(error, block->position, lines);
    return LXM_ERROR_ID;
}

static lxm_status decode_block(run *r, const lxm_block *block, bool lines, lxm_error *error)
{
    if (block->ids.count && !separate(r))
        return lxm_fail_memory(error);
    for (size_t i = 0; i < block->ids.count; i++) {
        size_t length;
        const uint8_t *token = lxm_vocab_token(r->vocab, block->ids.ids[i], &length);
        if (!token)
            return fail(r, block, i, lines, error);
        if (r->options->skip_special && lxm_vocab_is_special(r->vocab, block->ids.ids[i]))
            continue;
        if (!lxm_joiner_append(&r->joiner, &r->text, token, length))
            return lxm_fail_memory(error);
        lxm_status status = send(r, write_at, error);
        if (status)
            return status;
    }
    if (block->end_document && !end_document(r))
        return lxm_fail_memory(error);
    return LXM_OK;
}

static lxm_status decode_stream(void *context, const char *path, lxm_reader *reader,
                                lxm_error *error)
{
    (void)path;
    run *r = context;
    bool more = true, lines = !lxm_reader_is_binary(reader);
    uint64_t made_by = lxm_reader_fingerprint(reader);
    if (made_by && made_by != r->fingerprint)
        return lxm_fail(error, LXM_ERROR_MISMATCH,
                        "the ids were made with another vocabulary (%016" PRIx64
                        ", this one is %016" PRIx64 ")",
                        made_by, r->fingerprint);
    lxm_status status = LXM_OK;
    while (!status) {
        lxm_block block;
        status = lxm_reader_next(reader, &block, &more, error);
        if (status || !more)
            break;
        status = decode_block(r, &block, lines, error);
    }
    return status;
}

lxm_status lxm_run_decode(const lxm_vocab *vocab, const char *const *paths, size_t path_count,
                          const lxm_decode_options *options, lxm_output *output, const lxm_job *job,
                          lxm_error *error)
{
    if (options->documents > LXM_DOCUMENTS_NUL)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "text can't be written in such documents");
    if (vocab->decoding.refused[0])
        return lxm_fail(error, LXM_ERROR_UNSUPPORTED,
                        "the decoder of the vocabulary can't be done: %s", vocab->decoding.refused);
    lxm_allocator allocator = lxm_allocator_or_default(job->allocator);
    run r = {.vocab = vocab,
             .fingerprint = lxm_vocab_fingerprint(vocab),
             .joiner = {.join = options->join, .vocab = vocab},
             .options = options,
             .output = output};
    lxm_buffer_init(&r.text, &allocator);
    lxm_status status =
        lxm_job_streams(paths, path_count, LXM_KIND_IDS, job, decode_stream, &r, error);
    if (!status)
        status = send(&r, 1, error);
    lxm_buffer_free(&r.text);
    return status;
}
