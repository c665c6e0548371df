/* The ids that a vocabulary puts around a document, such as [CLS] and [SEP]. */
#ifndef LXM_IDMAP_TEMPLATE_H
#define LXM_IDMAP_TEMPLATE_H

#include "lexmill/idmap.h"

enum { lxm_template_most = 32 };

typedef struct lxm_template {
    uint32_t before[lxm_template_most], after[lxm_template_most];
    size_t before_count, after_count;
    bool stated, wanted;
    char refused[96]; /* what can't be done of it; "" for nothing */
} lxm_template;

/* What goes before and behind a document: nothing, unless that is wanted. They have no place in
 * its text, which offsets of 0 say. */
lxm_ids lxm_template_before(const lxm_vocab *vocab);
lxm_ids lxm_template_after(const lxm_vocab *vocab);

#endif
