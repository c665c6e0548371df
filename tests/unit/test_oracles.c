/*
 * Promise 1: presets give what their references give, token for token. The expected values in
 * testdata/oracles are the references' own: tests/oracles/segment.py made them and says what the
 * files hold.
 *
 * With folders as arguments: the larger texts that lie in them (and in the folder that
 * LEXMILL_CORPORA names); those that don't are named as skipped, and status 77 says that none was
 * there.
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <xxhash.h>

#include "base/escape.h"
#include "base/utf8.h"
#include "segment.h"
#include "tokenize/scan/scan.h"
#include "tokenize/tokenizer.h"

enum { code_points = 0x110000, corpus_size = 16000000, most_folders = 8 };

static const struct oracle {
    const char *name; /* in testdata/oracles */
    lxm_tokenizer_options options;
} oracles[] = {
    {"gpt2", {.preset = "gpt2"}},
    {"gpt2", {.preset = "r50k"}},
    {"gpt2", {.preset = "p50k"}},
    {"cl100k", {.preset = "cl100k"}},
    {"o200k", {.preset = "o200k"}},
    {"llama3", {.preset = "llama3"}},
    {"qwen2", {.preset = "qwen2"}},
    {"bert", {.preset = "bert"}},
    {"bert-uncased", {.preset = "bert", .lowercase = true, .strip_marks = true}},
};

static const char *const variants[] = {"scalar", "avx2", "all"};
static const char *variant_in_use; /* for messages */

static lxm_tokenizer *tokenizer_of(const struct oracle *oracle, const char *variant)
{
    lxm_tokenizer_options options = oracle->options;
    options.invalid = LXM_INVALID_REPLACE;
    lxm_tokenizer *tokenizer = segment_tokenizer(&options);
    tokenizer->scanner = lxm_scanner_for_preset(options.preset, lxm_cpu_features_up_to(variant));
    assert_non_null(tokenizer->scanner);
    variant_in_use = variant;
    return tokenizer;
}

/* ---- what the tokens are written to ---- */

/* Tokens in tokenize's text form, but for what stands behind each; with a hash they go there. */
typedef struct written {
    lxm_buffer text;
    char behind;
    XXH3_state_t *hash;
    uint64_t tokens;
} written;

static lxm_status take_tokens(void *context, const lxm_tokens *tokens, lxm_error *error)
{
    written *w = context;
    (void)error;
    for (size_t i = 0; i < tokens->count; i++) {
        lxm_span span = tokens->spans[i];
        assert_true(lxm_escape(&w->text, tokens->text + span.begin, span.end - span.begin));
        assert_true(lxm_buffer_append(&w->text, &w->behind, 1));
    }
    w->tokens += tokens->count;
    if (w->hash) {
        XXH3_64bits_update(w->hash, w->text.data, w->text.length);
        w->text.length = 0;
    }
    return LXM_OK;
}

static lxm_status take_end(void *context, lxm_error *error)
{
    (void)context;
    (void)error;
    return LXM_OK;
}

static void written_init(written *w, char behind, bool hash)
{
    lxm_allocator standard = lxm_allocator_or_default(NULL);
    *w = (written){.behind = behind, .hash = hash ? XXH3_createState() : NULL};
    lxm_buffer_init(&w->text, &standard);
    if (hash)
        XXH3_64bits_reset(w->hash);
}

static void written_free(written *w)
{
    lxm_buffer_free(&w->text);
    XXH3_freeState(w->hash);
}

static void write_document(lxm_segmenter *segmenter, const uint8_t *text, size_t length)
{
    lxm_error error;
    for (size_t at = 0, n; at < length; at += n) {
        n = length - at < 65536 ? length - at : 65536;
        unit_succeeds(lxm_segmenter_push(segmenter, text + at, n, &error), &error);
    }
    unit_succeeds(lxm_segmenter_end_document(segmenter, &error), &error);
}

static lxm_segmenter *segmenter_of(const lxm_tokenizer *tokenizer, written *w)
{
    lxm_segmenter *segmenter;
    lxm_token_sink sink = {take_tokens, take_end, w};
    unit_succeeds(lxm_segmenter_new(&segmenter, tokenizer, &sink, NULL, NULL), NULL);
    return segmenter;
}

/* ---- the files of expected values ---- */

static char *oracle_file(const char *name, const char *ending, size_t *length)
{
    char file[64];
    snprintf(file, sizeof file, "%s%s", name, ending);
    char *path = unit_path(TESTDATA "/oracles", file);
    char *text = (char *)unit_file_read(path, length);
    free(path);
    return text;
}

/* Cuts the next line off, or NULL; an empty line would be an error of the file. */
static char *next_line(char **rest)
{
    char *line = *rest, *end = strchr(line, '\n');
    if (!end)
        return NULL;
    *end = '\0';
    *rest = end + 1;
    return line;
}

static char *next_column(char **rest)
{
    char *column = *rest, *end = column ? strchr(column, '\t') : NULL;
    assert_non_null(column);
    if (end)
        *end = '\0';
    *rest = end ? end + 1 : NULL;
    return column;
}

/* Calls `visit` with the columns of each line of unicode.tsv that is of this oracle. */
static void each_difference(const char *oracle,
                            void (*visit)(void *context, uint32_t first, uint32_t last, char *ours),
                            void *context)
{
    size_t length;
    char *text = oracle_file("unicode", ".tsv", &length), *rest = text, *line;
    while ((line = next_line(&rest)))
        if (strcmp(next_column(&line), oracle) == 0) {
            (void)next_column(&line);
            uint32_t first = (uint32_t)strtoul(next_column(&line), NULL, 16);
            uint32_t last = (uint32_t)strtoul(next_column(&line), NULL, 16);
            assert_true(first && first <= last && last < code_points);
            visit(context, first, last, next_column(&line));
        }
    free(text);
}

static void mark(void *context, uint32_t first, uint32_t last, char *ours)
{
    (void)ours;
    memset((uint8_t *)context + first, 1, last + 1 - first);
}

/* For each code point whether the oracle's Unicode has it otherwise; to be freed. */
static uint8_t *differing(const char *oracle)
{
    uint8_t *all = calloc(code_points, 1);
    assert_non_null(all);
    each_difference(oracle, mark, all);
    return all;
}

/* ---- small texts, in full ---- */

/* The text that a line is about; to be freed. */
static uint8_t *text_named(const char *name, size_t *length)
{
    const char *number = strchr(name, ':');
    char *path = number ? unit_path(TESTDATA "/oracles", "hostile.txt") : unit_path(TESTDATA, name);
    uint8_t *text = unit_file_read(path, length);
    free(path);
    if (!number)
        return text;
    uint8_t *string = text, *end = memchr(string, '\0', *length);
    for (unsigned long i = strtoul(number + 1, NULL, 10); end && i; i--) {
        string = end + 1;
        end = memchr(string, '\0', *length - (size_t)(string - text));
    }
    assert_non_null(end);
    *length = (size_t)(end - string);
    memmove(text, string, *length);
    return text;
}

static void same_tokens(const lxm_tokenizer *tokenizer, const char *name, char *expected, char *got)
{
    if (strcmp(expected, got) == 0)
        return;
    for (size_t i = 0; *got; i++) {
        const char *want = expected ? next_column(&expected) : "no token", *is = next_column(&got);
        if (strcmp(want, is) != 0)
            fail_msg("%s, %s scanner, %s: token %zu: '%s', not '%s'",
                     lxm_tokenizer_settings(tokenizer), variant_in_use, name, i, is, want);
    }
    fail_msg("%s, %s: tokens are missing", lxm_tokenizer_settings(tokenizer), name);
}

static void check_line(const lxm_tokenizer *tokenizer, const char *name, char *expected)
{
    written w;
    size_t length;
    uint8_t *text = text_named(name, &length);
    written_init(&w, '\t', false);
    lxm_segmenter *segmenter = segmenter_of(tokenizer, &w);
    write_document(segmenter, text, length);
    assert_true(lxm_buffer_append(&w.text, "\t", 1));
    /* the last TAB is none of the oracle's */
    w.text.data[w.text.length - (w.text.length > 1 ? 2 : 1)] = '\0';
    same_tokens(tokenizer, name, expected, (char *)w.text.data);
    lxm_segmenter_free(segmenter);
    written_free(&w);
    free(text);
}

static void small_texts_have_their_references_tokens(void **state)
{
    (void)state;
    for (size_t i = 0; i < unit_count(oracles) * unit_count(variants); i++) {
        const struct oracle *oracle = &oracles[i / unit_count(variants)];
        lxm_tokenizer *tokenizer = tokenizer_of(oracle, variants[i % unit_count(variants)]);
        size_t length, lines = 0;
        char *text = oracle_file(oracle->name, ".tokens", &length), *rest = text, *line;
        for (; (line = next_line(&rest)); lines++) {
            const char *name = next_column(&line);
            check_line(tokenizer, name, line ? line : (char[]){""});
        }
        assert_true(lines > 200);
        free(text);
        lxm_tokenizer_free(tokenizer);
    }
}

/* ---- every code point ---- */

static const char probe[] = "a@b 1@.@ A@B @@";

static size_t probe_with(uint32_t c, uint8_t *text)
{
    uint8_t sequence[4];
    size_t length = 0, size = lxm_utf8_encode(c, sequence);
    for (const char *p = probe; *p; p++) {
        memcpy(text + length, *p == '@' ? (const void *)sequence : p, *p == '@' ? size : 1);
        length += *p == '@' ? size : 1;
    }
    return length;
}

/* A line of streams.tsv behind its text's name and hash. */
static bool same_stream(const char *oracle, char *columns, const written *w)
{
    char sum[17];
    snprintf(sum, sizeof sum, "%016llx", (unsigned long long)XXH3_64bits_digest(w->hash));
    bool mine = strcmp(next_column(&columns), oracle) == 0;
    if (!mine)
        return false;
    uint64_t tokens = strtoull(next_column(&columns), NULL, 10);
    if (w->tokens != tokens || strcmp(sum, columns) != 0)
        fail_msg("%s, %s scanner: %llu tokens, XXH3 %s; not %llu, %s", oracle, variant_in_use,
                 (unsigned long long)w->tokens, sum, (unsigned long long)tokens, columns);
    return true;
}

static void expect_code_points(const char *oracle, const written *w)
{
    size_t length, found = 0;
    char *text = oracle_file("streams", ".tsv", &length), *rest = text, *line;
    while ((line = next_line(&rest)))
        if (strcmp(next_column(&line), "code points") == 0) {
            (void)next_column(&line);
            found += same_stream(oracle, line, w);
        }
    assert_int_equal(found, 1);
    free(text);
}

/* Planes 4 to 13, 15 and 16 have no characters. */
static bool is_probed(uint32_t c)
{
    return c < 0xD800 || (c >= 0xE000 && c < 0x34000) || c >> 12 == 0xE0;
}

static void code_points_have_their_references_tokens(void **state)
{
    (void)state;
    for (size_t i = 0; i < unit_count(oracles) * unit_count(variants); i++) {
        const struct oracle *oracle = &oracles[i / unit_count(variants)];
        lxm_tokenizer *tokenizer = tokenizer_of(oracle, variants[i % unit_count(variants)]);
        uint8_t *skipped = differing(oracle->name), text[64];
        written w;
        written_init(&w, '\n', true);
        lxm_segmenter *segmenter = segmenter_of(tokenizer, &w);
        for (uint32_t c = 0; c < code_points; c++)
            if (is_probed(c) && !skipped[c]) {
                if (c)
                    XXH3_64bits_update(w.hash, "\n", 1);
                write_document(segmenter, text, probe_with(c, text));
            }
        expect_code_points(oracle->name, &w);
        lxm_segmenter_free(segmenter);
        written_free(&w);
        free(skipped);
        lxm_tokenizer_free(tokenizer);
    }
}

/* ---- code points that the references' Unicode has otherwise ---- */

typedef struct pinned {
    lxm_segmenter *segmenter;
    written w;
    size_t count;
} pinned;

/* `got` with the code point as @ again, unless it is one of the probe's own. */
static void check_pinned(void *context, uint32_t first, uint32_t last, char *ours)
{
    pinned *p = context;
    for (uint32_t c = first; c <= last; c++, p->count++) {
        uint8_t text[64], want[128], sequence[4];
        size_t length = 0, size = lxm_utf8_encode(c, sequence);
        for (const char *s = ours; *s; s++) {
            memcpy(want + length, *s == '@' ? (const void *)sequence : s, *s == '@' ? size : 1);
            length += *s == '@' ? size : 1;
        }
        p->w.text.length = 0;
        write_document(p->segmenter, text, probe_with(c, text));
        assert_int_equal(p->w.text.length, length + 1);
        if (memcmp(p->w.text.data, want, length) != 0)
            fail_msg("U+%04X: %.*s, not %.*s", c, (int)length, p->w.text.data, (int)length, want);
    }
}

static void where_unicode_differs_the_tokens_are_those_of_15_0(void **state)
{
    (void)state;
    for (size_t i = 0; i < unit_count(oracles); i++) {
        lxm_tokenizer *tokenizer = tokenizer_of(&oracles[i], "all");
        pinned p = {0};
        written_init(&p.w, '|', false);
        p.segmenter = segmenter_of(tokenizer, &p.w);
        each_difference(oracles[i].name, check_pinned, &p);
        assert_true(p.count > 100);
        lxm_segmenter_free(p.segmenter);
        written_free(&p.w);
        lxm_tokenizer_free(tokenizer);
    }
}

/* ---- larger texts ---- */

static const char *folders[most_folders];
static size_t folder_count, checked;

static uint8_t *find_text(const char *name, const char *sum, size_t *length)
{
    char found[17];
    for (size_t i = 0; i < folder_count; i++) {
        char *path = unit_path(folders[i], name);
        FILE *file = fopen(path, "rb");
        uint8_t *text = file ? unit_file_read(path, length) : NULL;
        if (file)
            fclose(file);
        free(path);
        if (!text)
            continue;
        if (*length >= corpus_size)
            for (*length = corpus_size; *length && text[*length - 1] != '\n';)
                --*length;
        snprintf(found, sizeof found, "%016llx", (unsigned long long)XXH3_64bits(text, *length));
        if (strcmp(found, sum) == 0)
            return text;
        free(text);
    }
    return NULL;
}

/* Takes code points out; returns the new length. */
static size_t without(uint8_t *text, size_t length, const uint8_t *skipped)
{
    size_t kept = 0;
    for (size_t at = 0, size; at < length; at += size) {
        size = lxm_utf8_sequence(text + at, length - at);
        if (size && skipped[lxm_utf8_decode(text + at, &size)])
            continue;
        size += !size;
        memmove(text + kept, text + at, size);
        kept += size;
    }
    return kept;
}

static void check_text(const struct oracle *oracle, const char *variant, uint8_t *text,
                       size_t length, const char *columns)
{
    char copy[256];
    written w;
    lxm_tokenizer *tokenizer = tokenizer_of(oracle, variant);
    snprintf(copy, sizeof copy, "%s", columns);
    written_init(&w, '\n', true);
    lxm_segmenter *segmenter = segmenter_of(tokenizer, &w);
    write_document(segmenter, text, length);
    assert_true(same_stream(oracle->name, copy, &w));
    checked++;
    lxm_segmenter_free(segmenter);
    written_free(&w);
    lxm_tokenizer_free(tokenizer);
}

static void check_stream(const char *name, const char *sum, const char *columns)
{
    size_t length;
    uint8_t *text = find_text(name, sum, &length);
    if (!text) {
        print_message("skipped: no %s with XXH3 %s: %s\n", name, sum, columns);
        return;
    }
    for (size_t i = 0; i < unit_count(oracles); i++) {
        size_t size = strlen(oracles[i].name);
        if (strncmp(oracles[i].name, columns, size) != 0 || columns[size] != '\t')
            continue;
        uint8_t *skipped = differing(oracles[i].name);
        length = without(text, length, skipped);
        free(skipped);
        for (size_t v = 0; v < unit_count(variants); v++)
            check_text(&oracles[i], variants[v], text, length, columns);
    }
    free(text);
}

static void larger_texts_have_their_references_tokens(void **state)
{
    (void)state;
    size_t length;
    char *text = oracle_file("streams", ".tsv", &length), *rest = text, *line;
    while ((line = next_line(&rest))) {
        const char *name = next_column(&line), *sum = next_column(&line);
        if (strcmp(sum, "-") != 0)
            check_stream(name, sum, line);
    }
    free(text);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest here[] = {
        cmocka_unit_test(small_texts_have_their_references_tokens),
        cmocka_unit_test(code_points_have_their_references_tokens),
        cmocka_unit_test(where_unicode_differs_the_tokens_are_those_of_15_0),
    };
    const struct CMUnitTest elsewhere[] = {
        cmocka_unit_test(larger_texts_have_their_references_tokens)};
    if (argc == 1)
        return cmocka_run_group_tests(here, NULL, NULL);
    for (int i = 1; i < argc && folder_count < most_folders - 1; i++)
        folders[folder_count++] = argv[i];
    if (getenv("LEXMILL_CORPORA"))
        folders[folder_count++] = getenv("LEXMILL_CORPORA");
    int failed = cmocka_run_group_tests(elsewhere, NULL, NULL);
    return failed || checked ? failed : 77;
}
