/*
 * Random numbers that depend on (seed, row, column) alone.
 *
 * Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3",
 * SC 2011): key = seed, counter = (group, row, 0), where a group is 16 counters and gives the 64
 * columns of a block. Every operation is exact or correctly rounded, and none is left to the C
 * library, so that the bits are the same on every machine.
 */
#ifndef LXM_EMBED_RANDOM_H
#define LXM_EMBED_RANDOM_H

#include <stddef.h>
#include <stdint.h>

enum { lxm_random_block = 64 };

/* Fills the 64 columns of a row that start at 64 x `block`. */
typedef void lxm_random_fill(uint64_t seed, uint64_t row, uint32_t block, float *values);

/* Turns 16 uniform numbers of [0, 1) into 16 normal ones, with the bits of PyTorch's: see torch.c.
 */
typedef void lxm_torch_fill(float *values);

/* One set of instructions; all give the same bits. */
typedef struct lxm_random_variant {
    const char *name;
    lxm_random_fill *normal, *uniform;
    lxm_torch_fill *torch;
} lxm_random_variant;

/* The fastest that this processor has. */
const lxm_random_variant *lxm_random_fastest(void);

/* All that this processor has; returns how many. `variants` holds 4. */
size_t lxm_random_variants(const lxm_random_variant **variants);

#endif
