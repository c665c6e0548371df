#include "pipeline/text_task.h"

#include "base/error.h"
#include "base/lines.h"
#include "tokenize/segmenter.h"
#include "tokenize/tokenizer.h"

void lxm_place_error(lxm_error *error, uint64_t document, uint64_t position, uint64_t line,
                     const uint8_t *bytes, size_t length)
{
    if (error->offset == LXM_NO_OFFSET)
        return;
    error->offset += document;
    if (error->offset >= position && error->offset - position <= length)
        error->line = line + lxm_count_lines(bytes, (size_t)(error->offset - position));
}

/* Turns an error's position in what stands at bytes[begin] into one in the file. */
static void place(lxm_text_task *t, uint64_t begin)
{
    lxm_place_error(&t->error, t->position + begin, t->position, 1, t->bytes, t->length);
}

/* ---- one after another ---- */

/* The next document, or part of one. */
typedef struct cursor {
    size_t piece; /* first the pieces, */
    size_t at;    /* then what is whole */
} cursor;

static bool next_document(const lxm_text_task *t, cursor *c, lxm_piece *piece)
{
    if (c->piece < t->count) {
        *piece = t->pieces[c->piece++];
        return true;
    }
    lxm_splitter splitter = {.how = t->how};
    if (c->at == t->length)
        return false;
    size_t used =
        lxm_splitter_next(&splitter, t->bytes + c->at, t->length - c->at, t->final, piece);
    piece->begin += c->at;
    piece->end += c->at;
    c->at += used;
    return true;
}

/* A document that begins `before` bytes before the piece, or part of one. */
static void push_alone(lxm_text_task *t, const lxm_piece *piece, uint64_t before)
{
    lxm_segmenter_begin_part(t->segmenter, before);
    t->status = lxm_segmenter_push(t->segmenter, t->bytes + piece->begin, piece->end - piece->begin,
                                   &t->error);
    if (!t->status)
        t->status = piece->last ? lxm_segmenter_end_document(t->segmenter, &t->error)
                                : lxm_segmenter_end_part(t->segmenter, &t->error);
    if (t->status)
        place(t, piece->begin - before);
}

/* False where the document must go alone. */
static bool push_with_others(lxm_text_task *t, const lxm_piece *piece)
{
    const uint8_t *text = t->bytes + piece->begin;
    size_t length = piece->end - piece->begin;
    if (!t->texts || !piece->last || !lxm_joined_can(t->texts, text, length))
        return false;
    t->status = lxm_joined_add(t->texts, text, length, &t->error);
    return true;
}

static void flush_others(lxm_text_task *t)
{
    if (t->texts && !t->status)
        t->status = lxm_joined_flush(t->texts, &t->error);
}

static void run_pieces(lxm_text_task *t, size_t whole)
{
    cursor c = {.at = whole};
    lxm_piece piece;
    for (uint64_t before = t->before; !t->status && next_document(t, &c, &piece); before = 0) {
        if (before == 0 && push_with_others(t, &piece))
            continue;
        flush_others(t);
        if (!t->status)
            push_alone(t, &piece, before);
    }
    flush_others(t);
}

/* ---- many at a time ---- */

static lxm_status lines_found(void *context, const lxm_tokens *tokens, uint32_t *ends, size_t count,
                              lxm_error *error)
{
    lxm_text_task *t = context;
    lxm_status status = lxm_token_end_documents(&t->end, tokens, ends, count, error);
    if (status == LXM_ERROR_TOKEN && error)
        error->offset = tokens->offsets ? tokens->spans[error->offset].begin : LXM_NO_OFFSET;
    return status;
}

static void run_text(lxm_text_task *t)
{
    const uint8_t *whole = t->bytes + t->whole;
    size_t length = t->length - t->whole;
    bool joined = t->joined && length && lxm_lines_can(t->joined, whole, length);
    run_pieces(t, joined ? t->length : t->whole);
    if (t->status || !joined)
        return;
    t->status = lxm_lines_push(t->joined, whole, length, &t->error);
    if (t->status)
        place(t, t->whole);
}

/* ---- JSON Lines ---- */

/* Segments the documents of lines from one place up to another. */
static void push_lines(lxm_text_task *t, cursor from, cursor to)
{
    lxm_piece piece;
    while (!t->status && (from.piece < to.piece || from.at < to.at) &&
           next_document(t, &from, &piece)) {
        const uint8_t *line = t->bytes + piece.begin;
        size_t length = piece.end - piece.begin;
        bool skipped;
        if (lxm_json_is_blank(line, length))
            continue;
        t->status = lxm_json_lines_push(t->json, t->segmenter, line, length, &skipped, &t->error);
        if (t->status)
            place(t, piece.begin);
    }
}

/* Segments the documents of lines from one place up to another, which were joined. */
static void push_joined(lxm_text_task *t, cursor from, cursor to)
{
    size_t length = t->text.length;
    t->text.length = 0;
    if (t->status || length == 0)
        return;
    if (!lxm_lines_can(t->joined, t->text.data, length)) {
        push_lines(t, from, to);
        return;
    }
    lxm_status status = lxm_lines_push(t->joined, t->text.data, length, &t->error);
    if (status && status != LXM_ERROR_MEMORY)
        push_lines(t, from, to); /* which finds its place in the file */
    t->status = status;
}

/* Joins the document of a line with those before. False where it can't be, or isn't sound. */
static bool join_line(lxm_text_task *t, const uint8_t *line, size_t length)
{
    lxm_json_string text;
    size_t before = t->text.length;
    if (!t->joined || lxm_json_find(&t->json->path, line, length, t->json->utf8, &text, NULL))
        return false;
    if (lxm_json_append_string(&t->text, line + text.begin, &text) &&
        !memchr(t->text.data + before, '\n', t->text.length - before) &&
        !memchr(t->text.data + before, '\r', t->text.length - before) &&
        lxm_buffer_append(&t->text, "\n", 1))
        return true;
    t->text.length = before;
    return false;
}

static void run_json(lxm_text_task *t)
{
    cursor c = {.at = t->whole}, joined = c, before = c;
    lxm_piece piece;
    t->json_count = (lxm_line_count){0};
    t->text.length = 0;
    for (; !t->status && next_document(t, &c, &piece); before = c) {
        const uint8_t *line = t->bytes + piece.begin;
        size_t length = piece.end - piece.begin;
        bool skipped = false;
        if (lxm_json_is_blank(line, length))
            continue;
        t->json_count.lines++;
        if (join_line(t, line, length))
            continue;
        push_joined(t, joined, before);
        joined = c;
        if (t->status)
            break;
        t->status = lxm_json_lines_push(t->json, t->segmenter, line, length, &skipped, &t->error);
        if (skipped && t->json_count.bad++ == 0)
            t->json_count.first_bad = 1 + lxm_count_lines(t->bytes, piece.begin);
        if (t->status)
            place(t, piece.begin);
    }
    push_joined(t, joined, c);
}

/* ---- tasks ---- */

lxm_status lxm_text_task_init(lxm_text_task *task, const lxm_text_job *job,
                              const lxm_allocator *allocator, lxm_error *error)
{
    lxm_status status = LXM_OK;
    task->allocator = *allocator;
    task->how = job->how;
    task->json = job->json;
    task->mappers = job->mappers;
    lxm_buffer_init(&task->text, allocator);
    lxm_formatter_init(&task->formatter, job->stream, allocator);
    task->formatter.valid = job->tokenizer->options.invalid != LXM_INVALID_BYTES;
    task->end.vocab = job->vocab;
    task->end.formatter = &task->formatter;
    lxm_token_end_batch(&task->end, allocator);
    task->bytes = lxm_allocate(allocator, job->chunk_size, 1);
    if (!task->bytes)
        return lxm_fail_memory(error);
    if (job->how == LXM_SPLIT_LINE)
        status = lxm_lines_new(&task->joined, job->tokenizer, lines_found, task, allocator, error);
    if (!status && job->how != LXM_SPLIT_FILE && !job->json->wanted)
        status = lxm_joined_new(&task->texts, job->tokenizer, lines_found, task, allocator, error);
    if (status)
        return status;
    const lxm_token_sink sink = lxm_token_end_sink(&task->end);
    return lxm_segmenter_new(&task->segmenter, job->tokenizer, &sink, allocator, error);
}

void lxm_text_task_free(lxm_text_task *task)
{
    if (!task->formatter.functions)
        return; /* it wasn't begun */
    lxm_segmenter_free(task->segmenter);
    lxm_lines_free(task->joined);
    lxm_joined_free(task->texts);
    lxm_formatter_free(&task->formatter);
    lxm_token_end_free(&task->end);
    lxm_buffer_free(&task->text);
    lxm_release(&task->allocator, task->bytes);
    lxm_release(&task->allocator, task->pieces);
}

lxm_status lxm_text_task_add(lxm_text_task *t, lxm_piece piece, lxm_error *error)
{
    if (t->count == t->capacity) {
        size_t capacity = t->capacity ? 2 * t->capacity : 64;
        lxm_piece *pieces = lxm_resize(&t->allocator, t->pieces, capacity, sizeof *pieces);
        if (!pieces)
            return lxm_fail_memory(error);
        t->pieces = pieces;
        t->capacity = capacity;
    }
    t->pieces[t->count++] = piece;
    return LXM_OK;
}

void lxm_text_task_run(void *task)
{
    lxm_text_task *t = task;
    t->status = LXM_OK;
    lxm_token_end_clear(&t->end);
    if (t->mappers)
        t->status = lxm_mappers_take(t->mappers, &t->end.mapper, &t->error);
    t->end.inside = t->before > 0;
    if (t->json->wanted)
        run_json(t);
    else
        run_text(t);
    if (!t->status)
        t->status = lxm_token_end_flush(&t->end, &t->error);
    if (t->mappers)
        lxm_mappers_give(t->mappers, t->end.mapper);
    t->lines = lxm_count_lines(t->bytes, t->length);
}
