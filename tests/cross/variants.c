/*
 * The scanners of this processor find what the plain C ones find: for a processor that the tests'
 * libraries aren't there for (neon.py). Its argument is how many random strings are tried.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "tokenize/scan/scan.h"

enum { most = 500, part = 64 };

/* One or more of each class, and what contractions are made of. */
static const char *const pieces[] = {
    " ",          " ",      "a",      "s",      "t",          "ll",         "re",
    "VE",         "S",      "A",      "Zz",     "'",          "'s",         "'LL",
    "'\u017F",    "\u017F", "\n",     "\n",     "\r\n",       "\t",         "1",
    "2",          "34567",  "!",      "/",      "-",          "--",         "_",
    ".",          ",",      "#",      "\x01",   "\x1C",       "\xC2\x85",   "\u00A0",
    "\u3000",     "\u2028", "\u1680", "\u00E9", "\u00C9",     "\u0301",     "\u0903",
    "\uFE0F",     "\u4E2D", "\u3042", "\u0E01", "\u0434",     "\u0414",     "\u0660",
    "\u00B2",     "\u2019", "\u00B7", "\u00AD", "\u200C",     "\u200D",     "\u2010",
    "\u20AC",     "\u2764", "\uFFFD", "\u2194", "\U0001F600", "\U0001F3FB", "\U0001F1E6",
    "\U0001F1E7",
};

static uint64_t random_state = 20250401;

static uint32_t random_below(uint32_t bound)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)((random_state >> 32) * bound >> 32);
}

static size_t random_text(uint8_t *text)
{
    size_t length = 0, wanted = 1 + random_below(random_below(4) ? 90 : most - 80);
    const char *some[6];
    uint32_t count = 1 + random_below(6);
    for (uint32_t i = 0; i < count; i++)
        some[i] = pieces[random_below(sizeof pieces / sizeof *pieces)];
    while (length < wanted) {
        const char *piece = some[random_below(count)];
        if (random_below(8) == 0)
            piece = pieces[random_below(sizeof pieces / sizeof *pieces)];
        uint32_t times = random_below(6) ? 1 : 1 + random_below(random_below(6) ? 4 : 70);
        for (size_t n = strlen(piece); times && length + n <= most; times--, length += n)
            memcpy(text + length, piece, n);
    }
    return length;
}

/* A whole text in spans of `capacity`; returns how many. */
static size_t scan(const lxm_scanner *scanner, const uint8_t *text, size_t length, size_t capacity,
                   lxm_span *found)
{
    size_t count = 0;
    lxm_scan s = {.text = text,
                  .length = length,
                  .first = true,
                  .final = true,
                  .capacity = capacity,
                  .spans = found};
    do {
        s.count = 0;
        s.spans = found + count;
        if (scanner->scan(scanner, NULL, &s, NULL))
            exit(1);
        count += s.count;
    } while (s.count == capacity);
    return count;
}

static void compare(const char *preset, const uint8_t *text, size_t length)
{
    static lxm_span plain[most + part], other[most + part];
    const lxm_scanner *scalar = lxm_scanner_for_preset(preset, LXM_CPU_SCALAR),
                      *mine = lxm_scanner_for_preset(preset, lxm_cpu_features());
    uint8_t *copy = malloc(length + 1);
    if (scalar == mine || !copy) {
        fprintf(stderr, "this processor has no scanners of its own\n");
        exit(2);
    }
    memcpy(copy, text, length);
    size_t count = scan(scalar, copy, length, part, plain);
    if (scan(mine, copy, length, part, other) != count ||
        memcmp(plain, other, count * sizeof *plain) != 0) {
        fprintf(stderr, "%s: other tokens in '%.*s'\n", preset, (int)length, (const char *)text);
        exit(1);
    }
    free(copy);
}

static void compare_all(const uint8_t *text, size_t length)
{
    static const char *const presets[] = {"words",  "book",  "whitespace", "bert", "gpt2",
                                          "cl100k", "o200k", "llama3",     "qwen2"};
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++)
        compare(presets[i], text, length);
}

static void each_code_point(void)
{
    static const char probe[] = "a@b A@B@ 1@2 @ .@. ,@a@, '@'s@\n@\n\t@a'@ !@\n/@a -@-b @@";
    for (uint32_t c = 1; c < 0x34000; c += c < 0x3400 ? 1 : 29) {
        if (c >= 0xD800 && c < 0xE000)
            continue;
        uint8_t text[most], sequence[4];
        size_t length = 0, size = lxm_utf8_encode(c, sequence);
        for (const char *p = probe; *p; p++) {
            memcpy(text + length, *p == '@' ? (const void *)sequence : p, *p == '@' ? size : 1);
            length += *p == '@' ? size : 1;
        }
        compare_all(text, length);
    }
}

int main(int argc, char **argv)
{
    uint8_t text[most];
    each_code_point();
    for (long n = argc > 1 ? strtol(argv[1], NULL, 10) : 20000; n > 0; n--)
        compare_all(text, random_text(text));
    return 0;
}
