/*
 * Pre-tokenizers in sentencepiece's manner: marks stand for spaces, and a mark begins a token. And
 * those that don't cut at all: there a model's merges decide where a document may be cut without
 * another result, so that it needn't be held as a whole.
 */
#include <stdio.h>

#include "base/error.h"
#include "base/utf8.h"
#include "formats/tokenizer_json.h"

static const char usual_mark[] = "\xE2\x96\x81";

/* The mark goes where a "%" stands. */
static lxm_status use_pattern(lxm_rules *rules, const char *pattern, const char *mark,
                              lxm_error *error)
{
    char code[16];
    size_t size;
    snprintf(code, sizeof code, "\\x{%X}", (unsigned)lxm_utf8_decode((const uint8_t *)mark, &size));
    for (const char *p = pattern; *p; p++) {
        const char *part = *p == '%' ? code : p;
        if (!lxm_buffer_append(&rules->pattern, part, *p == '%' ? strlen(code) : 1))
            return lxm_fail_memory(error);
    }
    if (!lxm_buffer_append(&rules->pattern, "", 1))
        return lxm_fail_memory(error);
    rules->options.pattern = (const char *)rules->pattern.data;
    return LXM_OK;
}

/* ---- models that are given all of a document ---- */

static bool is_named(const json_t *model, const char *name)
{
    const json_t *value = json_object_get(model, name);
    return json_is_string(value) && json_string_length(value) > 0;
}

/* The halves of a merge: what the left one ends in, and what the right one begins with. */
static bool halves(const json_t *merge, const char **left, size_t *left_length, const char **right)
{
    const char *text = json_string_value(merge), *space = text ? strchr(text, ' ') : NULL;
    *left = text ? text : json_string_value(json_array_get(merge, 0));
    *right = text ? (space ? space + 1 : NULL) : json_string_value(json_array_get(merge, 1));
    if (!*left || !*right)
        return false;
    *left_length = space ? (size_t)(space - *left) : strlen(*left);
    return true;
}

/* Whether a merge puts a mark behind something else than a mark. */
static bool crosses(const json_t *merge, const char *mark)
{
    const char *left, *right;
    size_t length, size = strlen(mark);
    if (!halves(merge, &left, &length, &right))
        return true;
    bool marks = length >= size && memcmp(left + length - size, mark, size) == 0;
    return strncmp(right, mark, size) == 0 && !marks;
}

const char *lxm_rules_mark(const json_t *pre_tokenizer)
{
    const char *mark = json_string_value(json_object_get(pre_tokenizer, "replacement"));
    return mark ? mark : usual_mark;
}

/*
 * Every symbol that BPE ever has is a character or comes from a merge: where none has such a place
 * inside, nothing merges across it, and both sides become what they become alone.
 */
bool lxm_rules_marks_divide(const json_t *root, const char *mark)
{
    const json_t *model = json_object_get(root, "model");
    const char *kept = json_string_value(
        json_object_get(json_object_get(root, lxm_rules_own_key), lxm_rules_marks_key));
    if (!model)
        return kept && strcmp(kept, mark) == 0;
    const json_t *merges = json_object_get(model, "merges");
    if (!json_is_array(merges) || !json_object_get(json_object_get(model, "vocab"), mark) ||
        json_is_true(json_object_get(model, "ignore_merges")) ||
        is_named(model, "continuing_subword_prefix") || is_named(model, "end_of_word_suffix"))
        return false;
    for (size_t i = 0; i < json_array_size(merges); i++)
        if (crosses(json_array_get(merges, i), mark))
            return false;
    return true;
}

/* The last step, where it leaves no spaces. */
static const lxm_step *taker_of_spaces(const lxm_rules *rules)
{
    const lxm_recipe *recipe = &rules->recipe;
    const lxm_step *last = recipe->step_count ? &recipe->steps[recipe->step_count - 1] : NULL;
    bool takes = last && last->kind == &lxm_step_replace && last->pattern && last->least <= 1 &&
                 strcmp(last->pattern, " ") == 0 && !strchr(last->content, ' ');
    return takes ? last : NULL;
}

/* Whether spaces are marks by the time that tokens are looked for. */
static bool spaces_are_marks(const lxm_rules *rules, const char *mark)
{
    const lxm_step *taker = taker_of_spaces(rules);
    return rules->recipe.metaspace || (taker && strcmp(taker->content, mark) == 0);
}

static lxm_status uncut(lxm_rules *rules, const char *mark, lxm_error *error)
{
    if (!lxm_rules_marks_divide(rules->root, mark))
        return use_pattern(rules, "(?s:.)++", mark, error);
    rules->recipe.divisible = spaces_are_marks(rules, mark);
    return use_pattern(rules, "%*+[^%]++|%++", mark, error);
}

lxm_status lxm_rules_uncut(lxm_rules *rules, lxm_error *error)
{
    return uncut(rules, usual_mark, error);
}

/* ---- Metaspace ---- */

/* Files older than "prepend_scheme" have "add_prefix_space". */
static lxm_status scheme(const json_t *part, lxm_prepend *prepend, lxm_error *error)
{
    const char *name = json_string_value(json_object_get(part, "prepend_scheme"));
    *prepend =
        lxm_rules_flag(part, "add_prefix_space", true) ? LXM_PREPEND_ALWAYS : LXM_PREPEND_NEVER;
    if (!name)
        return LXM_OK;
    if (strcmp(name, "always") == 0)
        *prepend = LXM_PREPEND_ALWAYS;
    else if (strcmp(name, "first") == 0)
        *prepend = LXM_PREPEND_FIRST;
    else if (strcmp(name, "never") == 0)
        *prepend = LXM_PREPEND_NEVER;
    else
        return lxm_rules_refuse("Metaspace with the prepend_scheme", name, error);
    return LXM_OK;
}

lxm_status lxm_rules_metaspace(lxm_rules *rules, const json_t *part, bool words, lxm_error *error)
{
    const lxm_allocator *a = &rules->recipe.allocator;
    const char *mark = lxm_rules_mark(part);
    size_t size = 0;
    if (*mark)
        lxm_utf8_decode((const uint8_t *)mark, &size);
    if (size == 0 || mark[size])
        return lxm_fail(error, LXM_ERROR_FORMAT,
                        "tokenizer.json: Metaspace's replacement is not one character");
    lxm_step *step = rules->recipe.metaspace = lxm_new(a, sizeof *step);
    if (!step)
        return lxm_fail_memory(error);
    step->kind = &lxm_step_metaspace;
    step->words = words;
    step->content = lxm_copy_string(a, mark);
    if (!step->content)
        return lxm_fail_memory(error);
    bool split = lxm_rules_flag(part, "split", true);
    lxm_status status = scheme(part, &step->prepend, error);
    if (!status && words && (!split || step->prepend != LXM_PREPEND_ALWAYS))
        status = lxm_rules_refuse("behind WhitespaceSplit, without a mark before every word,",
                                  "Metaspace", error);
    if (status || !split)
        return status ? status : uncut(rules, mark, error);
    rules->recipe.divisible = true;
    return use_pattern(rules, "%[^%]*+|[^%]++", mark, error);
}

bool lxm_rules_no_spaces(const lxm_rules *rules)
{
    return taker_of_spaces(rules) != NULL;
}
