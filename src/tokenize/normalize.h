/*
 * Normalisation in parts: clean-up, forms of UAX #15, case, mark stripping; characters
 * and their properties from utf8proc. The result doesn't depend on where the text was cut.
 *
 * What passes as it is (quick_check.c) is copied. The rest goes cluster by cluster: a character
 * and those behind it that may combine with it are mapped one by one (characters.c), then ordered
 * and composed (canonical.c).
 */
#ifndef LXM_TOKENIZE_NORMALIZE_H
#define LXM_TOKENIZE_NORMALIZE_H

#include "tokenize/alignment.h"
#include "tokenize/canonical.h"

/* What a character becomes, before it is ordered and composed with others: an lxm_classed, between
 * the two parts of which stand these flags, */
enum {
    lxm_mapped_starts = 1 << 23, /* nothing before it can combine with it */
    lxm_mapped_passes = 1 << 22, /* and by itself it stays as it is */
    lxm_mapped_flags = lxm_mapped_starts | lxm_mapped_passes
};

/* and which, instead of a code point, may have one of these. */
enum {
    lxm_mapped_list = 0x110000,     /* and up: where in `lists` a count stands, then as many */
    lxm_mapped_syllable = 0x1FFFFC, /* of Hangul: its parts */
    lxm_mapped_space = 0x1FFFFD,    /* clean-up makes it a space, then it is one */
    lxm_mapped_nothing = 0x1FFFFE,  /* it leaves nothing, but counts as one of the cluster */
    lxm_mapped_ignored = 0x1FFFFF   /* clean-up drops it */
};

/* No character becomes so many code points: 18 decomposed, and lower case makes two of one. */
enum { lxm_mapped_most = 40 };

typedef struct lxm_character_page {
    uint32_t mapped[256];
    uint32_t alone[256]; /* where in `alone` stands what one becomes that starts a cluster, doesn't
                            pass, and is all of the cluster */
    uint8_t class[256];  /* for the quick check */
} lxm_character_page;

/* What is known of the cluster that isn't settled yet. */
typedef struct lxm_pending {
    size_t length;               /* characters */
    uint64_t source, source_end; /* where it came from */
    uint32_t class;              /* of the last one */
    bool starter;                /* some have no class: others may be composed with them */
    bool changes;                /* some change, or aren't in order */
    bool passes;                 /* the first passes as it is */
    bool lost;                   /* some leave nothing */
} lxm_pending;

typedef struct lxm_normalizer {
    lxm_normal_form form;
    bool strip_marks, strip_all_marks, lowercase, casefold, clean;
    bool clusters; /* a character may change with those that follow it */
    size_t most;   /* code points in one cluster */
    lxm_pending pending;
    lxm_buffer held;             /* its text, as clean-up leaves it, from calls before this one */
    lxm_classed *work, *scratch; /* the decomposition of a cluster */
    size_t work_capacity, scratch_capacity;
    lxm_character_page *pages[0x1100]; /* 256 characters each, made when one of them is met */
    uint32_t *lists;                   /* of the characters that become several */
    size_t lists_length, lists_capacity;
    lxm_buffer alone;        /* of such characters: a length, then as many bytes */
    bool wide_vectors;       /* lxm_quick_passing_avx512 is for this processor */
    uint64_t *passing;       /* [character >> 6], up to U+FFFF: those known to pass; or NULL */
    lxm_buffer text;         /* the result of the last call */
    lxm_alignment alignment; /* of `text` */
    lxm_allocator allocator;
} lxm_normalizer;

/* What a character is when the text is checked quickly (after UAX #15, section 9). From 1 on, up to
 * most_class: a mark of that combining class which passes as it is. */
enum {
    lxm_class_slow = 0,        /* changes, or may combine with what stands before it */
    lxm_class_most = 254 - 2,  /* the largest combining class there may be, and more */
    lxm_class_inner = 253,     /* passes as it is; doesn't begin a cluster */
    lxm_class_passes = 254,    /* passes as it is; begins a cluster */
    lxm_class_slow_start = 255 /* changes; begins a cluster */
};

/* Makes the page of characters from number << 8 on; NULL when memory runs out. */
const lxm_character_page *lxm_normalizer_page(lxm_normalizer *normalizer, size_t number);

/* Makes `passing`, at first the ASCII characters; false when memory runs out. */
bool lxm_normalizer_passing(lxm_normalizer *normalizer);
void lxm_normalizer_free_characters(lxm_normalizer *normalizer);

/* Whether the form composes; text is decomposed before. */
static inline bool lxm_normalizer_composes(const lxm_normalizer *normalizer)
{
    return normalizer->form == LXM_NORMAL_NFC || normalizer->form == LXM_NORMAL_NFKC;
}

/* Whether clean-up keeps an ASCII character, be it as a space. */
static inline bool lxm_clean_keeps(uint8_t c)
{
    return ((c >= 0x20) & (c != 0x7F)) | (c == '\t') | (c == '\n') | (c == '\r');
}

/* Makes room for `need` elements of a list of 32 bits each; false when memory runs out. */
bool lxm_normalizer_reserve(const lxm_normalizer *normalizer, uint32_t **list, size_t *capacity,
                            size_t need);

#if defined __x86_64__
#define LXM_QUICK_CHECK_AVX512
/* For a processor with AVX-512: the length of characters at the start that `passing` has, in steps
 * of about 64 bytes; *last is where the last of them begins. */
size_t lxm_quick_passing_avx512(const uint64_t *passing, const uint8_t *text, size_t length,
                                size_t *last);
#endif

/* How much of the text, which must not begin inside a cluster, passes as it is, but for the case of
 * ASCII letters and for white space that becomes a space; what may still change with what follows
 * is left out. *failed: memory ran out. */
size_t lxm_quick_run(lxm_normalizer *normalizer, const uint8_t *text, size_t length, bool *failed);

void lxm_normalizer_init(lxm_normalizer *normalizer, const lxm_tokenizer_options *options,
                         size_t most, const lxm_allocator *allocator);
void lxm_normalizer_free(lxm_normalizer *normalizer);

/* Whether it changes any text at all. */
bool lxm_normalizer_wanted(const lxm_tokenizer_options *options);

/* Normalises valid UTF-8 that came from [source, source_end): `normalizer->text` holds what is
 * settled, until the next call. */
lxm_status lxm_normalizer_push(lxm_normalizer *normalizer, const uint8_t *text, size_t length,
                               uint64_t source, uint64_t source_end, lxm_error *error);

/* The same, and what the last call gave stays. */
lxm_status lxm_normalizer_append(lxm_normalizer *normalizer, const uint8_t *text, size_t length,
                                 uint64_t source, uint64_t source_end, lxm_error *error);

/* The text ends: the rest is settled. */
lxm_status lxm_normalizer_end(lxm_normalizer *normalizer, lxm_error *error);
void lxm_normalizer_reset(lxm_normalizer *normalizer);

#endif
