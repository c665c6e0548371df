/* XXH3-64 by the widest vectors that the processor has. Apart from hash.h, for there xxHash's
 * functions are inline. */
#ifndef LXM_BASE_HASH_LONG_H
#define LXM_BASE_HASH_LONG_H

#include <stddef.h>
#include <stdint.h>

uint64_t lxm_hash_long(const void *bytes, size_t length, uint64_t seed);

/* XXH3_64bits_update; `state` is an XXH3_state_t. */
void lxm_hash_update(void *state, const void *bytes, size_t length);

#endif
