/* BPE as parts, and as a list of merges. */
#include "base/error.h"
#include "idmap/bpe_model.h"

const lxm_bpe_options *lxm_bpe_options_of(const lxm_vocab *vocab)
{
    return &((const lxm_bpe *)vocab->model_data)->options;
}

uint32_t lxm_bpe_whole(const lxm_vocab *vocab)
{
    const lxm_bpe *b = vocab->model_data;
    for (uint32_t i = 0; i < b->whole.size; i++) {
        const uint8_t *token = lxm_token_table_bytes(&b->whole, i);
        size_t length = lxm_token_table_length(&b->whole, i);
        if (lxm_vocab_find_outside(vocab, token, length) == LXM_NO_ID)
            return b->whole_ids[i];
    }
    return LXM_NO_ID;
}

/* One more than the highest rank. */
static size_t rank_limit(const lxm_pairs *pairs)
{
    size_t limit = 0;
    for (size_t i = 0; i < pairs->slot_count; i++) {
        size_t rank = pairs->slots[i] & ((1u << lxm_pair_rank_bits) - 1);
        if (pairs->slots[i] != UINT64_MAX && rank >= limit)
            limit = rank + 1;
    }
    return limit;
}

lxm_status lxm_bpe_list_merges(const lxm_vocab *vocab, lxm_bpe_merge_of **merges, size_t *count,
                               lxm_error *error)
{
    const lxm_bpe *b = vocab->model_data;
    const lxm_pairs *pairs = &b->merges.pairs;
    size_t limit = rank_limit(pairs);
    lxm_bpe_merge_of *list = lxm_allocate(&vocab->allocator, limit, sizeof *list);
    *merges = list;
    *count = 0;
    if (!list)
        return lxm_fail_memory(error);
    memset(list, 0xFF, limit * sizeof *list);
    for (size_t i = 0; i < pairs->slot_count; i++) {
        uint64_t slot = pairs->slots[i], key = slot >> lxm_pair_rank_bits;
        size_t rank = slot & ((1u << lxm_pair_rank_bits) - 1);
        if (slot != UINT64_MAX)
            list[rank] = (lxm_bpe_merge_of){(uint32_t)(key >> lxm_pair_id_bits),
                                            (uint32_t)key & ((1u << lxm_pair_id_bits) - 1),
                                            b->merges.results[rank]};
    }
    for (size_t rank = 0; rank < limit; rank++) /* a merge that came twice left a gap */
        if (list[rank].result != LXM_NO_ID)
            list[(*count)++] = list[rank];
    return LXM_OK;
}

typedef struct bpe_facts {
    uint32_t byte_level, byte_fallback, fuse_unknown, ignore_merges;
    uint32_t prefix_length, suffix_length;
    uint8_t prefix[32], suffix[32];
    uint32_t bytes[256];
} bpe_facts;

lxm_status lxm_bpe_store(const lxm_vocab *vocab, lxm_parts *parts, lxm_error *error)
{
    const lxm_bpe *b = vocab->model_data;
    const lxm_bpe_options *o = &b->options;
    size_t ranks = rank_limit(&b->merges.pairs);
    bpe_facts *f = lxm_parts_make(parts, lxm_part_model, 1, sizeof *f);
    if (!f)
        return lxm_fail_memory(error);
    *f = (bpe_facts){o->byte_level,    o->byte_fallback,           o->fuse_unknown,
                     o->ignore_merges, (uint32_t)o->prefix.length, (uint32_t)o->suffix.length};
    memcpy(f->prefix, o->prefix.bytes, o->prefix.length);
    memcpy(f->suffix, o->suffix.bytes, o->suffix.length);
    memcpy(f->bytes, b->bytes, sizeof f->bytes);
    lxm_parts_add(parts, lxm_part_results, b->merges.results, ranks, 4);
    if (b->merges.bytes)
        lxm_parts_add(parts, lxm_part_byte_ranks, b->merges.bytes, 256 * 256, 4);
    lxm_parts_add(parts, lxm_part_model_ids, b->whole_ids, b->whole.size, 4);
    lxm_status status = lxm_parts_add_table(parts, lxm_part_model_tokens, &b->whole, error);
    return status ? status : lxm_parts_add_pairs(parts, &b->merges.pairs, ranks, error);
}

static lxm_status load_facts(lxm_vocab *vocab, const lxm_parts *parts, lxm_error *error)
{
    lxm_bpe *b = vocab->model_data;
    const lxm_part *part;
    lxm_status status = lxm_parts_need(parts, lxm_part_model, sizeof(bpe_facts), 1, &part, error);
    if (status)
        return status;
    const bpe_facts *f = part->data;
    const lxm_part bytes = {part->name, 4, f->bytes, 256, part->offset};
    b->options = (lxm_bpe_options){.byte_level = f->byte_level,
                                   .byte_fallback = f->byte_fallback,
                                   .fuse_unknown = f->fuse_unknown,
                                   .ignore_merges = f->ignore_merges};
    if (!lxm_affix_set(&b->options.prefix, f->prefix, f->prefix_length) ||
        !lxm_affix_set(&b->options.suffix, f->suffix, f->suffix_length))
        return lxm_part_fail(part, 0, "an affix is too long", error);
    memcpy(b->bytes, f->bytes, sizeof b->bytes);
    return lxm_part_check_ids(&bytes, vocab->table.size, LXM_NO_ID, error);
}

static lxm_status load_merges(lxm_vocab *vocab, const lxm_parts *parts, lxm_error *error)
{
    lxm_bpe *b = vocab->model_data;
    const lxm_part *results, *ranks;
    lxm_status status = lxm_parts_need(parts, lxm_part_results, 4, SIZE_MAX, &results, error);
    if (!status)
        status = lxm_part_check_ids(results, vocab->table.size, UINT64_MAX, error);
    if (!status)
        status = lxm_parts_view_pairs(parts, results->count, &b->merges.pairs, error);
    if (status)
        return status;
    b->merges.results = (uint32_t *)(uintptr_t)results->data;
    b->rank_count = b->rank_capacity = results->count;
    lxm_merges_find_order(&b->merges, results->count);
    vocab->exact = lxm_bpe_is_exact(b);
    if (!vocab->exact)
        return LXM_OK;
    status = lxm_parts_need(parts, lxm_part_byte_ranks, 4, 256 * 256, &ranks, error);
    if (!status)
        status = lxm_part_check_ids(ranks, results->count, LXM_NO_RANK, error);
    if (!status)
        b->merges.bytes = (uint32_t *)(uintptr_t)ranks->data;
    return status;
}

lxm_status lxm_bpe_load(lxm_vocab *vocab, const lxm_parts *parts, lxm_error *error)
{
    const lxm_part *ids;
    lxm_bpe *b = lxm_new(&vocab->allocator, sizeof *b);
    if (!b)
        return lxm_fail_memory(error);
    b->viewed = true;
    vocab->model_data = b;
    lxm_token_table_init(&b->whole, &vocab->allocator);
    lxm_status status = load_facts(vocab, parts, error);
    if (!status)
        status = load_merges(vocab, parts, error);
    if (!status)
        status = lxm_parts_view_table(parts, lxm_part_model_tokens, &b->whole, error);
    if (!status)
        status = lxm_parts_need(parts, lxm_part_model_ids, 4, b->whole.size, &ids, error);
    if (!status)
        status = lxm_part_check_ids(ids, vocab->table.size, UINT64_MAX, error);
    if (!status)
        b->whole_ids = (uint32_t *)(uintptr_t)ids->data;
    return status;
}
