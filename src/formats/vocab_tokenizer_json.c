/*
 * tokenizer.json of Hugging Face's tokenizers: its model, added tokens and decoder. Its normaliser
 * and pre-tokeniser say how text becomes pre-tokens, which is tokenize's part; of them only whether
 * the symbols are bytes matters here. What isn't known, or can't be done exactly, is refused.
 */
#include <inttypes.h>

#include "base/error.h"
#include "base/utf8.h"
#include "formats/byte_level.h"
#include "formats/decoder_json.h"
#include "formats/description.h"
#include "formats/template_json.h"
#include "formats/tokenizer_json.h"
#include "formats/vocab.h"
#include "formats/vocab_list.h"
#include "idmap/bpe.h"
#include "idmap/unigram.h"
#include "idmap/wordpiece.h"

typedef struct parser {
    lxm_vocab *vocab;
    const json_t *root, *model;
    lxm_vocab_list list;
    bool byte_level;
    lxm_buffer parts, joined;
    lxm_error *error;
} parser;

static lxm_status unsupported(parser *p, const char *what, const char *value)
{
    return lxm_fail(p->error, LXM_ERROR_UNSUPPORTED, "tokenizer.json: %s%.100s can't be done", what,
                    value);
}

static lxm_status bad(parser *p, const char *what)
{
    return lxm_fail(p->error, LXM_ERROR_FORMAT, "tokenizer.json: %s", what);
}

static bool probe(const uint8_t *bytes, size_t length)
{
    size_t i = 0;
    while (i < length && (bytes[i] == ' ' || (bytes[i] >= '\t' && bytes[i] <= '\r')))
        i++;
    return i < length && bytes[i] == '{';
}

/* Whether a normaliser, pre-tokeniser or decoder is of a type, or a sequence that has one. */
static const json_t *find_type(const json_t *object, const char *list, const char *type)
{
    if (strcmp(lxm_rules_type(object), type) == 0)
        return object;
    const json_t *members = json_object_get(object, list);
    for (size_t i = 0; i < json_array_size(members); i++)
        if (strcmp(lxm_rules_type(json_array_get(members, i)), type) == 0)
            return json_array_get(members, i);
    return NULL;
}

/* A string of the model; null and "" are none. */
static lxm_status affix(parser *p, const char *name, lxm_affix *affix)
{
    const json_t *value = json_object_get(p->model, name);
    affix->length = 0;
    if (!value || json_is_null(value))
        return LXM_OK;
    if (!json_is_string(value))
        return bad(p, "an affix of the model is not a string");
    if (!lxm_affix_set(affix, json_string_value(value), json_string_length(value)))
        return unsupported(p, name, ": a string over 32 bytes");
    return LXM_OK;
}

/* ---- tokens ---- */

/* <0xHH>: plain text comes to it by its byte alone. */
static bool is_byte(const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    return strlen(text) == 6 && strncmp(text, "<0x", 3) == 0 && strchr(digits, text[3]) &&
           strchr(digits, text[4]) && text[5] == '>';
}

/* Plain text that spells a special token must not come to it. */
static lxm_status list_added(parser *p)
{
    const json_t *added = json_object_get(p->root, "added_tokens");
    lxm_status status = LXM_OK;
    for (size_t i = 0; !status && i < json_array_size(added); i++) {
        const json_t *entry = json_array_get(added, i);
        const json_t *content = json_object_get(entry, "content");
        const json_t *id = json_object_get(entry, "id"), *own = NULL;
        if (json_is_string(content)) /* the model's own id counts, whatever is said here */
            own = json_object_get(json_object_get(p->model, "vocab"), json_string_value(content));
        id = own ? own : id;
        if (!json_is_string(content) || !json_is_integer(id))
            return bad(p, "an added token has no content or no id");
        lxm_listed token = {.text = json_string_value(content),
                            .length = json_string_length(content),
                            .added = true,
                            .special = lxm_rules_flag(entry, "special", false)};
        token.hidden = token.special && !is_byte(token.text);
        status = lxm_vocab_list_set(&p->list, json_integer_value(id), &token, p->error);
    }
    return status;
}

/* [["token", score], ...], in order of ids. */
static lxm_status list_scored(parser *p, const json_t *tokens)
{
    lxm_status status = LXM_OK;
    for (size_t i = 0; !status && i < json_array_size(tokens); i++) {
        const json_t *entry = json_array_get(tokens, i), *text = json_array_get(entry, 0);
        if (!json_is_string(text) || !json_is_number(json_array_get(entry, 1)))
            return bad(p, "a token of the model's vocab is not a string and a score");
        lxm_listed token = {.text = json_string_value(text), .length = json_string_length(text)};
        status = lxm_vocab_list_set(&p->list, (json_int_t)i, &token, p->error);
    }
    return status;
}

static lxm_status store_tokens(parser *p)
{
    const json_t *tokens = json_object_get(p->model, "vocab");
    lxm_status status;
    if (json_is_object(tokens))
        status = lxm_vocab_list_take(&p->list, tokens, p->error);
    else if (json_is_array(tokens))
        status = list_scored(p, tokens);
    else
        return bad(p, "the model's vocab is neither tokens and ids nor tokens and scores");
    if (!status)
        status = list_added(p);
    return status ? status : lxm_vocab_list_store(&p->list, p->vocab, p->byte_level, p->error);
}

/* The id of one of the model's tokens. */
static lxm_status find(parser *p, const char *text, size_t length, uint32_t *id)
{
    char shown[64];
    const void *bytes = text;
    size_t from = p->parts.length, size = length;
    *id = LXM_NO_ID;
    if (p->byte_level) {
        lxm_byte_level_result result = lxm_byte_level_decode(&p->parts, text, length);
        if (result == LXM_BYTE_LEVEL_MEMORY)
            return lxm_fail_memory(p->error);
        bytes = result == LXM_BYTE_LEVEL_DONE ? p->parts.data + from : NULL;
        size = p->parts.length - from;
    }
    if (bytes)
        *id = lxm_token_table_find(&p->vocab->table, bytes, size);
    if (*id != LXM_NO_ID)
        return LXM_OK;
    return lxm_fail(p->error, LXM_ERROR_FORMAT, "tokenizer.json: '%s' is no token of the model",
                    lxm_printable(shown, sizeof shown, text, length));
}

static lxm_status set_unk(parser *p)
{
    const json_t *unk = json_object_get(p->model, "unk_token");
    if (!unk || json_is_null(unk))
        return LXM_OK;
    if (!json_is_string(unk))
        return bad(p, "the unk_token is not a string");
    uint32_t id = lxm_vocab_find(p->vocab, json_string_value(unk), json_string_length(unk));
    /* one that no token bears is an error only when it is needed */
    return id == LXM_NO_ID ? LXM_OK : lxm_vocab_set_unk(p->vocab, id, p->error);
}

/* ---- BPE ---- */

/* "A B", or ["A", "B"]. */
static bool split_merge(const json_t *merge, const char **left, size_t *left_length,
                        const char **right, size_t *right_length)
{
    if (json_is_string(merge)) {
        const char *text = json_string_value(merge), *space = strchr(text, ' ');
        if (!space || strchr(space + 1, ' '))
            return false;
        *left = text;
        *left_length = (size_t)(space - text);
        *right = space + 1;
        *right_length = strlen(space + 1);
        return true;
    }
    const json_t *first = json_array_get(merge, 0), *second = json_array_get(merge, 1);
    *left = json_string_value(first);
    *left_length = json_string_length(first);
    *right = json_string_value(second);
    *right_length = json_string_length(second);
    return json_array_size(merge) == 2 && *left && *right;
}

static lxm_status take_merge(parser *p, const json_t *merge, const lxm_affix *prefix)
{
    const char *left, *right;
    size_t left_length, right_length;
    uint32_t ids[3];
    if (!split_merge(merge, &left, &left_length, &right, &right_length))
        return bad(p, "a merge is not two tokens");
    p->parts.length = 0;
    lxm_status status = find(p, left, left_length, &ids[0]);
    if (!status)
        status = find(p, right, right_length, &ids[1]);
    if (status)
        return status;
    size_t skip = right_length >= prefix->length ? prefix->length : right_length;
    p->parts.length = p->joined.length = 0;
    if (!lxm_buffer_append(&p->joined, left, left_length) ||
        !lxm_buffer_append(&p->joined, right + skip, right_length - skip))
        return lxm_fail_memory(p->error);
    status = find(p, (const char *)p->joined.data, p->joined.length, &ids[2]);
    return status ? status : lxm_bpe_merge(p->vocab, ids[0], ids[1], ids[2], p->error);
}

static lxm_status take_merges(parser *p, const lxm_affix *prefix)
{
    const json_t *merges = json_object_get(p->model, "merges");
    lxm_status status = LXM_OK;
    for (size_t i = 0; !status && i < json_array_size(merges); i++)
        status = take_merge(p, json_array_get(merges, i), prefix);
    return status;
}

static lxm_status read_bpe(parser *p)
{
    const json_t *dropout = json_object_get(p->model, "dropout");
    lxm_bpe_options o = {.byte_level = p->byte_level,
                         .byte_fallback = lxm_rules_flag(p->model, "byte_fallback", false),
                         .fuse_unknown = lxm_rules_flag(p->model, "fuse_unk", false),
                         .ignore_merges = lxm_rules_flag(p->model, "ignore_merges", false)};
    if (json_is_number(dropout) && json_number_value(dropout) > 0)
        return unsupported(p, "dropout, which makes ids random,", "");
    lxm_status status = affix(p, "continuing_subword_prefix", &o.prefix);
    if (!status)
        status = affix(p, "end_of_word_suffix", &o.suffix);
    if (!status && o.byte_fallback && (p->byte_level || o.prefix.length || o.suffix.length))
        status = unsupported(p, "byte_fallback together with affixes or bytes", "");
    if (!status)
        status = store_tokens(p);
    if (!status)
        status = set_unk(p);
    const json_t *merges = json_object_get(p->model, "merges");
    if (!status && !json_is_array(merges))
        return bad(p, "the model has no list of merges");
    if (!status)
        status = lxm_bpe_new(p->vocab, &o, json_array_size(merges), p->error);
    if (!status)
        status = take_merges(p, &o.prefix);
    p->vocab->decoding.join = LXM_JOIN_NONE;
    p->vocab->decoding.bytes = o.byte_fallback;
    return status ? status : lxm_bpe_finish(p->vocab, p->error);
}

/* ---- WordPiece ---- */

static lxm_status read_wordpiece(parser *p)
{
    lxm_affix prefix = {"##", 2}; /* as max_input_chars_per_word, BERT's where nothing is said */
    const json_t *most = json_object_get(p->model, "max_input_chars_per_word");
    const json_t *stated = json_object_get(p->model, "continuing_subword_prefix");
    lxm_status status = LXM_OK;
    if (most && (!json_is_integer(most) || json_integer_value(most) < 0))
        return bad(p, "max_input_chars_per_word is not a whole number");
    if (stated && !json_is_null(stated))
        status = affix(p, "continuing_subword_prefix", &prefix);
    if (!status)
        status = store_tokens(p);
    if (!status)
        status = set_unk(p);
    p->vocab->decoding.continuation = prefix;
    size_t characters = most ? (size_t)json_integer_value(most) : 100;
    return status ? status : lxm_wordpiece_new(p->vocab, &prefix, characters, p->error);
}

/* ---- Unigram ---- */

static lxm_status make_unigram(parser *p, const json_t *tokens)
{
    size_t count = json_array_size(tokens);
    double *scores = lxm_allocate(&p->vocab->allocator, count, sizeof *scores);
    if (!scores)
        return lxm_fail_memory(p->error);
    for (size_t i = 0; i < count; i++)
        scores[i] = json_number_value(json_array_get(json_array_get(tokens, i), 1));
    lxm_status status = lxm_unigram_new(p->vocab, scores, count,
                                        lxm_rules_flag(p->model, "byte_fallback", false), p->error);
    lxm_release(&p->vocab->allocator, scores);
    return status;
}

static lxm_status read_unigram(parser *p)
{
    const json_t *tokens = json_object_get(p->model, "vocab");
    const json_t *unk = json_object_get(p->model, "unk_id");
    if (!json_is_array(tokens))
        return bad(p, "the model's vocab is not an array of tokens and scores");
    if (p->byte_level)
        return unsupported(p, "Unigram over bytes", "");
    lxm_status status = store_tokens(p);
    if (!status && json_is_integer(unk)) {
        if (json_integer_value(unk) < 0 ||
            (uint64_t)json_integer_value(unk) >= p->vocab->table.size)
            return bad(p, "the unk_id is not the id of a token");
        status = lxm_vocab_set_unk(p->vocab, (uint32_t)json_integer_value(unk), p->error);
    }
    p->vocab->decoding.join = LXM_JOIN_NONE;
    p->vocab->decoding.bytes = lxm_rules_flag(p->model, "byte_fallback", false);
    return status ? status : make_unigram(p, tokens);
}

/* ---- the word level ---- */

/* Added tokens are words as all others. */
static lxm_status read_word_level(parser *p)
{
    const json_t *tokens = json_object_get(p->model, "vocab");
    if (!json_is_object(tokens))
        return bad(p, "the model's vocab is not an object of tokens and ids");
    if (p->byte_level)
        return unsupported(p, "WordLevel over bytes", "");
    lxm_status status = lxm_vocab_list_take(&p->list, tokens, p->error);
    if (!status)
        status = list_added(p);
    for (size_t id = 0; id < p->list.size; id++)
        p->list.tokens[id].outside = false;
    if (!status)
        status = lxm_vocab_list_store(&p->list, p->vocab, false, p->error);
    return status ? status : set_unk(p);
}

/* ---- all ---- */

/* Models that older files don't name are known by what they have. */
static const char *model_type(const json_t *model)
{
    const char *type = lxm_rules_type(model);
    if (*type)
        return type;
    if (json_object_get(model, "merges"))
        return "BPE";
    if (json_object_get(model, "unk_id"))
        return "Unigram";
    if (json_object_get(model, "max_input_chars_per_word"))
        return "WordPiece";
    return json_object_get(model, "unk_token") ? "WordLevel" : "";
}

static lxm_status read_model(parser *p)
{
    const char *type = model_type(p->model);
    if (strcmp(type, "BPE") == 0)
        return read_bpe(p);
    if (strcmp(type, "WordPiece") == 0)
        return read_wordpiece(p);
    if (strcmp(type, "Unigram") == 0)
        return read_unigram(p);
    if (strcmp(type, "WordLevel") == 0)
        return read_word_level(p);
    return unsupported(p, "model ", *type ? type : "(without a type)");
}

static bool is_byte_level(const json_t *root)
{
    return find_type(json_object_get(root, "pre_tokenizer"), "pretokenizers", "ByteLevel") ||
           find_type(json_object_get(root, "normalizer"), "normalizers", "ByteLevel");
}

static lxm_status read_file(lxm_vocab *vocab, const uint8_t *bytes, size_t length, lxm_error *error)
{
    json_t *root;
    lxm_status status = lxm_vocab_json(&root, bytes, length, error);
    if (status)
        return status;
    parser p = {.vocab = vocab,
                .root = root,
                .model = json_object_get(root, "model"),
                .byte_level = is_byte_level(root),
                .error = error};
    lxm_vocab_list_init(&p.list, length, &vocab->allocator);
    lxm_buffer_init(&p.parts, &vocab->allocator);
    lxm_buffer_init(&p.joined, &vocab->allocator);
    if (json_is_object(p.model))
        status = read_model(&p);
    else
        status = bad(&p, "no model is in it; of vocab.json or encoder.json, name the folder");
    lxm_decoder_read(&vocab->decoding, json_object_get(root, "decoder"));
    lxm_template_read(&vocab->template, json_object_get(root, "post_processor"));
    if (!status)
        status = lxm_description_keep(vocab, root, error);
    lxm_buffer_free(&p.parts);
    lxm_buffer_free(&p.joined);
    lxm_vocab_list_free(&p.list);
    json_decref(root);
    return status;
}

static lxm_status read_folder(lxm_vocab *vocab, const lxm_vocab_file *files, size_t *at_fault,
                              lxm_error *error)
{
    *at_fault = 0;
    return read_file(vocab, files[0].bytes, files[0].length, error);
}

const lxm_vocab_format lxm_vocab_format_tokenizer_json = {
    .name = "tokenizer.json",
    .probe = probe,
    .read = read_file,
    .write = lxm_tokenizer_json_write,
};
const lxm_vocab_folder lxm_vocab_folder_tokenizer_json = {
    .format = "tokenizer.json", .names = {"tokenizer.json"}, .count = 1, .read = read_folder};
