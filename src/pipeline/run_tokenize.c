/*
 * text -> tokens, and text -> ids, which is the same with a mapper at the end. The input is cut
 * into chunks of a fixed size, so that what comes out can't depend on how it was read. The
 * documents of a chunk are one task for a thread. A document that is longer than a chunk is cut
 * where the tokenizer allows it, so that its parts are tasks as well; where it doesn't, it goes
 * through one segmenter, chunk after chunk.
 */
#include "base/error.h"
#include "base/lines.h"
#include "base/pool.h"
#include "pipeline/job.h"
#include "pipeline/text_task.h"
#include "stream/writer.h"
#include "tokenize/segmenter.h"
#include "tokenize/tokenizer.h"

enum { chunk_size = 256 * 1024 };

static const lxm_split splits[] = {
    [LXM_DOCUMENTS_FILE] = LXM_SPLIT_FILE,   [LXM_DOCUMENTS_LINE] = LXM_SPLIT_LINE,
    [LXM_DOCUMENTS_BLANK] = LXM_SPLIT_BLANK, [LXM_DOCUMENTS_NUL] = LXM_SPLIT_NUL,
    [LXM_DOCUMENTS_JSONL] = LXM_SPLIT_LINE,  [LXM_DOCUMENTS_SENTENCE] = LXM_SPLIT_SENTENCE,
};

typedef struct run {
    lxm_allocator allocator;
    const lxm_tokenizer *tokenizer;
    const lxm_job *job;
    lxm_splitter splitter;
    lxm_writer *writer;
    lxm_pool *pool;
    lxm_text_task *tasks;
    size_t task_count, next_task;
    bool parts;               /* documents may be cut */
    lxm_segmenter *segmenter; /* for those that can't be */
    lxm_token_end end;        /* of it */
    const lxm_vocab *vocab;   /* NULL: tokens stay what they are */
    lxm_mappers mappers;
    bool open; /* it has been given a part of the document under way */
    uint8_t *chunk;
    size_t length; /* of the chunk so far */
    bool final;    /* the file ends with it */
    const char *path;
    uint64_t position; /* of chunk[0] in the file */
    uint64_t line;     /* number of the line behind what has been collected */
    bool first;        /* nothing of the file has been dealt with yet */
    uint64_t document; /* where in the file the document under way began */
    lxm_job_inputs inputs;
    lxm_json_lines json;
    lxm_buffer long_line; /* the part of a line of JSON that came with the chunks before */
    lxm_tokenize_run_result *result;
} run;

/* Adds up lines of JSON; the first of them is number `first` of its file. */
static void count_json(run *r, const lxm_line_count *count, const char *path, uint64_t first)
{
    r->result->lines += count->lines;
    if (count->bad && r->result->bad_lines == 0) {
        r->result->bad_path = path;
        r->result->bad_line = first - 1 + count->first_bad;
    }
    r->result->bad_lines += count->bad;
}

/* Takes the oldest task's tokens. */
static lxm_status collect(run *r, lxm_error *error)
{
    lxm_text_task *t = lxm_pool_take(r->pool);
    uint64_t before = t->first ? 0 : r->line - 1;
    r->line = before + t->lines + 1;
    count_json(r, &t->json_count, t->path, before + 1);
    if (!t->status) {
        lxm_status status = lxm_writer_join(r->writer, &t->formatter, error);
        if (status)
            lxm_job_blame(error, t->path);
        return status;
    }
    if (error) {
        *error = t->error;
        error->path = t->path;
        if (error->line)
            error->line += before;
    }
    return t->status;
}

static lxm_status drain(run *r, lxm_error *error)
{
    lxm_status status = LXM_OK;
    while (!status && lxm_pool_pending(r->pool))
        status = collect(r, error);
    return status;
}

/* The next piece for a task: a document's end, or a part of it that ends at a cut. A part is worth
 * a task only where it is all that the chunk has. */
static bool next_piece(run *r, size_t at, bool alone, lxm_piece *piece, size_t *used)
{
    lxm_splitter trial = r->splitter;
    *used = lxm_splitter_next(&trial, r->chunk + at, r->length - at, r->final, piece);
    if (piece->nothing)
        return false;
    if (!piece->last) {
        size_t cut = 0;
        if (r->parts && alone)
            cut = lxm_tokenizer_cut(r->tokenizer, r->chunk + at + piece->begin,
                                    piece->end - piece->begin);
        if (cut == 0)
            return false;
        piece->end = *used = piece->begin + cut;
    }
    r->splitter.in_document = !piece->last;
    piece->begin += at;
    piece->end += at;
    return true;
}

/* What a task can have of the chunk: pieces, or documents that it finds itself; *taken is how many
 * bytes that is. */
static lxm_status gather(run *r, lxm_text_task *t, size_t *taken, lxm_error *error)
{
    lxm_piece piece;
    size_t used;
    *taken = 0;
    t->count = 0;
    t->before = r->splitter.in_document ? r->position - r->document : 0;
    while (!lxm_splitter_whole(&r->splitter, r->chunk + *taken, r->length - *taken, r->final) &&
           next_piece(r, *taken, t->count == 0, &piece, &used)) {
        lxm_status status = lxm_text_task_add(t, piece, error);
        if (status)
            return status;
        if (!piece.last && t->before == 0)
            r->document = r->position + piece.begin;
        *taken += used;
        if (!piece.last || (r->final && *taken == r->length))
            break;
    }
    t->whole = *taken;
    *taken += lxm_splitter_whole(&r->splitter, r->chunk + *taken, r->length - *taken, r->final);
    return LXM_OK;
}

/* Hands what it can of the chunk to a task; the chunk keeps what is behind. */
static lxm_status submit(run *r, bool *done, lxm_error *error)
{
    lxm_status status = LXM_OK;
    size_t taken;
    *done = false;
    if (lxm_pool_pending(r->pool) == lxm_pool_window(r->pool))
        status = collect(r, error);
    lxm_text_task *t = &r->tasks[r->next_task];
    if (!status)
        status = gather(r, t, &taken, error);
    if (status || (t->count == 0 && taken == 0))
        return status;
    uint8_t *bytes = r->chunk;
    r->chunk = t->bytes;
    t->bytes = bytes;
    t->length = taken;
    t->final = r->final;
    t->position = r->position;
    t->first = r->first;
    t->path = r->path;
    r->first = false;
    r->length -= taken;
    r->position += taken;
    memcpy(r->chunk, bytes + taken, r->length);
    r->next_task = (r->next_task + 1) % r->task_count;
    lxm_pool_submit(r->pool, t);
    *done = true;
    return LXM_OK;
}

/* Where the open segmenter may hand over to tasks again: the first cut of a piece, or its end. A
 * cut is found from the byte before it on. */
static size_t first_cut(const run *r, const lxm_piece *piece)
{
    size_t cut = 0, length = piece->end - piece->begin;
    for (size_t n = 4096, from = 0; cut == 0 && r->parts && n < length; from = n - 1, n *= 2) {
        cut = lxm_tokenizer_cut(r->tokenizer, r->chunk + piece->begin + from, n - from);
        cut += cut ? from : 0;
    }
    return piece->begin + (cut ? cut : length);
}

/* Forgets the first bytes of the chunk, which no task has had. */
static void consume(run *r, size_t used)
{
    r->line = (r->first ? 1 : r->line) + lxm_count_lines(r->chunk, used);
    r->first = false;
    r->position += used;
    r->length -= used;
    memmove(r->chunk, r->chunk + used, r->length);
}

/* Segments the long line, which is whole. */
static lxm_status end_long_line(run *r, lxm_error *error)
{
    lxm_line_count count = {.lines = 1, .first_bad = 1};
    uint64_t line = r->first ? 1 : r->line;
    bool skipped = false;
    lxm_status status = LXM_OK;
    if (!lxm_json_is_blank(r->long_line.data, r->long_line.length))
        status = lxm_json_lines_push(&r->json, r->segmenter, r->long_line.data, r->long_line.length,
                                     &skipped, error);
    else
        count.lines = 0;
    count.bad = skipped;
    count_json(r, &count, r->path, line);
    if (status && error) {
        error->line = line;
        if (error->offset != LXM_NO_OFFSET)
            error->offset += r->document;
    }
    lxm_buffer_free(&r->long_line); /* its memory would be kept to the end */
    return status;
}

/* Takes a piece of a line of JSON that is longer than a chunk. */
static lxm_status push_long_line(run *r, const lxm_piece *piece, lxm_error *error)
{
    size_t length = piece->end - piece->begin;
    if (length > lxm_longest_line - r->long_line.length) {
        lxm_status status = lxm_fail_at(error, LXM_ERROR_LIMIT, r->document,
                                        "a line of more than 1 GiB begins here");
        if (error)
            error->line = r->first ? 1 : r->line;
        return status;
    }
    if (!lxm_buffer_append(&r->long_line, r->chunk + piece->begin, length))
        return lxm_fail_memory(error);
    return piece->last ? end_long_line(r, error) : LXM_OK;
}

/* Takes the next piece of a document that no task can have. */
static lxm_status push_long_text(run *r, const lxm_piece *piece, size_t *used, lxm_error *error)
{
    if (!r->open) {
        lxm_segmenter_begin_part(r->segmenter, r->position + piece->begin - r->document);
        r->end.inside = r->position + piece->begin > r->document;
    }
    r->open = true;
    size_t end = piece->last ? piece->end : first_cut(r, piece);
    lxm_status status =
        lxm_segmenter_push(r->segmenter, r->chunk + piece->begin, end - piece->begin, error);
    if (!status && piece->last)
        status = lxm_segmenter_end_document(r->segmenter, error);
    else if (!status && end < piece->end)
        status = lxm_segmenter_end_part(r->segmenter, error);
    if (status && error)
        lxm_place_error(error, r->document, r->position, r->first ? 1 : r->line, r->chunk,
                        r->length);
    if (piece->last || end < piece->end)
        r->open = false;
    if (!piece->last)
        *used = end;
    return status;
}

static lxm_status push_long(run *r, size_t *used, lxm_error *error)
{
    lxm_piece piece;
    bool first = !r->splitter.in_document;
    *used = lxm_splitter_next(&r->splitter, r->chunk, r->length, r->final, &piece);
    if (piece.nothing)
        return LXM_OK;
    if (first)
        r->document = r->position + piece.begin;
    if (!r->json.wanted)
        return push_long_text(r, &piece, used, error);
    r->open = !piece.last;
    return push_long_line(r, &piece, error);
}

/* Deals with a chunk that is full, or the file's last; *idle where nothing is left to do. */
static lxm_status process(run *r, bool *idle, lxm_error *error)
{
    lxm_status status = LXM_OK;
    size_t before = r->length, used = 0;
    bool done = false;
    if (!r->open)
        status = submit(r, &done, error);
    if (!status && !done) {
        status = drain(r, error); /* which gives all mappers back */
        if (!status && r->vocab)
            status = lxm_mappers_take(&r->mappers, &r->end.mapper, error);
        if (!status)
            status = push_long(r, &used, error);
        if (r->vocab)
            lxm_mappers_give(&r->mappers, r->end.mapper);
        consume(r, used);
    }
    *idle = r->final && !r->splitter.in_document && (r->length == 0 || r->length == before);
    return status;
}

/* Fills the chunk, whatever the reads bring. */
static lxm_status fill(run *r, lxm_input *input, lxm_error *error)
{
    while (r->length < chunk_size && !r->final) {
        size_t n;
        lxm_status status =
            lxm_input_read(input, r->chunk + r->length, chunk_size - r->length, &n, error);
        if (status)
            return status;
        r->length += n;
        r->final = n == 0;
    }
    return LXM_OK;
}

static lxm_status run_file(run *r, const char *path, lxm_error *error)
{
    lxm_input *input;
    lxm_status status = lxm_job_open(&r->inputs, path, &input, error);
    r->path = path;
    r->length = 0;
    r->position = 0;
    r->first = true;
    r->final = false;
    r->splitter.in_document = false;
    r->open = false;
    for (bool idle = false; !status && !idle;) {
        status = fill(r, input, error);
        if (!status)
            status = process(r, &idle, error);
    }
    lxm_job_close(&r->inputs, input);
    if (status)
        lxm_job_blame(error, path);
    return status;
}

static lxm_status make_tasks(run *r, const lxm_stream_options *stream, lxm_error *error)
{
    r->task_count = lxm_pool_window(r->pool);
    r->tasks = lxm_new(&r->allocator, r->task_count * sizeof *r->tasks);
    if (!r->tasks) {
        r->task_count = 0;
        return lxm_fail_memory(error);
    }
    const lxm_text_job job = {.tokenizer = r->tokenizer,
                              .vocab = r->vocab,
                              .mappers = r->vocab ? &r->mappers : NULL,
                              .json = &r->json,
                              .stream = stream,
                              .how = r->splitter.how,
                              .chunk_size = chunk_size};
    lxm_status status = LXM_OK;
    for (size_t i = 0; !status && i < r->task_count; i++)
        status = lxm_text_task_init(&r->tasks[i], &job, &r->allocator, error);
    return status;
}

static void free_tasks(run *r)
{
    for (size_t i = 0; i < r->task_count; i++)
        lxm_text_task_free(&r->tasks[i]);
    lxm_release(&r->allocator, r->tasks);
}

static lxm_status start(run *r, const lxm_stream_options *stream, lxm_output *output,
                        lxm_error *error)
{
    lxm_status status = lxm_writer_new(&r->writer, output, stream, &r->allocator, error);
    if (!status)
        status = lxm_pool_new(&r->pool, r->job->threads, lxm_text_task_run, &r->allocator, error);
    if (!status && r->vocab)
        status = lxm_mappers_init(&r->mappers, r->vocab, lxm_pool_threads(r->pool),
                                  lxm_cache_budget, &r->allocator, error);
    if (!status)
        status = make_tasks(r, stream, error);
    r->end.writer = r->writer;
    r->end.vocab = r->vocab;
    lxm_token_sink sink = lxm_token_end_sink(&r->end);
    if (!status)
        status = lxm_segmenter_new(&r->segmenter, r->tokenizer, &sink, &r->allocator, error);
    if (!status && !(r->chunk = lxm_allocate(&r->allocator, chunk_size, 1)))
        status = lxm_fail_memory(error);
    return status;
}

static void finish(run *r)
{
    lxm_pool_free(r->pool); /* first: its threads use the tasks */
    free_tasks(r);
    lxm_mappers_free(&r->mappers);
    lxm_segmenter_free(r->segmenter);
    lxm_release(&r->allocator, r->chunk);
    lxm_buffer_free(&r->long_line);
    lxm_json_lines_free(&r->json);
    lxm_writer_free(r->writer);
}

static lxm_status run_files(run *r, const char *const *paths, size_t count,
                            const lxm_tokenize_run_options *options,
                            const lxm_stream_options *stream, lxm_output *output, lxm_error *error)
{
    lxm_buffer_init(&r->long_line, &r->allocator);
    lxm_status status =
        lxm_json_lines_init(&r->json, options, r->tokenizer->options.invalid, &r->allocator, error);
    if (!status)
        status = lxm_job_check(paths, count, error);
    if (!status)
        status = start(r, stream, output, error);
    for (size_t i = 0; !status && i < count; i++)
        status = run_file(r, paths[i], error);
    if (!status)
        status = drain(r, error);
    if (!status)
        status = lxm_writer_finish(r->writer, error);
    if (!status) {
        r->result->documents = lxm_writer_totals(r->writer)->documents;
        r->result->items = lxm_writer_totals(r->writer)->items;
    }
    finish(r);
    return status;
}

lxm_status lxm_run_tokenize_encode(const lxm_tokenizer *tokenizer, const lxm_vocab *vocab,
                                   const char *const *paths, size_t path_count,
                                   const lxm_tokenize_run_options *run_options,
                                   const lxm_stream_options *stream, lxm_output *output,
                                   const lxm_job *job, lxm_tokenize_run_result *result,
                                   lxm_error *error)
{
    static const lxm_tokenize_run_options standard;
    lxm_tokenize_run_result unwanted;
    const lxm_tokenize_run_options *how = run_options ? run_options : &standard;
    if (how->documents > LXM_DOCUMENTS_SENTENCE)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "unknown way to cut documents");
    lxm_stream_options options = *stream;
    options.kind = vocab ? LXM_KIND_IDS : LXM_KIND_TOKENS;
    if (!options.settings)
        options.settings = lxm_tokenizer_settings(tokenizer);
    run r = {.allocator = lxm_allocator_or_default(job->allocator),
             .tokenizer = tokenizer,
             .vocab = vocab,
             .job = job,
             .inputs = {.job = job},
             .splitter = {.how = splits[how->documents]},
             /* a document in JSON Lines is one line: its parts can't be written side by side; a
              * sentence can't be followed from the middle */
             .parts = stream->format != LXM_STREAM_JSONL && how->documents < LXM_DOCUMENTS_JSONL,
             .result = result ? result : &unwanted};
    *r.result = (lxm_tokenize_run_result){0};
    return run_files(&r, paths, path_count, how, &options, output, error);
}

lxm_status lxm_run_tokenize(const lxm_tokenizer *tokenizer, const char *const *paths,
                            size_t path_count, const lxm_tokenize_run_options *run_options,
                            const lxm_stream_options *stream, lxm_output *output,
                            const lxm_job *job, lxm_tokenize_run_result *result, lxm_error *error)
{
    return lxm_run_tokenize_encode(tokenizer, NULL, paths, path_count, run_options, stream, output,
                                   job, result, error);
}
