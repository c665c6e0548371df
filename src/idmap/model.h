/*
 * A model turns the bytes of a pre-token into ids. It knows nothing of files or patterns: formats
 * fill the vocabulary, then call the maker of its model.
 */
#ifndef LXM_IDMAP_MODEL_H
#define LXM_IDMAP_MODEL_H

#include "idmap/parts.h"
#include "idmap/vocab.h"

/* What becomes of one pre-token. */
typedef struct lxm_mapping {
    const uint8_t *token;
    size_t length;  /* at least 1 */
    uint32_t *ids;  /* room for `length` + 1 of them */
    uint32_t *ends; /* where in the token each ends, with the same room; or NULL */
    size_t count;
    size_t used;         /* bytes dealt with so far */
    lxm_buffer *scratch; /* one thread's memory, kept from call to call */
} lxm_mapping;

struct lxm_model {
    const char *name;
    /* LXM_ERROR_TOKEN, without a position, where the vocabulary has nothing for a token. NULL at
     * the word level, where lxm_vocab_encode maps many at once. */
    lxm_status (*map)(const lxm_vocab *vocab, lxm_mapping *mapping, lxm_error *error);
    /* Maps several that wait for memory side by side, which NULL can't; says which one failed. */
    lxm_status (*map_all)(const lxm_vocab *vocab, lxm_mapping *mappings, size_t count,
                          size_t *failed, lxm_error *error);
    void (*free)(lxm_vocab *vocab); /* releases model_data; may be NULL */
    /* Adds what model_data is made of, and makes it of that again, for a vocabulary whose tokens
     * and roles are all there; both NULL where there is none. */
    lxm_status (*store)(const lxm_vocab *vocab, lxm_parts *parts, lxm_error *error);
    lxm_status (*load)(lxm_vocab *vocab, const lxm_parts *parts, lxm_error *error);
};

extern const lxm_model lxm_model_word, lxm_model_bpe, lxm_model_wordpiece, lxm_model_unigram;

static inline void lxm_mapping_add(lxm_mapping *m, uint32_t id, size_t length)
{
    m->used += length;
    if (m->ends)
        m->ends[m->count] = (uint32_t)m->used;
    m->ids[m->count++] = id;
}

#endif
