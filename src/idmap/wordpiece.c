#include "idmap/wordpiece.h"

#include "base/error.h"
#include "idmap/trie.h"

typedef struct wordpiece {
    lxm_trie trie;
    uint64_t continuation; /* the cell that continuations begin at; 0: there are none */
    size_t most;
    lxm_affix prefix;
} wordpiece;

static void free_wordpiece(lxm_vocab *vocab)
{
    wordpiece *w = vocab->model_data;
    if (!w)
        return;
    lxm_trie_free(&w->trie);
    lxm_release(&vocab->allocator, w);
    vocab->model_data = NULL;
}

/* Length of the longest token that the bytes begin with, from a cell on, or 0. */
static size_t longest(const lxm_trie *trie, uint64_t cell, const uint8_t *bytes, size_t length,
                      uint32_t *id)
{
    size_t found = 0;
    for (size_t i = 0; i < length && lxm_trie_step(trie, &cell, bytes[i]);) {
        i++;
        bool cuts = i < length && (bytes[i] & 0xC0) == 0x80; /* a character */
        if (!cuts && lxm_trie_id(cell) != lxm_trie_no_id) {
            found = i;
            *id = lxm_trie_id(cell);
        }
    }
    return found;
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
    uint64_t cell = w->trie.cells[0];
    while (m->used < m->length) {
        uint32_t id = LXM_NO_ID;
        size_t length = longest(&w->trie, cell, m->token + m->used, m->length - m->used, &id);
        if (length == 0)
            return unknown(vocab, m, error);
        lxm_mapping_add(m, id, length);
        cell = w->continuation;
    }
    return LXM_OK;
}

/* ---- as parts ---- */

typedef struct wordpiece_facts {
    uint64_t continuation, most, prefix_length;
    uint8_t prefix[32];
} wordpiece_facts;

static lxm_status store(const lxm_vocab *vocab, lxm_parts *parts, lxm_error *error)
{
    const wordpiece *w = vocab->model_data;
    wordpiece_facts *facts = lxm_parts_make(parts, lxm_part_model, 1, sizeof *facts);
    if (!facts)
        return lxm_fail_memory(error);
    *facts = (wordpiece_facts){w->continuation, w->most, w->prefix.length, {0}};
    memcpy(facts->prefix, w->prefix.bytes, w->prefix.length);
    lxm_trie_add_part(&w->trie, parts);
    return LXM_OK;
}

static lxm_status load(lxm_vocab *vocab, const lxm_parts *parts, lxm_error *error)
{
    const lxm_part *facts;
    wordpiece *w = lxm_new(&vocab->allocator, sizeof *w);
    if (!w)
        return lxm_fail_memory(error);
    vocab->model_data = w;
    lxm_status status =
        lxm_parts_need(parts, lxm_part_model, sizeof(wordpiece_facts), 1, &facts, error);
    if (!status)
        status = lxm_trie_view(&w->trie, parts, vocab->table.size, error);
    if (status)
        return status;
    const wordpiece_facts *f = facts->data;
    w->continuation = f->continuation;
    w->most = (size_t)f->most;
    if (!lxm_affix_set(&w->prefix, f->prefix, f->prefix_length))
        return lxm_part_fail(facts, 0, "the prefix is too long", error);
    if (!lxm_trie_has(&w->trie, w->continuation))
        return lxm_part_fail(facts, 0, "continuations begin at no node", error);
    return LXM_OK;
}

const lxm_model lxm_model_wordpiece = {
    .name = "wordpiece", .map = map, .free = free_wordpiece, .store = store, .load = load};

size_t lxm_wordpiece_most(const lxm_vocab *vocab)
{
    return ((const wordpiece *)vocab->model_data)->most;
}

lxm_affix lxm_wordpiece_prefix(const lxm_vocab *vocab)
{
    return ((const wordpiece *)vocab->model_data)->prefix;
}

/* The tokens that begin with the prefix hang from one node of the trie. */
static uint64_t continuations(const lxm_trie *trie, const lxm_affix *prefix)
{
    uint64_t cell = trie->cells[0];
    for (size_t i = 0; i < prefix->length; i++)
        if (!lxm_trie_step(trie, &cell, prefix->bytes[i]))
            return 0;
    return cell;
}

lxm_status lxm_wordpiece_new(lxm_vocab *vocab, const lxm_affix *prefix, size_t most,
                             lxm_error *error)
{
    wordpiece *w = lxm_new(&vocab->allocator, sizeof *w);
    if (!w)
        return lxm_fail_memory(error);
    w->most = most;
    w->prefix = *prefix;
    vocab->model = &lxm_model_wordpiece;
    vocab->model_data = w;
    lxm_status status = lxm_trie_make(&w->trie, &vocab->table, &vocab->allocator, error);
    if (!status)
        w->continuation = continuations(&w->trie, prefix);
    return status;
}
