/* The layer that learns, held against PyTorch's (testdata/layer/make.py) and against the rule. */
#include <math.h>

#include "formats/gradients.h"
#include "unit.h"

enum { rows = 11, dim = 17, id_count = 40, steps = 3 };

static const char *const folder = TESTDATA "/layer";

/* The rule of make.py. */
static void make_step(size_t step, uint32_t *ids, float *gradients)
{
    for (size_t i = 0; i < id_count; i++) {
        ids[i] = (uint32_t)((i * i * 3 + step * 5 + i) % rows);
        for (size_t j = 0; j < dim; j++)
            gradients[i * dim + j] = (float)((int)((i * 7 + j * 3 + step * 11) % 19) - 9) / 8;
    }
}

static lxm_table *open_table(const char *name)
{
    lxm_table *table;
    lxm_error error;
    char *path = unit_path(folder, name);
    unit_succeeds(lxm_table_open(&table, path, NULL, NULL, &error), &error);
    free(path);
    return table;
}

static void read_rows(const lxm_table *table, size_t count, float *values)
{
    for (uint32_t row = 0; row < count; row++)
        assert_int_equal(
            lxm_table_gather(table, &row, 1, values + row * lxm_table_dim(table), NULL), LXM_OK);
}

static lxm_layer *make_layer(const lxm_table *table, const lxm_layer_options *options)
{
    lxm_layer *layer;
    lxm_error error;
    unit_succeeds(lxm_layer_new(&layer, table, options, NULL, &error), &error);
    return layer;
}

/* Steps `first` to before `last`. */
static void learn_steps(lxm_layer *layer, size_t first, size_t last)
{
    uint32_t ids[id_count];
    float gradients[id_count * dim];
    lxm_error error;
    for (size_t step = first; step < last; step++) {
        make_step(step, ids, gradients);
        unit_succeeds(lxm_layer_backward(layer, ids, id_count, gradients, &error), &error);
        unit_succeeds(lxm_layer_step(layer, &error), &error);
    }
}

static void expect_file(const lxm_layer_options *options, const char *name)
{
    float want[rows * dim], got[rows * dim], before[rows * dim];
    lxm_table *table = open_table("table.npy"), *learnt = open_table(name);
    lxm_layer *layer = make_layer(table, options);
    learn_steps(layer, 0, steps);
    read_rows(lxm_layer_table(layer), rows, got);
    read_rows(learnt, rows, want);
    read_rows(table, rows, before);
    for (size_t i = 0; i < rows * dim; i++)
        if (!(fabsf(got[i] - want[i]) <= 1e-6f))
            fail_msg("%s: row %zu, column %zu: %.9g, not %.9g", name, i / dim, i % dim,
                     (double)got[i], (double)want[i]);
    /* a row that no id names: held nowhere, the same bits */
    assert_memory_equal(got + 6 * dim, before + 6 * dim, dim * sizeof *got);
    assert_int_equal(lxm_layer_moved_rows(layer), rows - 1 - options->has_padding);
    assert_int_equal(lxm_layer_steps(layer), steps);
    lxm_layer_free(layer);
    lxm_table_free(learnt);
    lxm_table_free(table);
}

static void test_equal_to_pytorch(void **state)
{
    (void)state;
    lxm_layer_options options;
    lxm_layer_defaults(&options, LXM_OPTIMIZER_SGD);
    options.learning_rate = 0.25;
    expect_file(&options, "sgd.npy");
    options.has_padding = true;
    options.padding_id = 4;
    expect_file(&options, "padding.npy");
    lxm_layer_defaults(&options, LXM_OPTIMIZER_SGD);
    options.learning_rate = 0.1;
    options.momentum = 0.9;
    expect_file(&options, "momentum.npy");
    lxm_layer_defaults(&options, LXM_OPTIMIZER_ADAGRAD);
    expect_file(&options, "adagrad.npy");
    options.learning_rate = 0.5;
    options.learning_rate_decay = 0.25;
    options.initial_accumulator = 0.75;
    options.eps = 1e-3;
    expect_file(&options, "adagrad-decay.npy");
    lxm_layer_defaults(&options, LXM_OPTIMIZER_ADAM);
    expect_file(&options, "adam.npy");
    options.learning_rate = 0.125;
    options.beta1 = 0.5;
    options.beta2 = 0.75;
    options.eps = 1e-2;
    expect_file(&options, "adam-betas.npy");
}

/* A product with one-hot rows is a look-up, and its transpose with gradients is their sums. */
static void test_one_hot_product_is_a_look_up(void **state)
{
    (void)state;
    uint32_t ids[id_count];
    const uint32_t *sum_ids;
    const float *sums;
    float gradients[id_count * dim], hot[id_count * rows], weights[rows * dim];
    float looked_up[id_count * dim];
    lxm_error error;
    lxm_table *table = open_table("table.npy"), *one_hot;
    lxm_table_options how = {.rows = rows, .dim = rows, .init = LXM_INIT_ONE_HOT};
    lxm_layer_options options;
    lxm_layer_defaults(&options, LXM_OPTIMIZER_SGD);
    lxm_layer *layer = make_layer(table, &options);
    make_step(0, ids, gradients);
    unit_succeeds(lxm_table_generate(&one_hot, &how, NULL, &error), &error);
    unit_succeeds(lxm_table_gather(one_hot, ids, id_count, hot, &error), &error);
    unit_succeeds(lxm_layer_forward(layer, ids, id_count, looked_up, &error), &error);
    unit_succeeds(lxm_layer_backward(layer, ids, id_count, gradients, &error), &error);
    read_rows(table, rows, weights);
    for (size_t i = 0; i < id_count; i++)
        for (size_t j = 0; j < dim; j++) {
            float product = 0;
            for (size_t k = 0; k < rows; k++)
                product += hot[i * rows + k] * weights[k * dim + j];
            assert_true(product == looked_up[i * dim + j]);
        }
    size_t count = lxm_layer_gradients(layer, &sum_ids, &sums);
    assert_int_equal(count, 6);
    for (size_t k = 0; k < count; k++)
        for (size_t j = 0; j < dim; j++) {
            float product = 0;
            for (size_t i = 0; i < id_count; i++)
                product += hot[i * rows + sum_ids[k]] * gradients[i * dim + j];
            assert_true(product == sums[k * dim + j]);
        }
    lxm_layer_free(layer);
    lxm_table_free(one_hot);
    lxm_table_free(table);
}

enum { many_rows = 900, wide = 700, many = 9000 };

/* Two steps of a larger layer; gradients come `most` at a time. */
static void learn_much(unsigned threads, size_t most, lxm_optimizer optimizer, float *result)
{
    lxm_table *table;
    lxm_error error;
    lxm_layer_options options;
    lxm_table_options how = {.dim = wide, .seed = 3}; /* any row */
    uint32_t *ids = malloc(many * sizeof *ids);
    float *gradients = malloc(many * wide * sizeof *gradients);
    assert_non_null(ids);
    assert_non_null(gradients);
    lxm_layer_defaults(&options, optimizer);
    options.threads = threads;
    options.momentum = 0.5;
    unit_succeeds(lxm_table_generate(&table, &how, NULL, &error), &error);
    lxm_layer *layer = make_layer(table, &options);
    uint64_t seed = 11;
    for (int step = 0; step < 2; step++) {
        for (size_t i = 0; i < many; i++)
            ids[i] = (uint32_t)(unit_random(&seed) % many_rows);
        for (size_t i = 0; i < many * wide; i++)
            gradients[i] = (float)(unit_random(&seed) >> 40) * 0x1p-20f - 8;
        for (size_t at = 0; at < many; at += most)
            unit_succeeds(lxm_layer_backward(layer, ids + at, many - at < most ? many - at : most,
                                             gradients + at * wide, &error),
                          &error);
        unit_succeeds(lxm_layer_step(layer, &error), &error);
    }
    for (uint32_t i = 0; i < many_rows; i++)
        ids[i] = i;
    unit_succeeds(lxm_layer_forward(layer, ids, many_rows, result, &error), &error);
    lxm_layer_free(layer);
    lxm_table_free(table);
    free(gradients);
    free(ids);
}

static void test_same_bytes_on_any_threads_and_pieces(void **state)
{
    (void)state;
    float *want = malloc(many_rows * wide * sizeof *want);
    float *got = malloc(many_rows * wide * sizeof *got);
    assert_non_null(want);
    assert_non_null(got);
    for (int optimizer = LXM_OPTIMIZER_SGD; optimizer <= LXM_OPTIMIZER_ADAM; optimizer++) {
        learn_much(1, many, (lxm_optimizer)optimizer, want);
        static const struct {
            unsigned threads;
            size_t most;
        } ways[] = {{3, many}, {64, many}, {2, 977}};
        for (size_t i = 0; i < unit_count(ways); i++) {
            learn_much(ways[i].threads, ways[i].most, (lxm_optimizer)optimizer, got);
            assert_memory_equal(got, want, many_rows * wide * sizeof *got);
        }
    }
    free(got);
    free(want);
}

static void test_an_id_without_a_row(void **state)
{
    (void)state;
    static const uint32_t ids[] = {3, rows, 1};
    float gradients[3 * dim] = {0};
    const uint32_t *sum_ids;
    const float *sums;
    lxm_error error;
    lxm_layer_options options;
    lxm_table *table = open_table("table.npy");
    lxm_layer_defaults(&options, LXM_OPTIMIZER_ADAM);
    lxm_layer *layer = make_layer(table, &options);
    assert_int_equal(lxm_layer_backward(layer, ids, 3, gradients, &error), LXM_ERROR_ID);
    assert_int_equal(error.offset, 1);
    assert_int_equal(lxm_layer_gradients(layer, &sum_ids, &sums), 0);
    assert_int_equal(lxm_layer_forward(layer, ids, 3, gradients, &error), LXM_ERROR_ID);
    assert_int_equal(error.offset, 1);
    unit_succeeds(lxm_layer_backward(layer, ids, 1, gradients, &error), &error);
    assert_int_equal(lxm_layer_gradients(layer, &sum_ids, &sums), 1);
    lxm_layer_zero_gradients(layer);
    unit_succeeds(lxm_layer_step(layer, &error), &error); /* PyTorch counts it, too */
    assert_int_equal(lxm_layer_steps(layer), 1);
    assert_int_equal(lxm_layer_moved_rows(layer), 0);
    lxm_layer_free(layer);
    lxm_table_free(table);
}

/* The learning rate of a step is the one that is set before it. */
static void test_a_schedule(void **state)
{
    (void)state;
    static const uint32_t id = 2;
    static const float ones[2] = {1, 1};
    float row[2];
    lxm_table *table;
    lxm_error error;
    lxm_table_options how = {.rows = 3, .dim = 2, .init = LXM_INIT_ZEROS};
    lxm_layer_options options;
    lxm_layer_defaults(&options, LXM_OPTIMIZER_SGD);
    unit_succeeds(lxm_table_generate(&table, &how, NULL, &error), &error);
    lxm_layer *layer = make_layer(table, &options);
    for (int i = 0; i < 3; i++) {
        unit_succeeds(lxm_layer_set_learning_rate(layer, (double)(1 << i), &error), &error);
        unit_succeeds(lxm_layer_backward(layer, &id, 1, ones, &error), &error);
        unit_succeeds(lxm_layer_step(layer, &error), &error);
    }
    unit_succeeds(lxm_layer_forward(layer, &id, 1, row, &error), &error);
    assert_true(row[0] == -7 && row[1] == -7);
    assert_int_equal(lxm_layer_set_learning_rate(layer, NAN, &error), LXM_ERROR_ARGUMENT);
    assert_int_equal(lxm_layer_set_learning_rate(layer, -1, &error), LXM_ERROR_ARGUMENT);
    lxm_layer_free(layer);
    lxm_table_free(table);
}

static void test_options_that_make_no_sense(void **state)
{
    (void)state;
    lxm_table *table = open_table("table.npy");
    for (int i = 0; i < 8; i++) {
        lxm_layer *layer;
        lxm_error error;
        lxm_layer_options options;
        lxm_layer_defaults(&options, LXM_OPTIMIZER_ADAM);
        double *const numbers[] = {&options.learning_rate,
                                   &options.learning_rate_decay,
                                   &options.momentum,
                                   &options.eps,
                                   &options.beta1,
                                   &options.beta2,
                                   &options.initial_accumulator};
        if (i == 7)
            options.optimizer = (lxm_optimizer)3;
        else
            *numbers[i] = i % 2 ? -1 : INFINITY;
        assert_int_equal(lxm_layer_new(&layer, table, &options, NULL, &error), LXM_ERROR_ARGUMENT);
        assert_null(layer);
    }
    lxm_table_free(table);
}

/* ---- what an optimizer keeps ---- */

/* Saved after a step and loaded onto the rows of then: the rows of one that went on. */
static void test_a_saved_state_goes_on(void **state)
{
    (void)state;
    lxm_error error;
    lxm_table *table = open_table("table.npy");
    char *place = unit_folder_make(), *file = unit_path(place, "state");
    for (int kind = 0; kind < 4; kind++) {
        float want[rows * dim], got[rows * dim];
        lxm_layer_options options;
        lxm_layer_defaults(&options, (lxm_optimizer)(kind % 3));
        options.momentum = kind == 3 ? 0.75 : 0;
        lxm_layer *whole = make_layer(table, &options), *second;
        learn_steps(whole, 0, 1);
        unit_succeeds(lxm_layer_save(whole, file, &error), &error);
        assert_int_equal(lxm_layer_load(whole, file, false, &error), LXM_ERROR_ARGUMENT);
        second = make_layer(lxm_layer_table(whole), &options);
        unit_succeeds(lxm_layer_load(second, file, false, &error), &error);
        assert_int_equal(lxm_layer_steps(second), 1);
        learn_steps(second, 1, steps);
        learn_steps(whole, 1, steps);
        read_rows(lxm_layer_table(whole), rows, want);
        read_rows(lxm_layer_table(second), rows, got);
        assert_memory_equal(got, want, sizeof want);
        lxm_layer_free(second);
        lxm_layer_free(whole);
    }
    lxm_table_free(table);
    unit_folder_remove(place);
    free(file);
}

/* Any byte that is flipped, or any that are missing, is an error or another state, never more. */
static void test_states_that_are_damaged(void **state)
{
    (void)state;
    size_t length;
    lxm_error error;
    lxm_layer_options options;
    lxm_table *table = open_table("table.npy");
    char *place = unit_folder_make(), *file = unit_path(place, "state");
    lxm_layer_defaults(&options, LXM_OPTIMIZER_ADAM);
    options.threads = 1;
    lxm_layer *layer = make_layer(table, &options), *loaded;
    learn_steps(layer, 0, 1);
    unit_succeeds(lxm_layer_save(layer, file, &error), &error);
    uint8_t *bytes = unit_file_read(file, &length);
    for (size_t i = 0; i < length; i++) {
        unit_file_write(file, bytes, i);
        loaded = make_layer(lxm_layer_table(layer), &options);
        assert_int_not_equal(lxm_layer_load(loaded, file, true, &error), LXM_OK);
        assert_ptr_equal(error.path, file);
        lxm_layer_free(loaded);
        bytes[i] ^= (uint8_t)(1 << i % 8);
        unit_file_write(file, bytes, length);
        loaded = make_layer(lxm_layer_table(layer), &options);
        if (!lxm_layer_load(loaded, file, true, &error))
            assert_true(lxm_layer_moved_rows(loaded) == 6);
        lxm_layer_free(loaded);
        bytes[i] ^= (uint8_t)(1 << i % 8);
    }
    free(bytes);
    lxm_layer_free(layer);
    lxm_table_free(table);
    unit_folder_remove(place);
    free(file);
}

/* Any byte of gradients that is flipped, or any that are missing: what is read lies in the file. */
static void test_gradients_that_are_damaged(void **state)
{
    (void)state;
    size_t length;
    char *place = unit_folder_make(), *file = unit_path(place, "gradients");
    char *good = unit_path(folder, "gradients-0.safetensors");
    uint8_t *bytes = unit_file_read(good, &length);
    for (size_t i = 0; i < length; i++) {
        uint32_t ids[4 * id_count];
        float gradients[4 * id_count * dim];
        lxm_error error;
        lxm_gradient_file opened;
        bytes[i] ^= (uint8_t)(1 << i % 8);
        unit_file_write(file, bytes, length);
        if (!lxm_gradient_file_open(&opened, file, NULL, NULL, &error)) {
            assert_true(opened.count <= 4 * id_count && opened.dim <= dim);
            (void)lxm_gradient_file_read(&opened, 0, (size_t)opened.count, ids, gradients, &error);
        }
        lxm_gradient_file_close(&opened);
        bytes[i] ^= (uint8_t)(1 << i % 8);
        if (i % 7 == 0) {
            unit_file_write(file, bytes, i);
            assert_int_not_equal(lxm_gradient_file_open(&opened, file, NULL, NULL, &error), LXM_OK);
            lxm_gradient_file_close(&opened);
        }
    }
    free(bytes);
    free(good);
    unit_folder_remove(place);
    free(file);
}

static void test_states_of_others(void **state)
{
    (void)state;
    lxm_error error;
    lxm_layer_options options;
    lxm_table *table = open_table("table.npy"), *other;
    lxm_table_options narrow = {.rows = rows, .dim = dim - 1}, few = {.rows = 5, .dim = dim};
    char *place = unit_folder_make(), *file = unit_path(place, "state");
    lxm_layer_defaults(&options, LXM_OPTIMIZER_ADAM);
    lxm_layer *layer = make_layer(table, &options), *loaded;
    learn_steps(layer, 0, 1);
    unit_succeeds(lxm_layer_save(layer, file, &error), &error);
    loaded = make_layer(table, &options);
    assert_int_equal(lxm_layer_load(loaded, file, false, &error), LXM_ERROR_MISMATCH);
    lxm_layer_free(loaded);
    lxm_layer_options adagrad;
    lxm_layer_defaults(&adagrad, LXM_OPTIMIZER_ADAGRAD);
    loaded = make_layer(lxm_layer_table(layer), &adagrad);
    assert_int_equal(lxm_layer_load(loaded, file, true, &error), LXM_ERROR_MISMATCH);
    lxm_layer_free(loaded);
    unit_succeeds(lxm_table_generate(&other, &narrow, NULL, &error), &error);
    loaded = make_layer(other, &options);
    assert_int_equal(lxm_layer_load(loaded, file, true, &error), LXM_ERROR_MISMATCH);
    lxm_layer_free(loaded);
    lxm_table_free(other);
    unit_succeeds(lxm_table_generate(&other, &few, NULL, &error), &error);
    loaded = make_layer(other, &options);
    assert_int_equal(lxm_layer_load(loaded, file, true, &error), LXM_ERROR_FORMAT);
    lxm_layer_free(loaded);
    lxm_table_free(other);
    lxm_layer_free(layer);
    lxm_table_free(table);
    unit_folder_remove(place);
    free(file);
}

/* Words, rows and fingerprint are the table's. */
static void test_the_view_has_the_words_of_its_table(void **state)
{
    (void)state;
    static const char text[] = "a 1 2\nb 3 4\n";
    static const uint32_t id = 1;
    static const float ones[2] = {1, 1};
    size_t length;
    lxm_table *table;
    lxm_error error;
    lxm_layer_options options;
    char *place = unit_folder_make(), *file = unit_path(place, "words");
    unit_file_write(file, text, strlen(text));
    unit_succeeds(lxm_table_open(&table, file, NULL, NULL, &error), &error);
    lxm_layer_defaults(&options, LXM_OPTIMIZER_SGD);
    lxm_layer *layer = make_layer(table, &options);
    unit_succeeds(lxm_layer_backward(layer, &id, 1, ones, &error), &error);
    unit_succeeds(lxm_layer_step(layer, &error), &error);
    const lxm_table *view = lxm_layer_table(layer);
    const uint8_t *word = lxm_table_word(view, 1, &length);
    assert_non_null(word);
    assert_true(length == 1 && *word == 'b');
    assert_int_equal(lxm_table_rows(view), 2);
    float values[2];
    unit_succeeds(lxm_table_gather(view, &id, 1, values, &error), &error);
    assert_true(values[0] == 3 - 0.01f && values[1] == 4 - 0.01f);
    lxm_layer_free(layer);
    lxm_table_free(table);
    unit_folder_remove(place);
    free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_to_pytorch),
        cmocka_unit_test(test_one_hot_product_is_a_look_up),
        cmocka_unit_test(test_same_bytes_on_any_threads_and_pieces),
        cmocka_unit_test(test_an_id_without_a_row),
        cmocka_unit_test(test_a_schedule),
        cmocka_unit_test(test_options_that_make_no_sense),
        cmocka_unit_test(test_a_saved_state_goes_on),
        cmocka_unit_test(test_states_that_are_damaged),
        cmocka_unit_test(test_gradients_that_are_damaged),
        cmocka_unit_test(test_states_of_others),
        cmocka_unit_test(test_the_view_has_the_words_of_its_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
