/* Vocabulary files: one lxm_vocab_format a file format. */
#ifndef LXM_FORMATS_VOCAB_H
#define LXM_FORMATS_VOCAB_H

#include "idmap/vocab.h"
#include "lexmill/stream.h"

typedef struct lxm_vocab_format {
    const char *name;

    /* Whether a file that begins like this is meant to be one. */
    bool (*probe)(const uint8_t *bytes, size_t length);

    /* Fills an empty vocabulary from a whole file; the error carries line and offset. */
    lxm_status (*read)(lxm_vocab *vocab, const uint8_t *bytes, size_t length, lxm_error *error);

    /* The bytes must stay as long as the vocabulary. */
    bool mapped;

    /* LXM_ERROR_UNSUPPORTED where something would be lost. */
    lxm_status (*write)(const lxm_vocab *vocab, const lxm_vocab_write_options *options,
                        lxm_output *output, lxm_error *error);
} lxm_vocab_format;

/* Our own: text, a line an id. */
extern const lxm_vocab_format lxm_vocab_format_lexmill;

extern const lxm_vocab_format lxm_vocab_format_tiktoken, lxm_vocab_format_wordpiece,
    lxm_vocab_format_tokenizer_json, lxm_vocab_format_compiled;

/* One of the files that make a vocabulary together. */
typedef struct lxm_vocab_file {
    const uint8_t *bytes;
    size_t length;
} lxm_vocab_file;

enum { lxm_vocab_files = 2 };

/* A vocabulary that is a folder, known by the names of the files in it. */
typedef struct lxm_vocab_folder {
    const char *format;
    const char *names[lxm_vocab_files];
    size_t count;

    /* *at_fault is the index of the file that an error is about. */
    lxm_status (*read)(lxm_vocab *vocab, const lxm_vocab_file *files, size_t *at_fault,
                       lxm_error *error);

    /* NULL: it is only read. An output for each file. */
    lxm_status (*write)(const lxm_vocab *vocab, const lxm_vocab_write_options *options,
                        lxm_output *const *outputs, lxm_error *error);
} lxm_vocab_folder;

extern const lxm_vocab_folder lxm_vocab_folder_tokenizer_json, lxm_vocab_folder_gpt2,
    lxm_vocab_folder_openai, lxm_vocab_folder_wordpiece;

/* FOLDER/NAME, to be released; NULL when memory runs out. */
char *lxm_vocab_file_path(const lxm_allocator *allocator, const char *folder, const char *name);

/* LXM_ERROR_UNSUPPORTED: "id ID, 'TOKEN', WHY". */
lxm_status lxm_vocab_refuse_token(const lxm_vocab *vocab, uint32_t id, const char *why,
                                  lxm_error *error);

#endif
