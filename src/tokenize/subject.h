/* One subject after another, in parts: keeps what a scanner can't decide yet, hands out the rest.
 */
#ifndef LXM_TOKENIZE_SUBJECT_H
#define LXM_TOKENIZE_SUBJECT_H

#include "tokenize/alignment.h"
#include "tokenize/scanner.h"

enum { lxm_subject_spans = 4096 };

typedef struct lxm_subject {
    const lxm_scanner *scanner;
    void *workspace;
    lxm_token_sink sink;
    size_t max_token;
    bool first;              /* nothing of the subject has been dropped yet */
    lxm_buffer carry;        /* context, then what isn't decided, from `position` on */
    lxm_alignment alignment; /* of the carry */
    size_t position;
    size_t wanted; /* a scan is of no use before the carry is this long */
    lxm_span spans[lxm_subject_spans];
    uint64_t *offsets; /* NULL unless asked for */
    lxm_allocator allocator;
} lxm_subject;

lxm_status lxm_subject_init(lxm_subject *subject, const lxm_scanner *scanner,
                            const lxm_token_sink *sink, size_t max_token, bool offsets,
                            const lxm_allocator *allocator, lxm_error *error);
void lxm_subject_free(lxm_subject *subject);

/* More text, valid UTF-8 cut between characters, under 1 GiB, with its alignment. */
lxm_status lxm_subject_push(lxm_subject *subject, const uint8_t *text, size_t length,
                            const lxm_alignment *alignment, lxm_error *error);

/* The subject ends here; what comes next is another. */
lxm_status lxm_subject_end(lxm_subject *subject, lxm_error *error);
void lxm_subject_reset(lxm_subject *subject);

#endif
