#include <stdio.h>

#include "base/error.h"
#include "base/memory.h"
#include "embed/pooling.h"
#include "pipeline/embed_pieces.h"
#include "pipeline/embed_pooled.h"
#include "pipeline/job.h"
#include "pipeline/run_embed.h"
#include "pipeline/shuffle.h"
#include "stream/reader.h"

enum { default_batch = 1024 };

typedef struct lxm_embed_run {
    lxm_allocator allocator;
    const lxm_embed_options *options;
    const lxm_job *job;
    const char *output_path;
    size_t batch; /* rows (windows) */
    size_t unit;  /* so many are handed on at once, for a size is needed first; 0: no matter */
    bool opened;  /* below here is there */
    lxm_vector_sink sink;
    lxm_pieces *pieces;
    lxm_pooled *pooled;   /* instead, where documents become vectors */
    lxm_windows *windows; /* NULL: every id is a row, */
    lxm_buffer ids;       /* and those of a batch that is held wait here */
    size_t window_unit;   /* windows that are handed on at once */
    lxm_shuffler shuffler;
    uint64_t fingerprint;
    lxm_embed_result result;
} run;

static lxm_status hand_on(void *context, const lxm_window_batch *batch, lxm_error *error)
{
    run *r = context;
    lxm_window_batch whole = *batch;
    if (r->options->drop_last) { /* all but the last are of whole batches */
        whole.count -= batch->count % r->batch;
        r->result.dropped += batch->count % r->batch;
    }
    r->result.rows += whole.count;
    return lxm_pieces_add(r->pieces, &whole, error);
}

/* Ids that are rows themselves. */
static lxm_status add_rows(run *r, const uint32_t *ids, size_t count, lxm_error *error)
{
    lxm_status status = LXM_OK;
    if (!r->unit)
        return hand_on(r, &(lxm_window_batch){.count = count, .inputs = ids}, error);
    while (!status && count > 0) {
        size_t room = r->unit - r->ids.length / sizeof *ids, n = count < room ? count : room;
        if (!lxm_buffer_append(&r->ids, ids, n * sizeof *ids))
            return lxm_fail_memory(error);
        ids += n;
        count -= n;
        if (n < room)
            break;
        const uint32_t *whole = (const uint32_t *)(const void *)r->ids.data;
        status = hand_on(r, &(lxm_window_batch){.count = r->unit, .inputs = whole}, error);
        r->ids.length = 0;
    }
    return status;
}

static lxm_status finish_rows(run *r, lxm_error *error)
{
    if (r->windows) {
        lxm_window_sink sink = {hand_on, r};
        lxm_status status = lxm_windows_finish(r->windows, error);
        if (status || !r->options->shuffle)
            return status;
        return lxm_shuffler_drain(&r->shuffler, r->window_unit, &sink, error);
    }
    const uint32_t *rest = (const uint32_t *)(const void *)r->ids.data;
    size_t count = r->ids.length / sizeof *rest;
    if (count == 0)
        return LXM_OK;
    return hand_on(r, &(lxm_window_batch){.count = count, .inputs = rest}, error);
}

/* The first id of a block that can't be written, or `count`. */
static size_t find_bad(const uint32_t *ids, size_t count, uint64_t limit)
{
    uint32_t most = 0;
    for (size_t i = 0; i < count; i++)
        most = ids[i] > most ? ids[i] : most;
    if (most < limit)
        return count;
    size_t i = 0;
    while (ids[i] < limit)
        i++;
    return i;
}

/* Ids must be below. */
static uint64_t id_limit(const run *r)
{
    const lxm_embed_options *options = r->options;
    bool as_int32 = options->window.context && (options->format == LXM_VECTORS_SAFETENSORS ||
                                                options->format == LXM_VECTORS_SHARDS);
    uint64_t limit = lxm_pool_limit(&options->pool, options->table);
    return as_int32 && limit > (uint64_t)1 << 31 ? (uint64_t)1 << 31 : limit;
}

/* `which` says more of the id. */
static lxm_status refuse_id(const run *r, uint32_t id, const char *which, lxm_error *error)
{
    uint64_t rows = lxm_table_rows(r->options->table);
    if (rows == 0)
        return lxm_fail(error, LXM_ERROR_ID, "id %u%s has no row: the table has none", id, which);
    if (id >= rows)
        return lxm_fail(error, LXM_ERROR_ID,
                        "id %u%s has no row: the table has %llu, from 0 to %llu", id, which,
                        (unsigned long long)rows, (unsigned long long)rows - 1);
    if (r->options->pool.weights)
        return lxm_fail(error, LXM_ERROR_ID, "id %u%s has no weight: there are %llu, from 0", id,
                        which, (unsigned long long)r->options->pool.weight_count);
    return lxm_fail(error, LXM_ERROR_ID, "id %u%s doesn't fit the int32 of `inputs`", id, which);
}

/* The position of an id in an error: its line, or in a binary stream its number. */
static lxm_status check_ids(const run *r, const lxm_reader *reader, const lxm_block *block,
                            lxm_error *error)
{
    size_t bad = find_bad(block->ids.ids, block->ids.count, id_limit(r));
    if (bad == block->ids.count)
        return LXM_OK;
    char which[40] = "";
    bool binary = reader->next == lxm_reader_next_binary;
    if (binary)
        snprintf(which, sizeof which, " (number %llu, from 0)",
                 (unsigned long long)(block->position + bad));
    lxm_status status = refuse_id(r, block->ids.ids[bad], which, error);
    if (error && !binary)
        error->line = block->position;
    return status;
}

static lxm_status open_windows(run *r, lxm_error *error)
{
    const lxm_window_options *window = &r->options->window;
    if (!window->context)
        return LXM_OK;
    size_t unit = lxm_pieces_capacity(r->pieces) / window->context;
    unit = unit < 1 ? 1 : unit < r->batch ? unit : r->batch;
    r->window_unit = r->unit ? r->unit : unit;
    lxm_window_sink sink = {hand_on, r};
    if (r->options->shuffle)
        sink = (lxm_window_sink){lxm_shuffler_add, &r->shuffler};
    lxm_status status = lxm_shuffler_init(&r->shuffler, r->options, &r->allocator, error);
    return status
               ? status
               : lxm_windows_new(&r->windows, window, r->window_unit, &sink, &r->allocator, error);
}

/* Opens the output, which tells the fingerprint of the first stream. */
static lxm_status open_output(run *r, uint64_t expected, uint64_t fingerprint, lxm_error *error)
{
    const lxm_window_options *window = &r->options->window;
    size_t context = window->context ? window->context : 1;
    r->fingerprint = fingerprint;
    lxm_vectors_shape shape = {
        .context = window->context,
        .dim = lxm_table_dim(r->options->table),
        .dtype = r->options->dtype,
        .ids_only = r->options->ids_only,
        .documents = window->pack,
        .targets = window->targets,
        .mask = window->pad,
        .expected = expected,
        .fingerprint = fingerprint ? fingerprint : lxm_table_fingerprint(r->options->table),
        .settings = r->options->settings,
    };
    lxm_status status = lxm_vector_sink_open(&r->sink, r->output_path, &shape, r->options, r->batch,
                                             &r->allocator, error);
    if (status)
        return status;
    r->unit = r->options->drop_last || r->sink.vectors.shape.batches ? r->batch : 0;
    if (r->options->pool.kind) {
        uint64_t border = r->sink.shards ? lxm_shards_capacity(r->sink.shards) : 0;
        status = lxm_pooled_new(&r->pooled, r->options, r->unit, border, &r->sink, &r->result,
                                r->job, error);
        r->opened = !status;
        return status;
    }
    if (r->sink.shards && lxm_shards_unit(r->sink.shards))
        r->unit = lxm_shards_unit(r->sink.shards);
    status = lxm_pieces_new(&r->pieces, r->options, context, r->unit ? r->unit : r->batch, &r->sink,
                            r->job, error);
    if (!status)
        status = open_windows(r, error);
    r->opened = !status;
    return status;
}

static lxm_status check_fingerprint(const run *r, uint64_t stream, lxm_error *error)
{
    uint64_t table = lxm_table_fingerprint(r->options->table);
    if (stream && table && stream != table && !r->options->any_vocabulary)
        return lxm_fail(error, LXM_ERROR_MISMATCH,
                        "the ids are those of vocabulary %016llx, but the table was made for "
                        "%016llx: use the table that belongs to the vocabulary, or --force",
                        (unsigned long long)stream, (unsigned long long)table);
    if (stream && r->fingerprint && stream != r->fingerprint)
        return lxm_fail(error, LXM_ERROR_MISMATCH,
                        "the ids are those of vocabulary %016llx, those of the files before of "
                        "%016llx",
                        (unsigned long long)stream, (unsigned long long)r->fingerprint);
    return LXM_OK;
}

static lxm_status add_ids(run *r, const uint32_t *ids, size_t count, lxm_error *error)
{
    if (r->pooled)
        return lxm_pooled_push(r->pooled, ids, count, error);
    return r->windows ? lxm_windows_push(r->windows, ids, count, error)
                      : add_rows(r, ids, count, error);
}

static lxm_status end_document(run *r, lxm_error *error)
{
    if (r->pooled)
        return lxm_pooled_end_document(r->pooled, error);
    return r->windows ? lxm_windows_end_document(r->windows, error) : LXM_OK;
}

static lxm_status each_stream(void *context, const char *path, lxm_reader *reader, lxm_error *error)
{
    (void)path;
    run *r = context;
    lxm_block block;
    bool more = true;
    uint64_t fingerprint = lxm_reader_fingerprint(reader);
    lxm_status status = check_fingerprint(r, fingerprint, error);
    if (!status && !r->opened)
        status = open_output(r, LXM_ANY_ROW, fingerprint, error);
    while (!status) {
        status = lxm_reader_next(reader, &block, &more, error);
        if (status || !more)
            break;
        status = check_ids(r, reader, &block, error);
        if (!status)
            status = add_ids(r, block.ids.ids, block.ids.count, error);
        if (!status && block.end_document)
            status = end_document(r, error);
    }
    return status;
}

static lxm_status check_dtype(lxm_vector_format format, lxm_dtype dtype, lxm_error *error)
{
    if (dtype > LXM_DTYPE_I8)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "no such dtype: %d", dtype);
    if (format == LXM_VECTORS_TEXT && dtype)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "text has no dtype: leave --dtype out");
    if (format == LXM_VECTORS_NPY && dtype > LXM_DTYPE_F16)
        return lxm_fail(error, LXM_ERROR_ARGUMENT,
                        ".npy has no such numbers: use f32 or f16, or .safetensors");
    return LXM_OK;
}

static lxm_status check_options(const lxm_embed_options *options, lxm_error *error)
{
    const lxm_window_options *window = &options->window;
    const lxm_table *positions = options->positions;
    if (!lxm_vector_sink_format(options->format))
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "no such format: %d", options->format);
    if (options->dtype == LXM_DTYPE_I8)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "int8 is for tables: use f32, f16 or bf16");
    lxm_status status = check_dtype(options->format, options->dtype, error);
    if (!status)
        status = lxm_pool_options_check(&options->pool, error);
    if (status)
        return status;
    if (!window->context && (window->stride || window->targets || window->pad || window->pack ||
                             options->shuffle || options->ids_only || positions))
        return lxm_fail(error, LXM_ERROR_ARGUMENT,
                        "stride, targets, padding, packing, shuffling, ids alone and positions "
                        "need windows (--context)");
    if (options->pool.kind && window->context)
        return lxm_fail(error, LXM_ERROR_ARGUMENT,
                        "pooling makes a vector of a document: there are no windows (--context)");
    if (options->ids_only && options->format < LXM_VECTORS_SAFETENSORS)
        return lxm_fail(error, LXM_ERROR_ARGUMENT,
                        "ids alone go to .safetensors or shards, not to text or .npy");
    if (window->has_eot && (!window->pack || window->eot_id >= lxm_table_rows(options->table)))
        return lxm_fail(error, LXM_ERROR_ARGUMENT,
                        "the end-of-text id needs packing, and a row in the table");
    if (positions && lxm_table_dim(positions) != lxm_table_dim(options->table))
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "the positions have %zu columns, the table %zu",
                        lxm_table_dim(positions), lxm_table_dim(options->table));
    if (positions && lxm_table_rows(positions) < window->context)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "%llu positions for a context of %zu",
                        (unsigned long long)lxm_table_rows(positions), window->context);
    if (window->pad && window->pad_id > INT32_MAX && options->format >= LXM_VECTORS_SAFETENSORS)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "the padding id doesn't fit an int32");
    if (window->has_eot && window->eot_id > INT32_MAX && options->format >= LXM_VECTORS_SAFETENSORS)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "the end-of-text id doesn't fit an int32");
    return LXM_OK;
}

static run begin_run(const lxm_embed_options *options, const char *output_path, const lxm_job *job)
{
    run r = {
        .allocator = lxm_allocator_or_default(job->allocator),
        .options = options,
        .job = job,
        .output_path = output_path,
        .batch = options->batch ? options->batch : default_batch,
    };
    lxm_buffer_init(&r.ids, &r.allocator);
    lxm_spool_init(&r.shuffler.spool, 0, NULL, &r.allocator);
    return r;
}

static lxm_status end_run(run *r, lxm_status status, lxm_error *error)
{
    if (!status && r->pooled)
        status = lxm_pooled_finish(r->pooled, error);
    if (!status && !r->pooled)
        status = finish_rows(r, error);
    if (!status && !r->pooled)
        status = lxm_pieces_finish(r->pieces, error);
    if (!status && !r->pooled)
        r->result.not_finite = lxm_pieces_not_finite(r->pieces);
    if (!status && r->windows)
        r->result.unused = lxm_windows_unused(r->windows);
    if (!status)
        status = lxm_vector_sink_commit(&r->sink, &r->result, error);
    lxm_windows_free(r->windows);
    lxm_shuffler_free(&r->shuffler);
    lxm_pieces_free(r->pieces);
    lxm_pooled_free(r->pooled);
    lxm_vector_sink_close(&r->sink);
    lxm_buffer_free(&r->ids);
    return status;
}

lxm_status lxm_run_embed(const lxm_embed_options *options, const char *const *paths,
                         size_t path_count, const char *output_path, const lxm_job *job,
                         lxm_embed_result *result, lxm_error *error)
{
    static const lxm_job plain = {0};
    job = job ? job : &plain;
    lxm_status status = check_options(options, error);
    if (status)
        return status;
    run r = begin_run(options, output_path, job);
    status = lxm_job_streams(paths, path_count, LXM_KIND_IDS, job, each_stream, &r, error);
    if (!status && !r.opened)
        status = open_output(&r, LXM_ANY_ROW, 0, error); /* no inputs: no rows */
    status = end_run(&r, status, error);
    if (result)
        *result = r.result;
    return status;
}

lxm_status lxm_embed_run_new(lxm_embed_run **out, const lxm_embed_options *options,
                             const char *output_path, const lxm_job *job, lxm_error *error)
{
    *out = NULL;
    lxm_allocator a = lxm_allocator_or_default(job->allocator);
    lxm_status status = check_options(options, error);
    if (status)
        return status;
    run *r = lxm_new(&a, sizeof *r);
    if (!r)
        return lxm_fail_memory(error);
    *r = begin_run(options, output_path, job);
    *out = r;
    return LXM_OK;
}

static lxm_status sink_begins(void *context, uint64_t fingerprint, const char *settings,
                              lxm_error *error)
{
    run *r = context;
    (void)settings; /* the options have theirs */
    lxm_status status = check_fingerprint(r, fingerprint, error);
    return status || r->opened ? status : open_output(r, LXM_ANY_ROW, fingerprint, error);
}

static lxm_status sink_ids(void *context, const uint32_t *ids, size_t count, lxm_error *error)
{
    run *r = context;
    size_t bad = find_bad(ids, count, id_limit(r));
    if (bad == count)
        return add_ids(r, ids, count, error);
    lxm_status status = refuse_id(r, ids[bad], "", error);
    if (error)
        error->offset = bad;
    return status;
}

static lxm_status sink_ends_document(void *context, lxm_error *error)
{
    return end_document(context, error);
}

lxm_id_sink lxm_embed_run_sink(lxm_embed_run *r)
{
    return (lxm_id_sink){sink_begins, sink_ids, sink_ends_document, r};
}

lxm_status lxm_embed_run_finish(lxm_embed_run *r, lxm_status status, lxm_embed_result *result,
                                lxm_error *error)
{
    lxm_allocator a = r->allocator;
    status = end_run(r, status, error);
    if (result)
        *result = r->result;
    lxm_release(&a, r);
    return status;
}

/* `ids` NULL: all from 0. */
static lxm_status add_all_rows(run *r, const uint32_t *ids, uint64_t rows, lxm_error *error)
{
    enum { step = 4096 };
    uint32_t counted[step];
    lxm_status status = LXM_OK;
    for (uint64_t at = 0; !status && at < rows;) {
        size_t n = rows - at < step ? (size_t)(rows - at) : step;
        for (size_t i = 0; !ids && i < n; i++)
            counted[i] = (uint32_t)(at + i);
        status = add_rows(r, ids ? ids + at : counted, n, error);
        at += n;
    }
    return status;
}

lxm_status lxm_run_write_rows(const lxm_embed_options *options, const uint32_t *ids, uint64_t rows,
                              uint64_t fingerprint, const char *output_path, const lxm_job *job,
                              lxm_embed_result *result, lxm_error *error)
{
    static const lxm_job plain = {0};
    if (options->format == LXM_VECTORS_SHARDS || !lxm_vector_sink_format(options->format))
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "a table goes into one file");
    if (rows > (uint64_t)UINT32_MAX + 1)
        return lxm_fail(error, LXM_ERROR_ARGUMENT,
                        "a table file needs a number of rows, at most 2^32 (--rows)");
    lxm_status status = check_dtype(options->format, options->dtype, error);
    if (status)
        return status;
    run r = begin_run(options, output_path, job ? job : &plain);
    status = open_output(&r, rows, fingerprint, error);
    if (!status)
        status = add_all_rows(&r, ids, rows, error);
    status = end_run(&r, status, error);
    if (result)
        *result = r.result;
    return status;
}

lxm_status lxm_run_write_table(const lxm_table *table, uint64_t fingerprint,
                               lxm_vector_format format, lxm_dtype dtype, const char *settings,
                               const char *output_path, const lxm_job *job, lxm_error *error)
{
    lxm_embed_options options = {
        .table = table, .format = format, .dtype = dtype, .settings = settings};
    return lxm_run_write_rows(&options, NULL, lxm_table_rows(table), fingerprint, output_path, job,
                              NULL, error);
}
