/* Counting and building: the same vocabulary in any memory; orders, limits, special tokens. */
#include "unit.h"

#include "idmap/counter.h"
#include "words.h"

/* A vocabulary as "token:count token:count ...", special tokens in <>, unk with a ?. */
static char *describe(const lxm_vocab *vocab)
{
    size_t size = lxm_vocab_size(vocab), capacity = 1, used = 0;
    for (uint32_t id = 0; id < size; id++) {
        size_t length;
        lxm_vocab_token(vocab, id, &length);
        capacity += length + 32;
    }
    char *text = malloc(capacity);
    text[0] = '\0';
    for (uint32_t id = 0; id < size; id++) {
        size_t length;
        const uint8_t *token = lxm_vocab_token(vocab, id, &length);
        bool special = lxm_vocab_is_special(vocab, id);
        used += (size_t)snprintf(text + used, capacity - used, "%s%s%.*s%s%s:%llu", id ? " " : "",
                                 special ? "<" : "", (int)length, (const char *)token,
                                 special ? ">" : "", id == lxm_vocab_unk(vocab) ? "?" : "",
                                 (unsigned long long)lxm_vocab_count(vocab, id));
    }
    return text;
}

static char *build(const lxm_tokens *tokens, size_t memory, const lxm_build_options *options,
                   bool *spilled)
{
    lxm_counter *counter;
    lxm_vocab *vocab;
    lxm_error error;
    assert_int_equal(lxm_counter_new(&counter, memory, NULL, NULL, &error), LXM_OK);
    for (size_t i = 0; i < tokens->count; i += 1000) {
        size_t left = tokens->count - i;
        lxm_tokens some = {tokens->text, tokens->spans + i, left < 1000 ? left : 1000, NULL};
        assert_int_equal(lxm_counter_add(counter, &some, &error), LXM_OK);
    }
    if (spilled)
        *spilled = lxm_runs_any(&counter->runs);
    lxm_status status = lxm_counter_build(counter, options, &vocab, &error);
    lxm_counter_free(counter);
    assert_int_equal(status, LXM_OK);
    char *text = describe(vocab);
    lxm_vocab_free(vocab);
    return text;
}

static void check(const char *text, const lxm_build_options *options, const char *expected)
{
    words w = words_of(text);
    lxm_tokens tokens = words_tokens(&w);
    char *result = build(&tokens, 0, options, NULL);
    assert_string_equal(result, expected);
    free(result);
    words_free(&w);
}

static const char text[] = "the cat saw the dog and the dog saw a cat the end";

static void ids_stand_in_the_order_asked_for(void **state)
{
    (void)state;
    check(text, &(lxm_build_options){.order = LXM_ORDER_FREQUENCY},
          "the:4 cat:2 dog:2 saw:2 a:1 and:1 end:1");
    check(text, &(lxm_build_options){.order = LXM_ORDER_BYTES},
          "a:1 and:1 cat:2 dog:2 end:1 saw:2 the:4");
    check(text, &(lxm_build_options){.order = LXM_ORDER_APPEARANCE},
          "the:4 cat:2 saw:2 dog:2 and:1 a:1 end:1");
    check("b \xFF \xC3\xA9 a ab Z abcdefghi abcdefgh abcdefgha",
          &(lxm_build_options){.order = LXM_ORDER_BYTES},
          "Z:1 a:1 ab:1 abcdefgh:1 abcdefgha:1 abcdefghi:1 b:1 \xC3\xA9:1 \xFF:1");
}

static void rare_tokens_go(void **state)
{
    (void)state;
    check(text, &(lxm_build_options){.min_count = 2}, "the:4 cat:2 dog:2 saw:2");
    check(text, &(lxm_build_options){.min_count = 5}, "");
    check(text, &(lxm_build_options){.min_count = 3, .unk = "?"}, "the:4 ??:0");
}

static void the_most_frequent_stay_and_of_equals_the_lower(void **state)
{
    (void)state;
    check(text, &(lxm_build_options){.max_size = 3}, "the:4 cat:2 dog:2");
    check(text, &(lxm_build_options){.max_size = 1}, "the:4");
    check(text, &(lxm_build_options){.max_size = 6, .order = LXM_ORDER_BYTES},
          "a:1 and:1 cat:2 dog:2 saw:2 the:4");
    check(text, &(lxm_build_options){.max_size = 5, .order = LXM_ORDER_APPEARANCE},
          "the:4 cat:2 saw:2 dog:2 a:1");
    check(text, &(lxm_build_options){.max_size = 7}, "the:4 cat:2 dog:2 saw:2 a:1 and:1 end:1");
    check(text, &(lxm_build_options){.max_size = 100}, "the:4 cat:2 dog:2 saw:2 a:1 and:1 end:1");
    check(text, &(lxm_build_options){.max_size = 3, .min_count = 3}, "the:4");
}

static void special_tokens_stand_apart(void **state)
{
    (void)state;
    static const char *const specials[] = {"[end]", "dog", "a", "dog"};
    lxm_build_options options = {.specials = specials, .special_count = 4, .unk = "[unk]"};
    check(text, &options, "the:4 cat:2 saw:2 and:1 end:1 <[end]>:0 <dog>:2 <a>:1 [unk]?:0");
    options.order = LXM_ORDER_BYTES;
    check(text, &options, "and:1 cat:2 end:1 saw:2 the:4 <[end]>:0 <dog>:2 <a>:1 [unk]?:0");
    options.special_first = true;
    check(text, &options, "<[end]>:0 <dog>:2 <a>:1 [unk]?:0 and:1 cat:2 end:1 saw:2 the:4");
    options.order = LXM_ORDER_APPEARANCE;
    check(text, &options, "<[end]>:0 <dog>:2 <a>:1 [unk]?:0 the:4 cat:2 saw:2 and:1 end:1");
    options.max_size = 6;
    check(text, &options, "<[end]>:0 <dog>:2 <a>:1 [unk]?:0 the:4 cat:2");
    options.max_size = 4;
    check(text, &options, "<[end]>:0 <dog>:2 <a>:1 [unk]?:0");
    options.max_size = 0;
    options.min_count = 3;
    check(text, &options, "<[end]>:0 <dog>:2 <a>:1 [unk]?:0 the:4");
}

static void unk_may_be_a_word_or_a_special_token(void **state)
{
    (void)state;
    static const char *const specials[] = {"?", "!"};
    check(text, &(lxm_build_options){.unk = "cat"}, "the:4 dog:2 saw:2 a:1 and:1 end:1 cat?:2");
    check(text,
          &(lxm_build_options){.specials = specials, .special_count = 2, .unk = "?", .max_size = 3},
          "the:4 <?>?:0 <!>:0");
}

static void options_without_sense_are_refused(void **state)
{
    (void)state;
    static const char *const specials[] = {"x", "y"}, *const empty[] = {""};
    const lxm_build_options cases[] = {
        {.max_size = 2, .specials = specials, .special_count = 2, .unk = "z"},
        {.specials = empty, .special_count = 1},
        {.unk = ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lxm_counter *counter;
        lxm_vocab *vocab;
        lxm_error error;
        words w = words_of("a b");
        lxm_tokens tokens = words_tokens(&w);
        assert_int_equal(lxm_counter_new(&counter, 0, NULL, NULL, &error), LXM_OK);
        assert_int_equal(lxm_counter_build(counter, &cases[i], &vocab, &error), LXM_ERROR_ARGUMENT);
        assert_null(vocab);
        /* a counter that was built from is spent */
        assert_int_equal(lxm_counter_add(counter, &tokens, &error), LXM_ERROR_ARGUMENT);
        assert_int_equal(
            lxm_counter_build(counter, &(lxm_build_options){.min_count = 0}, &vocab, &error),
            LXM_ERROR_ARGUMENT);
        lxm_counter_free(counter);
        words_free(&w);
    }
}

static void nothing_counted_is_an_empty_vocabulary(void **state)
{
    (void)state;
    check("", &(lxm_build_options){.order = LXM_ORDER_BYTES}, "");
    check("", &(lxm_build_options){.max_size = 5}, "");
    check("", &(lxm_build_options){.unk = "?"}, "??:0");
}

/* Words of a made-up text: some often, most seldom, with long common beginnings among them. */
static void add_words(words *w, size_t count, uint32_t kinds)
{
    uint32_t random = 1;
    for (size_t i = 0; i < count; i++) {
        char token[64];
        random = random * 1664525 + 1013904223;
        uint32_t n = (random >> 8) % kinds;
        if (random >> 30 == 0)
            n = n % (1 + n % 97);
        int length = snprintf(token, sizeof token, "%s%x", n % 5 ? "" : "common-beginning-of-", n);
        words_add(w, token, (size_t)length);
    }
}

static void check_memory(const lxm_tokens *tokens, const lxm_build_options *options)
{
    static const size_t memories[] = {1, 30000, 1 << 20};
    char *expected = build(tokens, 0, options, NULL);
    for (size_t i = 0; i < sizeof memories / sizeof *memories; i++) {
        bool spilled;
        char *result = build(tokens, memories[i], options, &spilled);
        assert_true(spilled || memories[i] > 100000);
        assert_true(strcmp(result, expected) == 0);
        free(result);
    }
    free(expected);
}

static void the_vocabulary_does_not_depend_on_memory(void **state)
{
    (void)state;
    static const char *const specials[] = {"3", "[pad]"};
    words w = {0};
    add_words(&w, 60000, 20000);
    lxm_tokens tokens = words_tokens(&w);
    for (int order = LXM_ORDER_FREQUENCY; order <= LXM_ORDER_APPEARANCE; order++) {
        lxm_build_options options = {.order = (lxm_order)order};
        check_memory(&tokens, &options);
        options.max_size = 1234;
        options.specials = specials;
        options.special_count = 2;
        options.unk = "4";
        check_memory(&tokens, &options);
        options.min_count = 4;
        options.special_first = true;
        check_memory(&tokens, &options);
    }
    words_free(&w);
}

/* So many runs that whole levels of them are merged twice over. */
static void levels_of_runs_are_merged(void **state)
{
    (void)state;
    words w = {0};
    add_words(&w, 600000, 500000);
    lxm_tokens tokens = words_tokens(&w);
    lxm_counter *counter;
    assert_int_equal(lxm_counter_new(&counter, 1, NULL, NULL, NULL), LXM_OK);
    assert_int_equal(lxm_counter_add(counter, &tokens, NULL), LXM_OK);
    assert_true(counter->runs.levels[2].count > 0);
    for (size_t i = 0; i < lxm_run_levels; i++)
        assert_true(counter->runs.levels[i].count < lxm_run_fan_in);
    lxm_counter_free(counter);
    lxm_build_options options = {.order = LXM_ORDER_APPEARANCE};
    char *expected = build(&tokens, 0, &options, NULL), *result = build(&tokens, 1, &options, NULL);
    assert_true(strcmp(expected, result) == 0);
    free(expected);
    free(result);
    words_free(&w);
}

/* Tokens longer than the buffers through which runs are read. */
static void long_tokens_pass_through_runs(void **state)
{
    (void)state;
    words w = {0};
    char *token = malloc(100000);
    for (int i = 0; i < 60; i++) {
        memset(token, 'a' + i % 26, 100000);
        words_add(&w, token, (size_t)(1 + i * 1500));
        words_add(&w, token, (size_t)(i % 7 + 1));
    }
    free(token);
    lxm_tokens tokens = words_tokens(&w);
    check_memory(&tokens, &(lxm_build_options){.order = LXM_ORDER_FREQUENCY});
    words_free(&w);
}

static void a_folder_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    words w = {0};
    add_words(&w, 5000, 5000);
    lxm_tokens tokens = words_tokens(&w);
    lxm_counter *counter;
    lxm_error error;
    assert_int_equal(lxm_counter_new(&counter, 1, "no-such-folder", NULL, &error), LXM_OK);
    assert_int_equal(lxm_counter_add(counter, &tokens, &error), LXM_ERROR_IO);
    assert_int_equal(error.code, LXM_ERROR_IO);
    lxm_counter_free(counter);
    lxm_counter_free(NULL);
    words_free(&w);
}

static lxm_status use_all(const lxm_tokens *tokens, size_t memory, const lxm_build_options *options,
                          const lxm_allocator *allocator)
{
    lxm_counter *counter;
    lxm_vocab *vocab = NULL;
    lxm_error error;
    lxm_status status = lxm_counter_new(&counter, memory, ".", allocator, &error);
    if (!status)
        status = lxm_counter_add(counter, tokens, &error);
    if (!status)
        status = lxm_counter_build(counter, options, &vocab, &error);
    assert_true((status != LXM_OK) == (vocab == NULL));
    if (status)
        assert_int_equal(error.code, status);
    lxm_counter_free(counter);
    lxm_vocab_free(vocab);
    return status;
}

static void fail_each(const lxm_tokens *tokens, size_t limit, const lxm_build_options *options)
{
    unit_allocator memory;
    unit_allocator_init(&memory);
    lxm_status status = LXM_ERROR_MEMORY;
    for (size_t at = 1; status; at++) {
        memory.calls = 0;
        memory.fail_at = at;
        status = use_all(tokens, limit, options, &memory.functions);
        if (status)
            assert_int_equal(status, LXM_ERROR_MEMORY);
        assert_int_equal(memory.live, 0);
    }
}

static void every_failed_allocation_is_survived(void **state)
{
    (void)state;
    static const char *const specials[] = {"3", "[pad]"};
    words few = {0}, many = {0};
    add_words(&few, 600, 200);
    add_words(&many, 1500, 1500);
    lxm_tokens in_memory = words_tokens(&few), in_runs = words_tokens(&many);
    lxm_build_options options = {
        .max_size = 100, .specials = specials, .special_count = 2, .unk = "4"};
    for (int order = LXM_ORDER_FREQUENCY; order <= LXM_ORDER_APPEARANCE; order++) {
        options.order = (lxm_order)order;
        fail_each(&in_memory, 0, &options);
        fail_each(&in_runs, 1, &options);
    }
    words_free(&few);
    words_free(&many);
}

/* As many one-token tables as a level holds runs, so that it is merged, and then all. */
static lxm_status merge_runs(const lxm_allocator *allocator)
{
    lxm_runs runs;
    lxm_merge merge = {0};
    lxm_record record;
    lxm_token_table table;
    lxm_error error;
    lxm_status status = LXM_OK;
    bool more = true;
    uint64_t sum = 0;
    lxm_runs_init(&runs, 1, ".", allocator);
    for (uint32_t i = 0, id; !status && i <= lxm_run_fan_in; i++) {
        lxm_token_table_init(&table, allocator);
        status = lxm_token_table_add(&table, i % 2 ? "odd" : "even", i % 2 ? 3 : 4, 1, &id, &error);
        if (!status)
            status = lxm_runs_add(&runs, &table, i, &error);
        lxm_token_table_free(&table);
    }
    if (!status)
        status = lxm_runs_merge(&runs, &merge, &error);
    while (!status && more) {
        status = lxm_merge_next(&merge, &record, &more, &error);
        if (!status && more)
            sum = 100 * sum + 10 * record.first + record.count;
    }
    if (!status)
        assert_int_equal(sum,
                         100 * (10 * 0 + lxm_run_fan_in / 2 + 1) + 10 * 1 + lxm_run_fan_in / 2);
    lxm_merge_free(&merge);
    lxm_runs_free(&runs);
    return status;
}

static void every_failed_allocation_of_a_merge_is_survived(void **state)
{
    (void)state;
    unit_allocator memory;
    unit_allocator_init(&memory);
    lxm_status status = LXM_ERROR_MEMORY;
    for (size_t at = 1; status; at++) {
        memory.calls = 0;
        memory.fail_at = at;
        status = merge_runs(&memory.functions);
        if (status)
            assert_int_equal(status, LXM_ERROR_MEMORY);
        assert_int_equal(memory.live, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_stand_in_the_order_asked_for),
        cmocka_unit_test(rare_tokens_go),
        cmocka_unit_test(the_most_frequent_stay_and_of_equals_the_lower),
        cmocka_unit_test(special_tokens_stand_apart),
        cmocka_unit_test(unk_may_be_a_word_or_a_special_token),
        cmocka_unit_test(options_without_sense_are_refused),
        cmocka_unit_test(nothing_counted_is_an_empty_vocabulary),
        cmocka_unit_test(the_vocabulary_does_not_depend_on_memory),
        cmocka_unit_test(levels_of_runs_are_merged),
        cmocka_unit_test(long_tokens_pass_through_runs),
        cmocka_unit_test(a_folder_that_is_not_there_is_an_error),
        cmocka_unit_test(every_failed_allocation_is_survived),
        cmocka_unit_test(every_failed_allocation_of_a_merge_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
