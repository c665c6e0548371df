/*
 * tokenizer.json of Hugging Face's tokenizers: opening a tokenizer by it, and its normaliser. What
 * it says is done exactly, or refused by name.
 */
#include "formats/tokenizer_json.h"

#include "base/error.h"
#include "base/file.h"
#include "formats/vocab_compiled.h"

const char *lxm_rules_type(const json_t *part)
{
    const char *type = json_string_value(json_object_get(part, "type"));
    return type ? type : "";
}

lxm_status lxm_rules_refuse(const char *what, const char *type, lxm_error *error)
{
    return lxm_fail(
        error, LXM_ERROR_UNSUPPORTED,
        "tokenizer.json: %s %.100s can't be done exactly: state what comes nearest with "
        "-p, -e or --split, and -n",
        what, type);
}

bool lxm_rules_flag(const json_t *part, const char *name, bool missing)
{
    const json_t *value = json_object_get(part, name);
    return json_is_boolean(value) ? json_is_true(value) : missing;
}

/* ---- normaliser ---- */

static lxm_status bert(lxm_rules *rules, const json_t *part)
{
    lxm_tokenizer_options *o = &rules->options;
    rules->bert = true;
    rules->ideographs = lxm_rules_flag(part, "handle_chinese_chars", true);
    o->clean = lxm_rules_flag(part, "clean_text", true);
    o->lowercase = lxm_rules_flag(part, "lowercase", true);
    o->strip_marks = lxm_rules_flag(part, "strip_accents", o->lowercase);
    return LXM_OK;
}

static lxm_normal_form form_named(const char *type)
{
    static const char *const forms[] = {"NFC", "NFD", "NFKC", "NFKD"};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (strcmp(type, forms[i]) == 0)
            return (lxm_normal_form)(LXM_NORMAL_NFC + i);
    return LXM_NORMAL_NONE;
}

static bool decomposes(lxm_normal_form form)
{
    return form == LXM_NORMAL_NFD || form == LXM_NORMAL_NFKD;
}

/* One step of a sequence. We decompose, drop marks, make lower case, compose, in this order: a
 * sequence that isn't the same thing is refused. */
static lxm_status step(lxm_rules *rules, const json_t *part, lxm_error *error)
{
    lxm_tokenizer_options *o = &rules->options;
    const char *type = lxm_rules_type(part);
    lxm_normal_form form = form_named(type);
    if (strcmp(type, "Lowercase") == 0) {
        /* lower case may make what would compose: h with a line below has a form, H has none */
        if (o->normal_form && !decomposes(o->normal_form))
            return lxm_rules_refuse("Lowercase behind", "NFC or NFKC", error);
        o->lowercase = true;
    } else if (strcmp(type, "StripAccents") == 0) {
        if (!decomposes(o->normal_form))
            return lxm_rules_refuse("StripAccents without", "NFD or NFKD before it", error);
        o->strip_marks = o->strip_all_marks = true;
    } else if (form) {
        /* lower case keeps canonical equivalence, but not what a K form brings to light */
        bool after = o->lowercase && (form == LXM_NORMAL_NFKC || form == LXM_NORMAL_NFKD);
        if (o->normal_form || o->strip_marks || after)
            return lxm_rules_refuse("behind other normalisers", type, error);
        o->normal_form = form;
    } else {
        return lxm_rules_refuse("the normalizer", type, error);
    }
    return LXM_OK;
}

lxm_status lxm_rules_normalizer(lxm_rules *rules, const json_t *normalizer, lxm_error *error)
{
    const char *type = lxm_rules_type(normalizer);
    if (!normalizer || json_is_null(normalizer))
        return LXM_OK;
    if (strcmp(type, "BertNormalizer") == 0)
        return bert(rules, normalizer);
    if (strcmp(type, "Sequence") != 0)
        return step(rules, normalizer, error);
    const json_t *list = json_object_get(normalizer, "normalizers");
    if (!json_is_array(list))
        return lxm_fail(error, LXM_ERROR_FORMAT, "tokenizer.json: a Sequence without a list");
    if (json_array_size(list) == 1)
        return lxm_rules_normalizer(rules, json_array_get(list, 0), error);
    lxm_status status = LXM_OK;
    for (size_t i = 0; !status && i < json_array_size(list); i++)
        status = step(rules, json_array_get(list, i), error);
    return status;
}

/* ---- opening ---- */

static lxm_status parse(json_t **root, const uint8_t *bytes, size_t length, lxm_error *error)
{
    json_error_t reason;
    *root = json_loadb((const char *)bytes, length, 0, &reason);
    if (*root)
        return LXM_OK;
    if (json_error_code(&reason) == json_error_out_of_memory)
        return lxm_fail_memory(error);
    return lxm_fail_at(error, LXM_ERROR_FORMAT, (uint64_t)reason.position,
                       "this is not a tokenizer.json: %.150s", reason.text);
}

/* A compiled vocabulary keeps what its tokenizer.json said. */
static lxm_status parse_compiled(json_t **root, const lxm_map *map, lxm_error *error)
{
    lxm_parts parts = {.count = 0};
    lxm_status status = lxm_compiled_open(&parts, map->data, map->length, error);
    const lxm_part *description = lxm_parts_find(&parts, lxm_part_description);
    if (status)
        return status;
    if (!description || description->width != 1)
        return lxm_fail(error, LXM_ERROR_FORMAT,
                        "this compiled vocabulary doesn't say how text is cut: name it with -p");
    return parse(root, description->data, description->count, error);
}

static bool states_rules(const lxm_tokenizer_options *o)
{
    return o->preset || o->pattern || o->split || o->normal_form || o->strip_marks ||
           o->strip_all_marks || o->lowercase || o->casefold || o->clean || o->prefix_space;
}

lxm_status lxm_tokenizer_from_json(lxm_tokenizer **tokenizer, const json_t *root,
                                   const lxm_tokenizer_options *options,
                                   const lxm_allocator *allocator, lxm_error *error)
{
    lxm_allocator a = lxm_allocator_or_default(allocator);
    lxm_rules rules = {.options = *options};
    lxm_status status = LXM_OK;
    *tokenizer = NULL;
    lxm_buffer_init(&rules.pattern, &a);
    if (!json_object_get(root, "pre_tokenizer"))
        status = lxm_fail(error, LXM_ERROR_FORMAT,
                          "this is not a tokenizer.json: it has no pre_tokenizer");
    if (!status)
        status = lxm_rules_normalizer(&rules, json_object_get(root, "normalizer"), error);
    if (!status)
        status = lxm_rules_pre_tokenizer(&rules, json_object_get(root, "pre_tokenizer"), error);
    if (!status)
        status = lxm_tokenizer_new(tokenizer, &rules.options, allocator, error);
    lxm_buffer_free(&rules.pattern);
    return status;
}

static lxm_status read_json(json_t **root, const lxm_map *map, lxm_error *error)
{
    return lxm_compiled_probe(map->data, map->length) ? parse_compiled(root, map, error)
                                                      : parse(root, map->data, map->length, error);
}

lxm_status lxm_tokenizer_open(lxm_tokenizer **tokenizer, const char *path,
                              const lxm_tokenizer_options *options, const lxm_allocator *allocator,
                              lxm_error *error)
{
    static const lxm_tokenizer_options standard;
    *tokenizer = NULL;
    lxm_map map;
    json_t *root = NULL;
    options = options ? options : &standard;
    if (states_rules(options))
        return lxm_fail(error, LXM_ERROR_ARGUMENT,
                        "--from states the pattern and the normalisation: leave out the options "
                        "that do so as well");
    lxm_status status = lxm_map_open(&map, path, error);
    if (status)
        return status;
    status = read_json(&root, &map, error);
    lxm_map_close(&map);
    if (!status)
        status = lxm_tokenizer_from_json(tokenizer, root, options, allocator, error);
    json_decref(root);
    if (status && error && !error->path)
        error->path = path;
    return status;
}
