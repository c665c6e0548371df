/*
 * Tokens by their beginnings, so that all that begin somewhere are found in one walk.
 *
 * A double array (Aoe 1989, "An Efficient Digital Search Algorithm by Using a Double-Array
 * Structure") in one array: the child of a node for a byte stands where the node's base xor the
 * byte says. No two nodes with children have one base, so that the byte alone tells a child from
 * another's; base 0 is that of the nodes without.
 */
#ifndef LXM_IDMAP_TRIE_H
#define LXM_IDMAP_TRIE_H

#include "idmap/parts.h"

/* A cell, from its lowest bit on: the byte that leads to the node, or 256 for the root and empty
 * cells; the token that ends there; the base. */
enum {
    lxm_trie_id_at = 9,
    lxm_trie_base_at = 37,
    lxm_trie_no_id = (1 << (lxm_trie_base_at - lxm_trie_id_at)) - 1,
    lxm_trie_empty = 256,
};

typedef struct lxm_trie {
    uint64_t *cells; /* of nodes; the root is the first */
    size_t count;    /* a multiple of 256: no byte leads out of the array */
    bool viewed;     /* the cells are another's */
    lxm_allocator allocator;
} lxm_trie;

/* A trie of all tokens that the table finds; it depends on those alone. LXM_ERROR_UNSUPPORTED where
 * they have too many beginnings. Free it in either case. */
lxm_status lxm_trie_make(lxm_trie *trie, const lxm_token_table *table,
                         const lxm_allocator *allocator, lxm_error *error);
void lxm_trie_free(lxm_trie *trie);

/* As the part of that name; ids are below `size`. */
void lxm_trie_add_part(const lxm_trie *trie, lxm_parts *parts);
lxm_status lxm_trie_view(lxm_trie *trie, const lxm_parts *parts, size_t size, lxm_error *error);

/* From a node's cell to its child's; false where it has none, and there is no way on. */
static inline bool lxm_trie_step(const lxm_trie *trie, uint64_t *cell, uint8_t byte)
{
    *cell = trie->cells[(*cell >> lxm_trie_base_at) ^ byte];
    return (*cell & (2 * lxm_trie_empty - 1)) == byte;
}

/* Whether steps from a cell, which may be of any origin, stay in the trie. */
static inline bool lxm_trie_has(const lxm_trie *trie, uint64_t cell)
{
    return cell >> lxm_trie_base_at < trie->count;
}

/* The token that ends at a node, or lxm_trie_no_id. */
static inline uint32_t lxm_trie_id(uint64_t cell)
{
    return (uint32_t)(cell >> lxm_trie_id_at) & lxm_trie_no_id;
}

#endif
