/*
 * Writes unicode_table.c from utf8proc's categories and forms, or with --check FILE tells whether
 * FILE is what it would write (exit status 0, 1; 77 where utf8proc is of another Unicode version).
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <utf8proc.h>

#include "tokenize/unicode.h"

typedef struct range {
    uint32_t first, last;
    lxm_kind kind;
} range;

/* What the category alone doesn't say. */
static const range exceptions[] = {
    {0x0009, 0x000D, LXM_KIND_SPACE},       {0x0085, 0x0085, LXM_KIND_SPACE},
    {0x0027, 0x0027, LXM_KIND_JOINER},      {0x002D, 0x002D, LXM_KIND_JOINER},
    {0x005F, 0x005F, LXM_KIND_JOINER},      {0x00AD, 0x00AD, LXM_KIND_JOINER_FORMAT},
    {0x00B7, 0x00B7, LXM_KIND_JOINER},      {0x058A, 0x058A, LXM_KIND_JOINER},
    {0x05BE, 0x05BE, LXM_KIND_JOINER},      {0x05F3, 0x05F4, LXM_KIND_JOINER},
    {0x066B, 0x066C, LXM_KIND_JOINER},      {0x200C, 0x200C, LXM_KIND_JOINER_FORMAT},
    {0x200D, 0x200D, LXM_KIND_ZWJ},         {0x2010, 0x2011, LXM_KIND_JOINER},
    {0x2019, 0x2019, LXM_KIND_JOINER},      {0x2027, 0x2027, LXM_KIND_JOINER},
    {0x2194, 0x2194, LXM_KIND_SYMBOL},      {0x1F1E6, 0x1F1FF, LXM_KIND_REGIONAL},
    {0x1F3FB, 0x1F3FF, LXM_KIND_SKIN_TONE}, {0xE0020, 0xE007F, LXM_KIND_TAG},
};

/* CJK: the ideographs of huggingface/tokenizers normalizers/bert.rs. */
static const range bert_blocks[] = {
    {0x3400, 0x4DBF, 0},   {0x4E00, 0x9FFF, 0},   {0xF900, 0xFAFF, 0},   {0x20000, 0x2A6DF, 0},
    {0x2A700, 0x2B81F, 0}, {0x2B920, 0x2CEAF, 0}, {0x2F800, 0x2FA1F, 0},
};

/* CJK: the ideographs of the preset "words". */
static const range ideograph_blocks[] = {
    {0x3400, 0x4DBF, 0}, {0x4E00, 0x9FFF, 0}, {0xF900, 0xFAFF, 0}, {0x20000, 0x3FFFF, 0}};

static const range *find(const range *ranges, size_t count, uint32_t c)
{
    for (size_t i = 0; i < count; i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return &ranges[i];
    return NULL;
}

#define FIND(ranges, c) find(ranges, sizeof(ranges) / sizeof *(ranges), c)

static lxm_kind kind_of_category(utf8proc_category_t category)
{
    switch (category) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LT:
        return LXM_KIND_UPPER;
    case UTF8PROC_CATEGORY_LL:
        return LXM_KIND_LOWER;
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
        return LXM_KIND_LETTER;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
        return LXM_KIND_MARK;
    case UTF8PROC_CATEGORY_ND:
        return LXM_KIND_DIGIT;
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
        return LXM_KIND_NUMBER;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
        return LXM_KIND_SPACE;
    case UTF8PROC_CATEGORY_CC:
        return LXM_KIND_CONTROL;
    case UTF8PROC_CATEGORY_CF:
        return LXM_KIND_FORMAT;
    case UTF8PROC_CATEGORY_SO:
        return LXM_KIND_SYMBOL;
    default:
        return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO
                   ? LXM_KIND_PUNCTUATION
                   : LXM_KIND_OTHER;
    }
}

static lxm_kind kind_of(uint32_t c)
{
    const range *exception = FIND(exceptions, c);
    if (exception)
        return exception->kind;
    lxm_kind kind = kind_of_category(utf8proc_category((utf8proc_int32_t)c));
    bool bert = FIND(bert_blocks, c) != NULL;
    if (kind == LXM_KIND_LETTER && FIND(ideograph_blocks, c))
        return bert ? LXM_KIND_IDEOGRAPH : LXM_KIND_IDEOGRAPH_RARE;
    return kind == LXM_KIND_OTHER && bert ? LXM_KIND_IDEOGRAPH_VACANT : kind;
}

enum { ROWS = 0x110000 >> 6 };
static uint8_t rows[ROWS][64];
static uint16_t row_of[ROWS];

static size_t build(void)
{
    size_t count = 0;
    for (uint32_t r = 0; r < ROWS; r++) {
        for (uint32_t i = 0; i < 64; i++)
            rows[count][i] = (uint8_t)kind_of(r << 6 | i);
        size_t known = 0;
        while (memcmp(rows[known], rows[count], 64) != 0)
            known++;
        row_of[r] = (uint16_t)known;
        count += known == count;
    }
    return count;
}

/* ---- compositions ---- */

static lxm_composition compositions[lxm_composition_slots];

static void put(uint32_t first, uint32_t second, uint32_t composite)
{
    uint32_t slot = lxm_composition_slot(first, second);
    while (compositions[slot].composite &&
           (compositions[slot].first != first || compositions[slot].second != second))
        slot = (slot + 1) % lxm_composition_slots;
    compositions[slot] = (lxm_composition){first, second, composite};
}

/* What a few characters are composed into, or 0 where it isn't one. */
static uint32_t compose(const utf8proc_int32_t *text, size_t count)
{
    utf8proc_int32_t composed[32];
    memcpy(composed, text, count * sizeof *text);
    utf8proc_ssize_t n = utf8proc_normalize_utf32(composed, (utf8proc_ssize_t)count,
                                                  UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    return n == 1 ? (uint32_t)composed[0] : 0;
}

/* A composite is what the last character of its decomposition makes with all before it. */
static void find_compositions(void)
{
    for (uint32_t c = 0; c < 0x110000; c++) {
        utf8proc_int32_t text[32];
        int boundclass = 0;
        utf8proc_ssize_t n = utf8proc_decompose_char(
            (utf8proc_int32_t)c, text, 32, UTF8PROC_STABLE | UTF8PROC_DECOMPOSE, &boundclass);
        bool syllable = c >= 0xAC00 && c < 0xAC00 + 11172;
        if (n < 2 || syllable || compose(text, (size_t)n) != c)
            continue;
        uint32_t second = (uint32_t)text[n - 1];
        put(compose(text, (size_t)n - 1), second, c);
        put(lxm_any_first, second, second);
    }
}

/* ---- the file ---- */

static void print_compositions(FILE *out)
{
    fprintf(out, "\nconst lxm_composition lxm_compositions[lxm_composition_slots] = {\n");
    for (size_t i = 0; i < lxm_composition_slots; i++)
        fprintf(out, "{%u,%u,%u},%s", compositions[i].first, compositions[i].second,
                compositions[i].composite, i % 8 == 7 ? "\n" : "");
    fprintf(out, "};\n");
}

static void print(FILE *out, size_t count)
{
    fprintf(out,
            "/* Kinds of code points, compositions; Unicode %s. Written by unicode_generate.c. */\n"
            "#include \"tokenize/unicode.h\"\n\n/* clang-format off */\n"
            "const uint8_t lxm_kind_rows[][64] = {\n",
            utf8proc_unicode_version());
    for (size_t r = 0; r < count; r++) {
        fprintf(out, "{");
        for (size_t i = 0; i < 64; i++)
            fprintf(out, "%s%u", i ? "," : "", rows[r][i]);
        fprintf(out, "},\n");
    }
    fprintf(out, "};\n\nconst uint16_t lxm_kind_row[0x110000 >> 6] = {\n");
    for (size_t r = 0; r < ROWS; r++)
        fprintf(out, "%u,%s", row_of[r], r % 24 == 23 || r + 1 == ROWS ? "\n" : "");
    fprintf(out, "};\n");
    print_compositions(out);
}

static bool same(FILE *a, FILE *b)
{
    int c;
    rewind(a);
    while ((c = getc(a)) != EOF)
        if (c != getc(b))
            return false;
    return getc(b) == EOF;
}

static int check(const char *path, size_t count)
{
    FILE *table = fopen(path, "rb"), *fresh = tmpfile();
    bool current = false;
    if (table && fresh) {
        print(fresh, count);
        current = same(fresh, table);
    }
    if (table)
        fclose(table);
    if (fresh)
        fclose(fresh);
    if (!current)
        fprintf(stderr, "%s: not what unicode_generate writes: generate it again\n", path);
    return current ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (strcmp(utf8proc_unicode_version(), LXM_UNICODE_VERSION) != 0) {
        fprintf(stderr, "utf8proc has Unicode %s, the table is of %s\n", utf8proc_unicode_version(),
                LXM_UNICODE_VERSION);
        return 77;
    }
    size_t count = build();
    find_compositions();
    if (argc == 3 && strcmp(argv[1], "--check") == 0)
        return check(argv[2], count);
    print(stdout, count);
    return fflush(stdout) == 0 ? 0 : 1;
}
