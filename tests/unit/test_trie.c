/* A trie leads to the tokens of its table and to no others, whatever their bytes; it is filled well
 * and depends on the tokens alone. */
#include "unit.h"

#include "idmap/trie.h"

typedef struct sample {
    lxm_token_table table;
    lxm_trie trie;
} sample;

static void set_up(sample *s)
{
    const lxm_allocator a = lxm_allocator_or_default(NULL);
    lxm_token_table_init(&s->table, &a);
}

static void tear_down(sample *s)
{
    lxm_trie_free(&s->trie);
    lxm_token_table_free(&s->table);
}

static void add(sample *s, const void *bytes, size_t length)
{
    lxm_error error;
    uint32_t id;
    unit_succeeds(lxm_token_table_add(&s->table, bytes, length, 1, &id, &error), &error);
}

static void make(sample *s)
{
    lxm_error error;
    unit_succeeds(lxm_trie_make(&s->trie, &s->table, &s->table.arena.allocator, &error), &error);
    assert_true(s->trie.count > 0 && s->trie.count % 256 == 0);
    for (size_t i = 0; i < s->trie.count; i++)
        assert_true(lxm_trie_has(&s->trie, s->trie.cells[i]));
}

/* Walks over the bytes: at each place the trie has what the table has. */
static void check(const sample *s, const uint8_t *bytes, size_t length)
{
    uint64_t cell = s->trie.cells[0];
    size_t i = 0;
    while (i < length && lxm_trie_step(&s->trie, &cell, bytes[i])) {
        uint32_t id = lxm_token_table_find(&s->table, bytes, ++i);
        assert_int_equal(lxm_trie_id(cell), id == LXM_NO_ID ? lxm_trie_no_id : id);
    }
    while (i < length)
        assert_int_equal(lxm_token_table_find(&s->table, bytes, ++i), LXM_NO_ID);
}

static void check_tokens(const sample *s)
{
    for (uint32_t id = 0; id < s->table.size; id++)
        check(s, lxm_token_table_bytes(&s->table, id), lxm_token_table_length(&s->table, id));
}

static size_t full(const lxm_trie *trie)
{
    size_t count = 0;
    for (size_t i = 0; i < trie->count; i++)
        count += trie->cells[i] != lxm_trie_empty;
    return count;
}

static void fill_random(uint8_t bytes[12], size_t length, unsigned letters, uint64_t *random)
{
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)(unit_random(random) % letters * (255 / (letters - 1)));
}

static void it_has_what_the_table_has(void **state)
{
    (void)state;
    static const unsigned alphabets[] = {2, 3, 26, 256};
    uint64_t random = 5;
    for (size_t k = 0; k < unit_count(alphabets); k++) {
        uint8_t bytes[12];
        sample s;
        set_up(&s);
        for (int i = 0; i < 5000; i++) {
            size_t length = 1 + unit_random(&random) % sizeof bytes;
            fill_random(bytes, length, alphabets[k], &random);
            add(&s, bytes, length);
        }
        make(&s);
        check_tokens(&s);
        for (int i = 0; i < 5000; i++) {
            fill_random(bytes, sizeof bytes, alphabets[k], &random);
            check(&s, bytes, sizeof bytes);
        }
        assert_true(2 * full(&s.trie) > s.trie.count);
        tear_down(&s);
    }
}

static void few_tokens_and_none(void **state)
{
    (void)state;
    sample s;
    set_up(&s);
    make(&s);
    check(&s, (const uint8_t *)"a", 1);
    check(&s, (const uint8_t *)"\0", 1);
    lxm_trie_free(&s.trie);
    add(&s, "\0\0", 2);
    make(&s);
    assert_int_equal(lxm_trie_id(s.trie.cells[0]), lxm_trie_no_id);
    check(&s, (const uint8_t *)"\0\0\0", 3);
    check(&s, (const uint8_t *)"\0\1", 2);
    tear_down(&s);
}

static void all_bytes_follow_one_another(void **state)
{
    (void)state;
    sample s;
    set_up(&s);
    for (unsigned first = 0; first < 256; first++)
        for (unsigned second = 0; second < 256; second++)
            add(&s, (uint8_t[]){(uint8_t)first, (uint8_t)second}, 2);
    make(&s);
    check_tokens(&s);
    assert_int_equal(full(&s.trie), 1 + 256 + 65536);
    assert_true(s.trie.count <= 258 * 256);
    tear_down(&s);
}

static void a_long_token_is_no_deep_recursion(void **state)
{
    enum { length = 1 << 20 };
    (void)state;
    uint8_t *bytes = malloc(length);
    assert_non_null(bytes);
    memset(bytes, 'a', length);
    sample s;
    set_up(&s);
    add(&s, bytes, length);
    add(&s, bytes, length / 2);
    make(&s);
    uint64_t cell = s.trie.cells[0];
    for (size_t i = 0; i < length; i++) {
        assert_true(lxm_trie_step(&s.trie, &cell, 'a'));
        uint32_t id = i + 1 == length ? 0 : i + 1 == length / 2 ? 1 : lxm_trie_no_id;
        assert_int_equal(lxm_trie_id(cell), id);
    }
    assert_false(lxm_trie_step(&s.trie, &cell, 'a'));
    tear_down(&s);
    free(bytes);
}

static void it_depends_on_the_tokens_alone(void **state)
{
    (void)state;
    sample s[2];
    for (int k = 0; k < 2; k++) {
        uint64_t random = 3;
        set_up(&s[k]);
        for (int i = 0; i < 300; i++) {
            uint8_t bytes[12];
            fill_random(bytes, sizeof bytes, 7, &random);
            add(&s[k], bytes, 1 + (size_t)i % sizeof bytes);
        }
        make(&s[k]);
    }
    assert_int_equal(s[0].trie.count, s[1].trie.count);
    assert_memory_equal(s[0].trie.cells, s[1].trie.cells,
                        s[0].trie.count * sizeof *s[0].trie.cells);
    tear_down(&s[0]);
    tear_down(&s[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_has_what_the_table_has),
        cmocka_unit_test(few_tokens_and_none),
        cmocka_unit_test(all_bytes_follow_one_another),
        cmocka_unit_test(a_long_token_is_no_deep_recursion),
        cmocka_unit_test(it_depends_on_the_tokens_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
