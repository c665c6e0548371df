/* The table of the scanners for one instruction set. */
#ifndef LXM_TOKENIZE_SCAN_SCANNERS_H
#define LXM_TOKENIZE_SCAN_SCANNERS_H

#include "tokenize/scan/cl100k.h"
#include "tokenize/scan/drive.h"
#include "tokenize/scan/gpt2.h"
#include "tokenize/scan/o200k.h"
#include "tokenize/scan/plain.h"
#include "tokenize/scan/words.h"

/* Defines scan_NAME. `decide` yields token_edges from the carry c and the block b. */
#define SCAN(NAME, FAMILY, CLASSES, GAPS, DECIDE)                                                  \
    INLINE token_edges decide_##NAME(carry *c, block *b)                                           \
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

#define ALONGSIDE(BEGINS) ((token_edges){.begins = (BEGINS)})

SCAN(gpt2, lxm_family_gpt2, GPT2_CLASSES, false, ALONGSIDE(gpt2_begins(c, b)))
SCAN(cl100k, lxm_family_cl100k, CL100K_CLASSES, false, ALONGSIDE(cl100k_begins(c, b, true, false)))
SCAN(llama3, lxm_family_cl100k, CL100K_CLASSES, false, ALONGSIDE(cl100k_begins(c, b, true, true)))
SCAN(qwen2, lxm_family_cl100k, CL100K_CLASSES, false, ALONGSIDE(cl100k_begins(c, b, false, true)))
SCAN(o200k, lxm_family_o200k, O200K_CLASSES, false, ALONGSIDE(o200k_begins(c, b)))
SCAN(words, lxm_family_words, WORDS_CLASSES, true, words_edges(c, b))
SCAN(book, lxm_family_book, BOOK_CLASSES, true, book_edges(c, b))
SCAN(bert, lxm_family_bert, BERT_CLASSES, true, bert_edges(c, b))
SCAN(whitespace, lxm_family_whitespace, WHITESPACE_CLASSES, true, whitespace_edges(c, b))

const lxm_scanner LXM_SCANNERS[LXM_SCANS] = {
    [LXM_SCAN_GPT2] = {.scan = scan_gpt2},
    [LXM_SCAN_CL100K] = {.scan = scan_cl100k},
    [LXM_SCAN_LLAMA3] = {.scan = scan_llama3},
    [LXM_SCAN_QWEN2] = {.scan = scan_qwen2},
    [LXM_SCAN_O200K] = {.scan = scan_o200k},
    [LXM_SCAN_WORDS] = {.scan = scan_words},
    [LXM_SCAN_BOOK] = {.scan = scan_book},
    [LXM_SCAN_BERT] = {.scan = scan_bert},
    [LXM_SCAN_WHITESPACE] = {.scan = scan_whitespace},
};

#endif
