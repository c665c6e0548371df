/*
 * The steps of a normalisation, one after another: each is handed text as it comes, and hands on
 * what is settled of its own. What a step gives never depends on where the text was cut.
 *
 * An lxm_step says what is to be done and is shared by all threads; an lxm_stage is one thread's
 * state of it. A kind of step is one file.
 */
#ifndef LXM_TOKENIZE_STEP_H
#define LXM_TOKENIZE_STEP_H

#include "tokenize/charsmap.h"
#include "tokenize/normalize.h"

typedef struct lxm_step_kind lxm_step_kind;

/* Where a mark for a space goes before the first word. */
typedef enum lxm_prepend {
    LXM_PREPEND_NEVER = 0,
    LXM_PREPEND_FIRST = 1, /* where the document begins */
    LXM_PREPEND_ALWAYS = 2
} lxm_prepend;

typedef struct lxm_step {
    const lxm_step_kind *kind;
    lxm_tokenizer_options unicode; /* unicode: its flags of normalisation */
    lxm_charsmap charsmap;         /* charsmap */
    char *pattern;                 /* replace: what is looked for; NULL: white space */
    size_t least;                  /* replace: 0: the pattern alone; otherwise, runs of at least so
                                      many of the character that the pattern is */
    char *content;                 /* replace, prepend: what comes; metaspace: the mark */
    bool left, right;              /* strip */
    lxm_prepend prepend;           /* metaspace */
    bool words;                    /* metaspace: white space of any length parts words, each of
                                      which has the mark before it */
} lxm_step;

/* What came out of the last call is good until the next. */
typedef struct lxm_stage {
    const lxm_step *step;
    const lxm_buffer *text;
    const lxm_alignment *alignment;
    bool started;                /* text has come in, or stood before the part that begins here */
    bool inside;                 /* metaspace: a word; charsmap: something has come */
    size_t count;                /* replace: characters in the run */
    uint64_t source, source_end; /* of the run; charsmap: of what has come to nothing */
    size_t most;                 /* bytes that may wait */
    lxm_buffer out, held;
    lxm_alignment out_alignment, held_alignment;
    lxm_normalizer *normalizer; /* unicode */
    lxm_cluster cluster;        /* charsmap */
    lxm_allocator allocator;
} lxm_stage;

struct lxm_step_kind {
    const char *name;
    /* Text, valid UTF-8 cut between characters and not empty, with where it came from. */
    lxm_status (*push)(lxm_stage *stage, const uint8_t *text, size_t length,
                       const lxm_alignment *alignment, lxm_error *error);
    /* The text ends; NULL: nothing waits. */
    lxm_status (*end)(lxm_stage *stage, lxm_error *error);
    /* Whether text may be cut before a space that an ASCII letter or digit stands before. */
    bool (*divides)(const lxm_step *step);
};

extern const lxm_step_kind lxm_step_unicode, lxm_step_charsmap, lxm_step_ideographs,
    lxm_step_replace, lxm_step_prepend, lxm_step_strip, lxm_step_metaspace;

void lxm_step_free(lxm_step *step, const lxm_allocator *allocator);

lxm_status lxm_stage_init(lxm_stage *stage, const lxm_step *step, size_t most,
                          const lxm_allocator *allocator, lxm_error *error);
void lxm_stage_free(lxm_stage *stage);

/* What comes next begins a text, or, with `started`, goes on with one. */
void lxm_stage_reset(lxm_stage *stage, bool started);

/* Both leave what came of it in stage->text. */
lxm_status lxm_stage_push(lxm_stage *stage, const uint8_t *text, size_t length,
                          const lxm_alignment *alignment, lxm_error *error);
lxm_status lxm_stage_end(lxm_stage *stage, lxm_error *error);

/* For the steps: adds to what comes out. */
lxm_status lxm_stage_put(lxm_stage *stage, const void *text, size_t length, uint64_t source,
                         uint64_t source_end, lxm_error *error);

/* The same with text[begin, end) of what came in, as it stands. */
lxm_status lxm_stage_copy(lxm_stage *stage, const uint8_t *text, size_t length, size_t begin,
                          size_t end, const lxm_alignment *alignment, lxm_error *error);

#endif
