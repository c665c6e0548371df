/* The tokens of a vocabulary file by id, for formats in which they stand in any order. */
#ifndef LXM_FORMATS_VOCAB_LIST_H
#define LXM_FORMATS_VOCAB_LIST_H

#include <jansson.h>

#include "idmap/vocab.h"

typedef struct lxm_listed {
    const char *text; /* the file's; NULL: no token has the id */
    size_t length;
    bool added;   /* kept whole in text: what spells it then has this id, whatever the model says */
    bool hidden;  /* the model doesn't see it, even where it is one of its own */
    bool outside; /* that is so; set when it is listed */
    bool special;
} lxm_listed;

typedef struct lxm_vocab_list {
    lxm_listed *tokens;
    size_t size, capacity;
    size_t most; /* ids are below: no small file can ask for much memory */
    lxm_allocator allocator;
} lxm_vocab_list;

/* `file_length`: of the file that the tokens are from. */
void lxm_vocab_list_init(lxm_vocab_list *list, size_t file_length, const lxm_allocator *allocator);
void lxm_vocab_list_free(lxm_vocab_list *list);

/* Sets the token of an id; an id that has another already is LXM_ERROR_FORMAT. */
lxm_status lxm_vocab_list_set(lxm_vocab_list *list, json_int_t id, const lxm_listed *token,
                              lxm_error *error);

/* Takes {"token": id, ...}. */
lxm_status lxm_vocab_list_take(lxm_vocab_list *list, const json_t *tokens, lxm_error *error);

/* Adds all of them to an empty vocabulary. With `byte_level` the characters of those that the
 * model sees stand for bytes, as GPT-2 has it. */
lxm_status lxm_vocab_list_store(const lxm_vocab_list *list, lxm_vocab *vocab, bool byte_level,
                                lxm_error *error);

/* A JSON file: an object; the error carries the line. Free it with json_decref. */
lxm_status lxm_vocab_json(json_t **json, const uint8_t *bytes, size_t length, lxm_error *error);

#endif
