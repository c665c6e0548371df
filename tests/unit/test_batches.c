/* Windows across documents, padding on either side, other orders, ids without vectors. */
#include <jansson.h>

#include "embed/permute.h"
#include "unit.h"

/* ---- windows ---- */

typedef struct seen {
    char text[2048];
    size_t used, context;
} seen;

static void say(seen *s, const char *before, int value)
{
    s->used += (size_t)snprintf(s->text + s->used, sizeof s->text - s->used, "%s%d", before, value);
    assert_true(s->used < sizeof s->text);
}

/* "inputs>targets mask documents;" */
static lxm_status take(void *context, const lxm_window_batch *batch, lxm_error *error)
{
    (void)error;
    seen *s = context;
    for (size_t w = 0; w < batch->count; w++) {
        for (size_t i = 0; i < s->context; i++)
            say(s, i ? "," : s->used ? ";" : "", (int)batch->inputs[w * s->context + i]);
        for (size_t i = 0; batch->targets && i < s->context; i++)
            say(s, i ? "," : ">", (int)batch->targets[w * s->context + i]);
        for (size_t i = 0; batch->mask && i < s->context; i++)
            say(s, i ? "" : " ", batch->mask[w * s->context + i]);
        for (size_t i = 0; batch->documents && i < s->context; i++)
            say(s, i ? "," : " ", batch->documents[w * s->context + i]);
    }
    return LXM_OK;
}

/* Documents are lengths; ids count on. Pushed `step` ids at a time. */
static void expect(const lxm_window_options *options, const int *lengths, size_t step,
                   const char *want, uint64_t unused)
{
    seen s = {.context = options->context};
    lxm_windows *windows;
    lxm_window_sink sink = {take, &s};
    assert_int_equal(lxm_windows_new(&windows, options, 3, &sink, NULL, NULL), LXM_OK);
    uint32_t id = 0;
    for (; *lengths >= 0; lengths++) {
        uint32_t ids[64];
        for (int left = *lengths; left > 0;) {
            size_t n = 0;
            for (; n < step && left > 0; left--)
                ids[n++] = id++;
            assert_int_equal(lxm_windows_push(windows, ids, n, NULL), LXM_OK);
        }
        assert_int_equal(lxm_windows_end_document(windows, NULL), LXM_OK);
    }
    assert_int_equal(lxm_windows_finish(windows, NULL), LXM_OK);
    assert_string_equal(s.text, want);
    assert_int_equal(lxm_windows_unused(windows), unused);
    lxm_windows_free(windows);
}

static void test_windows(void **state)
{
    (void)state;
    static const int documents[] = {3, 0, 2, 4, -1};
    for (size_t step = 1; step <= 5; step += 2) {
        lxm_window_options o = {.context = 4, .pad = true, .pad_id = 99};
        expect(&o, documents, step, "0,1,2,99 1110;3,4,99,99 1100;5,6,7,8 1111", 0);
        o.pad_left = true;
        expect(&o, documents, step, "99,0,1,2 0111;99,99,3,4 0011;5,6,7,8 1111", 0);
        o.targets = true;
        expect(&o, documents, step,
               "99,99,0,1>99,99,1,2 0011;99,99,99,3>99,99,99,4 0001;99,5,6,7>99,6,7,8 0111", 0);
        o = (lxm_window_options){.context = 4, .pack = true};
        expect(&o, documents, step, "0,1,2,3 0,0,0,2;4,5,6,7 0,1,1,1", 1);
        o.has_eot = true;
        o.eot_id = 77;
        expect(&o, documents, step, "0,1,2,77 0,0,0,0;77,3,4,77 0,1,1,1;5,6,7,8 0,0,0,0", 0);
        o.pad = true;
        o.pad_id = 99;
        o.targets = true;
        expect(&o, documents, step,
               "0,1,2,77>1,2,77,77 1111 0,0,0,0;77,3,4,77>3,4,77,5 1111 0,1,1,1;"
               "5,6,7,99>6,7,8,99 1110 0,0,0,-1",
               0);
        o.pad_left = true;
        o.targets = false;
        o.stride = 3;
        expect(&o, documents, step,
               "0,1,2,77 1111 0,0,0,0;77,77,3,4 1111 0,1,2,2;4,77,5,6 1111 0,0,1,1;"
               "99,6,7,8 0111 -1,0,0,0",
               0);
    }
}

/* ---- orders ---- */

static void test_a_permutation(void **state)
{
    (void)state;
    for (uint64_t count = 1; count < 3000; count = count * 3 / 2 + 1)
        for (uint64_t seed = 0; seed < 3; seed++) {
            lxm_permutation p;
            uint8_t *met = calloc(count, 1);
            assert_non_null(met);
            lxm_permutation_init(&p, count, seed);
            for (uint64_t i = 0; i < count; i++) {
                uint64_t at = lxm_permutation_at(&p, i);
                assert_true(at < count && !met[at]);
                met[at] = 1;
            }
            free(met);
        }
    lxm_permutation p;
    lxm_permutation_init(&p, UINT64_MAX, 5);
    assert_true(lxm_permutation_at(&p, 1) != lxm_permutation_at(&p, 2));
}

/* list(DataLoader(range(n), batch_size=None, shuffle=True)) after torch.manual_seed(seed) */
static void test_pytorch_order(void **state)
{
    (void)state;
    static const uint32_t seven[] = {1, 5, 3, 0, 2, 4, 6};
    static const uint32_t thousand[] = {226, 331, 747, 309, 589, 626, 71, 647};
    uint32_t order[1000];
    lxm_torch_order(order, 7, 123);
    assert_memory_equal(order, seven, sizeof seven);
    lxm_torch_order(order, 1000, 0);
    assert_memory_equal(order, thousand, sizeof thousand);
}

/* ---- whole jobs ---- */

typedef struct fixture {
    char *folder, *ids, *output;
    unit_allocator allocator;
    lxm_table *table;
    lxm_embed_options options;
    lxm_embed_result result;
    lxm_error error;
    lxm_job job;
} fixture;

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->folder = unit_folder_make();
    f->ids = unit_path(f->folder, "ids.txt");
    f->output = unit_path(f->folder, "output");
    unit_allocator_init(&f->allocator);
    lxm_table_options options = {.rows = 1001, .dim = 3, .seed = 11};
    assert_int_equal(lxm_table_generate(&f->table, &options, NULL, NULL), LXM_OK);
    f->options = (lxm_embed_options){.table = f->table,
                                     .format = LXM_VECTORS_SAFETENSORS,
                                     .window = {.context = 4, .targets = true}};
    f->job = (lxm_job){.threads = 2, .allocator = &f->allocator.functions};
    FILE *file = fopen(f->ids, "w");
    assert_non_null(file);
    for (int i = 0; i < 1001; i++)
        fprintf(file, "%d%c", i, i % 100 == 99 ? '\n' : ' ');
    assert_int_equal(fclose(file), 0);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    assert_int_equal(f->allocator.live, 0);
    lxm_table_free(f->table);
    unit_folder_remove(f->folder);
    free(f->ids);
    free(f->output);
    free(f);
    return 0;
}

static lxm_status run(fixture *f)
{
    const char *paths[] = {f->ids};
    f->error = (lxm_error){0};
    return lxm_run_embed(&f->options, paths, 1, f->output, &f->job, &f->result, &f->error);
}

/* A tensor of the output, to be freed; its bytes. */
static uint8_t *tensor(const fixture *f, const char *name, size_t *size)
{
    size_t length, header;
    uint8_t *bytes = unit_file_read(f->output, &length);
    memcpy(&header, bytes, sizeof header);
    json_t *json = json_loadb((const char *)bytes + 8, header, 0, NULL);
    assert_non_null(json);
    const json_t *offsets = json_object_get(json_object_get(json, name), "data_offsets");
    *size = 0;
    if (offsets) {
        size_t begin = (size_t)json_integer_value(json_array_get(offsets, 0));
        *size = (size_t)json_integer_value(json_array_get(offsets, 1)) - begin;
        memmove(bytes, bytes + 8 + header + begin, *size);
    }
    json_decref(json);
    return bytes;
}

/* The windows are the same, in another order, each with its own vectors and targets. */
static void test_shuffled(void **state)
{
    fixture *f = *state;
    size_t size;
    for (int order = LXM_SHUFFLE_SEEDED; order <= LXM_SHUFFLE_TORCH; order++) {
        f->options.shuffle = (lxm_shuffle)order;
        f->options.shuffle_seed = 9;
        f->options.batch = 7;
        unit_succeeds(run(f), &f->error);
        assert_int_equal(f->result.rows, 240);
        uint8_t *vectors = tensor(f, "embeddings", &size);
        uint32_t *inputs = (uint32_t *)(void *)tensor(f, "inputs", &size);
        uint32_t *targets = (uint32_t *)(void *)tensor(f, "targets", &size);
        assert_int_equal(size, 240 * 16);
        unsigned met[1001] = {0}, still = 0;
        for (size_t i = 0; i < 960; i++) {
            float want[3];
            assert_int_equal(targets[i], inputs[i] + 1);
            assert_int_equal(lxm_table_gather(f->table, &inputs[i], 1, want, NULL), LXM_OK);
            assert_memory_equal(vectors + 12 * i, want, sizeof want);
            met[inputs[i]]++;
            still += i > 0 && i % 4 == 0 && inputs[i] == inputs[i - 1] + 1;
        }
        for (uint32_t i = 0; i < 1001; i++)
            assert_int_equal(met[i], i < 1000 && i % 100 < 96);
        assert_true(still < 20);
        free(vectors);
        free(inputs);
        free(targets);
    }
}

static void test_ids_only(void **state)
{
    fixture *f = *state;
    size_t size, all;
    f->options.ids_only = true;
    f->options.window.pad = true;
    f->options.window.pack = true;
    unit_succeeds(run(f), &f->error);
    uint32_t *inputs = (uint32_t *)(void *)tensor(f, "inputs", &all);
    assert_int_equal(all, 250 * 16);
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(inputs[i], i);
    free(inputs);
    static const char *const names[] = {"embeddings", "targets", "mask", "documents"};
    static const size_t sizes[] = {0, 250 * 16, 250 * 4, 250 * 16};
    for (int i = 0; i < 4; i++) {
        free(tensor(f, names[i], &size));
        assert_int_equal(size, sizes[i]);
    }
    f->options.format = LXM_VECTORS_NPY;
    assert_int_equal(run(f), LXM_ERROR_ARGUMENT);
}

/* bf16 and f16 of what f32 is. */
static void test_dtypes(void **state)
{
    fixture *f = *state;
    size_t size[3];
    uint8_t *vectors[3];
    for (int dtype = LXM_DTYPE_F32; dtype <= LXM_DTYPE_BF16; dtype++) {
        f->options.dtype = (lxm_dtype)dtype;
        unit_succeeds(run(f), &f->error);
        vectors[dtype] = tensor(f, "embeddings", &size[dtype]);
    }
    assert_int_equal(size[1], size[0] / 2);
    assert_int_equal(size[2], size[0] / 2);
    for (size_t i = 0; i < size[0] / 4; i++) {
        float exact, rounded;
        uint32_t upper = (uint32_t)(vectors[2][2 * i] | vectors[2][2 * i + 1] << 8) << 16;
        memcpy(&exact, vectors[0] + 4 * i, 4);
        memcpy(&rounded, &upper, 4);
        assert_true(rounded - exact <= 0x1p-8f * (exact < 0 ? -exact : exact));
    }
    for (int i = 0; i < 3; i++)
        free(vectors[i]);
    f->options.format = LXM_VECTORS_NPY;
    assert_int_equal(run(f), LXM_ERROR_ARGUMENT);
    f->options.dtype = LXM_DTYPE_I8;
    assert_int_equal(run(f), LXM_ERROR_ARGUMENT);
}

static void test_every_allocation(void **state)
{
    fixture *f = *state;
    f->job.threads = 1;
    f->options.window.pad = f->options.window.pack = true;
    f->options.shuffle = LXM_SHUFFLE_TORCH;
    f->options.dtype = LXM_DTYPE_BF16;
    for (size_t at = 1;; at++) {
        f->allocator.calls = 0;
        f->allocator.fail_at = at;
        lxm_status status = run(f);
        assert_int_equal(f->allocator.live, 0);
        if (f->allocator.calls < at) {
            assert_int_equal(status, LXM_OK);
            break;
        }
        assert_int_equal(status, LXM_ERROR_MEMORY);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_a_permutation),
        cmocka_unit_test(test_pytorch_order),
        TEST(test_shuffled),
        TEST(test_ids_only),
        TEST(test_dtypes),
        TEST(test_every_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
