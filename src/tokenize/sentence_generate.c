/*
 * Writes sentence_table.c from SentenceBreakProperty.txt of the Unicode Character Database (Debian:
 * unicode-data), or with --check FILE tells whether FILE is what it would write.
 *
 * usage: sentence_generate PROPERTIES [--check FILE]
 * Exit status 0, 1; 77 where there are no PROPERTIES, or of another version.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tokenize/sentences.h"
#include "tokenize/unicode.h"

static const struct {
    const char *name;
    lxm_sentence_class class;
} classes[] = {
    {"CR", LXM_SENTENCE_SEP},          {"LF", LXM_SENTENCE_SEP},
    {"Sep", LXM_SENTENCE_SEP},         {"Extend", LXM_SENTENCE_EXTEND},
    {"Format", LXM_SENTENCE_EXTEND},   {"Sp", LXM_SENTENCE_SP},
    {"Lower", LXM_SENTENCE_LOWER},     {"Upper", LXM_SENTENCE_UPPER},
    {"OLetter", LXM_SENTENCE_OLETTER}, {"Numeric", LXM_SENTENCE_NUMERIC},
    {"ATerm", LXM_SENTENCE_ATERM},     {"STerm", LXM_SENTENCE_STERM},
    {"Close", LXM_SENTENCE_CLOSE},     {"SContinue", LXM_SENTENCE_SCONTINUE},
};

enum { ROWS = 0x110000 >> 6 };
static uint8_t class_of[0x110000];
static uint8_t rows[1024][64];
static uint16_t row_of[ROWS];

static bool set(unsigned long first, unsigned long last, const char *name)
{
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (strcmp(classes[i].name, name) == 0) {
            for (unsigned long c = first; c <= last && c < 0x110000; c++)
                class_of[c] = (uint8_t)classes[i].class;
            return true;
        }
    return false;
}

/* FIRST[..LAST] ; CLASS # comment */
static bool read_line(const char *line)
{
    unsigned long first, last;
    char name[32], *end;
    first = last = strtoul(line, &end, 16);
    if (end == line)
        return *line == '#' || *line == '\n';
    if (strncmp(end, "..", 2) == 0)
        last = strtoul(end + 2, &end, 16);
    return sscanf(end, " ; %31[A-Za-z]", name) == 1 && set(first, last, name);
}

static int read_properties(const char *path)
{
    char line[512];
    FILE *file = fopen(path, "r");
    if (!file)
        return 77;
    bool good = fgets(line, sizeof line, file) && strstr(line, LXM_UNICODE_VERSION);
    if (!good) {
        fclose(file);
        return 77;
    }
    while (good && fgets(line, sizeof line, file))
        good = read_line(line);
    fclose(file);
    if (!good)
        fprintf(stderr, "%s: can't make sense of: %s", path, line);
    return good ? 0 : 1;
}

static size_t build(void)
{
    size_t count = 0;
    for (size_t r = 0; r < ROWS; r++) {
        size_t known = 0;
        while (known < count && memcmp(rows[known], class_of + 64 * r, 64) != 0)
            known++;
        if (known == count) {
            if (count == sizeof rows / sizeof *rows)
                return 0;
            memcpy(rows[count++], class_of + 64 * r, 64);
        }
        row_of[r] = (uint16_t)known;
    }
    return count;
}

static void print(FILE *out, size_t count)
{
    fprintf(out,
            "/* Sentence_Break of code points, Unicode %s. Written by sentence_generate.c. */\n"
            "#include \"tokenize/sentences.h\"\n\n/* clang-format off */\n"
            "const uint8_t lxm_sentence_rows[][64] = {\n",
            LXM_UNICODE_VERSION);
    for (size_t r = 0; r < count; r++) {
        fprintf(out, "{");
        for (size_t i = 0; i < 64; i++)
            fprintf(out, "%s%u", i ? "," : "", rows[r][i]);
        fprintf(out, "},\n");
    }
    fprintf(out, "};\n\nconst uint16_t lxm_sentence_row[0x110000 >> 6] = {\n");
    for (size_t r = 0; r < ROWS; r++)
        fprintf(out, "%u,%s", row_of[r], r % 24 == 23 || r + 1 == ROWS ? "\n" : "");
    fprintf(out, "};\n");
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
        fprintf(stderr, "%s: not what sentence_generate writes: generate it again\n", path);
    return current ? 0 : 1;
}

int main(int argc, char **argv)
{
    int status = argc > 1 ? read_properties(argv[1]) : 2;
    if (status)
        return status;
    size_t count = build();
    if (count == 0) {
        fprintf(stderr, "the table has more rows than there is room for\n");
        return 1;
    }
    if (argc == 4 && strcmp(argv[2], "--check") == 0)
        return check(argv[3], count);
    print(stdout, count);
    return fflush(stdout) == 0 ? 0 : 1;
}
