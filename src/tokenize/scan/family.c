/* Class tables, computed by the compiler from a predicate for each class. */
#include "tokenize/scan/family.h"

#define IN(c, first, last) ((c) >= (first) && (c) <= (last))
#define UPPER(c) IN(c, 'A', 'Z')
#define LOWER(c) IN(c, 'a', 'z')
#define LETTER(c) (UPPER(c) || LOWER(c))
#define DIGIT(c) IN(c, '0', '9')
#define SPACE(c) (IN(c, '\t', '\r') || (c) == ' ')
#define BLANK(c) ((c) == ' ')
#define NEWLINE(c) ((c) == '\n' || (c) == '\r')
#define APOSTROPHE(c) ((c) == '\'')
#define SLASH(c) ((c) == '/')
#define ALPHANUMERIC(c) (LETTER(c) || DIGIT(c))
#define JOINER(c) ((c) == '\'' || (c) == '-' || (c) == '_')
#define POINT(c) ((c) == '.' || (c) == ',')
#define UNSEEN(c) ((c) <= ' ' || (c) == 0x7F)
#define HYPHEN(c) ((c) == '-')
#define BOOK_SPACE(c) (SPACE(c) || IN(c, 0x1C, 0x1F))
#define BOOK_MARK(c)                                                                               \
    ((c) == ',' || (c) == '.' || (c) == ':' || (c) == ';' || (c) == '?' || (c) == '_' ||           \
     (c) == '!' || (c) == '"' || (c) == '(' || (c) == ')' || (c) == '\'')
#define PUNCTUATION(c) (IN(c, '!', '/') || IN(c, ':', '@') || IN(c, '[', '`') || IN(c, '{', '~'))

/* F(16 * h), ..., F(16 * h + 15), and so for all of ASCII. */
#define ROW(F, h)                                                                                  \
    F(16 * h), F(16 * h + 1), F(16 * h + 2), F(16 * h + 3), F(16 * h + 4), F(16 * h + 5),          \
        F(16 * h + 6), F(16 * h + 7), F(16 * h + 8), F(16 * h + 9), F(16 * h + 10),                \
        F(16 * h + 11), F(16 * h + 12), F(16 * h + 13), F(16 * h + 14), F(16 * h + 15)
#define EVERY(F)                                                                                   \
    {                                                                                              \
        ROW(F, 0), ROW(F, 1), ROW(F, 2), ROW(F, 3), ROW(F, 4), ROW(F, 5), ROW(F, 6), ROW(F, 7)     \
    }

/* The column of one low nibble: bit h for character 16 * h + l. */
#define COLUMN(P, l)                                                                               \
    (P(l) << 0 | P(16 + l) << 1 | P(32 + l) << 2 | P(48 + l) << 3 | P(64 + l) << 4 |               \
     P(80 + l) << 5 | P(96 + l) << 6 | P(112 + l) << 7)
#define COLUMNS(P)                                                                                 \
    {                                                                                              \
        COLUMN(P, 0), COLUMN(P, 1), COLUMN(P, 2), COLUMN(P, 3), COLUMN(P, 4), COLUMN(P, 5),        \
            COLUMN(P, 6), COLUMN(P, 7), COLUMN(P, 8), COLUMN(P, 9), COLUMN(P, 10), COLUMN(P, 11),  \
            COLUMN(P, 12), COLUMN(P, 13), COLUMN(P, 14), COLUMN(P, 15)                             \
    }

#define BIT(name) (1 << (name))
#define EACH_LETTER(bits)                                                                          \
    [LXM_KIND_UPPER] = bits, [LXM_KIND_LOWER] = bits, [LXM_KIND_LETTER] = bits,                    \
    [LXM_KIND_IDEOGRAPH] = bits, [LXM_KIND_IDEOGRAPH_RARE] = bits
/* White space: U+0085, U+00A0 (C2 85, C2 A0); U+1680 (E1 9A); U+2000 to U+205F (E2 80, E2 81);
 * U+3000 (E3 80). */
#define SPACE_LEADS                                                                                \
    {                                                                                              \
        [0xC2 & 15] = 1 << (0xC - 0xC) | 1 << (0xE - 0xC), [0xE1 & 15] = 1 << (0xE - 0xC),         \
                [0xE3 & 15] = 1 << (0xE - 0xC)                                                     \
    }
#define SPACE_SECONDS                                                                              \
    {                                                                                              \
        [0] = 1 << 2 | 1 << 3, [1] = 1 << 2, [5] = 1 << 2, [0xA] = 1 << 1                          \
    }
/* 80 to 8A, 9F, A8, A9, AF, of which the first alone behind E1 and E3 */
#define SPACE_THIRDS                                                                               \
    {                                                                                              \
        1, 1, 1, 1, 1, 1, 1, 1, 1 | 1 << 2, 1 | 1 << 2, 1, [0xF] = 1 << 1 | 1 << 2                 \
    }
#define SPACE_THIRDS_BEHIND                                                                        \
    {                                                                                              \
        1 << 1 | 1 << 2 | 1 << 3, 1 << 2, 1 << 2, 1 << 2, 1 << 2, 1 << 2, 1 << 2, 1 << 2, 1 << 2,  \
            1 << 2, 1 << 2, [0xF] = 1 << 2                                                         \
    }
#define EACH_NUMBER(bits) [LXM_KIND_DIGIT] = bits, [LXM_KIND_NUMBER] = bits

#define GPT2(c)                                                                                    \
    (LETTER(c) << GPT2_LETTER | DIGIT(c) << GPT2_NUMBER | SPACE(c) << GPT2_SPACE |                 \
     BLANK(c) << GPT2_BLANK | APOSTROPHE(c) << GPT2_APOSTROPHE)
const lxm_family lxm_family_gpt2 = {
    .ascii = EVERY(GPT2),
    .kinds = {EACH_LETTER(BIT(GPT2_LETTER)),
              EACH_NUMBER(BIT(GPT2_NUMBER)), [LXM_KIND_SPACE] = BIT(GPT2_SPACE)},
    .nibbles = {COLUMNS(LETTER), COLUMNS(DIGIT), COLUMNS(SPACE), COLUMNS(BLANK),
                COLUMNS(APOSTROPHE)},
};

#define CL100K(c)                                                                                  \
    (LETTER(c) << CL100K_LETTER | DIGIT(c) << CL100K_NUMBER | SPACE(c) << CL100K_SPACE |           \
     BLANK(c) << CL100K_BLANK | NEWLINE(c) << CL100K_NEWLINE | APOSTROPHE(c) << CL100K_APOSTROPHE)
const lxm_family lxm_family_cl100k = {
    .ascii = EVERY(CL100K),
    .kinds = {EACH_LETTER(BIT(CL100K_LETTER)),
              EACH_NUMBER(BIT(CL100K_NUMBER)), [LXM_KIND_SPACE] = BIT(CL100K_SPACE)},
    .nibbles = {COLUMNS(LETTER), COLUMNS(DIGIT), COLUMNS(SPACE), COLUMNS(BLANK), COLUMNS(NEWLINE),
                COLUMNS(APOSTROPHE)},
};

#define O200K(c)                                                                                   \
    (UPPER(c) << O200K_UPPER | LOWER(c) << O200K_LOWER | DIGIT(c) << O200K_NUMBER |                \
     SPACE(c) << O200K_SPACE | BLANK(c) << O200K_BLANK | NEWLINE(c) << O200K_NEWLINE |             \
     APOSTROPHE(c) << O200K_APOSTROPHE | SLASH(c) << O200K_SLASH)
#define O200K_BOTH (BIT(O200K_UPPER) | BIT(O200K_LOWER))
const lxm_family lxm_family_o200k = {
    .ascii = EVERY(O200K),
    .kinds = {[LXM_KIND_LETTER] = O200K_BOTH,
              [LXM_KIND_IDEOGRAPH] = O200K_BOTH,
              [LXM_KIND_IDEOGRAPH_RARE] = O200K_BOTH,
              EACH_NUMBER(BIT(O200K_NUMBER)),
              [LXM_KIND_UPPER] = BIT(O200K_UPPER),
              [LXM_KIND_LOWER] = BIT(O200K_LOWER),
              [LXM_KIND_MARK] = BIT(O200K_APOSTROPHE),
              [LXM_KIND_SPACE] = BIT(O200K_SPACE)},
    .nibbles = {COLUMNS(UPPER), COLUMNS(LOWER), COLUMNS(DIGIT), COLUMNS(SPACE), COLUMNS(BLANK),
                COLUMNS(NEWLINE), COLUMNS(APOSTROPHE), COLUMNS(SLASH)},
};

#define WORDS(c)                                                                                   \
    (ALPHANUMERIC(c) << WORDS_ALPHANUMERIC | DIGIT(c) << WORDS_DIGIT | JOINER(c) << WORDS_JOINER | \
     POINT(c) << WORDS_POINT | UNSEEN(c) << WORDS_GAP)
#define WORDS_NEIGHBOURS BIT(WORDS_DIGIT)
const lxm_family lxm_family_words = {
    .ascii = EVERY(WORDS),
    .kinds = {[LXM_KIND_UPPER] = BIT(WORDS_ALPHANUMERIC),
              [LXM_KIND_LOWER] = BIT(WORDS_ALPHANUMERIC),
              [LXM_KIND_LETTER] = BIT(WORDS_ALPHANUMERIC),
              [LXM_KIND_NUMBER] = BIT(WORDS_ALPHANUMERIC),
              [LXM_KIND_DIGIT] = BIT(WORDS_ALPHANUMERIC) | BIT(WORDS_DIGIT),
              [LXM_KIND_MARK] = BIT(WORDS_POINT),
              [LXM_KIND_SPACE] = BIT(WORDS_GAP),
              [LXM_KIND_CONTROL] = BIT(WORDS_GAP),
              [LXM_KIND_FORMAT] = BIT(WORDS_GAP),
              [LXM_KIND_JOINER] = BIT(WORDS_JOINER),
              [LXM_KIND_JOINER_FORMAT] = BIT(WORDS_JOINER) | BIT(WORDS_GAP),
              [LXM_KIND_ZWJ] = BIT(WORDS_JOINER) | BIT(WORDS_GAP) | WORDS_NEIGHBOURS,
              [LXM_KIND_TAG] = BIT(WORDS_GAP) | WORDS_NEIGHBOURS,
              [LXM_KIND_SKIN_TONE] = WORDS_NEIGHBOURS,
              [LXM_KIND_REGIONAL] = WORDS_NEIGHBOURS},
    .nibbles = {COLUMNS(ALPHANUMERIC), COLUMNS(DIGIT), COLUMNS(JOINER), COLUMNS(POINT),
                COLUMNS(UNSEEN)},
};

#define BOOK(c)                                                                                    \
    (BOOK_SPACE(c) << BOOK_BREAK | BOOK_MARK(c) << BOOK_PUNCTUATION | HYPHEN(c) << BOOK_HYPHEN)
const lxm_family lxm_family_book = {
    .sparse = true,
    .leads = SPACE_LEADS,
    .seconds = SPACE_SECONDS,
    .thirds = SPACE_THIRDS,
    .thirds_behind = SPACE_THIRDS_BEHIND,
    .ascii = EVERY(BOOK),
    .kinds = {[LXM_KIND_SPACE] = BIT(BOOK_BREAK)},
    .nibbles = {COLUMNS(BOOK_SPACE), COLUMNS(BOOK_MARK), COLUMNS(HYPHEN)},
};

#define BERT(c) (SPACE(c) << BERT_SPACE | PUNCTUATION(c) << BERT_ALONE)
const lxm_family lxm_family_bert = {
    .ascii = EVERY(BERT),
    .kinds = {[LXM_KIND_SPACE] = BIT(BERT_SPACE),
              [LXM_KIND_PUNCTUATION] = BIT(BERT_ALONE),
              [LXM_KIND_JOINER] = BIT(BERT_ALONE),
              [LXM_KIND_IDEOGRAPH] = BIT(BERT_ALONE),
              [LXM_KIND_IDEOGRAPH_VACANT] = BIT(BERT_ALONE)},
    .nibbles = {COLUMNS(SPACE), COLUMNS(PUNCTUATION)},
};

#define WHITESPACE(c) (SPACE(c) << WHITESPACE_SPACE)
const lxm_family lxm_family_whitespace = {
    .sparse = true,
    .leads = SPACE_LEADS,
    .seconds = SPACE_SECONDS,
    .thirds = SPACE_THIRDS,
    .thirds_behind = SPACE_THIRDS_BEHIND,
    .ascii = EVERY(WHITESPACE),
    .kinds = {[LXM_KIND_SPACE] = BIT(WHITESPACE_SPACE)},
    .nibbles = {COLUMNS(SPACE)},
};
