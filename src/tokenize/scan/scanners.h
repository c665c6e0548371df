/* The table of the scanners for one instruction set. */
#ifndef LXM_TOKENIZE_SCAN_SCANNERS_H
#define LXM_TOKENIZE_SCAN_SCANNERS_H

#include "tokenize/scan/cl100k.h"
#include "tokenize/scan/drive.h"
#include "tokenize/scan/gpt2.h"

/* Defines scan_NAME. `decide` yields token_edges from the carry c and the block b. */
#define SCAN(NAME, FAMILY, CLASSES, GAPS, DECIDE)                                                  \
    INLINE token_edges decide_##NAME(carry *c, const block *b)                                     \
    {                                                                                              \
        return DECIDE;                                                                             \
    }                                                                                              \
    LXM_TARGET static lxm_status scan_##NAME(const lxm_scanner *scanner, void *workspace,          \
                                             lxm_scan *scan, lxm_error *error)                     \
    {                                                                                              \
        static const scan_job job = {&FAMILY, CLASSES, decide_##NAME, GAPS};                       \
        (void)scanner;                                                                             \
        (void)workspace;                                                                           \
        (void)error;                                                                               \
        return drive(&job, scan);                                                                  \
    }

SCAN(gpt2, lxm_family_gpt2, GPT2_CLASSES, false, ((token_edges){gpt2_begins(c, b), 0}))
SCAN(cl100k, lxm_family_cl100k, CL100K_CLASSES, false,
     ((token_edges){cl100k_begins(c, b, true, false), 0}))
SCAN(llama3, lxm_family_cl100k, CL100K_CLASSES, false,
     ((token_edges){cl100k_begins(c, b, true, true), 0}))
SCAN(qwen2, lxm_family_cl100k, CL100K_CLASSES, false,
     ((token_edges){cl100k_begins(c, b, false, true), 0}))

const lxm_scanner LXM_SCANNERS[LXM_SCANS] = {
    [LXM_SCAN_GPT2] = {.scan = scan_gpt2},
    [LXM_SCAN_CL100K] = {.scan = scan_cl100k},
    [LXM_SCAN_LLAMA3] = {.scan = scan_llama3},
    [LXM_SCAN_QWEN2] = {.scan = scan_qwen2},
};

#endif
