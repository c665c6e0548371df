/* Each vocabulary of testdata/vocab gives the ids that its own family's tokenizer gave, whatever
 * the cache; ids give the bytes back; hostile vocabularies are errors, never crashes. */
#define _GNU_SOURCE
#include <inttypes.h>

#include "base/escape.h"
#include "unit.h"

#ifndef TESTDATA
#define TESTDATA "testdata"
#endif

enum { no_end = -1 };

/* The lines of a .tsv: tokens, and the ids that each comes to. */
typedef struct sample {
    lxm_span *spans;
    uint64_t *offsets;
    uint8_t *text;
    size_t count, length;
    uint32_t *ids;
    int *ends;
    size_t *id_counts, id_count;
} sample;

static void *more(void *array, size_t count, size_t size)
{
    void *grown = realloc(array, (count + 1) * size);
    assert_non_null(grown);
    return grown;
}

static void add_ids(sample *s, char *text)
{
    size_t before = s->id_count;
    for (char *at = text, *end; *at; at = end + (*end == ' ')) {
        s->ids = more(s->ids, s->id_count, sizeof *s->ids);
        s->ends = more(s->ends, s->id_count, sizeof *s->ends);
        s->ids[s->id_count] = (uint32_t)strtoul(at, &end, 10);
        assert_ptr_not_equal(end, at);
        s->ends[s->id_count++] = *end == ':' ? (int)strtol(end + 1, &end, 10) : no_end;
    }
    s->id_counts = more(s->id_counts, s->count, sizeof *s->id_counts);
    s->id_counts[s->count] = s->id_count - before;
}

static void add_line(sample *s, uint8_t *line, size_t length)
{
    size_t bad;
    uint8_t *tab = memchr(line, '\t', length);
    assert_non_null(tab);
    char *ids = strndup((char *)tab + 1, length - (size_t)(tab + 1 - line));
    add_ids(s, ids);
    free(ids);
    size_t size = lxm_unescape(line, (size_t)(tab - line), &bad);
    assert_int_not_equal(size, SIZE_MAX);
    s->text = realloc(s->text, s->length + size + 1);
    memcpy(s->text + s->length, line, size);
    s->spans = more(s->spans, s->count, sizeof *s->spans);
    s->offsets = more(s->offsets, s->count, 2 * sizeof *s->offsets);
    s->spans[s->count] = (lxm_span){(uint32_t)s->length, (uint32_t)(s->length + size)};
    s->offsets[2 * s->count] = 1000 + s->length;
    s->offsets[2 * s->count + 1] = 1000 + s->length + size;
    s->length += size;
    s->count++;
}

static void sample_read(sample *s, const char *name)
{
    char path[512];
    size_t length;
    *s = (sample){.count = 0};
    snprintf(path, sizeof path, "%s/vocab/%s.tsv", TESTDATA, name);
    uint8_t *bytes = unit_file_read(path, &length);
    for (uint8_t *line = bytes; line < bytes + length;) {
        uint8_t *end = memchr(line, '\n', (size_t)(bytes + length - line));
        assert_non_null(end);
        add_line(s, line, (size_t)(end - line));
        line = end + 1;
    }
    free(bytes);
    assert_true(s->count > 100);
}

static void sample_free(sample *s)
{
    free(s->spans);
    free(s->offsets);
    free(s->text);
    free(s->ids);
    free(s->ends);
    free(s->id_counts);
}

static lxm_vocab *open_vocab(const char *name)
{
    char path[512];
    lxm_vocab *vocab;
    lxm_error error;
    snprintf(path, sizeof path, "%s/vocab/%s", TESTDATA, name);
    unit_succeeds(lxm_vocab_open(&vocab, path, NULL, &error), &error);
    return vocab;
}

static void check_token(const sample *s, size_t index, size_t first, const lxm_ids *ids)
{
    const lxm_span *span = &s->spans[index];
    bool same = ids->count == s->id_counts[index];
    for (size_t k = 0; same && k < ids->count; k++)
        same = ids->ids[k] == s->ids[first + k];
    if (same)
        return;
    print_error("%.*s:", (int)(span->end - span->begin), s->text + span->begin);
    for (size_t k = 0; k < ids->count; k++)
        print_error(" %" PRIu32, ids->ids[k]);
    print_error(" in place of");
    for (size_t k = 0; k < s->id_counts[index]; k++)
        print_error(" %" PRIu32, s->ids[first + k]);
    print_error("\n");
    fail();
}

/* One after another, so that the first difference is seen. */
static void check_each(lxm_mapper *mapper, const sample *s)
{
    lxm_error error;
    lxm_ids ids;
    for (size_t i = 0, first = 0; i < s->count; first += s->id_counts[i++]) {
        lxm_tokens tokens = {s->text, s->spans + i, 1, NULL};
        unit_succeeds(lxm_mapper_map(mapper, &tokens, &ids, &error), &error);
        check_token(s, i, first, &ids);
        assert_null(ids.offsets);
    }
}

static void check_offsets(const lxm_vocab *vocab, const sample *s, const lxm_ids *ids)
{
    assert_int_equal(ids->count, s->id_count);
    for (size_t i = 0, k = 0; i < s->count; i++) {
        uint64_t begin = s->offsets[2 * i], at = begin;
        for (size_t last = k + s->id_counts[i]; k < last; k++) {
            size_t length;
            lxm_vocab_token(vocab, ids->ids[k], &length);
            uint64_t end = s->ends[k] == no_end ? at + length : begin + (uint64_t)s->ends[k];
            assert_int_equal(ids->offsets[2 * k], at);
            assert_int_equal(ids->offsets[2 * k + 1], end);
            at = end;
        }
        assert_int_equal(at, s->offsets[2 * i + 1]);
    }
}

static void check_all(lxm_mapper *mapper, const lxm_vocab *vocab, const sample *s)
{
    lxm_error error;
    lxm_ids ids;
    lxm_tokens tokens = {s->text, s->spans, s->count, NULL};
    unit_succeeds(lxm_mapper_map(mapper, &tokens, &ids, &error), &error);
    assert_int_equal(ids.count, s->id_count);
    assert_memory_equal(ids.ids, s->ids, s->id_count * sizeof *ids.ids);
    tokens.offsets = s->offsets;
    unit_succeeds(lxm_mapper_map(mapper, &tokens, &ids, &error), &error);
    assert_memory_equal(ids.ids, s->ids, s->id_count * sizeof *ids.ids);
    check_offsets(vocab, s, &ids);
}

/* What is written in another form gives the same ids, or is refused. */
static void check_forms(const lxm_vocab *vocab, const sample *s)
{
    char *folder = unit_folder_make();
    for (int form = LXM_VOCAB_COMPILED; form <= LXM_VOCAB_WORDPIECE; form++) {
        char *path = unit_path(folder, form == LXM_VOCAB_WORDPIECE ? "vocab.txt" : "written");
        bool names = form <= LXM_VOCAB_TOKENIZER_JSON && !lxm_vocab_states_pattern(vocab);
        lxm_vocab_write_options options = {
            .form = (lxm_vocab_form)form, .preset = names ? "gpt2" : NULL, .drop_special = true};
        lxm_vocab *written;
        lxm_mapper *mapper;
        lxm_error error;
        lxm_status status = lxm_vocab_write(vocab, path, &options, &error);
        if (form > LXM_VOCAB_TOKENIZER_JSON && status)
            assert_int_equal(status, LXM_ERROR_UNSUPPORTED);
        else
            unit_succeeds(status, &error);
        if (!status) {
            unit_succeeds(lxm_vocab_open(&written, path, NULL, &error), &error);
            unit_succeeds(lxm_mapper_new(&mapper, written, NULL, NULL, &error), &error);
            check_each(mapper, s);
            check_all(mapper, written, s);
            lxm_mapper_free(mapper);
            lxm_vocab_free(written);
        }
        free(path);
        unit_folder_remove(folder);
        folder = unit_folder_make();
    }
    unit_folder_remove(folder);
}

static void check(const char *file, const char *name)
{
    static const size_t sizes[] = {0, 1, 4096, LXM_CACHE_SIZE};
    lxm_vocab *vocab = open_vocab(file);
    sample s;
    sample_read(&s, name);
    check_forms(vocab, &s);
    for (size_t i = 0; i < unit_count(sizes); i++) {
        lxm_mapper *mapper;
        lxm_error error;
        lxm_mapper_options options = {sizes[i]};
        unit_succeeds(lxm_mapper_new(&mapper, vocab, &options, NULL, &error), &error);
        check_each(mapper, &s);
        check_all(mapper, vocab, &s);
        check_each(mapper, &s);
        lxm_mapper_free(mapper);
    }
    sample_free(&s);
    lxm_vocab_free(vocab);
}

static void byte_level(void **state)
{
    (void)state;
    check("bytes.json", "bytes");
    check("whole.json", "whole");
}

static void a_folder_is_the_same(void **state)
{
    (void)state;
    check("gpt2", "bytes");
}

static void merges_by_rank(void **state)
{
    (void)state;
    check("ranks.tiktoken", "ranks");
}

static void characters(void **state)
{
    (void)state;
    check("fallback.json", "fallback");
    check("affixes.json", "affixes");
    check("unknown.json", "unknown");
}

static void wordpiece(void **state)
{
    (void)state;
    check("wordpiece.json", "wordpiece");
}

static void unigram(void **state)
{
    (void)state;
    check("unigram.json", "unigram");
}

/* Offsets of text that was changed on the way are those of the token. */
static void changed_text_keeps_the_tokens_offsets(void **state)
{
    (void)state;
    lxm_vocab *vocab = open_vocab("bytes.json");
    lxm_mapper *mapper;
    lxm_error error;
    lxm_ids ids;
    lxm_span span = {0, 8};
    uint64_t offsets[2] = {7, 17};
    lxm_tokens tokens = {(const uint8_t *)"Zwqxjvkb", &span, 1, offsets};
    unit_succeeds(lxm_mapper_new(&mapper, vocab, NULL, NULL, &error), &error);
    for (int again = 0; again < 2; again++) {
        unit_succeeds(lxm_mapper_map(mapper, &tokens, &ids, &error), &error);
        assert_true(ids.count > 1);
        for (size_t i = 0; i < ids.count; i++) {
            assert_int_equal(ids.offsets[2 * i], 7);
            assert_int_equal(ids.offsets[2 * i + 1], 17);
        }
    }
    lxm_mapper_free(mapper);
    lxm_vocab_free(vocab);
}

static void special_tokens_have_their_ids(void **state)
{
    (void)state;
    lxm_vocab *vocab = open_vocab("bytes.json");
    lxm_mapper *mapper;
    lxm_error error;
    lxm_ids ids;
    const char *text = "<|end|><think><|end";
    lxm_span spans[] = {{0, 7}, {7, 14}, {14, 19}};
    lxm_tokens tokens = {(const uint8_t *)text, spans, 3, NULL};
    unit_succeeds(lxm_mapper_new(&mapper, vocab, NULL, NULL, &error), &error);
    unit_succeeds(lxm_mapper_map(mapper, &tokens, &ids, &error), &error);
    assert_true(ids.count > 3);
    assert_int_equal(ids.ids[0], lxm_vocab_find(vocab, "<|end|>", 7));
    assert_int_equal(ids.ids[1], lxm_vocab_find(vocab, "<think>", 7));
    assert_true(lxm_vocab_is_special(vocab, ids.ids[0]));
    assert_false(lxm_vocab_is_special(vocab, ids.ids[1]));
    lxm_mapper_free(mapper);
    lxm_vocab_free(vocab);
}

/* A megabyte without a boundary takes no more than a second or so, however it repeats. */
static void long_runs_are_linear(void **state)
{
    enum { length = 1 << 20 };
    (void)state;
    static const char *const files[] = {"bytes.json", "ranks.tiktoken", "fallback.json",
                                        "unigram.json"};
    uint8_t *text = malloc(length);
    uint64_t random = 7;
    assert_non_null(text);
    for (size_t f = 0; f < unit_count(files); f++) {
        lxm_vocab *vocab = open_vocab(files[f]);
        for (int kind = 0; kind < 3; kind++) {
            lxm_mapper *mapper;
            lxm_error error;
            lxm_ids ids;
            lxm_span span = {0, length};
            lxm_tokens tokens = {text, &span, 1, NULL};
            for (size_t i = 0; i < length; i++)
                text[i] = kind == 0   ? 'a'
                          : kind == 1 ? (uint8_t) "abca"[i % 4]
                                      : (uint8_t)('a' + unit_random(&random) % 26);
            double begin = unit_seconds();
            unit_succeeds(lxm_mapper_new(&mapper, vocab, NULL, NULL, &error), &error);
            unit_succeeds(lxm_mapper_map(mapper, &tokens, &ids, &error), &error);
            assert_true(unit_seconds() - begin < 20);
            assert_true(ids.count > 1000 && ids.count <= length);
            lxm_mapper_free(mapper);
        }
        lxm_vocab_free(vocab);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(byte_level),
        cmocka_unit_test(a_folder_is_the_same),
        cmocka_unit_test(merges_by_rank),
        cmocka_unit_test(characters),
        cmocka_unit_test(wordpiece),
        cmocka_unit_test(unigram),
        cmocka_unit_test(changed_text_keeps_the_tokens_offsets),
        cmocka_unit_test(special_tokens_have_their_ids),
        cmocka_unit_test(long_runs_are_linear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
