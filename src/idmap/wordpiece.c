#include "idmap/wordpiece.h"

#include "base/error.h"

/* Which lengths tokens have that begin with some bytes, by a hash of these: bit n for n bytes, the
 * last for all that are longer. Most look-ups that would find nothing are spared. */
enum { length_bits = 14, longer = 63, few = 3, more = 5 };

typedef struct lengths {
    uint64_t any; /* of tokens of less than `few` bytes, whatever they are */
    uint64_t after_few[1 << length_bits];  /* of those of less than `more`, by their first `few` */
    uint64_t after_more[1 << length_bits]; /* of all others, by their first `more` */
} lengths;

typedef struct wordpiece {
    lxm_token_table continuations; /* without the prefix */
    uint32_t *ids;                 /* of those */
    size_t longest_first, longest_continuation;
    size_t most;
    lengths *first, *continuation;
    bool viewed; /* the ids are another's */
} wordpiece;

static void free_wordpiece(lxm_vocab *vocab)
{
    wordpiece *w = vocab->model_data;
    if (!w)
        return;
    lxm_token_table_free(&w->continuations);
    if (!w->viewed)
        lxm_release(&vocab->allocator, w->ids);
    lxm_release(&vocab->allocator, w->first);
    lxm_release(&vocab->allocator, w->continuation);
    lxm_release(&vocab->allocator, w);
    vocab->model_data = NULL;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t set_of(const uint8_t *bytes, size_t count)
{
    uint64_t word = 0;
    for (size_t i = 0; i < count; i++)
        word = word << 8 | bytes[i];
    return (size_t)(word * 0x9E3779B97F4A7C15u >> (64 - length_bits));
}

static lengths *lengths_of(const lxm_token_table *table, const lxm_allocator *a)
{
    lengths *l = lxm_new(a, sizeof *l);
    for (uint32_t id = 0; l && id < table->size; id++) {
        const uint8_t *token = lxm_token_table_bytes(table, id);
        size_t length = lxm_token_table_length(table, id);
        uint64_t bit = (uint64_t)1 << (length < longer ? length : longer);
        if (length < few)
            l->any |= bit & ~(uint64_t)1; /* ids without a token are nothing */
        else if (length < more)
            l->after_few[set_of(token, few)] |= bit;
        else
            l->after_more[set_of(token, more)] |= bit;
    }
    return l;
}

static uint64_t possible(const lengths *l, const uint8_t *bytes, size_t length)
{
    uint64_t found = l->any;
    if (length >= few)
        found |= l->after_few[set_of(bytes, few)];
    if (length >= more)
        found |= l->after_more[set_of(bytes, more)];
    return found;
}

static lxm_status index_lengths(const lxm_vocab *vocab, wordpiece *w, lxm_error *error)
{
    w->first = lengths_of(&vocab->table, &vocab->allocator);
    w->continuation = lengths_of(&w->continuations, &vocab->allocator);
    return w->first && w->continuation ? LXM_OK : lxm_fail_memory(error);
}

static lxm_status add(lxm_vocab *vocab, uint32_t id, const lxm_affix *prefix, lxm_error *error)
{
    wordpiece *w = vocab->model_data;
    const uint8_t *token = lxm_token_table_bytes(&vocab->table, id);
    size_t length = lxm_token_table_length(&vocab->table, id);
    uint32_t index;
    if (length == 0 || lxm_token_table_find(&vocab->table, token, length) != id)
        return LXM_OK;
    w->longest_first = larger(w->longest_first, length);
    if (length <= prefix->length || memcmp(token, prefix->bytes, prefix->length) != 0)
        return LXM_OK;
    token += prefix->length;
    length -= prefix->length;
    w->longest_continuation = larger(w->longest_continuation, length);
    lxm_status status = lxm_token_table_add(&w->continuations, token, length, 0, &index, error);
    if (!status)
        w->ids[index] = id;
    return status;
}

/* Length of the longest token or continuation that the bytes begin with, or 0. */
static size_t longest(const lxm_token_table *table, const lengths *l, const uint8_t *bytes,
                      size_t length, size_t most, uint32_t *index)
{
    size_t end = length < most ? length : most;
    uint64_t left = possible(l, bytes, length);
    if (end >= longer && !(left >> longer))
        end = longer - 1;
    while (end > 0) {
        if (end < longer) {
            left &= ((uint64_t)2 << end) - 1;
            if (!left)
                return 0;
            end = longer - (size_t)__builtin_clzll(left);
        }
        bool cuts = end < length && (bytes[end] & 0xC0) == 0x80; /* a character */
        if (!cuts && (*index = lxm_token_table_find(table, bytes, end)) != LXM_NO_ID)
            return end;
        end--;
    }
    return 0;
}

static lxm_status unknown(const lxm_vocab *vocab, lxm_mapping *m, lxm_error *error)
{
    if (vocab->unk == LXM_NO_ID)
        return lxm_vocab_fail_token(m->token, m->length, 0,
                                    "nor is it made of its tokens, and nothing stands for unknown "
                                    "ones: name one of its tokens with --unk",
                                    error);
    m->count = m->used = 0;
    lxm_mapping_add(m, vocab->unk, m->length);
    return LXM_OK;
}

static bool is_long(const lxm_mapping *m, size_t most)
{
    size_t characters = 0;
    for (size_t i = 0; i < m->length; i++)
        characters += (m->token[i] & 0xC0) != 0x80;
    return characters > most;
}

static lxm_status map(const lxm_vocab *vocab, lxm_mapping *m, lxm_error *error)
{
    const wordpiece *w = vocab->model_data;
    m->count = m->used = 0;
    if (m->length > w->most && is_long(m, w->most))
        return unknown(vocab, m, error);
    while (m->used < m->length) {
        const uint8_t *bytes = m->token + m->used;
        size_t left = m->length - m->used, length;
        uint32_t index;
        bool first = m->used == 0;
        length = first ? longest(&vocab->table, w->first, bytes, left, w->longest_first, &index)
                       : longest(&w->continuations, w->continuation, bytes, left,
                                 w->longest_continuation, &index);
        if (length == 0)
            return unknown(vocab, m, error);
        lxm_mapping_add(m, first ? index : w->ids[index], length);
    }
    return LXM_OK;
}

/* ---- as parts ---- */

typedef struct wordpiece_facts {
    uint64_t longest_first, longest_continuation, most;
} wordpiece_facts;

static lxm_status store(const lxm_vocab *vocab, lxm_parts *parts, lxm_error *error)
{
    const wordpiece *w = vocab->model_data;
    wordpiece_facts *facts = lxm_parts_make(parts, lxm_part_model, 1, sizeof *facts);
    if (!facts)
        return lxm_fail_memory(error);
    *facts = (wordpiece_facts){w->longest_first, w->longest_continuation, w->most};
    lxm_parts_add(parts, lxm_part_model_ids, w->ids, w->continuations.size, sizeof *w->ids);
    return lxm_parts_add_table(parts, lxm_part_model_tokens, &w->continuations, error);
}

static lxm_status load(lxm_vocab *vocab, const lxm_parts *parts, lxm_error *error)
{
    const lxm_part *facts, *ids;
    wordpiece *w = lxm_new(&vocab->allocator, sizeof *w);
    if (!w)
        return lxm_fail_memory(error);
    w->viewed = true;
    vocab->model_data = w;
    lxm_token_table_init(&w->continuations, &vocab->allocator);
    lxm_status status =
        lxm_parts_need(parts, lxm_part_model, sizeof(wordpiece_facts), 1, &facts, error);
    if (!status)
        status = lxm_parts_view_table(parts, lxm_part_model_tokens, &w->continuations, error);
    if (!status)
        status = lxm_parts_need(parts, lxm_part_model_ids, 4, w->continuations.size, &ids, error);
    if (!status)
        status = lxm_part_check_ids(ids, vocab->table.size, UINT64_MAX, error);
    if (status)
        return status;
    const wordpiece_facts *f = facts->data;
    w->ids = (uint32_t *)(uintptr_t)ids->data;
    w->longest_first = (size_t)f->longest_first;
    w->longest_continuation = (size_t)f->longest_continuation;
    w->most = (size_t)f->most;
    return index_lengths(vocab, w, error);
}

const lxm_model lxm_model_wordpiece = {
    .name = "wordpiece", .map = map, .free = free_wordpiece, .store = store, .load = load};

size_t lxm_wordpiece_most(const lxm_vocab *vocab)
{
    return ((const wordpiece *)vocab->model_data)->most;
}

lxm_affix lxm_wordpiece_prefix(const lxm_vocab *vocab)
{
    const wordpiece *w = vocab->model_data;
    lxm_affix prefix = vocab->decoding.continuation;
    if (w->continuations.size) /* it is what one has in front */
        (void)lxm_affix_set(&prefix, lxm_token_table_bytes(&vocab->table, w->ids[0]),
                            lxm_token_table_length(&vocab->table, w->ids[0]) -
                                lxm_token_table_length(&w->continuations, 0));
    return prefix;
}

lxm_status lxm_wordpiece_new(lxm_vocab *vocab, const lxm_affix *prefix, size_t most,
                             lxm_error *error)
{
    const lxm_allocator *a = &vocab->allocator;
    wordpiece *w = lxm_new(a, sizeof *w);
    if (!w)
        return lxm_fail_memory(error);
    lxm_token_table_init(&w->continuations, a);
    w->most = most;
    vocab->model = &lxm_model_wordpiece;
    vocab->model_data = w;
    w->ids = lxm_allocate(a, vocab->table.size, sizeof *w->ids);
    lxm_status status = w->ids ? LXM_OK : lxm_fail_memory(error);
    for (uint32_t id = 0; !status && id < vocab->table.size; id++)
        status = add(vocab, id, prefix, error);
    return status ? status : index_lengths(vocab, w, error);
}
