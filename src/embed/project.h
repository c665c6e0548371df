/* Projection of a piece of a batch. */
#ifndef LXM_EMBED_PROJECT_H
#define LXM_EMBED_PROJECT_H

#include "lexmill/embed.h"

/* LXM_ERROR_ID where an id, but one whose mask is 0, has no row; `mask` may be NULL. */
lxm_status lxm_project_check(const lxm_table *table, const uint32_t *ids, const uint8_t *mask,
                             size_t count, lxm_error *error);

/* Copies the rows of ids that all have one. */
void lxm_project_rows(const lxm_table *table, const uint32_t *ids, size_t count, float *vectors);

/* lxm_project for `count` ids in a row, the first of which stands at place `place` of a window. */
lxm_status lxm_project_piece(const lxm_table *table, const lxm_table *positions,
                             const uint32_t *ids, const uint8_t *mask, size_t count, size_t place,
                             size_t context, float *vectors, lxm_error *error);

#endif
