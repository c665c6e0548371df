/* Folders of models: the vectors that Model2Vec and sentence-transformers make of the same texts
 * (testdata/static/make.py), to 1e-5; what can't be done is refused by the name of its file. */
#define _GNU_SOURCE
#include <jansson.h>
#include <math.h>

#include "unit.h"

#define MODELS TESTDATA "/static/"

enum { most_texts = 64, most_dim = 8 };

typedef struct texts {
    json_t *lines[most_texts];
    size_t count;
} texts;

static const char *const models[] = {"model2vec", "quantized", "byte-level",
                                     "sentence-transformers"};

static texts read_texts(void)
{
    texts t = {.count = 0};
    size_t length;
    char *text = (char *)unit_file_read(MODELS "texts.jsonl", &length);
    for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
        assert_true(t.count < most_texts);
        t.lines[t.count] = json_loadb(line, (size_t)(end - line), 0, NULL);
        assert_non_null(t.lines[t.count++]);
    }
    free(text);
    return t;
}

static void free_texts(texts *t)
{
    for (size_t i = 0; i < t->count; i++)
        json_decref(t->lines[i]);
}

static const char *text_at(const texts *t, size_t i, size_t *length)
{
    const json_t *text = json_object_get(t->lines[i], "text");
    *length = json_string_length(text);
    return json_string_value(text);
}

static lxm_static_model *open_model(const char *name, size_t max_length)
{
    lxm_static_model *model;
    lxm_error error;
    lxm_static_model_options options = {.max_length = max_length};
    char *path = unit_path(TESTDATA "/static", name);
    unit_succeeds(lxm_static_model_open(&model, path, &options, NULL, &error), &error);
    free(path);
    return model;
}

static lxm_embedder *make_embedder(const lxm_static_model *model, const lxm_allocator *allocator)
{
    lxm_embedder *embedder;
    lxm_error error;
    unit_succeeds(lxm_embedder_new(&embedder, lxm_static_model_tokenizer(model),
                                   lxm_static_model_vocab(model), lxm_static_model_table(model),
                                   lxm_static_model_pool(model), allocator, &error),
                  &error);
    return embedder;
}

static void vectors_are_those_of_the_peers(void **state)
{
    (void)state;
    texts t = read_texts();
    for (size_t m = 0; m < unit_count(models); m++) {
        char name[64];
        size_t length;
        snprintf(name, sizeof name, "%s.tsv", models[m]);
        char *path = unit_path(TESTDATA "/static", name);
        char *expected = (char *)unit_file_read(path, &length), *at = expected;
        lxm_static_model *model = open_model(models[m], 0);
        lxm_embedder *embedder = make_embedder(model, NULL);
        for (size_t i = 0; i < t.count; i++) {
            float vector[most_dim];
            lxm_error error;
            const char *text = text_at(&t, i, &length);
            unit_succeeds(lxm_embedder_embed(embedder, text, length, vector, &error), &error);
            for (size_t c = 0; c < lxm_table_dim(lxm_static_model_table(model)); c++)
                if (!(fabs((double)vector[c] - strtod(at, &at)) <= 1e-5))
                    fail_msg("%s: text %zu, column %zu: %.9g", models[m], i, c, (double)vector[c]);
        }
        lxm_embedder_free(embedder);
        lxm_static_model_free(model);
        free(expected);
        free(path);
    }
    free_texts(&t);
}

/* The maximum length bounds ids, and with the median length of tokens characters. */
static void a_maximum_length_takes_the_folders_place(void **state)
{
    (void)state;
    static const char text[] = "the robin and the owl and the crow";
    float whole[most_dim], first[most_dim], cut[most_dim];
    lxm_error error;
    lxm_static_model *all = open_model("model2vec", LXM_NO_MAX_LENGTH);
    lxm_static_model *one = open_model("model2vec", 1);
    lxm_embedder *of_all = make_embedder(all, NULL), *of_one = make_embedder(one, NULL);
    assert_int_equal(lxm_static_model_pool(all)->most_ids, 0);
    assert_int_equal(lxm_static_model_pool(one)->most_ids, 1);
    unit_succeeds(lxm_embedder_embed(of_all, text, strlen(text), whole, &error), &error);
    unit_succeeds(lxm_embedder_embed(of_all, "the", 3, first, &error), &error);
    unit_succeeds(lxm_embedder_embed(of_one, text, strlen(text), cut, &error), &error);
    assert_memory_equal(cut, first, sizeof cut);
    assert_memory_not_equal(cut, whole, sizeof cut);
    lxm_embedder_free(of_all);
    lxm_embedder_free(of_one);
    lxm_static_model_free(all);
    lxm_static_model_free(one);
}

static void a_warm_embedder_allocates_nothing(void **state)
{
    (void)state;
    texts t = read_texts();
    unit_allocator allocator;
    unit_allocator_init(&allocator);
    lxm_static_model *model = open_model("model2vec", 0);
    lxm_embedder *embedder = make_embedder(model, &allocator.functions);
    size_t calls = 0;
    for (int again = 0; again < 4; again++) {
        for (size_t i = 0; i < t.count; i++) {
            float vector[most_dim];
            lxm_error error;
            size_t length;
            const char *text = text_at(&t, i, &length);
            unit_succeeds(lxm_embedder_embed(embedder, text, length, vector, &error), &error);
        }
        lxm_text few[4] = {{"the robin", 9}, {"", 0}, {"and", 3}, {"the owl", 7}};
        float vectors[4 * most_dim];
        size_t done;
        lxm_error error;
        unit_succeeds(lxm_embedder_embed_all(embedder, few, 4, vectors, &done, &error), &error);
        if (again == 0)
            calls = allocator.calls;
        assert_int_equal(allocator.calls, calls);
    }
    lxm_embedder_free(embedder);
    assert_int_equal(allocator.live, 0);
    lxm_static_model_free(model);
    free_texts(&t);
}

static void what_is_wrong_with_a_text_does_nothing_to_the_next(void **state)
{
    (void)state;
    lxm_static_model *model = open_model("model2vec", 0);
    lxm_embedder *embedder = make_embedder(model, NULL);
    float before[most_dim], after[most_dim];
    lxm_error error;
    unit_succeeds(lxm_embedder_embed(embedder, "robin", 5, before, &error), &error);
    assert_int_equal(lxm_embedder_embed(embedder, "owl \xFF", 5, after, &error), LXM_ERROR_UTF8);
    assert_int_equal(error.offset, 4);
    unit_succeeds(lxm_embedder_embed(embedder, "robin", 5, after, &error), &error);
    assert_memory_equal(before, after, sizeof before);
    lxm_embedder_free(embedder);
    lxm_static_model_free(model);
}

/* Short texts by the thousand, empty ones among them: more than wait at once. */
static void many_texts_have_the_vectors_that_each_has(void **state)
{
    enum { count = 5000 };
    (void)state;
    texts t = read_texts();
    lxm_text *list = calloc(count, sizeof *list);
    float *vectors = calloc(count, most_dim * sizeof *vectors);
    uint64_t random = 17;
    assert_true(list && vectors);
    for (size_t i = 0; i < count; i++) {
        list[i].bytes = text_at(&t, unit_random(&random) % t.count, &list[i].length);
        size_t cut = unit_random(&random) % 40;
        if (i % 100 && cut < list[i].length &&
            (((const uint8_t *)list[i].bytes)[cut] & 0xC0) != 0x80)
            list[i].length = cut;
    }
    for (size_t m = 0; m < unit_count(models); m++) {
        lxm_static_model *model = open_model(models[m], 0);
        size_t dim = lxm_table_dim(lxm_static_model_table(model)), done;
        lxm_embedder *embedder = make_embedder(model, NULL), *single = make_embedder(model, NULL);
        lxm_error error;
        unit_succeeds(lxm_embedder_embed_all(embedder, list, count, vectors, &done, &error),
                      &error);
        assert_int_equal(done, count);
        for (size_t i = 0; i < count; i++) {
            float vector[most_dim];
            unit_succeeds(lxm_embedder_embed(single, list[i].bytes, list[i].length, vector, &error),
                          &error);
            assert_memory_equal(vectors + i * dim, vector, dim * sizeof *vector);
        }
        unit_succeeds(lxm_embedder_embed_all(embedder, list, 0, NULL, &done, &error), &error);
        assert_int_equal(done, 0);
        lxm_embedder_free(embedder);
        lxm_embedder_free(single);
        lxm_static_model_free(model);
    }
    free(vectors);
    free(list);
    free_texts(&t);
}

static void one_of_many_texts_is_at_fault(void **state)
{
    enum { count = 3000, bad = 2500 };
    (void)state;
    static lxm_text list[count];
    static float vectors[count * most_dim];
    static const float weights[2] = {1, 1};
    lxm_static_model *model = open_model("model2vec", 0);
    lxm_embedder *embedder = make_embedder(model, NULL), *few;
    lxm_pool_options two = {.kind = LXM_POOL_SUM, .weights = weights, .weight_count = 2};
    size_t done;
    lxm_error error;
    unit_succeeds(lxm_embedder_new(&few, lxm_static_model_tokenizer(model),
                                   lxm_static_model_vocab(model), lxm_static_model_table(model),
                                   &two, NULL, &error),
                  &error);
    for (size_t i = 0; i < count; i++)
        list[i] = (lxm_text){"robin", 5};
    list[bad] = (lxm_text){"owl \xFF", 5};
    assert_int_equal(lxm_embedder_embed_all(embedder, list, count, vectors, &done, &error),
                     LXM_ERROR_UTF8);
    assert_int_equal(done, bad);
    assert_int_equal(error.offset, 4);
    list[bad].length = 3;
    unit_succeeds(lxm_embedder_embed_all(embedder, list, count, vectors, &done, &error), &error);
    assert_int_equal(done, count);
    for (size_t i = 0; i < bad; i++)
        list[i].length = 0;
    assert_int_equal(lxm_embedder_embed_all(few, list, count, vectors, &done, &error),
                     LXM_ERROR_ID);
    assert_int_equal(done, bad);
    lxm_embedder_free(embedder);
    lxm_embedder_free(few);
    lxm_static_model_free(model);
}

/* ---- folders that aren't right ---- */

static void copy(const char *from, const char *folder, const char *name)
{
    size_t length;
    char *source = unit_path(from, name), *target = unit_path(folder, name);
    uint8_t *bytes = unit_file_read(source, &length);
    unit_file_write(target, bytes, length);
    free(bytes);
    free(source);
    free(target);
}

static void replace(const char *folder, const char *name, const char *old, const char *new)
{
    char *path = unit_path(folder, name);
    size_t length;
    uint8_t *bytes = unit_file_read(path, &length), *end = bytes + length, *behind = end;
    uint8_t *at = old ? memmem(bytes, length, old, strlen(old)) : bytes;
    assert_non_null(at);
    if (old)
        behind = at + strlen(old);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fwrite(bytes, 1, (size_t)(at - bytes), file);
    fputs(new, file);
    fwrite(behind, 1, (size_t)(end - behind), file);
    assert_int_equal(fclose(file), 0);
    free(bytes);
    free(path);
}

static void what_cannot_be_done_is_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *file, *old, *new; /* `old` NULL: the whole file */
        lxm_status status;
        const char *says;
    } cases[] = {
        {"config.json", NULL, "[", LXM_ERROR_FORMAT, "config.json: line 1: not JSON"},
        {"config.json", NULL, "[]", LXM_ERROR_FORMAT, "config.json: not a JSON object"},
        {"config.json", NULL, "{\"normalize\":1}", LXM_ERROR_FORMAT, "normalize"},
        {"config.json", NULL, "{\"max_length\":0}", LXM_ERROR_FORMAT, "max_length"},
        {"config.json", NULL, "{\"max_length\":\"9\"}", LXM_ERROR_FORMAT, "max_length"},
        {"tokenizer.json", NULL, "{}", LXM_ERROR_FORMAT, "tokenizer.json: "},
        {"tokenizer.json", NULL, "{", LXM_ERROR_FORMAT, "tokenizer.json: line 1"},
        {"tokenizer.json", "BertPreTokenizer", "Nonesuch", LXM_ERROR_UNSUPPORTED, "Nonesuch"},
        {"tokenizer.json", "\"content\":\"[PAD]\",", "", LXM_ERROR_FORMAT, "content"},
        {"tokenizer.json", "\"[PAD]\":0,", "\"[PAD]\":400,", LXM_ERROR_MISMATCH,
         "model.safetensors: it has"},
        {"model.safetensors", "\"embeddings\"", "\"embeddingz\"", LXM_ERROR_FORMAT,
         "model.safetensors: it holds no tensor 'embeddings'"},
        {"model.safetensors", NULL, "", LXM_ERROR_FORMAT, "model.safetensors: "},
    };
    for (size_t i = 0; i < unit_count(cases); i++) {
        char *folder = unit_folder_make();
        lxm_static_model *model;
        lxm_error error = {0};
        copy(MODELS "model2vec", folder, "config.json");
        copy(MODELS "model2vec", folder, "tokenizer.json");
        copy(MODELS "model2vec", folder, "model.safetensors");
        replace(folder, cases[i].file, cases[i].old, cases[i].new);
        lxm_status status = lxm_static_model_open(&model, folder, NULL, NULL, &error);
        if (status != cases[i].status || !strstr(error.message, cases[i].says))
            fail_msg("case %zu: %d %s", i, status, error.message);
        assert_ptr_equal(error.path, folder);
        assert_null(model);
        unit_folder_remove(folder);
    }
}

static void other_modules_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *modules;
        lxm_status status;
        const char *says;
    } cases[] = {
        {"{}", LXM_ERROR_UNSUPPORTED, "StaticEmbedding"},
        {"[{\"type\":\"sentence_transformers.models.Transformer\"}]", LXM_ERROR_UNSUPPORTED,
         "StaticEmbedding"},
        {"[{\"type\":\"a.StaticEmbedding\"},{\"type\":\"a.Dense\"}]", LXM_ERROR_UNSUPPORTED,
         "modules.json: the module a.Dense"},
        {"[{\"type\":\"a.StaticEmbedding\"},{}]", LXM_ERROR_UNSUPPORTED, "without a type"},
        {"[{\"type\":\"StaticEmbedding\"}]", LXM_ERROR_FORMAT, "'embedding.weight'"},
    };
    for (size_t i = 0; i < unit_count(cases); i++) {
        char *folder = unit_folder_make(), *path = unit_path(folder, "modules.json");
        lxm_static_model *model;
        lxm_error error = {0};
        copy(MODELS "model2vec", folder, "tokenizer.json");
        copy(MODELS "model2vec", folder, "model.safetensors");
        unit_file_write(path, cases[i].modules, strlen(cases[i].modules));
        lxm_status status = lxm_static_model_open(&model, folder, NULL, NULL, &error);
        if (status != cases[i].status || !strstr(error.message, cases[i].says))
            fail_msg("case %zu: %d %s", i, status, error.message);
        unit_folder_remove(folder);
        free(path);
    }
    lxm_static_model *model;
    lxm_error error = {0};
    assert_int_equal(lxm_static_model_open(&model, TESTDATA "/vocab", NULL, NULL, &error),
                     LXM_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "no folder of a model"));
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    for (size_t m = 0; m < unit_count(models); m++) {
        char *path = unit_path(TESTDATA "/static", models[m]);
        unit_allocator allocator;
        unit_allocator_init(&allocator);
        lxm_status status = LXM_ERROR_MEMORY;
        /* beyond the first few it is tokens, one like another */
        for (size_t at = 1; status; at += at < 60 ? 1 : 37) {
            lxm_static_model *model;
            lxm_embedder *embedder = NULL;
            lxm_error error = {0};
            float vector[most_dim], vectors[2 * most_dim];
            static const lxm_text both[] = {{"the robin", 9}, {"and the owl", 11}};
            size_t done;
            allocator.calls = 0;
            allocator.fail_at = at;
            status = lxm_static_model_open(&model, path, NULL, &allocator.functions, &error);
            if (!status)
                status =
                    lxm_embedder_new(&embedder, lxm_static_model_tokenizer(model),
                                     lxm_static_model_vocab(model), lxm_static_model_table(model),
                                     lxm_static_model_pool(model), &allocator.functions, &error);
            if (!status)
                status = lxm_embedder_embed(embedder, "the robin", 9, vector, &error);
            if (!status)
                status = lxm_embedder_embed_all(embedder, both, 2, vectors, &done, &error);
            lxm_embedder_free(embedder);
            lxm_static_model_free(model);
            assert_int_equal(allocator.live, 0);
            assert_true(status == LXM_OK || status == LXM_ERROR_MEMORY);
        }
        free(path);
    }
}

/* ---- pooling ---- */

static void weights_come_from_counts(void **state)
{
    (void)state;
    lxm_vocab *vocab;
    lxm_error error;
    float weights[2];
    unit_succeeds(lxm_vocab_new(&vocab, NULL, &error), &error);
    unit_succeeds(lxm_vocab_add(vocab, "the", 3, 0, NULL, &error), &error);
    assert_int_equal(lxm_sif_weights(vocab, 0.001, weights, &error), LXM_ERROR_ARGUMENT);
    unit_succeeds(lxm_vocab_add(vocab, "the", 3, 999, NULL, &error), &error);
    unit_succeeds(lxm_vocab_add(vocab, "owl", 3, 1, NULL, &error), &error);
    unit_succeeds(lxm_sif_weights(vocab, 0.001, weights, &error), &error);
    assert_true(fabs((double)weights[0] - 0.001) < 1e-8);
    assert_true(fabs((double)weights[1] - 0.5) < 1e-8);
    assert_int_equal(lxm_sif_weights(vocab, 0, weights, &error), LXM_ERROR_ARGUMENT);
    lxm_vocab_free(vocab);
}

static void ways_to_pool_that_make_no_sense(void **state)
{
    (void)state;
    static const float weight = 1;
    static const lxm_pool_options wrong[] = {
        {.kind = LXM_POOL_NONE},
        {.kind = (lxm_pool_kind)9},
        {.kind = LXM_POOL_NONE, .normalize = true},
        {.kind = LXM_POOL_NONE, .drops = true},
        {.kind = LXM_POOL_MAX, .weights = &weight, .weight_count = 1},
    };
    lxm_static_model *model = open_model("model2vec", 0);
    for (size_t i = 0; i < unit_count(wrong); i++) {
        lxm_embedder *embedder;
        lxm_error error;
        assert_int_equal(lxm_embedder_new(&embedder, lxm_static_model_tokenizer(model),
                                          lxm_static_model_vocab(model),
                                          lxm_static_model_table(model), &wrong[i], NULL, &error),
                         LXM_ERROR_ARGUMENT);
        assert_null(embedder);
    }
    lxm_pool_options few = {.kind = LXM_POOL_SUM, .weights = &weight, .weight_count = 1};
    lxm_embedder *embedder;
    lxm_error error;
    float vector[most_dim];
    unit_succeeds(lxm_embedder_new(&embedder, lxm_static_model_tokenizer(model),
                                   lxm_static_model_vocab(model), lxm_static_model_table(model),
                                   &few, NULL, &error),
                  &error);
    assert_int_equal(lxm_embedder_embed(embedder, "robin", 5, vector, &error), LXM_ERROR_ID);
    lxm_embedder_free(embedder);
    lxm_static_model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_are_those_of_the_peers),
        cmocka_unit_test(a_maximum_length_takes_the_folders_place),
        cmocka_unit_test(a_warm_embedder_allocates_nothing),
        cmocka_unit_test(what_is_wrong_with_a_text_does_nothing_to_the_next),
        cmocka_unit_test(many_texts_have_the_vectors_that_each_has),
        cmocka_unit_test(one_of_many_texts_is_at_fault),
        cmocka_unit_test(what_cannot_be_done_is_refused_by_name),
        cmocka_unit_test(other_modules_are_refused),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(weights_come_from_counts),
        cmocka_unit_test(ways_to_pool_that_make_no_sense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
