/*
 * The stages as whole jobs: files in, an output out, with threads and progress. What comes out
 * never depends on the number of threads, on chunk sizes or on the locale.
 *
 * On failure error->path, line and offset say where in which input it went wrong, and the caller
 * discards the output.
 */
#ifndef LEXMILL_PIPELINE_H
#define LEXMILL_PIPELINE_H

#include "lexmill/embed.h"
#include "lexmill/idmap.h"
#include "lexmill/stream.h"
#include "lexmill/tokenize.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What all jobs share. A zeroed struct is the default. */
typedef struct lxm_job {
    unsigned threads; /* 0: as many as there are processors */
    void (*progress)(void *context,
                     uint64_t bytes); /* called now and then with the bytes read so far */
    void *progress_context;
    const lxm_allocator *allocator;
} lxm_job;

/* How input is cut into documents. */
typedef enum lxm_documents {
    LXM_DOCUMENTS_FILE = 0, /* a file is a document */
    LXM_DOCUMENTS_LINE = 1, /* a line, without its \n or \r\n; an empty line is an empty document */
    LXM_DOCUMENTS_BLANK = 2, /* a paragraph: what stands between lines of nothing but white space */
    LXM_DOCUMENTS_NUL = 3    /* what a NUL byte ends */
} lxm_documents;

/* Tokenizes files, in order ("-": standard input), to a token stream. stream->kind is ignored. */
LXM_API lxm_status lxm_run_tokenize(const lxm_tokenizer *tokenizer, const char *const *paths,
                                    size_t path_count, lxm_documents documents,
                                    const lxm_stream_options *stream, lxm_output *output,
                                    const lxm_job *job, lxm_error *error);

/* Counts the tokens of token streams. */
LXM_API lxm_status lxm_run_count(lxm_counter *counter, const char *const *paths, size_t path_count,
                                 const lxm_job *job, lxm_error *error);

/* Maps token streams to an id stream. With `grow`, tokens that the vocabulary doesn't have are
 * added to it, in order of appearance, until it has `max_size` (0: 2^32 - 1) tokens. */
LXM_API lxm_status lxm_run_encode(const lxm_vocab *vocab, const char *const *paths,
                                  size_t path_count, const lxm_stream_options *stream,
                                  lxm_output *output, const lxm_job *job, lxm_error *error);
LXM_API lxm_status lxm_run_encode_growing(lxm_vocab *vocab, uint64_t max_size,
                                          const char *const *paths, size_t path_count,
                                          const lxm_stream_options *stream, lxm_output *output,
                                          const lxm_job *job, lxm_error *error);

/* Maps id streams back to text. LXM_DOCUMENTS_FILE puts a newline between two documents, the
 * others end each document as they are read: \n, \n\n, NUL. */
LXM_API lxm_status lxm_run_decode(const lxm_vocab *vocab, const char *const *paths,
                                  size_t path_count, lxm_join join, lxm_documents documents,
                                  lxm_output *output, const lxm_job *job, lxm_error *error);

#ifdef __cplusplus
}
#endif
#endif
