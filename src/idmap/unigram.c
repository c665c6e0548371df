#include "idmap/unigram.h"

#include <math.h>
#include <stdio.h>

#include "base/error.h"
#include "base/utf8.h"
#include "idmap/pairs.h"

/* What an unknown character costs beside the least likely token. */
static const double unknown_penalty = 10;

typedef struct unigram {
    lxm_pairs trie;     /* a node and a byte give the next node; 0 is the root */
    uint32_t *node_ids; /* the token that ends at a node, or LXM_NO_ID */
    size_t node_count, node_capacity;
    double *scores; /* by id */
    size_t count;   /* of tokens with a score: the others are added ones */
    bool viewed;    /* the arrays are another's */
    double unknown; /* the score of an unknown character */
    bool byte_fallback;
    uint32_t bytes[256]; /* the ids of <0xHH>, or LXM_NO_ID */
} unigram;

/* The best way to a position of the pre-token. */
typedef struct path {
    double score;
    uint32_t from, id; /* its last token begins there */
    uint32_t next;     /* of the best path of all: where the token that begins here ends */
    bool reached;
} path;

static void free_unigram(lxm_vocab *vocab)
{
    unigram *u = vocab->model_data;
    if (!u)
        return;
    lxm_pairs_free(&u->trie);
    if (!u->viewed) {
        lxm_release(&vocab->allocator, u->node_ids);
        lxm_release(&vocab->allocator, u->scores);
    }
    lxm_release(&vocab->allocator, u);
    vocab->model_data = NULL;
}

/* ---- making it ---- */

static lxm_status add_node(const lxm_allocator *a, unigram *u, uint32_t *node, lxm_error *error)
{
    if (u->node_count > lxm_pair_max_id)
        return lxm_fail(error, LXM_ERROR_UNSUPPORTED,
                        "the tokens have more than %d different beginnings: too many for Unigram",
                        lxm_pair_max_id);
    if (u->node_count == u->node_capacity) {
        size_t capacity = u->node_capacity ? 2 * u->node_capacity : 1024;
        uint32_t *ids = lxm_resize(a, u->node_ids, capacity, sizeof *ids);
        if (!ids)
            return lxm_fail_memory(error);
        u->node_ids = ids;
        u->node_capacity = capacity;
    }
    *node = (uint32_t)u->node_count++;
    u->node_ids[*node] = LXM_NO_ID;
    return LXM_OK;
}

static lxm_status add_token(const lxm_allocator *a, unigram *u, const uint8_t *token, size_t length,
                            uint32_t id, lxm_error *error)
{
    uint32_t node = 0;
    for (size_t i = 0; i < length; i++) {
        uint32_t next = lxm_pairs_rank(&u->trie, node, token[i]);
        if (next == LXM_NO_RANK) {
            lxm_status status = add_node(a, u, &next, error);
            if (status)
                return status;
            if (!lxm_pairs_set(&u->trie, node, token[i], next))
                return lxm_fail_memory(error);
        }
        node = next;
    }
    u->node_ids[node] = id;
    return LXM_OK;
}

static lxm_status make_trie(lxm_vocab *vocab, lxm_error *error)
{
    unigram *u = vocab->model_data;
    uint32_t root;
    if (!lxm_pairs_init(&u->trie, 0, &vocab->allocator))
        return lxm_fail_memory(error);
    lxm_status status = add_node(&vocab->allocator, u, &root, error);
    for (uint32_t id = 0; !status && id < vocab->table.size; id++) {
        const uint8_t *token = lxm_token_table_bytes(&vocab->table, id);
        size_t length = lxm_token_table_length(&vocab->table, id);
        if (length && lxm_token_table_find(&vocab->table, token, length) == id)
            status = add_token(&vocab->allocator, u, token, length, id, error);
    }
    return status;
}

static void find_bytes(const lxm_vocab *vocab, unigram *u)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        char token[8];
        int length = snprintf(token, sizeof token, "<0x%02X>", byte);
        u->bytes[byte] = lxm_token_table_find(&vocab->table, token, (size_t)length);
    }
}

lxm_status lxm_unigram_new(lxm_vocab *vocab, const double *scores, size_t count, bool byte_fallback,
                           lxm_error *error)
{
    const lxm_allocator *a = &vocab->allocator;
    unigram *u = lxm_new(a, sizeof *u);
    if (!u)
        return lxm_fail_memory(error);
    vocab->model = &lxm_model_unigram;
    vocab->model_data = u;
    u->byte_fallback = byte_fallback;
    u->scores = lxm_allocate(a, vocab->table.size, sizeof *u->scores);
    if (!u->scores)
        return lxm_fail_memory(error);
    u->count = count < vocab->table.size ? count : vocab->table.size;
    double least = count ? scores[0] : 0;
    for (size_t id = 0; id < vocab->table.size; id++) {
        u->scores[id] = id < count ? scores[id] : 0; /* added tokens are never in a path */
        least = u->scores[id] < least && id < count ? u->scores[id] : least;
    }
    u->unknown = least - unknown_penalty;
    find_bytes(vocab, u);
    return make_trie(vocab, error);
}

/* ---- mapping ---- */

static inline void reach(path *to, double score, size_t from, uint32_t id)
{
    if (!to->reached || score > to->score)
        *to = (path){.score = score, .from = (uint32_t)from, .id = id, .reached = true};
}

/* Goes on from one position with every token that begins there. */
static void extend(const lxm_vocab *vocab, const lxm_mapping *m, path *paths, size_t at,
                   size_t character)
{
    const unigram *u = vocab->model_data;
    double score = paths[at].score;
    bool known = false;
    uint32_t node = 0;
    for (size_t end = at; end < m->length;) {
        node = lxm_pairs_rank(&u->trie, node, m->token[end++]);
        if (node == LXM_NO_RANK)
            break;
        uint32_t id = u->node_ids[node];
        if (id == LXM_NO_ID)
            continue;
        reach(&paths[end], u->scores[id] + score, at, id);
        known |= end - at == character;
    }
    if (!known)
        reach(&paths[at + character], u->unknown + score, at, vocab->unk);
}

/* Unknown bytes [from, to) of the pre-token: all of them one unk, unless bytes have tokens. */
static lxm_status put_unknown(const lxm_vocab *vocab, lxm_mapping *m, size_t to, lxm_error *error)
{
    const unigram *u = vocab->model_data;
    size_t from = m->used;
    uint32_t id = lxm_token_table_find(&vocab->table, m->token + from, to - from);
    bool fall_back = id == LXM_NO_ID && u->byte_fallback;
    for (size_t i = from; i < to; i++)
        fall_back = fall_back && u->bytes[m->token[i]] != LXM_NO_ID;
    for (size_t i = from; fall_back && i < to; i++)
        lxm_mapping_add(m, u->bytes[m->token[i]], 1);
    if (fall_back)
        return LXM_OK;
    id = id == LXM_NO_ID ? vocab->unk : id;
    if (id == LXM_NO_ID)
        return lxm_vocab_fail_token(m->token, m->length, 0,
                                    "nor is all that it is made of, and nothing stands for unknown "
                                    "tokens: name one of its tokens with --unk",
                                    error);
    lxm_mapping_add(m, id, to - from);
    return LXM_OK;
}

static lxm_status put_path(const lxm_vocab *vocab, lxm_mapping *m, path *paths, lxm_error *error)
{
    lxm_status status = LXM_OK;
    for (size_t at = m->length; at > 0; at = paths[at].from)
        paths[paths[at].from].next = (uint32_t)at;
    while (!status && m->used < m->length) {
        size_t end = paths[m->used].next;
        uint32_t id = paths[end].id;
        if (id != vocab->unk) {
            lxm_mapping_add(m, id, end - m->used);
            continue;
        }
        while (end < m->length && paths[paths[end].next].id == id)
            end = paths[end].next;
        status = put_unknown(vocab, m, end, error);
    }
    return status;
}

static lxm_status map(const lxm_vocab *vocab, lxm_mapping *m, lxm_error *error)
{
    m->count = m->used = 0;
    m->scratch->length = 0;
    if (m->length >= UINT32_MAX || !lxm_buffer_reserve(m->scratch, (m->length + 1) * sizeof(path)))
        return lxm_fail_memory(error);
    path *paths = (path *)(void *)m->scratch->data;
    for (size_t i = 0; i <= m->length; i++)
        paths[i] = (path){.reached = false};
    for (size_t at = 0, length; at < m->length; at += length) {
        length = lxm_utf8_sequence(m->token + at, m->length - at);
        length = length ? length : 1; /* a byte that is no UTF-8 */
        extend(vocab, m, paths, at, length);
    }
    return put_path(vocab, m, paths, error);
}

/* ---- as parts ---- */

typedef struct unigram_facts {
    double unknown;
    uint64_t count;
    uint32_t byte_fallback, zero;
    uint32_t bytes[256];
} unigram_facts;

static lxm_status store(const lxm_vocab *vocab, lxm_parts *parts, lxm_error *error)
{
    const unigram *u = vocab->model_data;
    unigram_facts *facts = lxm_parts_make(parts, lxm_part_model, 1, sizeof *facts);
    if (!facts)
        return lxm_fail_memory(error);
    *facts = (unigram_facts){
        .unknown = u->unknown, .count = u->count, .byte_fallback = u->byte_fallback};
    memcpy(facts->bytes, u->bytes, sizeof facts->bytes);
    lxm_parts_add(parts, lxm_part_model_ids, u->node_ids, u->node_count, sizeof *u->node_ids);
    lxm_parts_add(parts, lxm_part_scores, u->scores, vocab->table.size, sizeof *u->scores);
    return lxm_parts_add_pairs(parts, &u->trie, u->node_count, error);
}

static lxm_status check_scores(const lxm_part *part, lxm_error *error)
{
    const double *scores = part->data;
    for (size_t i = 0; i < part->count; i++)
        if (!isfinite(scores[i]))
            return lxm_part_fail(part, i, "a score is not a number", error);
    return LXM_OK;
}

static lxm_status load(lxm_vocab *vocab, const lxm_parts *parts, lxm_error *error)
{
    const lxm_part *facts, *nodes, *scores;
    size_t size = vocab->table.size;
    unigram *u = lxm_new(&vocab->allocator, sizeof *u);
    if (!u)
        return lxm_fail_memory(error);
    u->viewed = true;
    vocab->model_data = u;
    lxm_status status =
        lxm_parts_need(parts, lxm_part_model, sizeof(unigram_facts), 1, &facts, error);
    if (!status)
        status = lxm_parts_need(parts, lxm_part_model_ids, 4, SIZE_MAX, &nodes, error);
    if (!status)
        status = lxm_parts_need(parts, lxm_part_scores, sizeof *u->scores, size, &scores, error);
    if (!status)
        status = check_scores(scores, error);
    if (!status)
        status = lxm_part_check_ids(nodes, size, LXM_NO_ID, error);
    if (!status)
        status = lxm_parts_view_pairs(parts, nodes->count, &u->trie, error);
    if (status)
        return status;
    const unigram_facts *f = facts->data;
    const lxm_part bytes = {facts->name, 4, f->bytes, 256, facts->offset};
    u->node_ids = (uint32_t *)(uintptr_t)nodes->data;
    u->node_count = nodes->count;
    u->scores = (double *)(uintptr_t)scores->data;
    u->count = f->count < size ? (size_t)f->count : size;
    u->unknown = f->unknown;
    u->byte_fallback = f->byte_fallback;
    memcpy(u->bytes, f->bytes, sizeof u->bytes);
    return lxm_part_check_ids(&bytes, size, LXM_NO_ID, error);
}

const lxm_model lxm_model_unigram = {
    .name = "unigram", .map = map, .free = free_unigram, .store = store, .load = load};

size_t lxm_unigram_scores(const lxm_vocab *vocab, const double **scores, bool *byte_fallback)
{
    const unigram *u = vocab->model_data;
    *scores = u->scores;
    *byte_fallback = u->byte_fallback;
    return u->count;
}
