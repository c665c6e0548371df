/* The normalisers of tokenizer.json, as steps. */
#include "base/error.h"
#include "base/utf8.h"
#include "formats/base64.h"
#include "formats/tokenizer_json.h"

enum { most_repeats = 1000 };

/* ---- Unicode ---- */

static bool is_last_unicode(const lxm_rules *rules)
{
    const lxm_recipe *recipe = &rules->recipe;
    return recipe->step_count == 0 ||
           recipe->steps[recipe->step_count - 1].kind == &lxm_step_unicode;
}

/* The options of the last step, or those of the tokenizer where there is none yet. */
static lxm_tokenizer_options *last_unicode(lxm_rules *rules)
{
    lxm_recipe *recipe = &rules->recipe;
    return recipe->step_count ? &recipe->steps[recipe->step_count - 1].unicode : &rules->options;
}

/* Options that another step of Unicode may go into, or, where the last don't take it, new ones. */
static lxm_status unicode(lxm_rules *rules, bool fits, lxm_tokenizer_options **options,
                          lxm_error *error)
{
    if ((!is_last_unicode(rules) || !fits) && !lxm_recipe_add(&rules->recipe, &lxm_step_unicode))
        return lxm_fail_memory(error);
    *options = last_unicode(rules);
    return LXM_OK;
}

static lxm_status bert(lxm_rules *rules, const json_t *part, lxm_error *error)
{
    lxm_tokenizer_options *o = last_unicode(rules);
    bool fits = is_last_unicode(rules) && !lxm_normalizer_wanted(o);
    lxm_status status = unicode(rules, fits, &o, error);
    if (status)
        return status;
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

/* One step decomposes, drops marks, makes lower case, composes, in this order: what comes in
 * another order takes another step. */
static lxm_status lowercase(lxm_rules *rules, lxm_error *error)
{
    /* lower case may make what would compose: h with a line below has a form, H has none */
    lxm_tokenizer_options *o = last_unicode(rules);
    lxm_status status = unicode(rules, !o->normal_form || decomposes(o->normal_form), &o, error);
    if (!status)
        o->lowercase = true;
    return status;
}

static lxm_status strip_accents(lxm_rules *rules, lxm_error *error)
{
    lxm_tokenizer_options *o = last_unicode(rules);
    if (!is_last_unicode(rules) || !decomposes(o->normal_form))
        return lxm_rules_refuse("StripAccents without", "NFD or NFKD before it", error);
    o->strip_marks = o->strip_all_marks = true;
    return LXM_OK;
}

static lxm_status normal_form(lxm_rules *rules, lxm_normal_form form, lxm_error *error)
{
    /* lower case keeps canonical equivalence, but not what a K form brings to light */
    lxm_tokenizer_options *o = last_unicode(rules);
    bool after = o->lowercase && (form == LXM_NORMAL_NFKC || form == LXM_NORMAL_NFKD);
    lxm_status status = unicode(rules, !o->normal_form && !o->strip_marks && !after, &o, error);
    if (!status)
        o->normal_form = form;
    return status;
}

/* ---- sentencepiece's table ---- */

static lxm_status precompiled(lxm_rules *rules, const json_t *part, lxm_error *error)
{
    const json_t *text = json_object_get(part, "precompiled_charsmap");
    const lxm_allocator *a = &rules->recipe.allocator;
    size_t length = json_string_length(text);
    lxm_step *step = lxm_recipe_add(&rules->recipe, &lxm_step_charsmap);
    uint8_t *bytes = lxm_allocate(a, length + 1, 1);
    lxm_status status = LXM_OK;
    if (!step || !bytes)
        status = lxm_fail_memory(error);
    size_t size = 0;
    if (!status && json_is_string(text))
        size = lxm_base64_decode((const uint8_t *)json_string_value(text), length, bytes);
    if (!status)
        status = lxm_charsmap_init(&step->charsmap, bytes, size, a, error);
    lxm_release(a, bytes);
    return status;
}

/* ---- strings ---- */

static lxm_status copy(const lxm_rules *rules, const char *text, char **out, lxm_error *error)
{
    *out = lxm_copy_string(&rules->recipe.allocator, text);
    return *out ? LXM_OK : lxm_fail_memory(error);
}

static lxm_status prepend(lxm_rules *rules, const json_t *part, lxm_error *error)
{
    const char *text = json_string_value(json_object_get(part, "prepend"));
    if (!text)
        return lxm_fail(error, LXM_ERROR_FORMAT, "tokenizer.json: a Prepend without a string");
    lxm_step *step = lxm_recipe_add(&rules->recipe, &lxm_step_prepend);
    return step ? copy(rules, text, &step->content, error) : lxm_fail_memory(error);
}

static lxm_status strip(lxm_rules *rules, const json_t *part, lxm_error *error)
{
    lxm_step *step = lxm_recipe_add(&rules->recipe, &lxm_step_strip);
    if (!step)
        return lxm_fail_memory(error);
    step->left = lxm_rules_flag(part, "strip_left", true);
    step->right = lxm_rules_flag(part, "strip_right", true);
    return LXM_OK;
}

/* A character at the start of a pattern: its own size through *size, with its backslash through
 * *length; false for what means something else. */
static bool character(const char *p, const char **text, size_t *size, size_t *length)
{
    bool escaped = *p == '\\';
    *text = p + escaped;
    if (!**text || (!escaped && strchr(".^$|?*+()[]{}", **text)))
        return false;
    if (escaped && !strchr(".^$|?*+()[]{}\\/-", **text))
        return false;
    lxm_utf8_decode((const uint8_t *)*text, size);
    *length = *size + escaped;
    return true;
}

/* '+' or "{n,}", and no more: how often at least; 0 for anything else. */
static size_t repeat(const char *p)
{
    size_t least = 0;
    if (strcmp(p, "+") == 0)
        return 1;
    if (*p++ != '{')
        return 0;
    for (; *p >= '0' && *p <= '9' && least <= most_repeats; p++)
        least = 10 * least + (size_t)(*p - '0');
    return strcmp(p, ",}") == 0 && least <= most_repeats ? least : 0;
}

/* Runs of a character or of white space, or characters that stand for themselves. False for any
 * other pattern. `pattern` has room for the regex. */
static bool simple(const char *regex, char *pattern, size_t *least, bool *space)
{
    const char *text;
    size_t size, length, written = 0;
    *space = strncmp(regex, "\\s", 2) == 0;
    *least = *space ? repeat(regex + 2) : 0;
    if (*space)
        return *least > 0;
    for (const char *p = regex; *p; p += length) {
        if (!character(p, &text, &size, &length))
            return false;
        memcpy(pattern + written, text, size);
        written += size;
        *least = p == regex ? repeat(p + length) : 0;
        if (*least)
            break;
    }
    pattern[written] = '\0';
    return written > 0;
}

static lxm_status replace(lxm_rules *rules, const json_t *part, lxm_error *error)
{
    const json_t *pattern = json_object_get(part, "pattern");
    const char *text = json_string_value(json_object_get(pattern, "String"));
    const char *regex = json_string_value(json_object_get(pattern, "Regex"));
    const char *content = json_string_value(json_object_get(part, "content"));
    if ((!text && !regex) || !content)
        return lxm_fail(error, LXM_ERROR_FORMAT,
                        "tokenizer.json: a Replace without a pattern or content");
    if (text && !*text)
        return lxm_rules_refuse("a Replace whose pattern is", "empty", error);
    lxm_step *step = lxm_recipe_add(&rules->recipe, &lxm_step_replace);
    if (!step)
        return lxm_fail_memory(error);
    bool space = false;
    lxm_status status = copy(rules, content, &step->content, error);
    if (!status)
        status = copy(rules, text ? text : regex, &step->pattern, error);
    if (!status && regex && !simple(regex, step->pattern, &step->least, &space))
        status = lxm_rules_refuse("the normalizer Replace with the pattern", regex, error);
    if (!status && space) {
        lxm_release(&rules->recipe.allocator, step->pattern);
        step->pattern = NULL;
    }
    return status;
}

/* ---- all ---- */

lxm_status lxm_rules_set_ideographs_apart(lxm_rules *rules, lxm_error *error)
{
    if (rules->ideographs && !lxm_recipe_add(&rules->recipe, &lxm_step_ideographs))
        return lxm_fail_memory(error);
    rules->ideographs = false;
    return LXM_OK;
}

static lxm_status step(lxm_rules *rules, const json_t *part, lxm_error *error)
{
    const char *type = lxm_rules_type(part);
    lxm_status status = lxm_rules_set_ideographs_apart(rules, error);
    if (status)
        return status;
    if (strcmp(type, "BertNormalizer") == 0)
        return bert(rules, part, error);
    if (strcmp(type, "Lowercase") == 0)
        return lowercase(rules, error);
    if (strcmp(type, "StripAccents") == 0)
        return strip_accents(rules, error);
    if (form_named(type))
        return normal_form(rules, form_named(type), error);
    if (strcmp(type, "Precompiled") == 0)
        return precompiled(rules, part, error);
    if (strcmp(type, "Prepend") == 0)
        return prepend(rules, part, error);
    if (strcmp(type, "Strip") == 0)
        return strip(rules, part, error);
    if (strcmp(type, "Replace") == 0)
        return replace(rules, part, error);
    return lxm_rules_refuse("the normalizer", *type ? type : "without a type", error);
}

lxm_status lxm_rules_normalizer(lxm_rules *rules, const json_t *normalizer, lxm_error *error)
{
    if (!normalizer || json_is_null(normalizer))
        return LXM_OK;
    if (strcmp(lxm_rules_type(normalizer), "Sequence") != 0)
        return step(rules, normalizer, error);
    const json_t *list = json_object_get(normalizer, "normalizers");
    if (!json_is_array(list))
        return lxm_fail(error, LXM_ERROR_FORMAT, "tokenizer.json: a Sequence without a list");
    lxm_status status = LXM_OK;
    for (size_t i = 0; !status && i < json_array_size(list); i++)
        status = lxm_rules_normalizer(rules, json_array_get(list, i), error);
    return status;
}
