/* What decides the tokens, in one line. */
#include <inttypes.h>
#include <stdio.h>

#include "base/escape.h"
#include "base/hash.h"
#include "tokenize/recipe.h"

static bool say(lxm_buffer *text, const char *key, const char *value)
{
    return (text->length == 0 || lxm_buffer_append(text, "\t", 1)) &&
           lxm_buffer_append(text, key, strlen(key)) && lxm_buffer_append(text, "=", 1) &&
           lxm_escape(text, (const uint8_t *)value, strlen(value));
}

static bool say_hash(lxm_buffer *text, const char *key, uint64_t hash)
{
    char value[32];
    snprintf(value, sizeof value, "%016" PRIx64, hash);
    return say(text, key, value);
}

static bool say_unicode(lxm_buffer *text, const lxm_tokenizer_options *o)
{
    static const char *const forms[] = {"none", "nfc", "nfd", "nfkc", "nfkd"};
    bool good = true;
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
    return good;
}

/* Steps that only a file can ask for: each by a hash of all that it has. */
static bool say_step(lxm_buffer *text, const lxm_step *step)
{
    const lxm_charsmap *map = &step->charsmap;
    uint64_t flags = (uint64_t)step->least << 8 | (uint64_t)step->prepend << 4 |
                     (uint64_t)step->words << 3 | (uint64_t)step->left << 2 |
                     (uint64_t)step->right << 1 | (step->pattern ? 1 : 0);
    uint64_t hash = lxm_hash(map->units, 4 * map->unit_count, flags);
    hash = lxm_hash(map->text, map->text_length, hash);
    if (step->pattern)
        hash = lxm_hash(step->pattern, strlen(step->pattern), hash);
    if (step->content)
        hash = lxm_hash(step->content, strlen(step->content), hash);
    if (step->kind == &lxm_step_unicode)
        return say_unicode(text, &step->unicode);
    return say_hash(text, step->kind->name, hash);
}

static bool say_added(lxm_buffer *text, const lxm_specials *specials, const char *key)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < specials->count; i++) {
        const lxm_special *s = &specials->list[i];
        unsigned flags = s->single_word * 4u + s->lstrip * 2u + s->rstrip;
        hash = lxm_hash(s->bytes, s->length + s->token_length, hash + flags);
    }
    return specials->count == 0 || say_hash(text, key, hash);
}

static bool describe(lxm_buffer *text, const lxm_tokenizer *t, const lxm_tokenizer_options *o,
                     const char *preset, const lxm_recipe *recipe)
{
    static const char *const invalid[] = {"error", "replace", "bytes"};
    bool good = o->pattern ? say(text, o->split ? "split" : "pattern", o->pattern)
                           : say(text, "preset", preset);
    good = good && say_unicode(text, o);
    if (o->invalid)
        good = good && say(text, "invalid", invalid[o->invalid]);
    if (o->max_characters) {
        char number[24];
        snprintf(number, sizeof number, "%zu", o->max_characters);
        good = good && say(text, "max-characters", number);
    }
    for (size_t i = 0; i < o->special_count; i++)
        good = good && say(text, "special", o->specials[i]);
    for (size_t i = lxm_normalizer_wanted(&t->options) ? 1 : 0; i < t->step_count; i++)
        good = good && say_step(text, &t->steps[i]);
    if (t->metaspace)
        good = good && say_step(text, t->metaspace);
    if (recipe && recipe->added_count)
        good = good && say_added(text, &t->specials, "added") &&
               say_added(text, &t->normalized_specials, "added-normalized");
    return good && lxm_buffer_append(text, "", 1);
}

char *lxm_tokenizer_describe(const lxm_tokenizer *tokenizer, const lxm_tokenizer_options *options,
                             const char *preset, const lxm_recipe *recipe)
{
    lxm_buffer text;
    lxm_buffer_init(&text, &tokenizer->allocator);
    if (describe(&text, tokenizer, options, preset, recipe))
        return (char *)text.data;
    lxm_buffer_free(&text);
    return NULL;
}
