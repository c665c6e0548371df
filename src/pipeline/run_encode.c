/*
 * tokens -> ids. With a vocabulary that stands, tokens are gathered into tasks of a fixed number
 * of tokens, so that frames never depend on how the input was read. With one that grows, and for
 * JSON Lines, whose documents are one line each, one token comes after the other.
 */
#include "base/error.h"
#include "base/pool.h"
#include "idmap/template.h"
#include "idmap/vocab.h"
#include "pipeline/job.h"
#include "pipeline/mappers.h"
#include "pipeline/run_ids.h"
#include "pipeline/token_end.h"
#include "stream/binary.h"
#include "stream/reader.h"
#include "stream/writer.h"

enum { task_text = 1 << 20 };

/* A run of tokens: items [from, to) of the task. */
typedef struct piece {
    size_t from, to;
    size_t ends, end_count; /* the documents that end there, among the task's */
    bool first;             /* a document begins here */
    uint64_t position;      /* lxm_block.position */
    bool lines;             /* of which the unit is lines */
    bool has_offsets;
    const char *path;
} piece;

typedef struct task {
    lxm_mappers *mappers;
    lxm_allocator allocator;
    lxm_buffer text;
    lxm_span *spans; /* lxm_frame_items of each */
    uint64_t *offsets;
    piece *pieces;
    uint32_t *ends; /* of documents: how many of their piece's items stand before each */
    size_t count, piece_count, end_count;
    size_t parts; /* documents that end, and parts of those that go on */
    lxm_formatter formatter;
    lxm_token_end end;
    lxm_status status;
    lxm_error error;
} task;

typedef struct run {
    lxm_allocator allocator;
    const lxm_vocab *vocab;
    lxm_vocab *growing; /* the same, or NULL */
    uint64_t max_size;
    lxm_stream_options stream;
    lxm_output *output;
    const lxm_job *job;
    lxm_writer *writer;
    lxm_pool *pool;
    task *tasks, *task; /* all; the one that is being filled */
    size_t task_count, next_task;
    lxm_mappers mappers;
    lxm_mapper *mapper; /* of what goes one after another */
    bool in_document;   /* the document under way has begun */
    uint32_t *ids;
    size_t ids_capacity;
    bool passed; /* the streams so far were of ids */
    const char *path;
} run;

/* Says where an unknown token stands. */
static void locate(lxm_error *error, uint64_t position, bool lines, const char *path)
{
    if (!error || error->offset == LXM_NO_OFFSET)
        return;
    if (lines)
        error->line = position + error->offset;
    error->offset = LXM_NO_OFFSET;
    error->path = path;
}

/* ---- one after another ---- */

static lxm_status reserve_ids(run *r, size_t count, lxm_error *error)
{
    if (count <= r->ids_capacity)
        return LXM_OK;
    uint32_t *ids = lxm_resize(&r->allocator, r->ids, count, sizeof *ids);
    if (!ids)
        return lxm_fail_memory(error);
    r->ids = ids;
    r->ids_capacity = count;
    return LXM_OK;
}

static lxm_status encode_block(run *r, const lxm_block *block, bool lines, lxm_error *error)
{
    lxm_status status = r->growing ? reserve_ids(r, block->tokens.count, error) : LXM_OK;
    if (status)
        return status;
    lxm_ids ids = {r->ids, block->tokens.count, block->tokens.offsets};
    status = r->growing
                 ? lxm_vocab_encode_growing(r->growing, r->max_size, &block->tokens, r->ids, error)
                 : lxm_mapper_map(r->mapper, &block->tokens, &ids, error);
    if (status) {
        locate(error, block->position, lines, r->path);
        return status;
    }
    const lxm_ids before = lxm_template_before(r->vocab), after = lxm_template_after(r->vocab);
    if (!r->in_document && before.count)
        status = lxm_writer_ids(r->writer, &before, error);
    r->in_document = !block->end_document;
    if (!status) {
        status = lxm_writer_ids(r->writer, &ids, error);
        if (status == LXM_ERROR_ID && lines)
            locate(error, block->position, lines, r->path);
        else if (status)
            lxm_place_id(error, block->position, lines);
    }
    if (!status && block->end_document && after.count)
        status = lxm_writer_ids(r->writer, &after, error);
    if (!status && block->end_document)
        status = lxm_writer_end_document(r->writer, error);
    return status;
}

/* ---- side by side ---- */

static lxm_status encode_piece(task *t, const piece *p)
{
    const uint64_t *offsets = p->has_offsets ? t->offsets + 2 * p->from : NULL;
    const lxm_tokens tokens = {t->text.data, t->spans + p->from, p->to - p->from, offsets};
    t->end.inside = !p->first;
    lxm_status status =
        lxm_token_end_documents(&t->end, &tokens, t->ends + p->ends, p->end_count, &t->error);
    if (status)
        locate(&t->error, p->position, p->lines, p->path);
    return status;
}

static void run_task(void *pointer)
{
    task *t = pointer;
    t->status = lxm_mappers_take(t->mappers, &t->end.mapper, &t->error);
    for (size_t i = 0; !t->status && i < t->piece_count; i++)
        t->status = encode_piece(t, &t->pieces[i]);
    lxm_mappers_give(t->mappers, t->end.mapper);
}

static lxm_status collect(run *r, lxm_error *error)
{
    task *t = lxm_pool_take(r->pool);
    if (!t->status)
        return lxm_writer_join(r->writer, &t->formatter, error);
    if (error)
        *error = t->error;
    return t->status;
}

/* Sends the task that is being filled on its way and begins another. */
static lxm_status submit(run *r, lxm_error *error)
{
    task *t = r->task;
    lxm_status status = LXM_OK;
    if (t->piece_count == 0)
        return LXM_OK;
    lxm_pool_submit(r->pool, t);
    if (lxm_pool_pending(r->pool) == lxm_pool_window(r->pool))
        status = collect(r, error);
    r->next_task = (r->next_task + 1) % r->task_count;
    r->task = &r->tasks[r->next_task];
    r->task->count = r->task->piece_count = r->task->end_count = r->task->parts = 0;
    r->task->text.length = 0;
    return status;
}

/* How many tokens from `from` on, up to `to`, the task still takes. */
static size_t fitting(const task *t, const lxm_tokens *tokens, size_t from, size_t to)
{
    size_t count = to - from, room = lxm_frame_items - t->count;
    size_t used = t->text.length, n = 0;
    if (count > room)
        count = room;
    while (n < count && used < task_text) {
        used += tokens->spans[from + n].end - tokens->spans[from + n].begin;
        n++;
    }
    return n;
}

static bool is_full(const task *t)
{
    return t->count == lxm_frame_items || t->text.length >= task_text;
}

static lxm_status append(task *t, const lxm_tokens *tokens, size_t from, size_t count,
                         lxm_error *error)
{
    const lxm_span *spans = tokens->spans + from;
    size_t end = t->text.length;
    for (size_t i = 0; i < count; i++) {
        size_t begin = end;
        end += spans[i].end - spans[i].begin;
        t->spans[t->count + i] = (lxm_span){(uint32_t)begin, (uint32_t)end};
    }
    if (!lxm_buffer_reserve(&t->text, end - t->text.length + lxm_copy_slack))
        return lxm_fail_memory(error);
    lxm_copy_tokens(t->text.data + t->text.length, tokens, from, count, end - t->text.length);
    if (tokens->offsets)
        memcpy(t->offsets + 2 * t->count, tokens->offsets + 2 * from,
               2 * count * sizeof *t->offsets);
    t->text.length = end;
    t->count += count;
    return LXM_OK;
}

/* Notes documents of a piece that end up to item `to` of the block, from which it has those from
 * `from` on. Of those that end where a task is full, it has one. Returns how many it has. */
static size_t append_ends(task *t, piece *p, const uint32_t *ends, size_t count, size_t from,
                          size_t to)
{
    size_t n = 0, most = lxm_frame_items - t->parts;
    bool full = is_full(t), last = false;
    for (; n < count && n < most && ends[n] <= to && !last; n++) {
        t->ends[t->end_count++] = (uint32_t)(ends[n] - from);
        last = full && ends[n] == to;
    }
    p->end_count = n;
    t->parts += n + (n ? ends[n - 1] < to : to > from);
    return n;
}

static lxm_status gather_block(run *r, const lxm_block *block, const uint32_t *ends, size_t count,
                               bool lines, lxm_error *error)
{
    const lxm_tokens *tokens = &block->tokens;
    lxm_status status = LXM_OK;
    for (size_t from = 0, ended = 0; !status && (from < tokens->count || ended < count);) {
        task *t = r->task;
        size_t most = lxm_frame_items - t->parts;
        size_t to = count - ended < most ? tokens->count : ends[ended + most - 1];
        size_t n = fitting(t, tokens, from, to);
        piece p = {.from = t->count,
                   .to = t->count + n,
                   .ends = t->end_count,
                   .first = !r->in_document,
                   .position = block->position + from,
                   .lines = lines,
                   .has_offsets = tokens->offsets != NULL,
                   .path = r->path};
        status = append(t, tokens, from, n, error);
        if (status)
            return status;
        n = append_ends(t, &p, ends + ended, count - ended, from, from + n);
        t->pieces[t->piece_count++] = p;
        from += p.to - p.from;
        ended += n;
        r->in_document = n ? ends[ended - 1] < from : true;
        if (is_full(t) || t->parts == lxm_frame_items)
            status = submit(r, error);
    }
    return status;
}

static lxm_status make_task(run *r, task *t, lxm_error *error)
{
    const lxm_allocator *a = &r->allocator;
    t->mappers = &r->mappers;
    t->end.vocab = r->vocab;
    t->end.formatter = &t->formatter;
    t->allocator = *a;
    lxm_formatter_init(&t->formatter, &r->stream, a);
    lxm_buffer_init(&t->text, a);
    t->spans = lxm_allocate(a, lxm_frame_items, sizeof *t->spans);
    t->offsets = lxm_allocate(a, lxm_frame_items, 2 * sizeof *t->offsets);
    t->pieces = lxm_allocate(a, lxm_frame_items, sizeof *t->pieces);
    t->ends = lxm_allocate(a, lxm_frame_items, sizeof *t->ends);
    return t->spans && t->offsets && t->pieces && t->ends ? LXM_OK : lxm_fail_memory(error);
}

static void free_tasks(run *r)
{
    for (size_t i = 0; i < r->task_count; i++) {
        task *t = &r->tasks[i];
        if (t->formatter.functions)
            lxm_formatter_free(&t->formatter);
        lxm_buffer_free(&t->text);
        lxm_release(&r->allocator, t->spans);
        lxm_release(&r->allocator, t->offsets);
        lxm_release(&r->allocator, t->pieces);
        lxm_release(&r->allocator, t->ends);
    }
    lxm_release(&r->allocator, r->tasks);
}

static lxm_status make_tasks(run *r, lxm_error *error)
{
    lxm_status status = lxm_pool_new(&r->pool, r->job->threads, run_task, &r->allocator, error);
    if (status)
        return status;
    size_t threads = lxm_pool_threads(r->pool);
    status =
        lxm_mappers_init(&r->mappers, r->vocab, threads, lxm_cache_budget, &r->allocator, error);
    if (status)
        return status;
    /* one more than are under way: it is being filled */
    size_t count = lxm_pool_window(r->pool) + 1;
    r->tasks = lxm_new(&r->allocator, count * sizeof *r->tasks);
    if (!r->tasks)
        return lxm_fail_memory(error);
    r->task_count = count;
    r->task = r->tasks;
    for (size_t i = 0; !status && i < count; i++)
        status = make_task(r, &r->tasks[i], error);
    return status;
}

/* ---- both ---- */

/* The header of the stream repeats what the first input's says of the tokenizer. */
static lxm_status start(run *r, const lxm_reader *reader, lxm_error *error)
{
    if (r->writer)
        return LXM_OK;
    if (!r->stream.settings)
        r->stream.settings = lxm_reader_settings(reader);
    r->stream.offsets |= lxm_reader_has_offsets(reader);
    lxm_status status = lxm_writer_new(&r->writer, r->output, &r->stream, &r->allocator, error);
    r->stream.settings = NULL; /* the reader's */
    if (!status && !r->growing && r->stream.format != LXM_STREAM_JSONL)
        status = make_tasks(r, error);
    else if (!status && !r->growing)
        status = lxm_mapper_new(&r->mapper, r->vocab, NULL, &r->allocator, error);
    return status;
}

/* A stream that has ids already. */
static lxm_status pass_stream(run *r, lxm_reader *reader, lxm_error *error)
{
    if (r->writer)
        return lxm_fail(error, LXM_ERROR_FORMAT, "a stream of ids behind one of tokens");
    r->passed = true;
    return lxm_pass_ids(reader, r->stream.sink, error);
}

static lxm_status encode_stream(void *context, const char *path, lxm_reader *reader,
                                lxm_error *error)
{
    run *r = context;
    r->path = path;
    if (lxm_reader_kind(reader) == LXM_KIND_IDS)
        return pass_stream(r, reader, error);
    if (r->passed)
        return lxm_fail(error, LXM_ERROR_FORMAT, "a stream of tokens behind one of ids");
    bool more = true, lines = !lxm_reader_is_binary(reader);
    lxm_status status = start(r, reader, error);
    while (!status) {
        lxm_block block;
        const uint32_t *ends;
        size_t count;
        status = r->pool ? lxm_reader_next_documents(reader, &block, &ends, &count, &more, error)
                         : lxm_reader_next(reader, &block, &more, error);
        if (status || !more)
            break;
        status = r->pool ? gather_block(r, &block, ends, count, lines, error)
                         : encode_block(r, &block, lines, error);
    }
    return status;
}

static lxm_status finish(run *r, lxm_error *error)
{
    lxm_status status = LXM_OK;
    if (r->pool)
        status = submit(r, error);
    while (!status && r->pool && lxm_pool_pending(r->pool))
        status = collect(r, error);
    return status || r->passed ? status : lxm_writer_finish(r->writer, error);
}

static lxm_status encode(run *r, const char *const *paths, size_t count,
                         const lxm_stream_options *stream, lxm_error *error)
{
    r->allocator = lxm_allocator_or_default(r->job->allocator);
    r->stream = *stream;
    r->stream.kind = LXM_KIND_IDS;
    lxm_kind kind = stream->sink ? (lxm_kind)0 : LXM_KIND_TOKENS;
    lxm_status status = lxm_job_streams(paths, count, kind, r->job, encode_stream, r, error);
    if (!status)
        status = finish(r, error);
    lxm_pool_free(r->pool);
    free_tasks(r);
    lxm_mappers_free(&r->mappers);
    lxm_mapper_free(r->mapper);
    lxm_release(&r->allocator, r->ids);
    lxm_writer_free(r->writer);
    return status;
}

lxm_status lxm_run_encode(const lxm_vocab *vocab, const char *const *paths, size_t path_count,
                          const lxm_stream_options *stream, lxm_output *output, const lxm_job *job,
                          lxm_error *error)
{
    run r = {.vocab = vocab, .output = output, .job = job};
    return encode(&r, paths, path_count, stream, error);
}

lxm_status lxm_run_encode_growing(lxm_vocab *vocab, uint64_t max_size, const char *const *paths,
                                  size_t path_count, const lxm_stream_options *stream,
                                  lxm_output *output, const lxm_job *job, lxm_error *error)
{
    run r = {.vocab = vocab, .growing = vocab, .max_size = max_size, .output = output, .job = job};
    return encode(&r, paths, path_count, stream, error);
}
