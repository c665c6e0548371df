/* Pre-tokens of every length, of letters that merge much, become what the definition of byte-pair
 * encoding says, whatever the cache holds, keeps or gives up. */
#include "unit.h"

#ifndef TESTDATA
#define TESTDATA "testdata"
#endif

enum { token_count = 6000, longest = 150, repeated = 3000, passes = 3 };

/* Tokens, and the ids that each comes to. */
typedef struct sample {
    uint8_t text[token_count * longest];
    lxm_span spans[token_count];
    uint64_t offsets[2 * token_count];
    uint32_t ids[token_count * longest];
    size_t id_count;
} sample;

/* The neighbours that make the token of the lowest id merge, the leftmost first. */
static size_t merge(const lxm_vocab *vocab, const uint8_t *token, size_t length, uint32_t *ids)
{
    size_t begins[longest + 1], count = length;
    for (size_t i = 0; i <= length; i++)
        begins[i] = i;
    for (;;) {
        uint32_t lowest = LXM_NO_ID;
        size_t at = 0;
        for (size_t i = 0; i + 1 < count; i++) {
            uint32_t id = lxm_vocab_find(vocab, token + begins[i], begins[i + 2] - begins[i]);
            if (id < lowest) {
                lowest = id;
                at = i;
            }
        }
        if (lowest == LXM_NO_ID)
            break;
        memmove(begins + at + 1, begins + at + 2, (count - at - 1) * sizeof *begins);
        count--;
    }
    for (size_t i = 0; i < count; i++)
        ids[i] = lxm_vocab_find(vocab, token + begins[i], begins[i + 1] - begins[i]);
    return count;
}

static sample *make_sample(const lxm_vocab *vocab)
{
    static const char letters[] = "  eetaoinshrd\xC3\xA9";
    sample *s = calloc(1, sizeof *s);
    uint64_t random = 17;
    size_t used = 0;
    assert_non_null(s);
    for (size_t i = 0; i < token_count; i++) {
        size_t length = 1 + i % longest;
        uint8_t *token = s->text + used;
        for (size_t k = 0; k < length; k++)
            token[k] = (uint8_t)letters[unit_random(&random) % (sizeof letters - 1)];
        if (i >= repeated) /* one of those before, in another order */
            memcpy(token, s->text + s->spans[(i * 7) % repeated].begin,
                   length = s->spans[(i * 7) % repeated].end - s->spans[(i * 7) % repeated].begin);
        s->spans[i] = (lxm_span){(uint32_t)used, (uint32_t)(used + length)};
        s->offsets[2 * i] = used;
        s->offsets[2 * i + 1] = used += length;
        s->id_count += merge(vocab, token, length, s->ids + s->id_count);
    }
    return s;
}

static void check(const lxm_vocab *vocab, const sample *s, size_t cache_size, bool offsets)
{
    lxm_mapper_options options = {cache_size};
    lxm_mapper *mapper;
    lxm_error error;
    unit_succeeds(lxm_mapper_new(&mapper, vocab, &options, NULL, &error), &error);
    for (int pass = 0; pass < passes; pass++) {
        lxm_tokens tokens = {s->text, s->spans, token_count, offsets ? s->offsets : NULL};
        lxm_ids ids;
        uint64_t at = 0;
        unit_succeeds(lxm_mapper_map(mapper, &tokens, &ids, &error), &error);
        assert_int_equal(ids.count, s->id_count);
        assert_memory_equal(ids.ids, s->ids, ids.count * sizeof *ids.ids);
        for (size_t i = 0; offsets && i < ids.count; at = ids.offsets[2 * i + 1], i++)
            assert_int_equal(ids.offsets[2 * i], at);
    }
    lxm_mapper_free(mapper);
}

static void ids_are_those_of_the_definition(void **state)
{
    static const size_t sizes[] = {0, 1, 4096, 50000, 1000000, LXM_CACHE_SIZE};
    lxm_vocab *vocab;
    lxm_error error;
    (void)state;
    unit_succeeds(lxm_vocab_open(&vocab, TESTDATA "/vocab/ranks.tiktoken", NULL, &error), &error);
    sample *s = make_sample(vocab);
    for (size_t i = 0; i < unit_count(sizes); i++) {
        check(vocab, s, sizes[i], false);
        check(vocab, s, sizes[i], true);
    }
    free(s);
    lxm_vocab_free(vocab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_those_of_the_definition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
