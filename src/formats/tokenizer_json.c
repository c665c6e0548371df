/*
 * tokenizer.json of Hugging Face's tokenizers: opening a tokenizer by it. What it says is done
 * exactly, or refused by name.
 */
#define _POSIX_C_SOURCE 200809L
#include "formats/tokenizer_json.h"

#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "formats/vocab.h"
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

/* ---- opening ---- */

static lxm_status read_added(lxm_rules *rules, lxm_error *error)
{
    const json_t *list = json_object_get(rules->root, "added_tokens");
    lxm_recipe *recipe = &rules->recipe;
    recipe->added = lxm_allocate(&recipe->allocator, json_array_size(list), sizeof *recipe->added);
    if (!recipe->added)
        return lxm_fail_memory(error);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *token = json_array_get(list, i), *content = json_object_get(token, "content");
        bool special = lxm_rules_flag(token, "special", false);
        if (!json_is_string(content))
            return lxm_fail(error, LXM_ERROR_FORMAT,
                            "tokenizer.json: an added token has no content");
        if (json_string_length(content) > 0)
            recipe->added[recipe->added_count++] =
                (lxm_added){.content = json_string_value(content),
                            .special = special,
                            .normalized = lxm_rules_flag(token, "normalized", !special),
                            .single_word = lxm_rules_flag(token, "single_word", false),
                            .lstrip = lxm_rules_flag(token, "lstrip", false),
                            .rstrip = lxm_rules_flag(token, "rstrip", false)};
    }
    return LXM_OK;
}

/* Whether one of the tokens to be kept whole is looked for in normalised text. */
static bool looks_at_normalized(const lxm_rules *rules)
{
    for (size_t i = 0; i < rules->recipe.added_count; i++) {
        const lxm_added *added = &rules->recipe.added[i];
        bool wanted = !added->special;
        for (size_t k = 0; k < rules->options.special_count; k++)
            wanted |= strcmp(rules->options.specials[k], added->content) == 0;
        if (wanted && added->normalized)
            return true;
    }
    return false;
}

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

static lxm_status read_rules(lxm_rules *rules, const lxm_map *map, lxm_error *error)
{
    lxm_status status = lxm_compiled_probe(map->data, map->length)
                            ? parse_compiled(&rules->root, map, error)
                            : parse(&rules->root, map->data, map->length, error);
    if (status)
        return status;
    if (!json_object_get(rules->root, "pre_tokenizer"))
        return lxm_fail(error, LXM_ERROR_FORMAT,
                        "this is not a tokenizer.json: it has no pre_tokenizer");
    status = lxm_rules_normalizer(rules, json_object_get(rules->root, "normalizer"), error);
    if (!status)
        status =
            lxm_rules_pre_tokenizer(rules, json_object_get(rules->root, "pre_tokenizer"), error);
    if (!status)
        status = read_added(rules, error);
    if (!status && looks_at_normalized(rules))
        status = lxm_rules_set_ideographs_apart(rules, error);
    return status;
}

static bool states_rules(const lxm_tokenizer_options *o)
{
    return o->preset || o->pattern || o->split || o->normal_form || o->strip_marks ||
           o->strip_all_marks || o->lowercase || o->casefold || o->clean || o->prefix_space;
}

/* Of a folder, the tokenizer.json in it. */
static lxm_status open_map(lxm_map *map, const char *path, const lxm_allocator *a, lxm_error *error)
{
    struct stat about;
    if (stat(path, &about) != 0 || !S_ISDIR(about.st_mode))
        return lxm_map_open(map, path, error);
    char *inside = lxm_vocab_file_path(a, path, "tokenizer.json");
    if (!inside)
        return lxm_fail_memory(error);
    lxm_status status = lxm_map_open(map, inside, error);
    lxm_release(a, inside);
    if (status && error)
        error->path = path; /* the other is gone */
    return status;
}

lxm_status lxm_tokenizer_open(lxm_tokenizer **tokenizer, const char *path,
                              const lxm_tokenizer_options *options, const lxm_allocator *allocator,
                              lxm_error *error)
{
    static const lxm_tokenizer_options standard;
    *tokenizer = NULL;
    lxm_map map;
    lxm_allocator a = lxm_allocator_or_default(allocator);
    lxm_rules rules = {.options = options ? *options : standard, .recipe = {.allocator = a}};
    if (states_rules(&rules.options))
        return lxm_fail(error, LXM_ERROR_ARGUMENT,
                        "--from states the pattern and the normalisation: leave out the options "
                        "that do so as well");
    lxm_status status = open_map(&map, path, &a, error);
    if (status)
        return status;
    lxm_buffer_init(&rules.pattern, &a);
    status = read_rules(&rules, &map, error);
    lxm_map_close(&map);
    if (!status)
        status = lxm_tokenizer_make(tokenizer, &rules.options, &rules.recipe, allocator, error);
    lxm_buffer_free(&rules.pattern);
    lxm_recipe_free(&rules.recipe);
    json_decref(rules.root);
    if (status && error && !error->path)
        error->path = path;
    return status;
}
