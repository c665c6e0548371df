/* However short tokens are, and however they stand together, each is written as it is alone. */
#include "base/escape.h"
#include "unit.h"

enum { most_text = 4096, most_tokens = 100, rounds = 3000 };

typedef struct kind {
    const char *pieces[8]; /* what the text is made of */
    unsigned longest;      /* token, in bytes or thereabouts */
    unsigned gaps;         /* 1 in so many tokens has a gap before it; 0: none */
    bool anywhere;         /* cuts lie inside characters too */
} kind;

static const kind kinds[] = {
    {{"^"}, 1, 0, false},
    {{"\\"}, 1, 0, false},
    {{"^", "\\", "\n", "\t", "\r", "\1", "a"}, 1, 0, false},
    {{"^", "\\", "\n", "\t", "\r", "\1", "a"}, 1, 3, false},
    {{"a", "b", "\\", "c", "d", "e", "f", "g"}, 2, 2, false},
    {{"a", "b", "\\", "c", "d", "\n"}, 3, 0, false},
    {{"a", " ", "\n", "b", "c", "d"}, 4, 1, false},
    {{"a", "\xC3\xA9", "\\", "\xE4\xB8\xAD", "\n", "\xF0\x9F\x90\xA6"}, 4, 3, false},
    {{"a", "\xC3\xA9", "\xE4\xB8\xAD"}, 2, 0, true},
    {{"a", "\xC3\xA9", "\xE4\xB8\xAD"}, 1, 0, true},
    {{"a", "b", "c", "d", "e", "\xC3\xA9", "\n"}, 40, 2, false},
};

typedef struct sample {
    uint8_t text[most_text];
    lxm_span spans[most_tokens];
    size_t length, count;
} sample;

static bool begins_character(uint8_t byte)
{
    return (byte & 0xC0) != 0x80;
}

static void make_text(sample *s, const kind *k, uint64_t *state)
{
    size_t count = 0;
    while (count < unit_count(k->pieces) && k->pieces[count])
        count++;
    for (s->length = 0; s->length < most_text - 4;) {
        const char *piece = k->pieces[unit_random(state) % count];
        memcpy(s->text + s->length, piece, strlen(piece));
        s->length += strlen(piece);
    }
}

static size_t step(const sample *s, const kind *k, size_t at, uint64_t *state)
{
    at += 1 + unit_random(state) % k->longest;
    while (!k->anywhere && at < s->length && !begins_character(s->text[at]))
        at++;
    return at;
}

/* Up to the text's end, or not. */
static void make_tokens(sample *s, const kind *k, uint64_t *state)
{
    size_t want = 1 + unit_random(state) % most_tokens, at = 0;
    for (s->count = 0; s->count < want; s->count++) {
        if (k->gaps && unit_random(state) % k->gaps == 0)
            at = step(s, k, at, state);
        size_t end = step(s, k, at, state);
        if (end > s->length)
            break;
        s->spans[s->count] = (lxm_span){(uint32_t)at, (uint32_t)end};
        at = end;
    }
}

static void each_alone(lxm_buffer *text, const sample *s)
{
    for (size_t i = 0; i < s->count; i++) {
        const lxm_span *span = &s->spans[i];
        assert_true(lxm_escape(text, s->text + span->begin, span->end - span->begin));
        assert_true(lxm_buffer_append(text, "\n", 1));
    }
}

static void the_text_form_of_many_is_that_of_each(void **state)
{
    (void)state;
    char *folder = unit_folder_make(), *path = unit_path(folder, "tokens");
    lxm_allocator allocator = lxm_allocator_or_default(NULL);
    lxm_stream_options options = {.kind = LXM_KIND_TOKENS, .format = LXM_STREAM_TEXT};
    lxm_buffer expected;
    lxm_output *output;
    lxm_writer *writer;
    lxm_error error;
    uint64_t random = 1;
    sample s;
    lxm_buffer_init(&expected, &allocator);
    unit_succeeds(lxm_output_open(&output, path, NULL, &error), &error);
    unit_succeeds(lxm_writer_new(&writer, output, &options, NULL, &error), &error);
    for (size_t i = 0; i < rounds; i++) {
        const kind *k = &kinds[i % unit_count(kinds)];
        make_text(&s, k, &random);
        make_tokens(&s, k, &random);
        lxm_tokens tokens = {.text = s.text, .spans = s.spans, .count = s.count};
        unit_succeeds(lxm_writer_tokens(writer, &tokens, &error), &error);
        each_alone(&expected, &s);
    }
    unit_succeeds(lxm_writer_finish(writer, &error), &error);
    lxm_writer_free(writer);
    unit_succeeds(lxm_output_commit(output, &error), &error);
    size_t length;
    uint8_t *bytes = unit_file_read(path, &length);
    assert_int_equal(length, expected.length);
    assert_memory_equal(bytes, expected.data, length);
    free(bytes);
    lxm_buffer_free(&expected);
    free(path);
    unit_folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_form_of_many_is_that_of_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
