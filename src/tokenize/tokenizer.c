#include "tokenize/tokenizer.h"

#include "base/error.h"
#include "tokenize/recipe.h"
#include "tokenize/scan/scan.h"

enum { default_max_token = 16 << 20, most_max_token = 1 << 30 };

static const lxm_preset *find_preset(const char *name)
{
    for (size_t i = 0; lxm_preset_at(i); i++)
        if (strcmp(lxm_preset_at(i)->name, name) == 0)
            return lxm_preset_at(i);
    return NULL;
}

static const char *preset_name(const lxm_tokenizer_options *o)
{
    return o->preset ? o->preset : "words";
}

static lxm_status check(const lxm_tokenizer_options *o, lxm_error *error)
{
    if (o->normal_form > LXM_NORMAL_NFKD || o->invalid > LXM_INVALID_BYTES)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "unknown normalisation form or --invalid way");
    if (o->pattern && o->preset)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "a preset and a pattern exclude each other");
    if (!o->pattern && o->split)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "to split, a pattern is needed");
    if (o->max_token > most_max_token)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "the longest token is at most 1 GiB");
    if (!o->pattern && !find_preset(preset_name(o)))
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "there is no preset '%s' (see tokenize --list)",
                        o->preset);
    return LXM_OK;
}

/* A preset's own scanner, or PCRE2 with its pattern, or with the user's. */
static lxm_status choose_scanner(lxm_tokenizer *tokenizer, const lxm_tokenizer_options *o,
                                 lxm_error *error)
{
    lxm_pattern_options pattern = {o->pattern, o->split, o->match_limit};
    if (!o->pattern) {
        const lxm_preset *preset = find_preset(preset_name(o));
        tokenizer->scanner = lxm_scanner_for_preset(preset->name, lxm_cpu_features());
        pattern.pattern = preset->pattern;
    }
    if (tokenizer->scanner)
        return LXM_OK;
    lxm_status status =
        lxm_pattern_new(&tokenizer->compiled, &pattern, &tokenizer->allocator, error);
    tokenizer->scanner = tokenizer->compiled;
    return status;
}

static bool is_parted(const lxm_tokenizer_options *o)
{
    const char *name = preset_name(o);
    return !o->pattern && (strcmp(name, "bert") == 0 || strcmp(name, "whitespace") == 0);
}

static lxm_status build(lxm_tokenizer *tokenizer, const lxm_tokenizer_options *o,
                        lxm_recipe *recipe, lxm_error *error)
{
    lxm_status status = choose_scanner(tokenizer, o, error);
    if (!status)
        status = lxm_tokenizer_take_steps(tokenizer, recipe, error);
    if (!status)
        status =
            lxm_tokenizer_take_specials(tokenizer, recipe, o->specials, o->special_count, error);
    if (status)
        return status;
    tokenizer->divisible = lxm_tokenizer_is_divisible(tokenizer, recipe);
    tokenizer->lines = !o->pattern && !recipe;
    tokenizer->parted = is_parted(o);
    tokenizer->settings = lxm_tokenizer_describe(tokenizer, o, preset_name(o), recipe);
    return tokenizer->settings ? LXM_OK : lxm_fail_memory(error);
}

lxm_status lxm_tokenizer_make(lxm_tokenizer **out, const lxm_tokenizer_options *options,
                              lxm_recipe *recipe, const lxm_allocator *allocator, lxm_error *error)
{
    *out = NULL;
    lxm_allocator a = lxm_allocator_or_default(allocator);
    lxm_status status = check(options, error);
    if (status)
        return status;
    lxm_tokenizer *tokenizer = lxm_new(&a, sizeof *tokenizer);
    if (!tokenizer)
        return lxm_fail_memory(error);
    tokenizer->allocator = a;
    tokenizer->options = *options;
    if (!options->pattern)
        tokenizer->options.clean |= find_preset(preset_name(options))->clean;
    tokenizer->max_token = options->max_token ? options->max_token : default_max_token;
    status = build(tokenizer, options, recipe, error);
    if (status) {
        lxm_tokenizer_free(tokenizer);
        return status;
    }
    *out = tokenizer;
    return LXM_OK;
}

lxm_status lxm_tokenizer_new(lxm_tokenizer **tokenizer, const lxm_tokenizer_options *options,
                             const lxm_allocator *allocator, lxm_error *error)
{
    static const lxm_tokenizer_options standard;
    return lxm_tokenizer_make(tokenizer, options ? options : &standard, NULL, allocator, error);
}

void lxm_tokenizer_free(lxm_tokenizer *tokenizer)
{
    if (!tokenizer)
        return;
    if (tokenizer->compiled)
        tokenizer->compiled->free(tokenizer->compiled);
    lxm_specials_free(&tokenizer->specials);
    lxm_specials_free(&tokenizer->normalized_specials);
    lxm_steps_free(tokenizer->steps, tokenizer->step_count, &tokenizer->allocator);
    lxm_steps_free(tokenizer->metaspace, tokenizer->metaspace ? 1 : 0, &tokenizer->allocator);
    lxm_release(&tokenizer->allocator, tokenizer->settings);
    lxm_allocator a = tokenizer->allocator;
    lxm_release(&a, tokenizer);
}

const char *lxm_tokenizer_settings(const lxm_tokenizer *tokenizer)
{
    return tokenizer->settings;
}
