/* Projection of a piece of a batch. */
#ifndef LXM_EMBED_PROJECT_H
#define LXM_EMBED_PROJECT_H

#include "lexmill/embed.h"

/* lxm_project for `count` ids in a row, the first of which stands at place `place` of a window. */
lxm_status lxm_project_piece(const lxm_table *table, const lxm_table *positions,
                             const uint32_t *ids, const uint8_t *mask, size_t count, size_t place,
                             size_t context, float *vectors, lxm_error *error);

#endif
