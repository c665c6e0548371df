/*
 * What flows between the stages, and the files it flows through.
 *
 * A token or id stream is text, for eyes and Unix tools, or binary, with counts, checksums and a
 * trailer, so that a stream that was cut is an error. Readers tell the two apart by content.
 * lexmill(5) gives both byte by byte.
 */
#ifndef LEXMILL_STREAM_H
#define LEXMILL_STREAM_H

#include <stdbool.h>

#include "lexmill/error.h"
#include "lexmill/idmap.h"
#include "lexmill/tokenize.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lxm_input lxm_input;
typedef struct lxm_output lxm_output;
typedef struct lxm_writer lxm_writer;
typedef struct lxm_reader lxm_reader;

/* ---- files ---- */

/* Opens a file for reading; "-" is standard input. A folder is an error. gzip, zstd, xz, bzip2 and
 * lz4 are recognised by their first bytes and decompressed as they are read, in bounded memory; of
 * these libarchive, which reads all but gzip, has memory from malloc whatever the allocator. Data
 * that is cut short or damaged is LXM_ERROR_FORMAT, and LXM_ERROR_UNSUPPORTED is what a library
 * that was built without decompression says. */
LXM_API lxm_status lxm_input_open(lxm_input **input, const char *path,
                                  const lxm_allocator *allocator, lxm_error *error);
LXM_API void lxm_input_close(lxm_input *input);

/* Reads up to `capacity` bytes; *length 0 is the end. A short read is not the end. */
LXM_API lxm_status lxm_input_read(lxm_input *input, void *bytes, size_t capacity, size_t *length,
                                  lxm_error *error);

/* The name for messages ("standard input" for "-") and the size where it is a regular file,
 * otherwise UINT64_MAX. */
LXM_API const char *lxm_input_name(const lxm_input *input);
LXM_API uint64_t lxm_input_size(const lxm_input *input);

/* Bytes taken from the file so far: of compressed input, compressed ones. */
LXM_API uint64_t lxm_input_consumed(const lxm_input *input);

/* Opens an output; "-" is standard output. A regular file is written beside the target and takes
 * its place in lxm_output_commit; through a symbolic link the link's target does. A FIFO or a
 * device is written straight. Errors of the output carry `path`, which must outlive it. */
LXM_API lxm_status lxm_output_open(lxm_output **output, const char *path,
                                   const lxm_allocator *allocator, lxm_error *error);
LXM_API lxm_status lxm_output_write(lxm_output *output, const void *bytes, size_t length,
                                    lxm_error *error);

/* True where lxm_output_patch works: a regular file whose start is the output's start. */
LXM_API bool lxm_output_can_patch(const lxm_output *output);
LXM_API bool lxm_output_is_terminal(const lxm_output *output);

/* Overwrites bytes that were written before. */
LXM_API lxm_status lxm_output_patch(lxm_output *output, uint64_t offset, const void *bytes,
                                    size_t length, lxm_error *error);

/* Writes out what is buffered. */
LXM_API lxm_status lxm_output_flush(lxm_output *output, lxm_error *error);

/* Flushes, syncs to disk, checks the close and puts a named file in its place. The output is freed
 * whatever the result; on failure the old file is still there. */
LXM_API lxm_status lxm_output_commit(lxm_output *output, lxm_error *error);

/* Drops the output: a named file stays as it was. NULL is allowed. */
LXM_API void lxm_output_discard(lxm_output *output);

/* ---- streams ---- */

typedef enum lxm_kind { LXM_KIND_TOKENS = 1, LXM_KIND_IDS = 2 } lxm_kind;

typedef enum lxm_stream_format {
    LXM_STREAM_TEXT =
        0, /* tokens: one a line, an empty line between documents; ids: a document a line */
    LXM_STREAM_BINARY = 1, /* header, frames, trailer */
    LXM_STREAM_JSONL =
        2 /* a JSON object a line and document: tokens or ids, and offsets if asked for */
} lxm_stream_format;

/* Takes ids as they come, in order. An error that one of them is at fault for (LXM_ERROR_ID) says
 * with error->offset which of `ids` it is; who calls makes a position of that. */
typedef struct lxm_id_sink {
    /* what is known before a stream's ids: the vocabulary's fingerprint (0: unknown), and what made
     * them ("": unknown) */
    lxm_status (*begin)(void *context, uint64_t fingerprint, const char *settings,
                        lxm_error *error);
    lxm_status (*ids)(void *context, const uint32_t *ids, size_t count, lxm_error *error);
    lxm_status (*end_document)(void *context, lxm_error *error);
    void *context;
} lxm_id_sink;

typedef struct lxm_stream_options {
    lxm_kind kind;
    lxm_stream_format format;
    bool offsets;
    uint64_t fingerprint;    /* of the vocabulary that numbered the ids; 0: unknown */
    const char *settings;    /* what made the stream, for people; NULL: "" */
    const lxm_id_sink *sink; /* ids go there, and not as bytes to an output, which may be NULL then;
                                format and offsets mean nothing. The sink is copied */
} lxm_stream_options;

/* Writes a stream to an output, which must outlive the writer and is committed by the caller. */
LXM_API lxm_status lxm_writer_new(lxm_writer **writer, lxm_output *output,
                                  const lxm_stream_options *options, const lxm_allocator *allocator,
                                  lxm_error *error);
LXM_API void lxm_writer_free(lxm_writer *writer);
LXM_API lxm_status lxm_writer_tokens(lxm_writer *writer, const lxm_tokens *tokens,
                                     lxm_error *error);
LXM_API lxm_status lxm_writer_ids(lxm_writer *writer, const lxm_ids *ids, lxm_error *error);
LXM_API lxm_status lxm_writer_end_document(lxm_writer *writer, lxm_error *error);

/* Writes what is left and the trailer. */
LXM_API lxm_status lxm_writer_finish(lxm_writer *writer, lxm_error *error);

/* What a reader found next. */
typedef struct lxm_block {
    lxm_tokens tokens; /* of a token stream; count 0 otherwise */
    lxm_ids ids;       /* of an id stream; count 0 otherwise */
    bool end_document; /* the document ends after these */
    uint64_t position; /* text form: line number of the first token or id; binary: its index in the
                          stream */
} lxm_block;

/* Reads a stream of the kind asked for, text or binary; another kind is LXM_ERROR_FORMAT. Kind 0 is
 * what a binary stream says, and tokens in text. The input must outlive the reader. */
LXM_API lxm_status lxm_reader_new(lxm_reader **reader, lxm_input *input, lxm_kind kind,
                                  const lxm_allocator *allocator, lxm_error *error);
LXM_API void lxm_reader_free(lxm_reader *reader);

/* The next block, the reader's until the next call; *more false at the end of a whole stream. */
LXM_API lxm_status lxm_reader_next(lxm_reader *reader, lxm_block *block, bool *more,
                                   lxm_error *error);

/* What the header of a binary stream says, known after lxm_reader_new; for text: what was asked
 * for, false, false, 0, "". */
LXM_API lxm_kind lxm_reader_kind(const lxm_reader *reader);
LXM_API bool lxm_reader_is_binary(const lxm_reader *reader);
LXM_API bool lxm_reader_has_offsets(const lxm_reader *reader);
LXM_API uint64_t lxm_reader_fingerprint(const lxm_reader *reader);
LXM_API const char *lxm_reader_settings(const lxm_reader *reader);

#ifdef __cplusplus
}
#endif
#endif
