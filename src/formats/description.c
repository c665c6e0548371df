#include "formats/description.h"

#include "base/error.h"
#include "formats/json.h"
#include "formats/model_json.h"
#include "formats/tokenizer_json.h"
#include "idmap/model.h"

/* ---- keeping ---- */

/* Whether text is cut in a way that is said: a model's pattern may be none at all, at the word
 * level that only means that the file doesn't care. */
static bool states_pattern(const lxm_vocab *vocab, const json_t *root)
{
    const json_t *pattern = json_object_get(root, "pre_tokenizer");
    return pattern && (vocab->model->map || !json_is_null(pattern));
}

static lxm_status dump(const json_t *root, lxm_buffer *text, lxm_error *error)
{
    return lxm_json_append(text, root, JSON_COMPACT) && lxm_buffer_append(text, "", 1)
               ? LXM_OK
               : lxm_fail_memory(error);
}

/* Of the model only what --from asks of it. */
static lxm_status keep_marks(json_t *root, lxm_error *error)
{
    const char *mark = lxm_rules_mark(json_object_get(root, "pre_tokenizer"));
    if (!lxm_rules_marks_divide(root, mark))
        return LXM_OK;
    json_t *marks = json_pack("{s:s}", lxm_rules_marks_key, mark);
    return json_object_set_new(root, lxm_rules_own_key, marks) ? lxm_fail_memory(error) : LXM_OK;
}

lxm_status lxm_description_keep(lxm_vocab *vocab, const json_t *root, lxm_error *error)
{
    lxm_buffer text;
    json_t *copy = json_copy((json_t *)(uintptr_t)root);
    lxm_buffer_init(&text, &vocab->allocator);
    lxm_status status = copy ? LXM_OK : lxm_fail_memory(error);
    if (!status)
        status = keep_marks(copy, error);
    if (!status) {
        json_object_del(copy, "model");
        status = dump(copy, &text, error);
    }
    if (!status)
        status = lxm_vocab_describe(vocab, (const char *)text.data, text.length - 1, error);
    vocab->states_pattern = states_pattern(vocab, root);
    lxm_buffer_free(&text);
    json_decref(copy);
    return status;
}

/* ---- presets ---- */

static const lxm_preset *find_preset(const char *name)
{
    const lxm_preset *preset;
    for (size_t i = 0; (preset = lxm_preset_at(i)); i++)
        if (strcmp(preset->name, name) == 0)
            break;
    return preset;
}

static json_t *byte_level(bool add_prefix_space, bool use_regex)
{
    return json_pack("{s:s,s:b,s:b,s:b}", "type", "ByteLevel", "add_prefix_space", add_prefix_space,
                     "trim_offsets", 1, "use_regex", use_regex);
}

/* The matches of the preset's pattern are the pre-tokens. */
static json_t *split(const lxm_preset *preset, const lxm_allocator *a)
{
    lxm_buffer regex;
    json_t *json = NULL;
    bool drops = lxm_rules_drops_text(preset);
    lxm_buffer_init(&regex, a);
    if (lxm_rules_regex(&regex, preset))
        json = json_pack("{s:s,s:{s:s},s:s,s:b}", "type", "Split", "pattern", "Regex",
                         (const char *)regex.data, "behavior", drops ? "Removed" : "Isolated",
                         "invert", drops);
    lxm_buffer_free(&regex);
    return json;
}

static json_t *pre_tokenizer(const lxm_preset *preset, bool bytes, const lxm_allocator *a)
{
    bool gpt2 = strcmp(preset->pattern, find_preset("gpt2")->pattern) == 0;
    json_t *json;
    if (gpt2 && bytes)
        return byte_level(false, true);
    if (strcmp(preset->name, "whitespace") == 0)
        json = json_pack("{s:s}", "type", "WhitespaceSplit");
    else if (strcmp(preset->name, "bert") == 0)
        json = json_pack("{s:s}", "type", "BertPreTokenizer");
    else
        json = split(preset, a);
    if (!bytes)
        return json;
    return json_pack("{s:s,s:[o,o]}", "type", "Sequence", "pretokenizers", json,
                     byte_level(false, false));
}

static json_t *normalizer(const lxm_preset *preset, bool lowercase)
{
    if (strcmp(preset->name, "bert") != 0)
        return json_null();
    return json_pack("{s:s,s:b,s:b,s:b,s:b}", "type", "BertNormalizer", "clean_text", 1,
                     "handle_chinese_chars", 1, "strip_accents", lowercase, "lowercase", lowercase);
}

static lxm_status set_preset(json_t *root, const lxm_vocab *vocab,
                             const lxm_vocab_write_options *options, lxm_error *error)
{
    const lxm_preset *preset = find_preset(options->preset);
    if (!preset)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "'%.64s' is no preset: see tokenize --list",
                        options->preset);
    if (options->lowercase && strcmp(preset->name, "bert") != 0)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "lower case goes with the preset bert alone");
    json_object_del(root, lxm_rules_own_key); /* it is of the pattern that goes */
    if (json_object_set_new(root, "normalizer", normalizer(preset, options->lowercase)) ||
        json_object_set_new(
            root, "pre_tokenizer",
            pre_tokenizer(preset, lxm_model_is_byte_level(vocab), &vocab->allocator)))
        return lxm_fail_memory(error);
    return LXM_OK;
}

/* ---- what can be told without a tokenizer.json ---- */

static lxm_status added_token(const lxm_vocab *vocab, uint32_t id, json_t *list, lxm_error *error)
{
    size_t length;
    const char *token = (const char *)lxm_vocab_token(vocab, id, &length);
    lxm_status status = lxm_model_check_text(vocab, id, error);
    if (status)
        return status;
    json_t *entry = json_pack("{s:I,s:s%,s:b,s:b,s:b,s:b,s:b}", "id", (json_int_t)id, "content",
                              token, length, "single_word", 0, "lstrip", 0, "rstrip", 0,
                              "normalized", 0, "special", lxm_vocab_is_special(vocab, id));
    return json_array_append_new(list, entry) ? lxm_fail_memory(error) : LXM_OK;
}

static lxm_status added_tokens(const lxm_vocab *vocab, json_t *list, lxm_error *error)
{
    lxm_status status = LXM_OK;
    for (uint32_t id = 0; !status && id < vocab->table.size; id++) {
        size_t length;
        const uint8_t *token = lxm_vocab_token(vocab, id, &length);
        bool whole = token && lxm_vocab_find_outside(vocab, token, length) == id;
        if (token && (whole || lxm_vocab_is_special(vocab, id)))
            status = added_token(vocab, id, list, error);
    }
    return status;
}

static json_t *decoder(const lxm_vocab *vocab)
{
    if (lxm_model_is_byte_level(vocab))
        return byte_level(true, true);
    if (vocab->model == &lxm_model_wordpiece)
        return json_pack("{s:s,s:s%,s:b}", "type", "WordPiece", "prefix",
                         (const char *)vocab->decoding.continuation.bytes,
                         vocab->decoding.continuation.length, "cleanup", 1);
    return json_null();
}

static lxm_status describe(const lxm_vocab *vocab, json_t **root, lxm_error *error)
{
    json_t *added = json_array();
    *root = json_pack("{s:s,s:n,s:n,s:o,s:n,s:n,s:n,s:o}", "version", "1.0", "truncation",
                      "padding", "added_tokens", added, "normalizer", "pre_tokenizer",
                      "post_processor", "decoder", decoder(vocab));
    return *root ? added_tokens(vocab, added, error) : lxm_fail_memory(error);
}

/* What the vocabulary kept; a compiled file may hold anything there. */
static lxm_status read_kept(const lxm_vocab *vocab, json_t **root, lxm_error *error)
{
    json_error_t reason;
    *root = json_loads(vocab->description, 0, &reason);
    if (json_is_object(*root))
        return LXM_OK;
    if (!*root && json_error_code(&reason) == json_error_out_of_memory)
        return lxm_fail_memory(error);
    return lxm_fail(error, LXM_ERROR_FORMAT,
                    "what the vocabulary keeps of a tokenizer.json is none: make it anew with "
                    "idmap convert");
}

lxm_status lxm_description_of(const lxm_vocab *vocab, const lxm_vocab_write_options *options,
                              json_t **root, lxm_error *error)
{
    lxm_status status =
        vocab->description ? read_kept(vocab, root, error) : describe(vocab, root, error);
    if (!status && options->preset)
        status = set_preset(*root, vocab, options, error);
    if (status) {
        json_decref(*root);
        *root = NULL;
    }
    return status;
}

lxm_status lxm_description_write(const lxm_vocab *vocab, const lxm_vocab_write_options *options,
                                 lxm_buffer *text, lxm_error *error)
{
    json_t *root;
    lxm_status status = lxm_description_of(vocab, options, &root, error);
    if (!status)
        status = dump(root, text, error);
    json_decref(root);
    return status;
}
