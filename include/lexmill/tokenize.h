/*
 * tokenize: text -> tokens.
 *
 * An lxm_tokenizer is the options, compiled: immutable, to be shared by any number of threads.
 * An lxm_segmenter is one thread's state: text is pushed in pieces of any size, tokens come out
 * through a sink, and the tokens never depend on where the pieces were cut.
 *
 * In order: bytes that are not UTF-8 are handled, special tokens are cut out, what lies between
 * them is normalised, and the pattern (PCRE2 syntax, UTF and UCP) finds the tokens in it.
 */
#ifndef LEXMILL_TOKENIZE_H
#define LEXMILL_TOKENIZE_H

#include <stdbool.h>

#include "lexmill/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lxm_tokenizer lxm_tokenizer;
typedef struct lxm_segmenter lxm_segmenter;

/* What becomes of bytes that are not UTF-8. */
typedef enum lxm_invalid {
    LXM_INVALID_ERROR = 0, /* LXM_ERROR_UTF8 with their position */
    LXM_INVALID_REPLACE =
        1, /* each maximal ill-formed subpart becomes U+FFFD (Unicode 3.9, table 3-8) */
    LXM_INVALID_BYTES = 2 /* each maximal ill-formed subpart is a token of its own, as it stands */
} lxm_invalid;

/* Unicode normalisation forms (UAX #15). */
typedef enum lxm_normal_form {
    LXM_NORMAL_NONE = 0,
    LXM_NORMAL_NFC = 1,
    LXM_NORMAL_NFD = 2,
    LXM_NORMAL_NFKC = 3,
    LXM_NORMAL_NFKD = 4
} lxm_normal_form;

/* A zeroed struct is the default: preset "words", no normalisation, an error on bad UTF-8. */
typedef struct lxm_tokenizer_options {
    const char *preset;  /* a name of lxm_preset_at(); NULL: "words" */
    const char *pattern; /* a PCRE2 pattern in place of a preset, or NULL */
    bool split;          /* the pattern matches what lies between tokens, not the tokens */
    lxm_normal_form normal_form;
    bool clean;       /* BERT's clean-up: drop NUL, U+FFFD, Cc, Cf and Co, make white space a space;
                         the preset "bert" has it */
    bool strip_marks; /* decompose, then drop nonspacing marks (Mn) */
    bool strip_all_marks; /* drop spacing and enclosing marks (Mc, Me) as well */
    bool lowercase;       /* Unicode lower case, one code point at a time */
    bool casefold;        /* Unicode full case folding */
    lxm_invalid invalid;
    const char *const *specials; /* tokens kept whole: the leftmost, then the longest, wins */
    size_t special_count;
    bool prefix_space;     /* put a space before text that doesn't begin with one, at the start of a
                              document and behind each special token */
    bool offsets;          /* work out where in the source each token stands */
    size_t max_characters; /* of a document: what stands behind is left out; 0: none is */
    size_t max_token;      /* bytes; a longer token is LXM_ERROR_LIMIT. 0: 16 MiB */
    uint32_t match_limit;  /* PCRE2 match limit of one match. 0: 10,000,000 */
} lxm_tokenizer_options;

/* Compiles options. On success *tokenizer is the caller's, to be freed; on failure it is NULL.
 * LXM_ERROR_PATTERN carries the position in the pattern as the offset. */
LXM_API lxm_status lxm_tokenizer_new(lxm_tokenizer **tokenizer,
                                     const lxm_tokenizer_options *options,
                                     const lxm_allocator *allocator, lxm_error *error);

/* The same, with the normaliser, the pattern and the added tokens that a tokenizer.json of Hugging
 * Face's tokenizers states (or a folder with one), or a compiled vocabulary (see lxm_vocab_write)
 * that keeps what one stated; `options` (NULL: the default) says the rest, and may not state these
 * as well. Added tokens are kept whole as their flags say; those that are special only where the
 * options name them. What can't be done exactly is LXM_ERROR_UNSUPPORTED by name. The file is
 * parsed in memory from malloc. */
LXM_API lxm_status lxm_tokenizer_open(lxm_tokenizer **tokenizer, const char *path,
                                      const lxm_tokenizer_options *options,
                                      const lxm_allocator *allocator, lxm_error *error);
LXM_API void lxm_tokenizer_free(lxm_tokenizer *tokenizer);

/* One line that says all that decides the tokens, for headers and manifests; the tokenizer's. */
LXM_API const char *lxm_tokenizer_settings(const lxm_tokenizer *tokenizer);

typedef struct lxm_preset {
    const char *name;
    const char *pattern; /* PCRE2: the definition of the preset */
    const char *origin;  /* whose pattern it is */
    const char *summary;
    bool clean; /* with BERT's clean-up, before the pattern */
} lxm_preset;

/* The presets in the order of the manual; NULL past the last. Static. */
LXM_API const lxm_preset *lxm_preset_at(size_t index);

typedef struct lxm_span {
    uint32_t begin, end; /* text[begin, end) */
} lxm_span;

/* Some tokens of one document, in order: none is empty, none begins before the one before it ends,
 * and the text may be read up to the end of the last. What a sink is given is valid until it
 * returns. */
typedef struct lxm_tokens {
    const uint8_t *text;
    const lxm_span *spans;
    size_t count;
    const uint64_t
        *offsets; /* 2 x count: begin and end in the document's bytes; NULL unless asked for */
    bool plain;   /* the pattern found them: none is a special token, whatever it spells */
} lxm_tokens;

/* Receives what a segmenter finds. A status other than LXM_OK ends the push that called it. */
typedef struct lxm_token_sink {
    lxm_status (*tokens)(void *context, const lxm_tokens *tokens, lxm_error *error);
    lxm_status (*end_document)(void *context, lxm_error *error);
    void *context;
} lxm_token_sink;

/* The tokenizer must outlive the segmenter; the sink is copied. */
LXM_API lxm_status lxm_segmenter_new(lxm_segmenter **segmenter, const lxm_tokenizer *tokenizer,
                                     const lxm_token_sink *sink, const lxm_allocator *allocator,
                                     lxm_error *error);
LXM_API void lxm_segmenter_free(lxm_segmenter *segmenter);

/* Pushes the next bytes of a document. They are not kept: the caller may reuse them at once.
 * After an error the document is lost; lxm_segmenter_reset makes the segmenter fit for another.
 * error->offset counts from the start of the document. */
LXM_API lxm_status lxm_segmenter_push(lxm_segmenter *segmenter, const void *bytes, size_t length,
                                      lxm_error *error);

/* Ends the document: its last tokens come out, then the sink's end_document is called. */
LXM_API lxm_status lxm_segmenter_end_document(lxm_segmenter *segmenter, lxm_error *error);

/* Forgets an unfinished document. */
LXM_API void lxm_segmenter_reset(lxm_segmenter *segmenter);

#ifdef __cplusplus
}
#endif
#endif
