#include "formats/model_json.h"

#include "base/error.h"
#include "base/utf8.h"
#include "formats/byte_level.h"
#include "formats/json.h"
#include "formats/vocab.h"
#include "idmap/unigram.h"
#include "idmap/wordpiece.h"

bool lxm_model_is_byte_level(const lxm_vocab *vocab)
{
    return vocab->model == &lxm_model_bpe && lxm_bpe_options_of(vocab)->byte_level;
}

lxm_status lxm_json_write(const json_t *json, size_t flags, const char *end, lxm_output *output,
                          lxm_error *error)
{
    lxm_buffer text;
    lxm_allocator standard = lxm_allocator_or_default(NULL);
    lxm_buffer_init(&text, &standard); /* as all that JSON is made in */
    lxm_status status = LXM_OK;
    if (!lxm_json_append(&text, json, flags) || !lxm_buffer_append(&text, end, strlen(end)))
        status = lxm_fail_memory(error);
    if (!status)
        status = lxm_output_write(output, text.data, text.length, error);
    lxm_buffer_free(&text);
    return status;
}

/* ---- tokens ---- */

/* Whether the model sees the token of an id. */
static bool is_inside(const lxm_vocab *vocab, uint32_t id)
{
    return lxm_token_table_find(&vocab->table, lxm_token_table_bytes(&vocab->table, id),
                                lxm_token_table_length(&vocab->table, id)) == id;
}

lxm_status lxm_model_check_text(const lxm_vocab *vocab, uint32_t id, lxm_error *error)
{
    const uint8_t *bytes = lxm_token_table_bytes(&vocab->table, id);
    size_t length = lxm_token_table_length(&vocab->table, id);
    if (lxm_utf8_valid(bytes, length) == length && !memchr(bytes, 0, length))
        return LXM_OK;
    return lxm_vocab_refuse_token(vocab, id,
                                  "is not UTF-8, or has a NUL, and JSON holds no such token: "
                                  "write the vocabulary compiled, or as our own text",
                                  error);
}

lxm_status lxm_model_token_text(const lxm_vocab *vocab, uint32_t id, lxm_buffer *text,
                                lxm_error *error)
{
    const uint8_t *bytes = lxm_token_table_bytes(&vocab->table, id);
    size_t length = lxm_token_table_length(&vocab->table, id);
    if (lxm_model_is_byte_level(vocab) && is_inside(vocab, id))
        return lxm_byte_level_encode(text, bytes, length) ? LXM_OK : lxm_fail_memory(error);
    lxm_status status = lxm_model_check_text(vocab, id, error);
    if (!status && !lxm_buffer_append(text, bytes, length))
        status = lxm_fail_memory(error);
    return status;
}

/* Adds an id under its text; two may not share one. */
static lxm_status set_token(const lxm_vocab *vocab, json_t *tokens, uint32_t id, lxm_buffer *text,
                            lxm_error *error)
{
    text->length = 0;
    lxm_status status = lxm_model_token_text(vocab, id, text, error);
    if (status)
        return status;
    if (!lxm_buffer_append(text, "", 1))
        return lxm_fail_memory(error);
    const char *name = (const char *)text->data;
    if (json_object_get(tokens, name))
        return lxm_vocab_refuse_token(vocab, id,
                                      "is written as another token already: write the vocabulary "
                                      "compiled",
                                      error);
    return json_object_set_new(tokens, name, json_integer(id)) ? lxm_fail_memory(error) : LXM_OK;
}

/* Whether nothing but the list of added tokens has the token of an id. */
static bool is_outside(const lxm_vocab *vocab, uint32_t id)
{
    const uint8_t *bytes = lxm_token_table_bytes(&vocab->table, id);
    size_t length = lxm_token_table_length(&vocab->table, id);
    return !is_inside(vocab, id) && lxm_vocab_find_outside(vocab, bytes, length) == id;
}

/* Added tokens that the model's vocab lacks are numbered from its size on, one after another, by
 * who reads a tokenizer.json (tokenizers/src/tokenizer/added_vocabulary.rs). Where that gives them
 * their ids it is the first of them; otherwise, as past the last id, all stand in the vocab. */
static size_t first_left_out(const lxm_vocab *vocab)
{
    size_t first = vocab->table.size;
    while (first > 0 && is_outside(vocab, (uint32_t)first - 1))
        first--;
    for (uint32_t id = 0; id < first; id++)
        if (lxm_token_table_length(&vocab->table, id) == 0)
            return vocab->table.size;
    return first;
}

lxm_status lxm_model_tokens(const lxm_vocab *vocab, bool outside, json_t **tokens, lxm_error *error)
{
    lxm_buffer text;
    lxm_buffer_init(&text, &vocab->allocator);
    *tokens = json_object();
    size_t end = outside ? vocab->table.size : first_left_out(vocab);
    lxm_status status = *tokens ? LXM_OK : lxm_fail_memory(error);
    for (uint32_t id = 0; !status && id < end; id++)
        if (lxm_token_table_length(&vocab->table, id))
            status = set_token(vocab, *tokens, id, &text, error);
    lxm_buffer_free(&text);
    if (status) {
        json_decref(*tokens);
        *tokens = NULL;
    }
    return status;
}

/* The text of a token as JSON; null for none. */
static lxm_status token_json(const lxm_vocab *vocab, uint32_t id, json_t **json, lxm_error *error)
{
    lxm_buffer text;
    lxm_buffer_init(&text, &vocab->allocator);
    *json = NULL;
    lxm_status status = LXM_OK;
    if (id == LXM_NO_ID)
        *json = json_null();
    else
        status = lxm_model_token_text(vocab, id, &text, error);
    if (!status && !*json)
        *json = json_stringn(text.data ? (const char *)text.data : "", text.length);
    lxm_buffer_free(&text);
    return status || *json ? status : lxm_fail_memory(error);
}

/* ---- models ---- */

/* Adds the members of one object to another, which is freed. */
static lxm_status add_members(json_t *model, json_t *members, lxm_error *error)
{
    bool good = members && json_object_update(model, members) == 0;
    json_decref(members);
    return good ? LXM_OK : lxm_fail_memory(error);
}

/* Such models say what they call unknown in any case; "" is no token. */
static lxm_status add_unk(const lxm_vocab *vocab, json_t *model, bool needed, lxm_error *error)
{
    json_t *unk;
    lxm_status status = token_json(vocab, vocab->unk, &unk, error);
    if (status)
        return status;
    if (needed && json_is_null(unk))
        unk = json_string("");
    return json_object_set_new(model, "unk_token", unk) ? lxm_fail_memory(error) : LXM_OK;
}

static lxm_status add_tokens(const lxm_vocab *vocab, json_t *model, lxm_error *error)
{
    json_t *tokens;
    lxm_status status = lxm_model_tokens(vocab, false, &tokens, error);
    if (!status && json_object_set_new(model, "vocab", tokens))
        status = lxm_fail_memory(error);
    return status;
}

static json_t *affix(const lxm_affix *affix)
{
    return affix->length ? json_stringn((const char *)affix->bytes, affix->length) : json_null();
}

/* ["A", "B"]: unlike "A B", it leaves no doubt where tokens have spaces. */
static lxm_status add_merge(const lxm_vocab *vocab, const lxm_bpe_merge_of *merge, bool pair,
                            json_t *list, lxm_buffer *text, lxm_error *error)
{
    size_t split;
    text->length = 0;
    lxm_status status = lxm_model_token_text(vocab, merge->left, text, error);
    split = text->length;
    if (!status && !pair && !lxm_buffer_append(text, " ", 1))
        status = lxm_fail_memory(error);
    if (!status)
        status = lxm_model_token_text(vocab, merge->right, text, error);
    if (status)
        return status;
    const char *both = (const char *)text->data;
    json_t *json = pair ? json_pack("[s%,s%]", both, split, both + split, text->length - split)
                        : json_stringn(both, text->length);
    return json_array_append_new(list, json) ? lxm_fail_memory(error) : LXM_OK;
}

static lxm_status add_merges(const lxm_vocab *vocab, json_t *model, lxm_error *error)
{
    lxm_bpe_merge_of *merges;
    size_t count;
    lxm_buffer text;
    lxm_buffer_init(&text, &vocab->allocator);
    json_t *list = json_array();
    lxm_status status = lxm_bpe_list_merges(vocab, &merges, &count, error);
    if (!status && !list)
        status = lxm_fail_memory(error);
    for (size_t i = 0; !status && i < count; i++)
        status = add_merge(vocab, &merges[i], !lxm_model_is_byte_level(vocab), list, &text, error);
    lxm_release(&vocab->allocator, merges);
    lxm_buffer_free(&text);
    if (status)
        json_decref(list);
    else if (json_object_set_new(model, "merges", list))
        status = lxm_fail_memory(error);
    return status;
}

static lxm_status bpe(const lxm_vocab *vocab, json_t *model, lxm_error *error)
{
    const lxm_bpe_options *o = lxm_bpe_options_of(vocab);
    lxm_status status =
        add_members(model,
                    json_pack("{s:s,s:n,s:o,s:o,s:b,s:b,s:b}", "type", "BPE", "dropout",
                              "continuing_subword_prefix", affix(&o->prefix), "end_of_word_suffix",
                              affix(&o->suffix), "fuse_unk", o->fuse_unknown, "byte_fallback",
                              o->byte_fallback, "ignore_merges", o->ignore_merges),
                    error);
    if (!status)
        status = add_unk(vocab, model, false, error);
    if (!status)
        status = add_tokens(vocab, model, error);
    return status ? status : add_merges(vocab, model, error);
}

static lxm_status wordpiece(const lxm_vocab *vocab, json_t *model, lxm_error *error)
{
    const lxm_affix prefix = lxm_wordpiece_prefix(vocab);
    lxm_status status =
        add_members(model,
                    json_pack("{s:s,s:s%,s:I}", "type", "WordPiece", "continuing_subword_prefix",
                              (const char *)prefix.bytes, prefix.length, "max_input_chars_per_word",
                              (json_int_t)lxm_wordpiece_most(vocab)),
                    error);
    if (!status)
        status = add_unk(vocab, model, true, error);
    return status ? status : add_tokens(vocab, model, error);
}

static lxm_status word_level(const lxm_vocab *vocab, json_t *model, lxm_error *error)
{
    lxm_status status = add_members(model, json_pack("{s:s}", "type", "WordLevel"), error);
    if (!status)
        status = add_tokens(vocab, model, error);
    return status ? status : add_unk(vocab, model, true, error);
}

static lxm_status unigram(const lxm_vocab *vocab, json_t *model, lxm_error *error)
{
    const double *scores;
    bool byte_fallback;
    size_t count = lxm_unigram_scores(vocab, &scores, &byte_fallback);
    json_t *list = json_array();
    lxm_status status = list ? LXM_OK : lxm_fail_memory(error);
    for (uint32_t id = 0; !status && id < count; id++) {
        json_t *text;
        status = token_json(vocab, id, &text, error);
        if (!status && json_array_append_new(list, json_pack("[o,f]", text, scores[id])))
            status = lxm_fail_memory(error);
    }
    if (status) {
        json_decref(list);
        return status;
    }
    json_t *unk = vocab->unk == LXM_NO_ID ? json_null() : json_integer(vocab->unk);
    return add_members(model,
                       json_pack("{s:s,s:o,s:o,s:b}", "type", "Unigram", "unk_id", unk, "vocab",
                                 list, "byte_fallback", byte_fallback),
                       error);
}

lxm_status lxm_model_json(const lxm_vocab *vocab, json_t **model, lxm_error *error)
{
    *model = json_object();
    lxm_status status;
    if (!*model)
        status = lxm_fail_memory(error);
    else if (vocab->model == &lxm_model_bpe)
        status = bpe(vocab, *model, error);
    else if (vocab->model == &lxm_model_wordpiece)
        status = wordpiece(vocab, *model, error);
    else if (vocab->model == &lxm_model_unigram)
        status = unigram(vocab, *model, error);
    else
        status = word_level(vocab, *model, error);
    if (status) {
        json_decref(*model);
        *model = NULL;
    }
    return status;
}
