/*
 * UTF-8 validation many bytes at a time, by three look-ups of half bytes: J. Keiser and D. Lemire,
 * "Validating UTF-8 In Less Than One Instruction Per Byte", Software: Practice and Experience 51
 * (2021). Each bit of a table entry is one way in which two bytes in a row may be wrong; where the
 * entries of both halves of the first and of the upper half of the second share a bit, they are.
 */
#ifndef LXM_BASE_UTF8_PAIRS_H
#define LXM_BASE_UTF8_PAIRS_H

#include <stdint.h>

enum {
    too_short = 1 << 0,     /* a lead byte, then no continuation */
    too_long = 1 << 1,      /* ASCII, then a continuation */
    overlong_3 = 1 << 2,    /* E0, then 80..9F */
    too_large = 1 << 3,     /* F4, then 90..BF; F5..FF */
    surrogate = 1 << 4,     /* ED, then A0..BF */
    overlong_2 = 1 << 5,    /* C0 or C1 */
    overlong_4 = 1 << 6,    /* F0, then 80..8F */
    beyond = 1 << 6,        /* F5..FF, then 80..8F: never together with the one before */
    continuations = 1 << 7, /* two in a row: right behind a lead of three or four alone */
    any_low = too_short | too_long | continuations,
    lead_low = any_low | too_large | beyond,
    continued = too_long | overlong_2 | continuations
};

/* Entries for the upper and lower half of the first byte, and the upper half of the second. */
static const uint8_t first_high[16] = {too_long,
                                       too_long,
                                       too_long,
                                       too_long,
                                       too_long,
                                       too_long,
                                       too_long,
                                       too_long,
                                       continuations,
                                       continuations,
                                       continuations,
                                       continuations,
                                       too_short | overlong_2,
                                       too_short,
                                       too_short | overlong_3 | surrogate,
                                       too_short | too_large | beyond};
static const uint8_t first_low[16] = {any_low | overlong_2 | overlong_3 | overlong_4,
                                      any_low | overlong_2,
                                      any_low,
                                      any_low,
                                      any_low | too_large,
                                      lead_low,
                                      lead_low,
                                      lead_low,
                                      lead_low,
                                      lead_low,
                                      lead_low,
                                      lead_low,
                                      lead_low,
                                      lead_low | surrogate,
                                      lead_low,
                                      lead_low};
static const uint8_t second_high[16] = {too_short,
                                        too_short,
                                        too_short,
                                        too_short,
                                        too_short,
                                        too_short,
                                        too_short,
                                        too_short,
                                        continued | overlong_3 | overlong_4,
                                        continued | overlong_3 | too_large,
                                        continued | surrogate | too_large,
                                        continued | surrogate | too_large,
                                        too_short,
                                        too_short,
                                        too_short,
                                        too_short};

/* What the last three bytes of a vector may be at most, where no sequence goes on behind it. */
enum { most_last_but_two = 0xEF, most_last_but_one = 0xDF, most_last = 0xBF };

#endif
