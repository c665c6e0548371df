/* Where a tokenizer has from what isn't its pattern. */
#ifndef LXM_TOKENIZE_RECIPE_H
#define LXM_TOKENIZE_RECIPE_H

#include "tokenize/tokenizer.h"

void lxm_steps_free(lxm_step *steps, size_t count, const lxm_allocator *allocator);

/* The steps of the tokenizer's options, then those of the recipe, which is left without; it may be
 * NULL. */
lxm_status lxm_tokenizer_take_steps(lxm_tokenizer *tokenizer, lxm_recipe *recipe, lxm_error *error);

/* Behind the steps: special tokens that the user names, and those that a file adds. */
lxm_status lxm_tokenizer_take_specials(lxm_tokenizer *tokenizer, const lxm_recipe *recipe,
                                       const char *const *names, size_t count, lxm_error *error);

bool lxm_tokenizer_is_divisible(const lxm_tokenizer *tokenizer, const lxm_recipe *recipe);

/* One line that says all that decides the tokens, as key=value joined by tabs; NULL where memory
 * runs out. */
char *lxm_tokenizer_describe(const lxm_tokenizer *tokenizer, const lxm_tokenizer_options *options,
                             const char *preset, const lxm_recipe *recipe);

#endif
