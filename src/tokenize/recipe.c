/* A tokenizer's steps and the tokens that it keeps whole, from what options and files say. */
#include "tokenize/recipe.h"

#include "base/cpu.h"
#include "base/error.h"
#include "base/utf8.h"

lxm_step *lxm_recipe_add(lxm_recipe *recipe, const lxm_step_kind *kind)
{
    if (recipe->step_count == recipe->step_capacity) {
        size_t capacity = 2 * recipe->step_capacity + 4;
        lxm_step *steps =
            lxm_resize(&recipe->allocator, recipe->steps, capacity, sizeof *recipe->steps);
        if (!steps)
            return NULL;
        recipe->steps = steps;
        recipe->step_capacity = capacity;
    }
    lxm_step *step = &recipe->steps[recipe->step_count++];
    *step = (lxm_step){.kind = kind};
    return step;
}

void lxm_steps_free(lxm_step *steps, size_t count, const lxm_allocator *allocator)
{
    for (size_t i = 0; i < count; i++)
        lxm_step_free(&steps[i], allocator);
    lxm_release(allocator, steps);
}

void lxm_recipe_free(lxm_recipe *recipe)
{
    lxm_steps_free(recipe->steps, recipe->step_count, &recipe->allocator);
    lxm_steps_free(recipe->metaspace, recipe->metaspace ? 1 : 0, &recipe->allocator);
    lxm_release(&recipe->allocator, recipe->added);
    *recipe = (lxm_recipe){.allocator = recipe->allocator};
}

/* ---- steps ---- */

lxm_status lxm_tokenizer_take_steps(lxm_tokenizer *tokenizer, lxm_recipe *recipe, lxm_error *error)
{
    bool own = lxm_normalizer_wanted(&tokenizer->options);
    size_t count = (own ? 1 : 0) + (recipe ? recipe->step_count : 0);
    if (count == 0 && !(recipe && recipe->metaspace))
        return LXM_OK;
    lxm_step *steps = lxm_new(&tokenizer->allocator, (count + 1) * sizeof *steps);
    if (!steps)
        return lxm_fail_memory(error);
    tokenizer->steps = steps;
    tokenizer->step_count = count;
    if (own)
        *steps++ = (lxm_step){.kind = &lxm_step_unicode, .unicode = tokenizer->options};
    if (!recipe)
        return LXM_OK;
    if (recipe->step_count)
        memcpy(steps, recipe->steps, recipe->step_count * sizeof *steps);
    recipe->step_count = 0;
    tokenizer->metaspace = recipe->metaspace;
    recipe->metaspace = NULL;
    return LXM_OK;
}

/* ---- tokens that are kept whole ---- */

/* What all steps make of a text, in `buffer`. */
static lxm_status normalize(const lxm_tokenizer *t, const char *text, lxm_buffer *buffer,
                            lxm_error *error)
{
    lxm_status status =
        lxm_buffer_append(buffer, text, strlen(text)) ? LXM_OK : lxm_fail_memory(error);
    for (size_t i = 0; !status && i < t->step_count && buffer->length; i++) {
        lxm_stage stage;
        lxm_alignment straight;
        lxm_alignment_init(&straight, &t->allocator);
        status = lxm_stage_init(&stage, &t->steps[i], t->max_token, &t->allocator, error);
        if (!status && !lxm_alignment_add(&straight, 0, 0, buffer->length, false))
            status = lxm_fail_memory(error);
        if (!status)
            status = lxm_stage_push(&stage, buffer->data, buffer->length, &straight, error);
        buffer->length = 0;
        for (int part = 0; !status && part < 2; part++) {
            if (!lxm_buffer_append(buffer, stage.text->data, stage.text->length))
                status = lxm_fail_memory(error);
            else if (part == 0)
                status = lxm_stage_end(&stage, error);
        }
        lxm_stage_free(&stage);
        lxm_alignment_free(&straight);
    }
    return status;
}

static lxm_status add_normalized(lxm_tokenizer *t, const lxm_added *added, lxm_error *error)
{
    lxm_buffer text;
    char shown[64];
    lxm_buffer_init(&text, &t->allocator);
    lxm_status status = normalize(t, added->content, &text, error);
    if (!status && text.length == 0)
        status =
            lxm_fail(error, LXM_ERROR_UNSUPPORTED,
                     "nothing is left of the token '%s' when it is normalised: it can't be "
                     "found in text",
                     lxm_printable(shown, sizeof shown, added->content, strlen(added->content)));
    if (!status)
        status = lxm_specials_add(&t->normalized_specials, added, text.data, text.length, error);
    lxm_buffer_free(&text);
    return status;
}

static lxm_status add(lxm_tokenizer *t, const lxm_added *added, lxm_error *error)
{
    const char *content = added->content;
    size_t length = strlen(content);
    if (length == 0 || lxm_utf8_valid((const uint8_t *)content, length) != length)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "a special token must be UTF-8 and not empty");
    if (added->normalized && t->step_count)
        return add_normalized(t, added, error);
    lxm_specials *specials = added->normalized ? &t->normalized_specials : &t->specials;
    return lxm_specials_add(specials, added, (const uint8_t *)content, length, error);
}

/* One that the user names: as the file has it, or else just so. */
static lxm_status add_named(lxm_tokenizer *t, const lxm_recipe *recipe, const char *name,
                            lxm_error *error)
{
    const lxm_added plain = {.content = name};
    for (size_t i = 0; recipe && i < recipe->added_count; i++)
        if (strcmp(recipe->added[i].content, name) == 0)
            return recipe->added[i].special ? add(t, &recipe->added[i], error) : LXM_OK;
    return add(t, &plain, error);
}

lxm_status lxm_tokenizer_take_specials(lxm_tokenizer *t, const lxm_recipe *recipe,
                                       const char *const *names, size_t count, lxm_error *error)
{
    lxm_status status = LXM_OK;
    lxm_specials_init(&t->specials, &t->allocator);
    lxm_specials_init(&t->normalized_specials, &t->allocator);
    for (size_t i = 0; !status && i < count; i++)
        status = add_named(t, recipe, names[i], error);
    for (size_t i = 0; !status && recipe && i < recipe->added_count; i++)
        if (!recipe->added[i].special)
            status = add(t, &recipe->added[i], error);
    lxm_specials_finish(&t->specials);
    lxm_specials_finish(&t->normalized_specials);
    return status;
}

/* ---- cuts ---- */

static inline bool is_alphanumeric(uint8_t c)
{
    return ((uint8_t)((c | 0x20) - 'a') < 26) | ((uint8_t)(c - '0') < 10);
}

/* Whether none of them could lie across a cut, or take in white space behind one. */
static bool stay_apart(const lxm_specials *specials)
{
    for (size_t i = 0; i < specials->count; i++) {
        const lxm_special *s = &specials->list[i];
        if (memchr(s->bytes, ' ', s->length) || memchr(s->bytes, '\n', s->length) ||
            (s->rstrip && is_alphanumeric(s->bytes[s->length - 1])))
            return false;
    }
    return true;
}

bool lxm_tokenizer_is_divisible(const lxm_tokenizer *t, const lxm_recipe *recipe)
{
    size_t own = lxm_normalizer_wanted(&t->options) ? 1 : 0;
    bool steps = t->step_count > own || t->metaspace;
    if (t->options.max_characters) /* a part doesn't know how many went before */
        return false;
    /* behind one that ends in a letter a part would have to begin with the prefix */
    if (t->options.prefix_space && (t->specials.count || t->normalized_specials.count))
        return false;
    if (!stay_apart(&t->specials) || !stay_apart(&t->normalized_specials) ||
        (steps && t->normalized_specials.count))
        return false;
    for (size_t i = 0; i < t->step_count; i++)
        if (!t->steps[i].kind->divides(&t->steps[i]))
            return false;
    return t->options.pattern ? recipe && recipe->divisible : !steps;
}

static inline bool is_cut(const uint8_t *p, uint8_t newline)
{
    return ((p[0] == ' ') | (p[0] == newline)) & is_alphanumeric(p[-1]);
}

static inline __attribute__((always_inline)) size_t last_cut(const uint8_t *text, size_t length,
                                                             uint8_t newline)
{
    enum { block = 64 };
    size_t i = length;
    for (uint8_t found = 0; i > block; i -= block) {
        for (size_t k = 0; k < block; k++) /* without a branch, for the compiler's vectors */
            found |= is_cut(text + i - block + k, newline);
        if (found)
            break;
    }
    while (i-- > 1)
        if (is_cut(text + i, newline))
            return i;
    return 0;
}

#if defined __x86_64__
__attribute__((target("avx2"))) static size_t last_cut_avx2(const uint8_t *text, size_t length,
                                                            uint8_t newline)
{
    return last_cut(text, length, newline);
}
#endif

size_t lxm_tokenizer_cut(const lxm_tokenizer *tokenizer, const uint8_t *text, size_t length)
{
    const uint8_t newline = tokenizer->lines ? '\n' : ' ';
    if (!tokenizer->divisible)
        return 0;
#if defined __x86_64__
    if (lxm_cpu_features() & LXM_CPU_AVX2)
        return last_cut_avx2(text, length, newline);
#endif
    return last_cut(text, length, newline);
}
