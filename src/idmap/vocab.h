/* What a vocabulary is made of, for the layers above that read, write and grow one. */
#ifndef LXM_IDMAP_VOCAB_H
#define LXM_IDMAP_VOCAB_H

#include "base/file.h"
#include "idmap/table.h"
#include "idmap/template.h"

typedef struct lxm_model lxm_model;
typedef struct lxm_parts lxm_parts;

/* What a model puts before or behind a token, such as "##" or "</w>"; length 0: nothing. */
typedef struct lxm_affix {
    uint8_t bytes[32];
    size_t length;
} lxm_affix;

/* How tokens become text again. */
typedef struct lxm_decoding {
    lxm_join join;          /* the way that suits */
    lxm_affix continuation; /* a token that begins with it belongs to the one before */
    lxm_affix word_end;     /* a token that ends with it ends a word: a space stands for it */
    lxm_affix space;        /* stands for a space, */
    bool strip_first;       /* but for nothing in a document's first token */
    size_t strip;           /* so many spaces are dropped where a document begins */
    bool bytes;             /* <0xHH> stands for a byte */
    char refused[64];       /* what can't be done of it; "" for nothing */
} lxm_decoding;

struct lxm_vocab {
    lxm_allocator allocator;
    /* A token in every id, empty for an id that has none. Those that the model can't give are not
     * found in it. */
    lxm_token_table table;
    uint32_t unk;      /* or LXM_NO_ID */
    uint64_t *special; /* a bit an id, for the ids below 64 x special_words */
    size_t special_words;
    const lxm_model *model;
    void *model_data;
    /* Tokens that are kept whole in text, whether the model sees them or not: what is one of them,
     * and wasn't found by a pattern, has its id. */
    lxm_token_table added;
    uint32_t *added_ids;
    uint64_t added_first[4]; /* a bit a byte: one of them begins with it */
    lxm_decoding decoding;
    lxm_template template;
    const char *origin;   /* static */
    bool exact;           /* the tokens of a pre-token's ids, joined, are its bytes */
    char *description;    /* what a tokenizer.json says beside its model, as JSON; or NULL */
    bool states_pattern;  /* how text is cut is part of that */
    uint64_t fingerprint; /* 0: to be worked out */
    lxm_map map;          /* what the tables are views of, where they are */
};

/* Keeps a description; the text is copied. */
lxm_status lxm_vocab_describe(lxm_vocab *vocab, const char *text, size_t length, lxm_error *error);

/* Adds all that a vocabulary is made of. What was added is the vocabulary's and the parts'. */
lxm_status lxm_vocab_store(const lxm_vocab *vocab, lxm_parts *parts, lxm_error *error);

/* Fills an empty vocabulary with views of parts, which must outlive it. */
lxm_status lxm_vocab_load(lxm_vocab *vocab, const lxm_parts *parts, lxm_error *error);

/* Adds a token under the next id that the model can't give; an empty one leaves the id without a
 * token. */
lxm_status lxm_vocab_append(lxm_vocab *vocab, const void *token, size_t length, lxm_error *error);

/* Makes a token, which the vocabulary has, one that is kept whole. */
lxm_status lxm_vocab_add_outside(lxm_vocab *vocab, const void *token, size_t length, uint32_t id,
                                 lxm_error *error);

/* The id of one of them, or LXM_NO_ID. */
static inline uint32_t lxm_vocab_find_outside(const lxm_vocab *vocab, const void *token,
                                              size_t length)
{
    uint8_t first = length ? *(const uint8_t *)token : 0;
    if (!(vocab->added_first[first / 64] >> first % 64 & 1))
        return LXM_NO_ID;
    uint32_t index = lxm_token_table_find(&vocab->added, token, length);
    return index == LXM_NO_ID ? LXM_NO_ID : vocab->added_ids[index];
}

/* False where it is longer than an affix may be. */
bool lxm_affix_set(lxm_affix *affix, const void *bytes, size_t length);

/* Says of a token that it is not in the vocabulary. */
lxm_status lxm_vocab_fail_token(const uint8_t *token, size_t length, size_t index, const char *why,
                                lxm_error *error);

/* Maps tokens to ids and adds those that aren't there, until the vocabulary has `max_size` tokens
 * (0: 2^32 - 1); each token that is met counts. What is not there then becomes unk or
 * LXM_ERROR_TOKEN, with its index in `tokens` as the offset. */
lxm_status lxm_vocab_encode_growing(lxm_vocab *vocab, uint64_t max_size, const lxm_tokens *tokens,
                                    uint32_t *ids, lxm_error *error);

#endif
