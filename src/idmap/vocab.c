/* The vocabulary: tokens, their ids, counts and roles. */
#include "idmap/vocab.h"

#include <inttypes.h>

#include "base/error.h"
#include "base/hash.h"
#include "idmap/model.h"

lxm_status lxm_vocab_new(lxm_vocab **out, const lxm_allocator *allocator, lxm_error *error)
{
    *out = NULL;
    lxm_allocator a = lxm_allocator_or_default(allocator);
    lxm_vocab *vocab = lxm_new(&a, sizeof *vocab);
    if (!vocab)
        return lxm_fail_memory(error);
    vocab->allocator = a;
    vocab->unk = LXM_NO_ID;
    vocab->model = &lxm_model_word;
    vocab->origin = "none";
    vocab->decoding.join = LXM_JOIN_SPACE;
    lxm_token_table_init(&vocab->table, &a);
    lxm_token_table_init(&vocab->added, &a);
    *out = vocab;
    return LXM_OK;
}

void lxm_vocab_free(lxm_vocab *vocab)
{
    if (!vocab)
        return;
    lxm_allocator a = vocab->allocator;
    if (vocab->model->free)
        vocab->model->free(vocab);
    lxm_token_table_free(&vocab->table);
    lxm_token_table_free(&vocab->added);
    lxm_release(&a, vocab->added_ids);
    lxm_release(&a, vocab->special);
    lxm_release(&a, vocab->description);
    lxm_map_close(&vocab->map);
    lxm_release(&a, vocab);
}

static lxm_status begin_growing(lxm_vocab *vocab, lxm_error *error)
{
    vocab->fingerprint = 0;
    if (vocab->model == &lxm_model_word)
        return LXM_OK;
    return lxm_fail(error, LXM_ERROR_UNSUPPORTED,
                    "a vocabulary of a model (%s) can't grow: only a word-level one can",
                    vocab->model->name);
}

lxm_status lxm_vocab_add(lxm_vocab *vocab, const void *token, size_t length, uint64_t count,
                         uint32_t *id, lxm_error *error)
{
    uint32_t added;
    lxm_status status = begin_growing(vocab, error);
    if (status)
        return status;
    return lxm_token_table_add(&vocab->table, token, length, count, id ? id : &added, error);
}

lxm_status lxm_vocab_append(lxm_vocab *vocab, const void *token, size_t length, lxm_error *error)
{
    if (vocab->table.size >= LXM_NO_ID)
        return lxm_fail(error, LXM_ERROR_LIMIT, "more than 4294967295 tokens");
    return lxm_token_table_append(&vocab->table, token, length, 0) ? LXM_OK
                                                                   : lxm_fail_memory(error);
}

lxm_status lxm_vocab_add_outside(lxm_vocab *vocab, const void *token, size_t length, uint32_t id,
                                 lxm_error *error)
{
    uint32_t index;
    uint32_t *ids = lxm_resize(&vocab->allocator, vocab->added_ids, vocab->added.size + 1,
                               sizeof *vocab->added_ids);
    if (!ids)
        return lxm_fail_memory(error);
    vocab->added_ids = ids;
    size_t size = vocab->added.size;
    lxm_status status = lxm_token_table_add(&vocab->added, token, length, 0, &index, error);
    if (!status && index == size) {
        uint8_t first = *(const uint8_t *)token;
        ids[index] = id;
        vocab->added_first[first / 64] |= (uint64_t)1 << first % 64;
    }
    return status;
}

lxm_status lxm_vocab_describe(lxm_vocab *vocab, const char *text, size_t length, lxm_error *error)
{
    char *copy = lxm_allocate(&vocab->allocator, length + 1, 1);
    if (!copy)
        return lxm_fail_memory(error);
    memcpy(copy, text, length);
    copy[length] = '\0';
    lxm_release(&vocab->allocator, vocab->description);
    vocab->description = copy;
    return LXM_OK;
}

bool lxm_affix_set(lxm_affix *affix, const void *bytes, size_t length)
{
    if (length > sizeof affix->bytes)
        return false;
    if (length)
        memcpy(affix->bytes, bytes, length);
    affix->length = length;
    return true;
}

static lxm_status check_id(const lxm_vocab *vocab, uint32_t id, lxm_error *error)
{
    if (id < vocab->table.size)
        return LXM_OK;
    return lxm_fail(error, LXM_ERROR_ID, "id %" PRIu32 " is not in the vocabulary of %zu tokens",
                    id, vocab->table.size);
}

lxm_status lxm_vocab_set_special(lxm_vocab *vocab, uint32_t id, lxm_error *error)
{
    lxm_status status = check_id(vocab, id, error);
    if (status)
        return status;
    size_t words = id / 64 + (size_t)1, old = vocab->special_words;
    if (words > old) {
        words += words / 2;
        uint64_t *bits = lxm_resize(&vocab->allocator, vocab->special, words, sizeof *bits);
        if (!bits)
            return lxm_fail_memory(error);
        memset(bits + old, 0, (words - old) * sizeof *bits);
        vocab->special = bits;
        vocab->special_words = words;
    }
    vocab->special[id / 64] |= (uint64_t)1 << id % 64;
    return LXM_OK;
}

lxm_status lxm_vocab_set_unk(lxm_vocab *vocab, uint32_t id, lxm_error *error)
{
    lxm_status status = check_id(vocab, id, error);
    if (!status)
        vocab->unk = id;
    return status;
}

size_t lxm_vocab_size(const lxm_vocab *vocab)
{
    return vocab->table.size;
}

uint32_t lxm_vocab_find(const lxm_vocab *vocab, const void *token, size_t length)
{
    uint32_t id = lxm_vocab_find_outside(vocab, token, length);
    return id == LXM_NO_ID ? lxm_token_table_find(&vocab->table, token, length) : id;
}

const char *lxm_vocab_model(const lxm_vocab *vocab)
{
    return vocab->model->name;
}

const char *lxm_vocab_origin(const lxm_vocab *vocab)
{
    return vocab->origin;
}

bool lxm_vocab_states_pattern(const lxm_vocab *vocab)
{
    return vocab->states_pattern;
}

lxm_join lxm_vocab_join(const lxm_vocab *vocab)
{
    return vocab->decoding.join;
}

uint32_t lxm_vocab_unk(const lxm_vocab *vocab)
{
    return vocab->unk;
}

bool lxm_vocab_is_special(const lxm_vocab *vocab, uint32_t id)
{
    return id / 64 < vocab->special_words && (vocab->special[id / 64] >> id % 64 & 1);
}

const uint8_t *lxm_vocab_token(const lxm_vocab *vocab, uint32_t id, size_t *length)
{
    if (id >= vocab->table.size) {
        *length = 0;
        return NULL;
    }
    *length = lxm_token_table_length(&vocab->table, id);
    return *length ? lxm_token_table_bytes(&vocab->table, id) : NULL;
}

uint64_t lxm_vocab_count(const lxm_vocab *vocab, uint32_t id)
{
    return id < vocab->table.size ? lxm_token_table_counted(&vocab->table, id) : 0;
}

uint64_t lxm_vocab_fingerprint(const lxm_vocab *vocab)
{
    XXH3_state_t state;
    if (vocab->fingerprint)
        return vocab->fingerprint;
    XXH3_INITSTATE(&state);
    XXH3_64bits_reset(&state);
    for (size_t id = 0; id < vocab->table.size; id++) {
        size_t length;
        const uint8_t *token = lxm_vocab_token(vocab, (uint32_t)id, &length);
        uint8_t size[4] = {(uint8_t)length, (uint8_t)(length >> 8), (uint8_t)(length >> 16),
                           (uint8_t)(length >> 24)};
        XXH3_64bits_update(&state, size, sizeof size);
        XXH3_64bits_update(&state, token, length);
    }
    return XXH3_64bits_digest(&state);
}

lxm_status lxm_vocab_fail_token(const uint8_t *token, size_t length, size_t index, const char *why,
                                lxm_error *error)
{
    char text[96];
    return lxm_fail_at(error, LXM_ERROR_TOKEN, index, "'%s' is not in the vocabulary, %s",
                       lxm_printable(text, sizeof text, token, length), why);
}

static lxm_status fail_token(const lxm_tokens *tokens, size_t index, const char *why,
                             lxm_error *error)
{
    const lxm_span *span = &tokens->spans[index];
    return lxm_vocab_fail_token(tokens->text + span->begin, span->end - span->begin, index, why,
                                error);
}

/* Puts unk in the place of LXM_NO_ID. */
static lxm_status replace_unknown(const lxm_vocab *vocab, const lxm_tokens *tokens, size_t first,
                                  size_t count, uint32_t *ids, lxm_error *error)
{
    uint32_t unk = vocab->unk;
    for (size_t i = first; i < first + count; i++) {
        ids[i] = ids[i] == LXM_NO_ID ? unk : ids[i];
        if (ids[i] == LXM_NO_ID)
            return fail_token(tokens, i,
                              "and nothing stands for unknown tokens: name one of its tokens with "
                              "--unk, or build it anew with --unk",
                              error);
    }
    return LXM_OK;
}

lxm_status lxm_vocab_encode(const lxm_vocab *vocab, const lxm_tokens *tokens, uint32_t *ids,
                            lxm_error *error)
{
    lxm_status status = LXM_OK;
    if (vocab->model != &lxm_model_word)
        return lxm_fail(error, LXM_ERROR_UNSUPPORTED,
                        "the model of the vocabulary is not word level: it takes a mapper");
    for (size_t i = 0; !status && i < tokens->count; i += lxm_token_batch) {
        size_t left = tokens->count - i, n = left < lxm_token_batch ? left : lxm_token_batch;
        lxm_token_table_find_batch(&vocab->table, tokens, i, n, ids + i);
        status = replace_unknown(vocab, tokens, i, n, ids, error);
    }
    return status;
}

/* Adds a token where there is room for it; otherwise it is unk. */
static lxm_status add_or_unk(lxm_vocab *vocab, uint64_t max_size, const lxm_tokens *tokens,
                             size_t index, uint32_t *id, lxm_error *error)
{
    const lxm_span *span = &tokens->spans[index];
    const uint8_t *token = tokens->text + span->begin;
    size_t length = span->end - span->begin;
    if (vocab->table.size < max_size)
        return lxm_vocab_add(vocab, token, length, 0, id, error);
    *id = lxm_vocab_find(vocab, token, length); /* the batch itself may have brought it */
    if (*id == LXM_NO_ID)
        *id = vocab->unk;
    if (*id == LXM_NO_ID)
        return fail_token(tokens, index, "which is full: raise --max-size or give --unk", error);
    return LXM_OK;
}

/* A batch in which the vocabulary may turn out to be full. */
static lxm_status encode_near_limit(lxm_vocab *vocab, uint64_t max_size, const lxm_tokens *tokens,
                                    size_t first, size_t count, uint32_t *ids, lxm_error *error)
{
    lxm_token_table_find_batch(&vocab->table, tokens, first, count, ids);
    for (size_t i = 0; i < count; i++) {
        lxm_status status = LXM_OK;
        if (ids[i] == LXM_NO_ID)
            status = add_or_unk(vocab, max_size, tokens, first + i, &ids[i], error);
        if (!status)
            status = lxm_token_table_count(&vocab->table, ids[i], 1, error);
        if (status)
            return status;
    }
    return LXM_OK;
}

lxm_status lxm_vocab_encode_growing(lxm_vocab *vocab, uint64_t max_size, const lxm_tokens *tokens,
                                    uint32_t *ids, lxm_error *error)
{
    lxm_status status = begin_growing(vocab, error);
    if (max_size == 0 || max_size > LXM_NO_ID)
        max_size = LXM_NO_ID;
    for (size_t i = 0; !status && i < tokens->count; i += lxm_token_batch) {
        size_t left = tokens->count - i, n = left < lxm_token_batch ? left : lxm_token_batch;
        if (vocab->table.size + (uint64_t)n <= max_size)
            status = lxm_token_table_add_batch(&vocab->table, tokens, i, n, ids + i, error);
        else
            status = encode_near_limit(vocab, max_size, tokens, i, n, ids + i, error);
    }
    return status;
}
