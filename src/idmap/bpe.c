#include "idmap/bpe.h"

#include <stdio.h>

#include "base/error.h"
#include "base/utf8.h"
#include "idmap/bpe_model.h"

typedef struct lxm_bpe bpe;

static void free_bpe(lxm_vocab *vocab)
{
    bpe *b = vocab->model_data;
    if (!b)
        return;
    lxm_pairs_free(&b->merges.pairs);
    lxm_token_table_free(&b->whole);
    if (!b->viewed) {
        lxm_release(&vocab->allocator, b->merges.results);
        lxm_release(&vocab->allocator, b->merges.bytes);
        lxm_release(&vocab->allocator, b->whole_ids);
    }
    lxm_release(&vocab->allocator, b);
    vocab->model_data = NULL;
}

static void find_bytes(const lxm_vocab *vocab, bpe *b)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        uint8_t token[8] = {(uint8_t)byte};
        size_t length = 1;
        if (!b->options.byte_level)
            length = (size_t)snprintf((char *)token, sizeof token, "<0x%02X>", byte);
        b->bytes[byte] = lxm_token_table_find(&vocab->table, token, length);
    }
}

lxm_status lxm_bpe_new(lxm_vocab *vocab, const lxm_bpe_options *options, size_t merges,
                       lxm_error *error)
{
    const lxm_allocator *a = &vocab->allocator;
    if (vocab->table.size > lxm_pair_max_id || merges > lxm_pair_max_rank)
        return lxm_fail(error, LXM_ERROR_UNSUPPORTED,
                        "more than %d tokens or %d merges are too many for BPE", lxm_pair_max_id,
                        lxm_pair_max_rank);
    bpe *b = lxm_new(a, sizeof *b);
    if (!b)
        return lxm_fail_memory(error);
    vocab->model_data = b;
    vocab->model = &lxm_model_bpe;
    b->options = *options;
    lxm_token_table_init(&b->whole, a);
    b->rank_capacity = merges;
    find_bytes(vocab, b);
    b->merges.results = lxm_allocate(a, merges, sizeof *b->merges.results);
    if (!lxm_pairs_init(&b->merges.pairs, merges, a) || !b->merges.results)
        return lxm_fail_memory(error);
    return LXM_OK;
}

lxm_status lxm_bpe_merge(lxm_vocab *vocab, uint32_t left, uint32_t right, uint32_t result,
                         lxm_error *error)
{
    bpe *b = vocab->model_data;
    if (b->rank_count == b->rank_capacity)
        return lxm_fail(error, LXM_ERROR_LIMIT, "more merges than announced");
    if (!lxm_pairs_set(&b->merges.pairs, left, right, (uint32_t)b->rank_count))
        return lxm_fail_memory(error);
    b->merges.results[b->rank_count++] = result;
    return LXM_OK;
}

/* ---- the symbols of a pre-token ---- */

/* Unknown symbols that wait to be added. */
typedef struct unknown {
    size_t length;
    bool any;
} unknown;

static void flush_unknown(const lxm_vocab *vocab, lxm_mapping *m, unknown *u)
{
    if (u->any)
        lxm_mapping_add(m, vocab->unk, u->length);
    *u = (unknown){0};
}

static lxm_status add_unknown(const lxm_vocab *vocab, lxm_mapping *m, unknown *u, size_t length,
                              lxm_error *error)
{
    const bpe *b = vocab->model_data;
    if (vocab->unk == LXM_NO_ID)
        return lxm_vocab_fail_token(m->token, m->length, 0,
                                    "nor is all that it is made of, and nothing stands for unknown "
                                    "tokens: name one of its tokens with --unk",
                                    error);
    if (!b->options.fuse_unknown)
        flush_unknown(vocab, m, u);
    u->any = true;
    u->length += length;
    return LXM_OK;
}

static lxm_status split_bytes(const lxm_vocab *vocab, lxm_mapping *m, lxm_error *error)
{
    const bpe *b = vocab->model_data;
    unknown u = {0};
    if (vocab->exact && !m->ends) {
        for (size_t i = 0; i < m->length; i++)
            m->ids[i] = b->bytes[m->token[i]];
        m->count = m->length;
        return LXM_OK;
    }
    for (size_t i = 0; i < m->length; i++) {
        uint32_t id = b->bytes[m->token[i]];
        lxm_status status = LXM_OK;
        if (id == LXM_NO_ID) {
            status = add_unknown(vocab, m, &u, 1, error);
        } else {
            flush_unknown(vocab, m, &u);
            lxm_mapping_add(m, id, 1);
        }
        if (status)
            return status;
    }
    flush_unknown(vocab, m, &u);
    return LXM_OK;
}

/* What a symbol is called in the vocabulary: it, with its affixes. */
typedef struct name {
    uint8_t bytes[4 + 2 * sizeof(lxm_affix)];
    size_t length;
} name;

static void append(name *n, const uint8_t *bytes, size_t length)
{
    memcpy(n->bytes + n->length, bytes, length);
    n->length += length;
}

static name name_of(const bpe *b, const lxm_mapping *m, size_t at, size_t length)
{
    const lxm_bpe_options *o = &b->options;
    name n = {.length = 0};
    if (at > 0)
        append(&n, o->prefix.bytes, o->prefix.length);
    append(&n, m->token + at, length);
    if (at + length == m->length)
        append(&n, o->suffix.bytes, o->suffix.length);
    return n;
}

static bool fall_back(const bpe *b, lxm_mapping *m, size_t at, size_t length)
{
    if (!b->options.byte_fallback)
        return false;
    for (size_t i = at; i < at + length; i++)
        if (b->bytes[m->token[i]] == LXM_NO_ID)
            return false;
    for (size_t i = at; i < at + length; i++)
        lxm_mapping_add(m, b->bytes[m->token[i]], 1);
    return true;
}

/* Bytes that are no UTF-8 are symbols of their own. In byte level with affixes each byte is one. */
static lxm_status split_characters(const lxm_vocab *vocab, lxm_mapping *m, lxm_error *error)
{
    const bpe *b = vocab->model_data;
    lxm_status status = LXM_OK;
    unknown u = {0};
    for (size_t at = 0, length; !status && at < m->length; at += length) {
        length = b->options.byte_level ? 1 : lxm_utf8_sequence(m->token + at, m->length - at);
        length = length ? length : 1;
        name n = name_of(b, m, at, length);
        uint32_t id = lxm_token_table_find(&vocab->table, n.bytes, n.length);
        if (id != LXM_NO_ID) {
            flush_unknown(vocab, m, &u);
            lxm_mapping_add(m, id, length);
        } else if (!fall_back(b, m, at, length)) {
            status = add_unknown(vocab, m, &u, length, error);
        }
    }
    flush_unknown(vocab, m, &u);
    return status;
}

/* ---- mapping ---- */

static lxm_status split(const lxm_vocab *vocab, lxm_mapping *m, lxm_error *error)
{
    const bpe *b = vocab->model_data;
    bool affixes = b->options.prefix.length || b->options.suffix.length;
    m->count = m->used = 0;
    return b->options.byte_level && !affixes ? split_bytes(vocab, m, error)
                                             : split_characters(vocab, m, error);
}

/* Puts down the id of a token that is kept whole. */
static bool is_whole(const bpe *b, lxm_mapping *m)
{
    uint32_t index = LXM_NO_ID;
    if (b->whole.size)
        index = lxm_token_table_find(&b->whole, m->token, m->length);
    if (index == LXM_NO_ID)
        return false;
    m->count = m->used = 0;
    lxm_mapping_add(m, b->whole_ids[index], m->length);
    return true;
}

static lxm_status map_all(const lxm_vocab *vocab, lxm_mapping *mappings, size_t count,
                          size_t *failed, lxm_error *error)
{
    const bpe *b = vocab->model_data;
    for (size_t i = 0; i < count; i++) {
        lxm_status status = is_whole(b, &mappings[i]) ? LXM_OK : split(vocab, &mappings[i], error);
        *failed = i;
        if (status)
            return status;
    }
    return lxm_merge_symbols(&b->merges, mappings, count) ? LXM_OK : lxm_fail_memory(error);
}

static lxm_status map(const lxm_vocab *vocab, lxm_mapping *mapping, lxm_error *error)
{
    size_t failed;
    return map_all(vocab, mapping, 1, &failed, error);
}

/* ---- what is worked out when all is there ---- */

enum { most_at_once = 64, room_at_once = 1 << 16 };

/* Tokens of the vocabulary that are mapped side by side. */
typedef struct workshop {
    lxm_mapping mappings[most_at_once];
    uint32_t token_ids[most_at_once];
    size_t count, most;
    uint32_t *ids;
    lxm_buffer scratch;
    size_t longest;
} workshop;

static lxm_status open_workshop(workshop *w, const lxm_vocab *vocab, lxm_error *error)
{
    w->count = w->longest = 0;
    lxm_buffer_init(&w->scratch, &vocab->allocator);
    for (size_t id = 0; id < vocab->table.size; id++) {
        size_t length = lxm_token_table_length(&vocab->table, (uint32_t)id);
        w->longest = length > w->longest ? length : w->longest;
    }
    w->most = room_at_once / (w->longest + 1);
    w->most = w->most < 1 ? 1 : w->most > most_at_once ? most_at_once : w->most;
    w->ids = lxm_allocate(&vocab->allocator, w->most * (w->longest + 1), sizeof *w->ids);
    return w->ids ? LXM_OK : lxm_fail_memory(error);
}

static void close_workshop(workshop *w, const lxm_vocab *vocab)
{
    lxm_release(&vocab->allocator, w->ids);
    lxm_buffer_free(&w->scratch);
}

/* Whether the table finds the token of this id, and under this id. */
static bool is_found(const lxm_vocab *vocab, uint32_t id)
{
    size_t length = lxm_token_table_length(&vocab->table, id);
    return length && lxm_token_table_find(&vocab->table, lxm_token_table_bytes(&vocab->table, id),
                                          length) == id;
}

/* What its own bytes come to is to be found out for a token. */
static void take_in(workshop *w, const lxm_vocab *vocab, uint32_t id)
{
    w->token_ids[w->count] = id;
    w->mappings[w->count] = (lxm_mapping){.token = lxm_token_table_bytes(&vocab->table, id),
                                          .length = lxm_token_table_length(&vocab->table, id),
                                          .ids = w->ids + w->count * (w->longest + 1),
                                          .scratch = &w->scratch};
    w->count++;
}

/* Merges what was taken in; a token that can't be split has no ids, or is an error if `all` must
 * be. */
static lxm_status merge_all(workshop *w, const lxm_vocab *vocab, bool all, lxm_error *error)
{
    const bpe *b = vocab->model_data;
    for (size_t i = 0; i < w->count; i++) {
        lxm_status status = split(vocab, &w->mappings[i], error);
        if (status == LXM_ERROR_MEMORY || (status && all))
            return status;
        if (status)
            w->mappings[i].count = 0;
    }
    return lxm_merge_symbols(&b->merges, w->mappings, w->count) ? LXM_OK : lxm_fail_memory(error);
}

static lxm_status keep_whole(lxm_vocab *vocab, uint32_t id, lxm_error *error)
{
    bpe *b = vocab->model_data;
    uint32_t index;
    uint32_t *ids =
        lxm_resize(&vocab->allocator, b->whole_ids, b->whole.size + 1, sizeof *b->whole_ids);
    if (!ids)
        return lxm_fail_memory(error);
    b->whole_ids = ids;
    lxm_status status =
        lxm_token_table_add(&b->whole, lxm_token_table_bytes(&vocab->table, id),
                            lxm_token_table_length(&vocab->table, id), 0, &index, error);
    if (!status)
        ids[index] = id;
    return status;
}

static lxm_status keep_whole_ones(lxm_vocab *vocab, workshop *w, lxm_error *error)
{
    lxm_status status = merge_all(w, vocab, false, error);
    for (size_t i = 0; !status && i < w->count; i++) {
        const lxm_mapping *m = &w->mappings[i];
        if (m->count != 1 || m->ids[0] != w->token_ids[i])
            status = keep_whole(vocab, w->token_ids[i], error);
    }
    w->count = 0;
    return status;
}

static lxm_status find_whole(lxm_vocab *vocab, workshop *w, lxm_error *error)
{
    lxm_status status = LXM_OK;
    for (uint32_t id = 0; !status && id < vocab->table.size; id++) {
        if (is_found(vocab, id))
            take_in(w, vocab, id);
        if (w->count == w->most)
            status = keep_whole_ones(vocab, w, error);
    }
    return status ? status : keep_whole_ones(vocab, w, error);
}

/* Only where all bytes have symbols. */
static lxm_status fill_byte_ranks(lxm_vocab *vocab, lxm_error *error)
{
    bpe *b = vocab->model_data;
    uint32_t *ranks = lxm_allocate(&vocab->allocator, 256 * 256, sizeof *ranks);
    if (!ranks)
        return lxm_fail_memory(error);
    for (unsigned left = 0; left < 256; left++)
        for (unsigned right = 0; right < 256; right++)
            ranks[left * 256 + right] =
                lxm_pairs_rank(&b->merges.pairs, b->bytes[left], b->bytes[right]);
    b->merges.bytes = ranks;
    return LXM_OK;
}

bool lxm_bpe_is_exact(const bpe *b)
{
    bool exact = b->options.byte_level && !b->options.suffix.length && !b->options.prefix.length;
    for (unsigned byte = 0; byte < 256; byte++)
        exact &= b->bytes[byte] != LXM_NO_ID;
    return exact;
}

lxm_status lxm_bpe_finish(lxm_vocab *vocab, lxm_error *error)
{
    bpe *b = vocab->model_data;
    workshop w;
    lxm_status status = LXM_OK;
    lxm_merges_find_order(&b->merges, b->rank_count);
    vocab->exact = lxm_bpe_is_exact(b);
    if (vocab->exact)
        status = fill_byte_ranks(vocab, error);
    if (status || !b->options.ignore_merges)
        return status;
    status = open_workshop(&w, vocab, error);
    if (!status)
        status = find_whole(vocab, &w, error);
    close_workshop(&w, vocab);
    return status;
}

/* Ids by the length of their tokens, for those that are found; the order of equal lengths doesn't
 * matter. Counting sort. */
static lxm_status sort_by_length(const lxm_vocab *vocab, const workshop *w, uint32_t *sorted,
                                 size_t *count, lxm_error *error)
{
    size_t *starts = lxm_new(&vocab->allocator, (w->longest + 2) * sizeof *starts);
    if (!starts)
        return lxm_fail_memory(error);
    for (uint32_t id = 0; id < vocab->table.size; id++)
        starts[lxm_token_table_length(&vocab->table, id) + 1]++;
    for (size_t length = 1; length <= w->longest + 1; length++)
        starts[length] += starts[length - 1];
    size_t shorter = starts[w->longest ? 2 : 1]; /* than two bytes: they need no merge */
    for (uint32_t id = 0; id < vocab->table.size; id++)
        sorted[starts[lxm_token_table_length(&vocab->table, id)]++] = id;
    *count = vocab->table.size - shorter;
    memmove(sorted, sorted + shorter, *count * sizeof *sorted);
    lxm_release(&vocab->allocator, starts);
    return LXM_OK;
}

static lxm_status set_pairs(lxm_vocab *vocab, workshop *w, lxm_error *error)
{
    bpe *b = vocab->model_data;
    lxm_status status = merge_all(w, vocab, true, error);
    for (size_t i = 0; !status && i < w->count; i++) {
        const lxm_mapping *m = &w->mappings[i];
        if (m->count == 2 &&
            !lxm_pairs_set(&b->merges.pairs, m->ids[0], m->ids[1], w->token_ids[i]))
            status = lxm_fail_memory(error);
    }
    w->count = 0;
    return status;
}

/*
 * Of all the ways to cut a token in two, at most one ever meets the merge loop: the one that its
 * own bytes come to before they become it. For what merges inside of a token doesn't depend on
 * what stands around it, as long as nothing merges across its ends. So a token's own bytes, put
 * through the merges of all shorter tokens, tell its pair; one that leaves more than two symbols
 * never comes from merges at all. Tokens of one length don't depend on each other.
 */
static lxm_status find_pairs(lxm_vocab *vocab, workshop *w, const uint32_t *sorted, size_t count,
                             lxm_error *error)
{
    lxm_status status = LXM_OK;
    for (size_t i = 0; !status && i < count; i++) {
        size_t length = lxm_token_table_length(&vocab->table, sorted[i]);
        if (w->count && (w->count == w->most || w->mappings[0].length != length))
            status = set_pairs(vocab, w, error);
        if (is_found(vocab, sorted[i]))
            take_in(w, vocab, sorted[i]);
    }
    return status ? status : set_pairs(vocab, w, error);
}

lxm_status lxm_bpe_merge_by_id(lxm_vocab *vocab, lxm_error *error)
{
    bpe *b = vocab->model_data;
    workshop w;
    size_t count = 0;
    uint32_t *sorted = lxm_allocate(&vocab->allocator, vocab->table.size, sizeof *sorted);
    lxm_status status = open_workshop(&w, vocab, error);
    if (!status && (!sorted || b->rank_capacity < vocab->table.size))
        status = lxm_fail_memory(error);
    if (!status)
        status = sort_by_length(vocab, &w, sorted, &count, error);
    for (uint32_t id = 0; !status && id < vocab->table.size; id++)
        b->merges.results[id] = id;
    b->merges.linear = true;
    if (!status)
        status = find_pairs(vocab, &w, sorted, count, error);
    lxm_release(&vocab->allocator, sorted);
    close_workshop(&w, vocab);
    return status;
}

const lxm_model lxm_model_bpe = {.name = "bpe",
                                 .map = map,
                                 .map_all = map_all,
                                 .free = free_bpe,
                                 .store = lxm_bpe_store,
                                 .load = lxm_bpe_load};
