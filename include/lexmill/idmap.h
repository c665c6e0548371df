/*
 * idmap: tokens -> ids, and back.
 *
 * A vocabulary numbers tokens from 0. It is built from counts or read from a file; while it isn't
 * changed it may be shared by any number of threads. It carries the model that says how tokens
 * become ids: word level, where each has one, or BPE, WordPiece and the like, where a token that
 * tokenize made (a pre-token) becomes several. An lxm_mapper is one thread's state of that work.
 */
#ifndef LEXMILL_IDMAP_H
#define LEXMILL_IDMAP_H

#include <stdbool.h>

#include "lexmill/error.h"
#include "lexmill/tokenize.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lxm_vocab lxm_vocab;
typedef struct lxm_counter lxm_counter;
typedef struct lxm_mapper lxm_mapper;

#define LXM_NO_ID UINT32_MAX

/* What makes an object here gives it to the caller, to be freed, and NULL where it fails. */

/* An empty vocabulary, to be filled with lxm_vocab_add. */
LXM_API lxm_status lxm_vocab_new(lxm_vocab **vocab, const lxm_allocator *allocator,
                                 lxm_error *error);

/* Reads a vocabulary, known by its content:
 * - our own file: a first line that names format, size and the roles of tokens, then one line an
 *   id: token (escaped as in a token stream), TAB, count;
 * - a .tiktoken file;
 * - a folder with vocab.json and merges.txt, or encoder.json and vocab.bpe (GPT-2 and its kin);
 * - a tokenizer.json, or a folder with one: its model and added tokens;
 * - a WordPiece vocab.txt, or a folder with one;
 * - a compiled vocabulary, as lxm_vocab_write makes it. It is mapped and used in place, so that
 *   opening it costs little more than reading it once: its checksum, and every offset, size and
 *   index in it, are checked first. The file must stay as it is while the vocabulary lives: to
 *   replace it, rename another to its place.
 * The error carries the line, of a compiled vocabulary the byte. What a file asks for and can't be
 * done exactly is LXM_ERROR_UNSUPPORTED and named. */
LXM_API lxm_status lxm_vocab_open(lxm_vocab **vocab, const char *path,
                                  const lxm_allocator *allocator, lxm_error *error);
LXM_API void lxm_vocab_free(lxm_vocab *vocab);

/* The forms that a vocabulary is written in. The values are pinned. */
typedef enum lxm_vocab_form {
    LXM_VOCAB_TEXT = 0,     /* our own, of the word level alone; it alone keeps counts as text */
    LXM_VOCAB_COMPILED = 1, /* all there is, to be mapped */
    LXM_VOCAB_TOKENIZER_JSON = 2, /* of Hugging Face's tokenizers */
    LXM_VOCAB_TIKTOKEN = 3,       /* base64 and rank; BPE over bytes, without special tokens */
    LXM_VOCAB_MERGES = 4,         /* a folder: vocab.json and merges.txt; BPE over bytes */
    LXM_VOCAB_OPENAI = 5,         /* the same as encoder.json and vocab.bpe */
    LXM_VOCAB_WORDPIECE = 6       /* vocab.txt */
} lxm_vocab_form;

/* A zeroed struct writes our own text. */
typedef struct lxm_vocab_write_options {
    lxm_vocab_form form;
    /* A preset that says how text is cut, in the place of what the vocabulary's file said; a
     * tokenizer.json of a model wants one where that said nothing. A compiled vocabulary keeps it.
     * NULL: none; other forms have no place for it. */
    const char *preset;
    bool lowercase;    /* with the preset "bert": lower case, and no accents */
    bool drop_special; /* special tokens that the form has no place for are left out */
} lxm_vocab_write_options;

/* Writes a vocabulary, atomically; of a folder, which is made where it is missing, each file. What
 * is written gives the same ids when it is read again, by whoever reads the form. Where the form
 * can't hold what the vocabulary has, so that ids would differ or tokens be lost, it is
 * LXM_ERROR_UNSUPPORTED and the message says what would be lost and what to do. Counts are lost but
 * in our own forms, and so is the way text is cut but in tokenizer.json and compiled. `options` may
 * be NULL: our own text. */
LXM_API lxm_status lxm_vocab_write(const lxm_vocab *vocab, const char *path,
                                   const lxm_vocab_write_options *options, lxm_error *error);

/* The form that a name stands for: .compiled, .json, .tiktoken, .vocab (our own text), a name that
 * is vocab.txt, a folder (merges.txt) where it ends in a slash or is one; false for others. */
LXM_API bool lxm_vocab_form_of(const char *path, lxm_vocab_form *form);

/* lxm_vocab_write with the form LXM_VOCAB_TEXT. */
LXM_API lxm_status lxm_vocab_save(const lxm_vocab *vocab, const char *path, lxm_error *error);

/* Adds a token with a count and tells its id (`id` may be NULL). One that is there keeps its id;
 * counts add up. LXM_ERROR_ARGUMENT for an empty token, LXM_ERROR_UNSUPPORTED where the vocabulary
 * has a model other than the word level, LXM_ERROR_LIMIT past 2^32 - 1 tokens or a count of
 * 2^64 - 1. */
LXM_API lxm_status lxm_vocab_add(lxm_vocab *vocab, const void *token, size_t length, uint64_t count,
                                 uint32_t *id, lxm_error *error);

/* Gives a token of the vocabulary a role; LXM_ERROR_ID where it has no such id. */
LXM_API lxm_status lxm_vocab_set_special(lxm_vocab *vocab, uint32_t id, lxm_error *error);
LXM_API lxm_status lxm_vocab_set_unk(lxm_vocab *vocab, uint32_t id, lxm_error *error);

/* From now on, whatever encodes documents with the vocabulary puts around each what the
 * post-processor of its tokenizer.json states for a single text, such as [CLS] and [SEP]; their
 * offsets are 0. LXM_ERROR_UNSUPPORTED where there is none, or one that can't be done. */
LXM_API lxm_status lxm_vocab_use_template(lxm_vocab *vocab, lxm_error *error);

LXM_API size_t lxm_vocab_size(const lxm_vocab *vocab);
LXM_API uint32_t lxm_vocab_find(const lxm_vocab *vocab, const void *token,
                                size_t length);         /* or LXM_NO_ID */
LXM_API uint32_t lxm_vocab_unk(const lxm_vocab *vocab); /* or LXM_NO_ID */
LXM_API bool lxm_vocab_is_special(const lxm_vocab *vocab, uint32_t id);

/* How its tokens become ids: "word", "bpe", "wordpiece" or "unigram". Static. */
LXM_API const char *lxm_vocab_model(const lxm_vocab *vocab);

/* The format of the file it was read from, such as "tiktoken"; "none" where it was made. Static. */
LXM_API const char *lxm_vocab_origin(const lxm_vocab *vocab);

/* Whether the file it was read from also says how text is cut, so that lxm_tokenizer_open makes a
 * tokenizer of it. */
LXM_API bool lxm_vocab_states_pattern(const lxm_vocab *vocab);

/* The bytes of a token, the vocabulary's until a token is added; NULL, and a length of 0, for an id
 * that it doesn't have or that has no token. No NUL stands behind them. */
LXM_API const uint8_t *lxm_vocab_token(const lxm_vocab *vocab, uint32_t id, size_t *length);
LXM_API uint64_t lxm_vocab_count(const lxm_vocab *vocab, uint32_t id);

/* XXH3-64 of (length as u32 little-endian, bytes) of every token in id order. */
LXM_API uint64_t lxm_vocab_fingerprint(const lxm_vocab *vocab);

/* Maps tokens to ids, of which there is room for tokens->count; for the word level alone. A token
 * that isn't there becomes unk; without one it is LXM_ERROR_TOKEN, and error->offset is its index
 * in `tokens`. */
LXM_API lxm_status lxm_vocab_encode(const lxm_vocab *vocab, const lxm_tokens *tokens, uint32_t *ids,
                                    lxm_error *error);

/* Some ids of one document, in order. */
typedef struct lxm_ids {
    const uint32_t *ids;
    size_t count;
    const uint64_t *offsets; /* 2 x count: begin and end in the document's bytes; or NULL */
} lxm_ids;

/* How much memory a mapper may take for the ids of pre-tokens it has met, in bytes. The ids never
 * depend on it. */
typedef struct lxm_mapper_options {
    size_t cache_size; /* 0: none */
} lxm_mapper_options;

#define LXM_CACHE_SIZE ((size_t)24 << 20) /* what a mapper without options takes */

/* Makes a mapper; `options` may be NULL. The vocabulary must outlive it, and must not change. */
LXM_API lxm_status lxm_mapper_new(lxm_mapper **mapper, const lxm_vocab *vocab,
                                  const lxm_mapper_options *options, const lxm_allocator *allocator,
                                  lxm_error *error);
LXM_API void lxm_mapper_free(lxm_mapper *mapper);

/* Maps tokens to ids; what it gives is the mapper's until the next call. With offsets in `tokens`
 * each id is given those of its own bytes, or, where the text was changed on the way so that they
 * can't be told, those of its token. Errors are those of lxm_vocab_encode. */
LXM_API lxm_status lxm_mapper_map(lxm_mapper *mapper, const lxm_tokens *tokens, lxm_ids *ids,
                                  lxm_error *error);

/* How tokens are put together again by lxm_run_decode. */
typedef enum lxm_join {
    LXM_JOIN_NONE = 0,  /* bytes after bytes */
    LXM_JOIN_SPACE = 1, /* one space between two; none before a WordPiece continuation */
    LXM_JOIN_BOOK = 2,  /* the same, but none before , . : ; ? ! " ( ) ' */
    LXM_JOIN_CLEAN = 3  /* the same, but none before what begins with . ? ! , n't 'm 's 've 're:
                           Hugging Face's clean-up */
} lxm_join;

/* The way that suits the vocabulary: none where tokens carry their spaces. */
LXM_API lxm_join lxm_vocab_join(const lxm_vocab *vocab);

/* Order of ids in a vocabulary that is built. Ties in frequency go by bytes. */
typedef enum lxm_order {
    LXM_ORDER_FREQUENCY = 0, /* most frequent first */
    LXM_ORDER_BYTES = 1,     /* by unsigned byte values: code point order in UTF-8 */
    LXM_ORDER_APPEARANCE = 2 /* first seen first */
} lxm_order;

typedef struct lxm_build_options {
    lxm_order order;
    uint64_t min_count; /* 0: 1 */
    uint64_t
        max_size; /* tokens in all, special ones included: the most frequent stay. 0: no limit */
    const char *const *specials; /* added after the words, in this order, whatever their counts */
    size_t special_count;
    const char *unk;    /* the unknown token, added last; may be among the specials; or NULL */
    bool special_first; /* specials get the first ids */
} lxm_build_options;

/* Counts tokens in at most about `memory` bytes (0: 1 GiB): past that, sorted runs go to
 * unnamed files in `folder` (copied; NULL: $TMPDIR or /tmp) and are merged by lxm_counter_build. */
LXM_API lxm_status lxm_counter_new(lxm_counter **counter, size_t memory, const char *folder,
                                   const lxm_allocator *allocator, lxm_error *error);
LXM_API void lxm_counter_free(lxm_counter *counter);
LXM_API lxm_status lxm_counter_add(lxm_counter *counter, const lxm_tokens *tokens,
                                   lxm_error *error);

/* Makes the vocabulary of what was counted. The counter is spent: it may only be freed. */
LXM_API lxm_status lxm_counter_build(lxm_counter *counter, const lxm_build_options *options,
                                     lxm_vocab **vocab, lxm_error *error);

#ifdef __cplusplus
}
#endif
#endif
