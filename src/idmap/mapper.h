/* A mapper that gathers ids over several calls: lxm_mapper_map is the three of these in a row. */
#ifndef LXM_IDMAP_MAPPER_H
#define LXM_IDMAP_MAPPER_H

#include "lexmill/idmap.h"

void lxm_mapper_clear(lxm_mapper *mapper);

/* Adds the ids of some tokens to those it has; all of them come with offsets, or none do. After an
 * error they are undefined. */
lxm_status lxm_mapper_append(lxm_mapper *mapper, const lxm_tokens *tokens, lxm_error *error);

/* Adds ids that come from no token. */
lxm_status lxm_mapper_append_ids(lxm_mapper *mapper, const lxm_ids *ids, lxm_error *error);

/* What it has, until the next call. */
lxm_ids lxm_mapper_ids(const lxm_mapper *mapper, bool offsets);

/* lxm_mapper_map for the tokens of several documents: ends[i] of them stand before the end of
 * document i, and on success so many ids. */
lxm_status lxm_mapper_map_documents(lxm_mapper *mapper, const lxm_tokens *tokens, uint32_t *ends,
                                    size_t count, lxm_ids *ids, lxm_error *error);

#endif
