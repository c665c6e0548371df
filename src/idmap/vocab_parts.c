/* A vocabulary as parts, and made of parts again. */
#include <inttypes.h>

#include "base/error.h"
#include "idmap/model.h"

typedef struct affix_facts {
    uint32_t length;
    uint8_t bytes[32];
} affix_facts;

typedef struct vocab_facts {
    uint64_t size, fingerprint;
    uint32_t unk, join, strip_first, strip, bytes, states_pattern;
    affix_facts continuation, word_end, space;
    char refused[64];
    uint32_t before[lxm_template_most], after[lxm_template_most];
    uint32_t before_count, after_count, states_template;
    char template_refused[96];
    char model[16];
} vocab_facts;

static const lxm_model *const models[] = {&lxm_model_word, &lxm_model_bpe, &lxm_model_wordpiece,
                                          &lxm_model_unigram};

static affix_facts pack(const lxm_affix *affix)
{
    affix_facts facts = {.length = (uint32_t)affix->length};
    memcpy(facts.bytes, affix->bytes, affix->length);
    return facts;
}

static void pack_template(vocab_facts *f, const lxm_template *t)
{
    memcpy(f->before, t->before, sizeof f->before);
    memcpy(f->after, t->after, sizeof f->after);
    memcpy(f->template_refused, t->refused, sizeof f->template_refused);
    f->before_count = (uint32_t)t->before_count;
    f->after_count = (uint32_t)t->after_count;
    f->states_template = t->stated;
}

/* What it names is looked at when it is used. */
static bool unpack_template(lxm_template *t, const vocab_facts *f)
{
    if (f->before_count > lxm_template_most || f->after_count > lxm_template_most ||
        f->template_refused[sizeof f->template_refused - 1])
        return false;
    memcpy(t->before, f->before, sizeof t->before);
    memcpy(t->after, f->after, sizeof t->after);
    memcpy(t->refused, f->template_refused, sizeof t->refused);
    t->before_count = f->before_count;
    t->after_count = f->after_count;
    t->stated = f->states_template;
    return true;
}

static lxm_status store_facts(const lxm_vocab *vocab, lxm_parts *parts, lxm_error *error)
{
    const lxm_decoding *d = &vocab->decoding;
    vocab_facts *f = lxm_parts_make(parts, lxm_part_vocab, 1, sizeof *f);
    if (!f)
        return lxm_fail_memory(error);
    *f = (vocab_facts){.size = vocab->table.size,
                       .fingerprint = lxm_vocab_fingerprint(vocab),
                       .unk = vocab->unk,
                       .join = d->join,
                       .strip_first = d->strip_first,
                       .strip = (uint32_t)d->strip,
                       .bytes = d->bytes,
                       .states_pattern = vocab->states_pattern,
                       .continuation = pack(&d->continuation),
                       .word_end = pack(&d->word_end),
                       .space = pack(&d->space)};
    memcpy(f->refused, d->refused, sizeof f->refused);
    pack_template(f, &vocab->template);
    memcpy(f->model, vocab->model->name, strlen(vocab->model->name));
    return LXM_OK;
}

lxm_status lxm_vocab_store(const lxm_vocab *vocab, lxm_parts *parts, lxm_error *error)
{
    size_t words = vocab->table.size / 64 + 1;
    words = words < vocab->special_words ? words : vocab->special_words;
    lxm_status status = store_facts(vocab, parts, error);
    lxm_parts_add(parts, lxm_part_special, vocab->special, words, sizeof *vocab->special);
    lxm_parts_add(parts, lxm_part_added_ids, vocab->added_ids, vocab->added.size,
                  sizeof *vocab->added_ids);
    if (vocab->description)
        lxm_parts_add(parts, lxm_part_description, vocab->description, strlen(vocab->description),
                      1);
    if (!status)
        status = lxm_parts_add_table(parts, lxm_part_tokens, &vocab->table, error);
    if (!status)
        status = lxm_parts_add_table(parts, lxm_part_added, &vocab->added, error);
    return status || !vocab->model->store ? status : vocab->model->store(vocab, parts, error);
}

/* ---- loading ---- */

static lxm_status load_facts(lxm_vocab *vocab, const lxm_parts *parts, lxm_error *error)
{
    const lxm_part *part;
    lxm_decoding *d = &vocab->decoding;
    lxm_status status = lxm_parts_need(parts, lxm_part_vocab, sizeof(vocab_facts), 1, &part, error);
    if (status)
        return status;
    const vocab_facts *f = part->data;
    size_t size = vocab->table.size;
    if (f->size != size || (f->unk != LXM_NO_ID && f->unk >= size))
        return lxm_part_fail(part, 0, "the number of tokens is not that of others", error);
    if (f->join > LXM_JOIN_CLEAN || f->refused[sizeof f->refused - 1] ||
        !lxm_affix_set(&d->continuation, f->continuation.bytes, f->continuation.length) ||
        !lxm_affix_set(&d->word_end, f->word_end.bytes, f->word_end.length) ||
        !lxm_affix_set(&d->space, f->space.bytes, f->space.length))
        return lxm_part_fail(part, 0, "how tokens are joined is unknown", error);
    if (!unpack_template(&vocab->template, f))
        return lxm_part_fail(part, 0, "the template is unknown", error);
    d->join = (lxm_join)f->join;
    memcpy(d->refused, f->refused, sizeof d->refused);
    d->strip_first = f->strip_first;
    d->strip = f->strip;
    d->bytes = f->bytes;
    vocab->unk = f->unk;
    vocab->states_pattern = f->states_pattern;
    vocab->fingerprint = f->fingerprint;
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        size_t length = strlen(models[i]->name) + 1;
        if (memcmp(f->model, models[i]->name, length) != 0)
            continue;
        if (models[i]->load)
            vocab->model = models[i];
        return models[i]->load ? models[i]->load(vocab, parts, error) : LXM_OK;
    }
    return lxm_part_fail(part, 0, "the model is unknown", error);
}

static lxm_status load_special(lxm_vocab *vocab, const lxm_parts *parts, lxm_error *error)
{
    const lxm_part *part;
    lxm_status status = lxm_parts_need(parts, lxm_part_special, 8, SIZE_MAX, &part, error);
    if (status || part->count == 0)
        return status;
    if (part->count > vocab->table.size / 64 + 1)
        return lxm_part_fail(part, 0, "more special tokens than tokens", error);
    vocab->special = lxm_allocate(&vocab->allocator, part->count, sizeof *vocab->special);
    if (!vocab->special)
        return lxm_fail_memory(error);
    memcpy(vocab->special, part->data, part->count * sizeof *vocab->special);
    vocab->special_words = part->count;
    return LXM_OK;
}

static lxm_status load_added(lxm_vocab *vocab, const lxm_parts *parts, lxm_error *error)
{
    const lxm_part *ids;
    lxm_status status = lxm_parts_view_table(parts, lxm_part_added, &vocab->added, error);
    size_t count = vocab->added.size;
    if (!status)
        status = lxm_parts_need(parts, lxm_part_added_ids, 4, count, &ids, error);
    if (!status)
        status = lxm_part_check_ids(ids, vocab->table.size, UINT64_MAX, error);
    if (status || count == 0)
        return status;
    vocab->added_ids = lxm_allocate(&vocab->allocator, count, sizeof *vocab->added_ids);
    if (!vocab->added_ids)
        return lxm_fail_memory(error);
    memcpy(vocab->added_ids, ids->data, count * sizeof *vocab->added_ids);
    for (uint32_t i = 0; i < count; i++) {
        uint8_t first = *lxm_token_table_bytes(&vocab->added, i);
        vocab->added_first[first / 64] |= (uint64_t)1 << first % 64;
    }
    return LXM_OK;
}

lxm_status lxm_vocab_load(lxm_vocab *vocab, const lxm_parts *parts, lxm_error *error)
{
    const lxm_part *description = lxm_parts_find(parts, lxm_part_description);
    lxm_status status = lxm_parts_view_table(parts, lxm_part_tokens, &vocab->table, error);
    if (!status)
        status = load_special(vocab, parts, error);
    if (!status)
        status = load_added(vocab, parts, error);
    if (!status)
        status = load_facts(vocab, parts, error);
    if (!status && description && description->width == 1)
        status = lxm_vocab_describe(vocab, description->data, description->count, error);
    return status;
}
