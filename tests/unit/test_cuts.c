/* Promise 2: tokens never depend on where the text was cut; promise 1: they are what PCRE2 finds
 * in the whole. */
#include "segment.h"

enum { text_size = 600 };

typedef struct fixture {
    unit_collector expected, got;
    uint8_t text[text_size];
    size_t length;
    lxm_error error;
} fixture;

static int set_up(void **state)
{
    static fixture f;
    unit_collector_init(&f.expected);
    unit_collector_init(&f.got);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    unit_collector_free(&f->expected);
    unit_collector_free(&f->got);
    return 0;
}

static void same(fixture *f, const lxm_tokenizer *tokenizer, uint64_t how)
{
    if (f->got.text.length == f->expected.text.length &&
        memcmp(f->got.text.data, f->expected.text.data, f->got.text.length) == 0)
        return;
    print_message("text: %.*s\nexpected: %s\n", (int)f->length, f->text,
                  unit_collected(&f->expected));
    fail_msg("%s, cut %d: %s", lxm_tokenizer_settings(tokenizer), (int)how,
             unit_collected(&f->got));
}

/* Demands what stands in `expected` for every way of cutting. */
static void every_cut(fixture *f, const lxm_tokenizer *tokenizer)
{
    for (uint64_t how = cut_never; how < cut_at_random + 4; how++) {
        unit_succeeds(segment(tokenizer, f->text, f->length, how, &f->got, &f->error), &f->error);
        same(f, tokenizer, how);
    }
}

static void equals_reference(fixture *f, const lxm_tokenizer_options *options, int rounds)
{
    lxm_tokenizer *tokenizer = segment_tokenizer(options);
    uint64_t seed = 11;
    for (int i = 0; i < rounds; i++) {
        size_t capacity = i % 4 ? unit_random(&seed) % 40 : text_size;
        f->length = segment_hard_text(&seed, f->text, capacity);
        segment_reference(options, f->text, f->length, &f->expected);
        every_cut(f, tokenizer);
    }
    lxm_tokenizer_free(tokenizer);
}

static void presets_give_what_their_patterns_find(void **state)
{
    const lxm_preset *preset;
    for (size_t i = 0; (preset = lxm_preset_at(i)); i++)
        if (!preset->clean) /* its pattern doesn't see the text as it is */
            equals_reference(*state, &(lxm_tokenizer_options){.preset = preset->name}, 150);
}

static const char *const patterns[] = {
    ".",
    "(?s).",
    "(?s).+",
    "\\w+",
    "\\b\\w",
    "\\w\\b",
    "\\w+(?=\\s)",
    "\\w+(?!\\S)",
    "(?<=a)\\S+",
    "(?<!\\s)\\s",
    "(?<=\\s\\s)\\S",
    "(?<=(?<=a)b|c)\\w+",
    "^\\S+",
    "\\A.",
    "\\S+$",
    "\\S+\\z",
    "(?m)^.",
    "(?m).$",
    "(?m)^.*$",
    "a*",
    "a*|b",
    "|x",
    "x|",
    "(?:)",
    "\\s+(?!\\S)|\\s+",
    "\\X",
    "\\R",
    "(\\w)\\1",
    "(?i)bc|abc",
    "a++|b",
    "--|-",
    "\\d{1,3}(?=(?:\\d{3})*\\b)",
    "<[^>]*>",
    "\"[^\"]*\"|\\S",
    "(?=a)\\w",
    "\\p{L}\\p{M}*+",
    "foo\\Kbar|a\\Kb",
    "\\B.",
};

static void patterns_match_what_they_find_in_the_whole(void **state)
{
    for (size_t i = 0; i < unit_count(patterns); i++)
        equals_reference(*state, &(lxm_tokenizer_options){.pattern = patterns[i]}, 40);
}

static void splits_give_what_lies_between(void **state)
{
    for (size_t i = 0; i < unit_count(patterns); i++)
        equals_reference(*state, &(lxm_tokenizer_options){.pattern = patterns[i], .split = true},
                         40);
}

static void special_tokens_are_found_across_cuts(void **state)
{
    static const char *const all[] = {"<s>", "<", "s>", "<s><s>", "don't", "\xF0\x9F\x90\xA6",
                                      "\n\n"};
    for (size_t n = 1; n <= unit_count(all); n++) {
        lxm_tokenizer_options options = {.preset = "gpt2", .specials = all, .special_count = n};
        equals_reference(*state, &options, 80);
        options = (lxm_tokenizer_options){
            .pattern = "^.|\\b\\w+\\b|$", .specials = all, .special_count = n};
        equals_reference(*state, &options, 80);
    }
}

/* With normalisation there is no simple reference: the whole is. */
static void normalised_text_and_offsets_do_not_depend_on_cuts(void **state)
{
    fixture *f = *state;
    static const char *const specials[] = {"<s>", "<"};
    uint64_t seed = 5;
    for (unsigned o = 0; o < 5 * 8 * 3; o++) {
        lxm_tokenizer_options options = {.preset = o % 3 ? o % 3 == 1 ? "words" : "bert" : "gpt2",
                                         .normal_form = (lxm_normal_form)(o / 8 % 5),
                                         .lowercase = o & 1,
                                         .casefold = o & 2,
                                         .strip_marks = o & 4,
                                         .invalid = (lxm_invalid)(o / 40),
                                         .offsets = true,
                                         .specials = specials,
                                         .special_count = o % 3};
        lxm_tokenizer *tokenizer = segment_tokenizer(&options);
        for (int i = 0; i < 6; i++) {
            f->length = segment_hard_text(&seed, f->text, i ? 60 : text_size);
            for (int k = 0; options.invalid && k < 5 && f->length; k++)
                f->text[unit_random(&seed) % f->length] ^= 0x80;
            unit_succeeds(
                segment(tokenizer, f->text, f->length, cut_never, &f->expected, &f->error),
                &f->error);
            every_cut(f, tokenizer);
        }
        lxm_tokenizer_free(tokenizer);
    }
}

/* Random bytes: errors, too, are the same wherever the text was cut. */
static void random_bytes_give_the_same_error_whatever_the_cuts(void **state)
{
    fixture *f = *state;
    lxm_tokenizer *tokenizer = segment_tokenizer(NULL);
    uint64_t seed = 17;
    for (int i = 0; i < 300; i++) {
        lxm_error other;
        f->length = segment_hard_text(&seed, f->text, 100);
        if (i % 3)
            f->text[unit_random(&seed) % f->length] = (uint8_t)unit_random(&seed);
        lxm_status whole =
            segment(tokenizer, f->text, f->length, cut_never, &f->expected, &f->error);
        for (uint64_t how = cut_everywhere; how < cut_at_random + 4; how++) {
            lxm_status status = segment(tokenizer, f->text, f->length, how, &f->got, &other);
            assert_int_equal(status, whole);
            if (whole) {
                assert_int_equal(other.offset, f->error.offset);
                assert_string_equal(other.message, f->error.message);
            }
        }
    }
    lxm_tokenizer_free(tokenizer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(presets_give_what_their_patterns_find),
        cmocka_unit_test(patterns_match_what_they_find_in_the_whole),
        cmocka_unit_test(splits_give_what_lies_between),
        cmocka_unit_test(special_tokens_are_found_across_cuts),
        cmocka_unit_test(normalised_text_and_offsets_do_not_depend_on_cuts),
        cmocka_unit_test(random_bytes_give_the_same_error_whatever_the_cuts),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
