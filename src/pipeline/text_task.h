/* What a thread does with the documents of one chunk of text. */
#ifndef LXM_PIPELINE_TEXT_TASK_H
#define LXM_PIPELINE_TEXT_TASK_H

#include "pipeline/json_lines.h"
#include "pipeline/mappers.h"
#include "pipeline/token_end.h"
#include "tokenize/documents.h"
#include "tokenize/joined.h"

typedef struct lxm_text_task {
    lxm_allocator allocator;
    uint8_t *bytes;
    size_t length;
    lxm_piece *pieces;
    size_t count, capacity;
    size_t whole; /* behind the pieces: where documents begin that the task is to find itself */
    lxm_split how;
    bool final;        /* the file ends with them */
    uint64_t position; /* of bytes[0] in the file */
    uint64_t lines;    /* newlines in `bytes` */
    bool first;        /* of its file */
    uint64_t before;   /* bytes of the first piece's document that stand before it */
    const char *path;
    lxm_segmenter *segmenter;
    lxm_lines *joined; /* NULL: documents are segmented one by one, */
    lxm_joined *texts; /* or, where they are short, with others, if this isn't NULL */
    lxm_buffer text;   /* of documents that are to be joined, where `bytes` doesn't have it */
    lxm_formatter formatter;
    lxm_token_end end;
    lxm_mappers *mappers; /* NULL: tokens stay what they are */
    const lxm_json_lines *json;
    lxm_line_count json_count; /* JSON Lines; first_bad counts from the task's first line */
    lxm_status status;
    lxm_error error;
} lxm_text_task;

/* What tasks share; `mappers` may be NULL. All of it must outlive them. */
typedef struct lxm_text_job {
    const lxm_tokenizer *tokenizer;
    const lxm_vocab *vocab;
    lxm_mappers *mappers;
    const lxm_json_lines *json;
    const lxm_stream_options *stream;
    lxm_split how;
    size_t chunk_size;
} lxm_text_job;

/* Makes a task that is zeroed. lxm_text_task_free is due whatever the result. */
lxm_status lxm_text_task_init(lxm_text_task *task, const lxm_text_job *job,
                              const lxm_allocator *allocator, lxm_error *error);
void lxm_text_task_free(lxm_text_task *task);

lxm_status lxm_text_task_add(lxm_text_task *task, lxm_piece piece, lxm_error *error);

/* For a pool: leaves status and error, positions of which are those in the file. */
void lxm_text_task_run(void *task);

/* Turns an error's position in a document that begins at `document` of the file into one in the
 * file, with its line where that is in `bytes`, which begin at `position` with line `line`. */
void lxm_place_error(lxm_error *error, uint64_t document, uint64_t position, uint64_t line,
                     const uint8_t *bytes, size_t length);

#endif
