/* Queries in, the nearest rows of a table out, a block of queries at a time. */
#include <math.h>

#include "base/error.h"
#include "pipeline/job.h"
#include "pipeline/near_output.h"

/* Queries of a block, and bytes that its vectors and what is found for it take at most. */
enum { most_queries = 4096, most_bytes = 64 << 20 };

typedef struct run {
    lxm_allocator allocator;
    const lxm_near_options *options;
    const lxm_job *job;
    const lxm_near_writer *writer;
    lxm_row_names names;
    lxm_near_queries queries;
    size_t wanted; /* neighbours for each query, those included that may have to go */
    size_t most;   /* queries of a block */
    uint32_t *ids; /* of a block: most x wanted */
    float *scores;
    lxm_near_out out;
    lxm_near_result result;
} run;

static lxm_status check(const run *r, lxm_error *error)
{
    const lxm_near_options *o = r->options;
    if (lxm_table_rows(o->table) > UINT32_MAX)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "the table has no number of rows under 2^32");
    if (o->k == 0 || !r->writer)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "no such format, or no neighbours asked for");
    if (o->analogy && (o->queries || o->metric != LXM_METRIC_COSINE))
        return lxm_fail(error, LXM_ERROR_ARGUMENT,
                        "an analogy is made of words, and compared by the cosine");
    return LXM_OK;
}

/* How many queries are held at a time, and room for what is found. */
static lxm_status plan(run *r, lxm_error *error)
{
    uint64_t rows = lxm_table_rows(r->options->table);
    size_t dim = lxm_table_dim(r->options->table), pairs;
    r->wanted = r->options->k < rows ? r->options->k : (size_t)rows;
    if (r->options->analogy || r->options->exclude_self)
        r->wanted += r->options->analogy ? lxm_most_names : 1;
    r->wanted += !r->wanted; /* of a table without rows */
    size_t by_dim = most_bytes / sizeof(float) / dim, by_k = most_bytes / 8 / r->wanted;
    r->most = most_queries < by_dim ? most_queries : by_dim;
    r->most = by_k < r->most ? by_k : r->most;
    r->most += !r->most;
    if (!lxm_multiply(r->most, r->wanted, &pairs))
        return lxm_fail_memory(error);
    r->ids = lxm_allocate(&r->allocator, pairs, sizeof *r->ids);
    r->scores = lxm_allocate(&r->allocator, pairs, sizeof *r->scores);
    return r->ids && r->scores ? LXM_OK : lxm_fail_memory(error);
}

static bool is_excluded(const run *r, const uint32_t *own, uint32_t id)
{
    if (!r->options->analogy && !r->options->exclude_self)
        return false;
    for (size_t i = 0; i < lxm_most_names; i++)
        if (own[i] == id)
            return true;
    return false;
}

/* Takes out what is excluded, and what is more than k. */
static size_t choose(const run *r, const uint32_t *own, uint32_t *ids, float *scores)
{
    size_t count = 0;
    for (size_t i = 0; i < r->wanted && ids[i] != LXM_NO_ROW && count < r->options->k; i++)
        if (!is_excluded(r, own, ids[i])) {
            ids[count] = ids[i];
            scores[count++] = scores[i];
        }
    return count;
}

static lxm_status put_block(run *r, lxm_error *error)
{
    const lxm_near_block *block = &r->queries.block;
    const size_t *ends = (const size_t *)(const void *)block->ends.data;
    lxm_status status = LXM_OK;
    for (size_t i = 0; !status && i < block->count; i++) {
        uint32_t *ids = r->ids + i * r->wanted;
        float *scores = r->scores + i * r->wanted;
        size_t begin = i ? ends[i - 1] : 0;
        lxm_near_answer answer = {
            .label = block->labels.data + begin,
            .label_length = ends[i] - begin,
            .words = block->words,
            .ids = ids,
            .scores = scores,
            .count = choose(r, block->own + i * lxm_most_names, ids, scores),
        };
        status = r->writer->put(&r->out, &answer, error);
    }
    return status;
}

static lxm_status search_block(run *r, lxm_error *error)
{
    const lxm_near_block *block = &r->queries.block;
    lxm_nearest_options options = {r->wanted, r->options->metric, r->job->threads};
    lxm_neighbours found = {.ids = r->ids, .scores = r->scores};
    lxm_status status = lxm_nearest(r->options->table, block->vectors, block->count, &options,
                                    &found, &r->allocator, error);
    r->result.queries += block->count;
    r->result.bad_rows = found.bad_rows;
    r->result.bad_queries += found.bad_queries;
    return status;
}

static lxm_status search_all(run *r, lxm_error *error)
{
    lxm_status status = LXM_OK;
    size_t row = lxm_table_dim(r->options->table) * sizeof(float);
    while (!status) {
        status = lxm_near_queries_next(&r->queries, r->most, error);
        if (!status && r->queries.block.count == 0)
            return r->writer->finish(&r->out, error);
        if (!status)
            status = search_block(r, error);
        if (!status)
            status = put_block(r, error);
        lxm_job_report(r->job, r->result.queries * row);
    }
    return status;
}

static lxm_status write_all(run *r, const char *output_path, lxm_error *error)
{
    lxm_output *output;
    lxm_status status = lxm_output_open(&output, output_path, &r->allocator, error);
    if (status)
        return status;
    r->out.output = output;
    status = search_all(r, error);
    if (!status)
        return lxm_output_commit(output, error);
    lxm_output_discard(output);
    return status;
}

lxm_status lxm_run_near(const lxm_near_options *options, const char *output_path,
                        const lxm_job *job, lxm_near_result *result, lxm_error *error)
{
    static const lxm_job plain = {0};
    run r = {.options = options, .job = job ? job : &plain};
    r.allocator = lxm_allocator_or_default(r.job->allocator);
    r.writer = lxm_near_writer_of(options->format);
    lxm_status status = check(&r, error);
    if (!status)
        status = lxm_nearest_ready(error);
    if (status)
        return status;
    uint64_t rows = lxm_table_rows(options->table);
    lxm_near_out_init(&r.out, &r.names, options->k < rows ? options->k : (size_t)rows,
                      &r.allocator);
    status = lxm_row_names_open(&r.names, options->table, options->vocab, options->texts,
                                &r.allocator, error);
    if (!status)
        status = plan(&r, error);
    if (!status)
        status = lxm_near_queries_open(&r.queries, options, &r.names, r.most, &r.allocator, error);
    if (!status)
        status = write_all(&r, output_path, error);
    if (result)
        *result = r.result;
    lxm_near_queries_close(&r.queries);
    lxm_row_names_free(&r.names);
    lxm_release(&r.allocator, r.ids);
    lxm_release(&r.allocator, r.scores);
    lxm_near_out_free(&r.out);
    return status;
}
