#include "tokenize/tokenizer.h"

#include <stdio.h>

#include "base/error.h"
#include "base/escape.h"
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

static bool say(lxm_buffer *text, const char *key, const char *value)
{
    return (text->length == 0 || lxm_buffer_append(text, "\t", 1)) &&
           lxm_buffer_append(text, key, strlen(key)) && lxm_buffer_append(text, "=", 1) &&
           lxm_escape(text, (const uint8_t *)value, strlen(value));
}

/* All that decides the tokens, as key=value joined by tabs. */
static bool describe(lxm_buffer *text, const lxm_tokenizer_options *o)
{
    static const char *const forms[] = {"none", "nfc", "nfd", "nfkc", "nfkd"};
    static const char *const invalid[] = {"error", "replace", "bytes"};
    bool good = o->pattern ? say(text, o->split ? "split" : "pattern", o->pattern)
                           : say(text, "preset", preset_name(o));
    if (o->normal_form)
        good = good && say(text, "normalize", forms[o->normal_form]);
    if (o->strip_marks)
        good = good && say(text, "strip-marks", "yes");
    if (o->strip_all_marks)
        good = good && say(text, "strip-all-marks", "yes");
    if (o->prefix_space)
        good = good && say(text, "prefix-space", "yes");
    if (o->lowercase)
        good = good && say(text, "lowercase", "yes");
    if (o->casefold)
        good = good && say(text, "casefold", "yes");
    if (o->clean)
        good = good && say(text, "clean", "yes");
    if (o->invalid)
        good = good && say(text, "invalid", invalid[o->invalid]);
    if (o->max_characters) {
        char number[24];
        snprintf(number, sizeof number, "%zu", o->max_characters);
        good = good && say(text, "max-characters", number);
    }
    for (size_t i = 0; i < o->special_count; i++)
        good = good && say(text, "special", o->specials[i]);
    return good && lxm_buffer_append(text, "", 1);
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

static lxm_status build(lxm_tokenizer *tokenizer, const lxm_tokenizer_options *o, lxm_error *error)
{
    lxm_status status = choose_scanner(tokenizer, o, error);
    if (!status)
        status = lxm_specials_init(&tokenizer->specials, o->specials, o->special_count,
                                   &tokenizer->allocator, error);
    if (status)
        return status;
    lxm_buffer settings;
    lxm_buffer_init(&settings, &tokenizer->allocator);
    if (!describe(&settings, o)) {
        lxm_buffer_free(&settings);
        return lxm_fail_memory(error);
    }
    tokenizer->settings = (char *)settings.data;
    return LXM_OK;
}

/* A special token with a space in it could lie across a cut; and behind one that ends in a letter a
 * part would have to begin with the prefix. A part doesn't know how many characters went before. */
static bool is_divisible(const lxm_tokenizer_options *o)
{
    if (o->max_characters)
        return false;
    if (o->prefix_space && o->special_count)
        return false;
    for (size_t i = 0; i < o->special_count; i++)
        if (strpbrk(o->specials[i], " \n"))
            return false;
    return !o->pattern;
}

static bool is_alphanumeric(uint8_t c)
{
    return (uint8_t)((c | 0x20) - 'a') < 26 || (uint8_t)(c - '0') < 10;
}

size_t lxm_tokenizer_cut(const lxm_tokenizer *tokenizer, const uint8_t *text, size_t length)
{
    if (!tokenizer->divisible)
        return 0;
    for (size_t i = length; i-- > 1;)
        if ((text[i] == ' ' || text[i] == '\n') && is_alphanumeric(text[i - 1]))
            return i;
    return 0;
}

lxm_status lxm_tokenizer_new(lxm_tokenizer **out, const lxm_tokenizer_options *options,
                             const lxm_allocator *allocator, lxm_error *error)
{
    static const lxm_tokenizer_options standard;
    if (!options)
        options = &standard;
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
    tokenizer->divisible = is_divisible(options);
    tokenizer->max_token = options->max_token ? options->max_token : default_max_token;
    status = build(tokenizer, options, error);
    if (status) {
        lxm_tokenizer_free(tokenizer);
        return status;
    }
    *out = tokenizer;
    return LXM_OK;
}

void lxm_tokenizer_free(lxm_tokenizer *tokenizer)
{
    if (!tokenizer)
        return;
    if (tokenizer->compiled)
        tokenizer->compiled->free(tokenizer->compiled);
    lxm_specials_free(&tokenizer->specials);
    lxm_release(&tokenizer->allocator, tokenizer->settings);
    lxm_allocator a = tokenizer->allocator;
    lxm_release(&a, tokenizer);
}

const char *lxm_tokenizer_settings(const lxm_tokenizer *tokenizer)
{
    return tokenizer->settings;
}
