#include "base/hash_long.h"

#ifdef LXM_HASH_DISPATCH
#include <xxh_x86dispatch.h> /* which puts its own functions in the place of the plain ones */
#else
#include <xxhash.h>
#endif

uint64_t lxm_hash_long(const void *bytes, size_t length, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes, length, seed);
}

void lxm_hash_update(void *state, const void *bytes, size_t length)
{
    (void)XXH3_64bits_update(state, bytes, length); /* fails for a state of NULL alone */
}
