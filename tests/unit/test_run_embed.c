/* embed as a whole job: what lands in files, and what a failure leaves behind. */
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/hash.h"
#include "unit.h"

typedef struct fixture {
    char *folder, *ids, *output;
    unit_allocator allocator;
    lxm_table *table;
    lxm_embed_options options;
    lxm_embed_result result;
    lxm_error error;
    lxm_job job;
} fixture;

static void set_ids(fixture *f, const char *text)
{
    unit_file_write(f->ids, text, strlen(text));
}

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
    f->options.table = f->table;
    f->job = (lxm_job){.threads = 2, .allocator = &f->allocator.functions};
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

static void runs(fixture *f)
{
    unit_succeeds(run(f), &f->error);
}

/* A run that fails leaves the ids alone in the folder. */
static void fails(fixture *f, lxm_status status, const char *words)
{
    assert_int_equal(run(f), status);
    if (!strstr(f->error.message, words))
        fail_msg("'%s' not in '%s'", words, f->error.message);
    assert_int_equal(unit_folder_count(f->folder), 1);
}

/* The ids 0 to `count` - 1 on one line. */
static void count_up(fixture *f, unsigned count)
{
    char *text = malloc(8 * (size_t)count + 1), *at = text;
    *at = '\0';
    for (unsigned i = 0; i < count; i++)
        at += snprintf(at, 8, "%u ", i);
    set_ids(f, text);
    free(text);
}

static void expect_row(const fixture *f, uint32_t id, const void *bytes)
{
    float want[3];
    assert_int_equal(lxm_table_gather(f->table, &id, 1, want, NULL), LXM_OK);
    assert_memory_equal(bytes, want, sizeof want);
}

/* ---- one file ---- */

static void test_text(void **state)
{
    fixture *f = *state;
    set_ids(f, "5 0\n7\n");
    runs(f);
    size_t length;
    char *text = (char *)unit_file_read(f->output, &length), *at = text;
    static const uint32_t ids[] = {5, 0, 7};
    for (int row = 0; row < 3; row++) {
        float got[3];
        for (int i = 0; i < 3; i++) {
            got[i] = strtof(at, &at);
            assert_int_equal(*at, i < 2 ? ' ' : '\n');
        }
        expect_row(f, ids[row], got);
    }
    assert_ptr_equal(at + 1, text + length);
    assert_int_equal(f->result.rows, 3);
    free(text);
}

static void test_npy(void **state)
{
    fixture *f = *state;
    f->options.format = LXM_VECTORS_NPY;
    f->options.batch = 2; /* a named file holds one array, whatever the batch */
    set_ids(f, "5 0\n7\n");
    runs(f);
    size_t length;
    uint8_t *bytes = unit_file_read(f->output, &length);
    assert_int_equal(length, 128 + 3 * 3 * sizeof(float));
    assert_memory_equal(bytes,
                        "\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, "
                        "'shape': (3, 3), }  ",
                        71);
    assert_int_equal(bytes[127], '\n');
    expect_row(f, 7, bytes + 128 + 24);
    free(bytes);

    lxm_table *back;
    unit_succeeds(lxm_table_open(&back, f->output, NULL, NULL, &f->error), &f->error);
    assert_int_equal(lxm_table_rows(back), 3);
    lxm_table_free(back);
}

static void test_no_ids_no_rows(void **state)
{
    fixture *f = *state;
    set_ids(f, "");
    f->options.format = LXM_VECTORS_NPY;
    runs(f);
    lxm_table *back;
    unit_succeeds(lxm_table_open(&back, f->output, NULL, NULL, &f->error), &f->error);
    assert_int_equal(lxm_table_rows(back), 0);
    lxm_table_free(back);
}

/* A .safetensors file as a reader sees it. */
typedef struct opened {
    uint8_t *bytes;
    json_t *json;
    const uint8_t *data;
} opened;

static opened open_tensors(const char *path)
{
    size_t length, header;
    opened o = {.bytes = unit_file_read(path, &length)};
    memcpy(&header, o.bytes, sizeof header);
    assert_true(header < length);
    assert_int_equal((8 + header) % 64, 0);
    o.json = json_loadb((const char *)o.bytes + 8, header, 0, NULL);
    assert_non_null(o.json);
    o.data = o.bytes + 8 + header;
    return o;
}

static void close_tensors(opened *o)
{
    json_decref(o->json);
    free(o->bytes);
}

/* The data of a tensor whose dtype and shape are as expected. */
static const void *tensor(const opened *o, const char *name, const char *dtype, const char *shape)
{
    json_t *t = json_object_get(o->json, name);
    assert_non_null(t);
    assert_string_equal(json_string_value(json_object_get(t, "dtype")), dtype);
    char *got = json_dumps(json_object_get(t, "shape"), JSON_COMPACT);
    assert_string_equal(got, shape);
    free(got);
    return o->data + json_integer_value(json_array_get(json_object_get(t, "data_offsets"), 0));
}

static void check_windows(fixture *f)
{
    opened o = open_tensors(f->output);
    const uint8_t *vectors = tensor(&o, "embeddings", "F32", "[4,4,3]");
    const uint32_t *inputs = tensor(&o, "inputs", "I32", "[4,4]");
    const uint32_t *targets = tensor(&o, "targets", "I32", "[4,4]");
    const uint8_t *mask = tensor(&o, "mask", "U8", "[4,4]");
    static const uint32_t want[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 500, 500, 500, 20, 500, 500, 500};
    static const float zeros[3] = {0};
    for (int i = 0; i < 16; i++) {
        assert_int_equal(inputs[i], want[i]);
        assert_int_equal(mask[i], want[i] != 500);
        assert_int_equal(targets[i], mask[i] ? want[i] + 1 : 500);
        if (mask[i])
            expect_row(f, inputs[i], vectors + 12 * i);
        else
            assert_memory_equal(vectors + 12 * i, zeros, sizeof zeros);
    }
    close_tensors(&o);
}

static void test_safetensors(void **state)
{
    fixture *f = *state;
    set_ids(f, "0 1 2 3 4 5 6 7 8 9\n20 21\n30\n");
    f->options.format = LXM_VECTORS_SAFETENSORS;
    f->options.window =
        (lxm_window_options){.context = 4, .targets = true, .pad = true, .pad_id = 500};
    f->options.settings = "a \"quoted\" \xc3\xa9";
    runs(f);
    assert_int_equal(f->result.rows, 4);
    assert_int_equal(f->result.unused, 1);
    check_windows(f);
    opened o = open_tensors(f->output);
    json_t *metadata = json_object_get(o.json, "__metadata__");
    assert_string_equal(json_string_value(json_object_get(metadata, "lexmill.settings")),
                        f->options.settings);
    close_tensors(&o);
}

static void test_drop_last(void **state)
{
    fixture *f = *state;
    count_up(f, 1001);
    f->options.format = LXM_VECTORS_SAFETENSORS;
    f->options.drop_last = true;
    f->options.batch = 8;
    f->options.window = (lxm_window_options){.context = 4, .targets = true};
    runs(f);
    assert_int_equal(f->result.rows, 248);
    assert_int_equal(f->result.dropped, 2);
    opened o = open_tensors(f->output);
    (void)tensor(&o, "inputs", "I32", "[248,4]");
    close_tensors(&o);
    f->options.window = (lxm_window_options){0};
    runs(f);
    assert_int_equal(f->result.rows, 1000);
    assert_int_equal(f->result.dropped, 1);
}

/* The threads, and how rows fall into pieces, never show. */
static void test_the_same_bytes(void **state)
{
    fixture *f = *state;
    lxm_table *wide, *positions;
    lxm_table_options options = {.dim = 700};
    assert_int_equal(lxm_table_generate(&wide, &options, NULL, NULL), LXM_OK);
    assert_int_equal(lxm_table_sinusoidal(&positions, 5, 700, NULL, NULL), LXM_OK);
    f->options.table = wide;
    f->options.positions = positions;
    f->options.window = (lxm_window_options){.context = 5, .stride = 3, .targets = true};
    count_up(f, 1000);
    for (int format = LXM_VECTORS_TEXT; format <= LXM_VECTORS_SAFETENSORS; format++) {
        size_t lengths[2];
        uint8_t *bytes[2];
        f->options.format = (lxm_vector_format)format;
        for (unsigned i = 0; i < 2; i++) {
            f->job.threads = i ? 3 : 1;
            f->options.batch = i ? 7 : 0;
            runs(f);
            bytes[i] = unit_file_read(f->output, &lengths[i]);
        }
        assert_int_equal(lengths[0], lengths[1]);
        assert_memory_equal(bytes[0], bytes[1], lengths[0]);
        free(bytes[0]);
        free(bytes[1]);
    }
    lxm_table_free(wide);
    lxm_table_free(positions);
}

/* ---- shards ---- */

/* Follows the manifest; returns the rows of all shards. */
static uint64_t check_shards(const fixture *f, size_t shards)
{
    char *path = unit_path(f->output, "manifest.json");
    json_t *manifest = json_load_file(path, 0, NULL), *list, *shard;
    size_t i;
    uint64_t rows = 0;
    free(path);
    assert_non_null(manifest);
    assert_string_equal(json_string_value(json_object_get(manifest, "format")), "lexmill-shards");
    list = json_object_get(manifest, "shards");
    assert_int_equal(json_array_size(list), shards);
    assert_int_equal(unit_folder_count(f->output), shards + 1);
    json_array_foreach(list, i, shard)
    {
        char hash[17];
        size_t length;
        path = unit_path(f->output, json_string_value(json_object_get(shard, "file")));
        uint8_t *bytes = unit_file_read(path, &length);
        assert_int_equal(json_integer_value(json_object_get(shard, "bytes")), length);
        snprintf(hash, sizeof hash, "%016llx", (unsigned long long)lxm_hash(bytes, length, 0));
        assert_string_equal(json_string_value(json_object_get(shard, "xxh3")), hash);
        rows += (uint64_t)json_integer_value(json_object_get(shard, "rows"));
        free(bytes);
        free(path);
    }
    assert_int_equal(json_integer_value(json_object_get(manifest, "rows")), rows);
    json_decref(manifest);
    return rows;
}

static void test_shards(void **state)
{
    fixture *f = *state;
    count_up(f, 1001);
    f->options.format = LXM_VECTORS_SHARDS;
    f->options.batch = 8;
    f->options.window = (lxm_window_options){.context = 4, .targets = true};
    f->options.shard_size = 4000; /* 10 batches of 384 bytes */
    runs(f);
    assert_int_equal(f->result.shards, 4);
    assert_int_equal(check_shards(f, 4), 250);
    assert_int_equal(run(f), LXM_ERROR_IO); /* already there */
    assert_non_null(strstr(f->error.message, "--force"));
    assert_int_equal(check_shards(f, 4), 250);
}

static void test_shards_are_replaced(void **state)
{
    fixture *f = *state;
    f->options.format = LXM_VECTORS_SHARDS;
    f->options.batch = 1;
    f->options.shard_size = 1;
    count_up(f, 9);
    runs(f);
    assert_int_equal(check_shards(f, 9), 9);
    f->options.replace = true;
    f->options.shard_size = 48;
    runs(f);
    assert_int_equal(check_shards(f, 3), 9);
    set_ids(f, "");
    runs(f);
    assert_int_equal(check_shards(f, 1), 0);
    set_ids(f, "1 2 3 4444");
    assert_int_equal(run(f), LXM_ERROR_ID);
    assert_int_equal(check_shards(f, 1), 0);
}

/* ---- failures ---- */

static void test_failures_leave_nothing(void **state)
{
    fixture *f = *state;
    static const lxm_vector_format formats[] = {LXM_VECTORS_TEXT, LXM_VECTORS_NPY,
                                                LXM_VECTORS_SAFETENSORS, LXM_VECTORS_SHARDS};
    for (size_t i = 0; i < unit_count(formats); i++) {
        f->options.format = formats[i];
        set_ids(f, "1 2\n\n3 1001\n");
        fails(f, LXM_ERROR_ID, "id 1001");
        assert_int_equal(f->error.line, 3);
        assert_ptr_equal(f->error.path, f->ids);
        set_ids(f, "1 2\nx\n");
        fails(f, LXM_ERROR_FORMAT, "");
        set_ids(f, "4294967296");
        fails(f, LXM_ERROR_ID, "");
    }
}

static void test_a_file_is_no_folder(void **state)
{
    fixture *f = *state;
    f->options.format = LXM_VECTORS_SHARDS;
    unit_file_write(f->output, "old", 3);
    set_ids(f, "1");
    assert_int_equal(run(f), LXM_ERROR_IO);
    assert_ptr_equal(f->error.path, f->output);
    size_t length;
    uint8_t *bytes = unit_file_read(f->output, &length);
    assert_string_equal((char *)bytes, "old");
    free(bytes);
    assert_int_equal(unit_folder_count(f->folder), 2);
}

static void test_ids_over_int32(void **state)
{
    fixture *f = *state;
    lxm_table *any;
    lxm_table_options options = {.dim = 2};
    assert_int_equal(lxm_table_generate(&any, &options, NULL, NULL), LXM_OK);
    f->options.table = any;
    f->options.window.context = 1;
    set_ids(f, "1\n2147483648\n");
    f->options.format = LXM_VECTORS_SAFETENSORS;
    fails(f, LXM_ERROR_ID, "int32");
    assert_int_equal(f->error.line, 2);
    f->options.format = LXM_VECTORS_NPY;
    runs(f);
    lxm_table_free(any);
}

static void test_options_that_make_no_sense(void **state)
{
    fixture *f = *state;
    lxm_table *positions;
    set_ids(f, "1");
    f->options.window.targets = true;
    fails(f, LXM_ERROR_ARGUMENT, "--context");
    f->options.window = (lxm_window_options){.context = 8};
    assert_int_equal(lxm_table_sinusoidal(&positions, 4, 3, NULL, NULL), LXM_OK);
    f->options.positions = positions;
    fails(f, LXM_ERROR_ARGUMENT, "4 positions");
    f->options.window.context = 2;
    runs(f);
    unlink(f->output);
    lxm_table_free(positions);
    assert_int_equal(lxm_table_sinusoidal(&positions, 4, 5, NULL, NULL), LXM_OK);
    f->options.positions = positions;
    fails(f, LXM_ERROR_ARGUMENT, "5 columns");
    lxm_table_free(positions);
}

/* Writes a binary id stream with a fingerprint. */
static void set_binary_ids(fixture *f, uint64_t fingerprint, const uint32_t *ids, size_t count)
{
    lxm_output *output;
    lxm_writer *writer;
    lxm_stream_options options = {
        .kind = LXM_KIND_IDS, .format = LXM_STREAM_BINARY, .fingerprint = fingerprint};
    assert_int_equal(lxm_output_open(&output, f->ids, NULL, NULL), LXM_OK);
    assert_int_equal(lxm_writer_new(&writer, output, &options, NULL, NULL), LXM_OK);
    lxm_ids block = {.ids = ids, .count = count};
    assert_int_equal(lxm_writer_ids(writer, &block, NULL), LXM_OK);
    assert_int_equal(lxm_writer_end_document(writer, NULL), LXM_OK);
    assert_int_equal(lxm_writer_finish(writer, NULL), LXM_OK);
    lxm_writer_free(writer);
    assert_int_equal(lxm_output_commit(output, NULL), LXM_OK);
}

/* Also: a table file keeps the fingerprint that it was made with, and its numbers. */
static void test_fingerprints(void **state)
{
    fixture *f = *state;
    static const uint32_t ids[] = {3, 2, 1000};
    char *path = unit_path(f->folder, "table.safetensors");
    unit_succeeds(lxm_run_write_table(f->table, 0xabcdef, LXM_VECTORS_SAFETENSORS, LXM_DTYPE_F32,
                                      "", path, &f->job, &f->error),
                  &f->error);
    lxm_table *made;
    unit_succeeds(lxm_table_open(&made, path, NULL, NULL, &f->error), &f->error);
    assert_int_equal(lxm_table_fingerprint(made), 0xabcdef);
    assert_int_equal(lxm_table_rows(made), 1001);
    f->options.table = made;
    set_binary_ids(f, 0xabcdee, ids, 3);
    assert_int_equal(run(f), LXM_ERROR_MISMATCH);
    assert_int_equal(unit_folder_count(f->folder), 2);
    f->options.any_vocabulary = true;
    runs(f);
    f->options.any_vocabulary = false;
    set_binary_ids(f, 0xabcdef, ids, 3);
    f->options.format = LXM_VECTORS_NPY;
    runs(f);
    size_t length;
    uint8_t *bytes = unit_file_read(f->output, &length);
    expect_row(f, 1000, bytes + 128 + 24);
    free(bytes);
    static const uint32_t bad[] = {3, 1001};
    set_binary_ids(f, 0, bad, 2);
    assert_int_equal(run(f), LXM_ERROR_ID);
    assert_int_equal(f->error.line, 0);
    assert_non_null(strstr(f->error.message, "number 1"));
    lxm_table_free(made);
    free(path);
}

static void test_write_table(void **state)
{
    fixture *f = *state;
    for (int format = LXM_VECTORS_NPY; format <= LXM_VECTORS_SAFETENSORS; format++) {
        lxm_table *back;
        unit_succeeds(lxm_run_write_table(f->table, 0, (lxm_vector_format)format, LXM_DTYPE_F32,
                                          NULL, f->output, &f->job, &f->error),
                      &f->error);
        unit_succeeds(lxm_table_open(&back, f->output, NULL, NULL, &f->error), &f->error);
        for (uint32_t id = 0; id < 1001; id++) {
            float values[3];
            assert_int_equal(lxm_table_gather(back, &id, 1, values, NULL), LXM_OK);
            expect_row(f, id, values);
        }
        lxm_table_free(back);
    }
    lxm_table *endless;
    assert_int_equal(lxm_table_generate(&endless, &(lxm_table_options){0}, NULL, NULL), LXM_OK);
    assert_int_equal(lxm_run_write_table(endless, 0, LXM_VECTORS_NPY, LXM_DTYPE_F32, NULL,
                                         f->output, NULL, NULL),
                     LXM_ERROR_ARGUMENT);
    assert_int_equal(lxm_run_write_table(f->table, 0, LXM_VECTORS_SHARDS, LXM_DTYPE_F32, NULL,
                                         f->output, NULL, NULL),
                     LXM_ERROR_ARGUMENT);
    lxm_table_free(endless);
}

/* Every allocation fails in turn: an error, nothing left, on disk or in memory. */
static void test_every_allocation(void **state)
{
    fixture *f = *state;
    set_ids(f, "0 1 2 3 4 5 6 7 8 9\n20 21\n30\n");
    f->job.threads = 1;
    f->options.window =
        (lxm_window_options){.context = 4, .targets = true, .pad = true, .pad_id = 500};
    f->options.batch = 2;
    f->options.shard_size = 1;
    for (int format = LXM_VECTORS_TEXT; format <= LXM_VECTORS_SHARDS; format++) {
        f->options.format = (lxm_vector_format)format;
        size_t calls = 1;
        for (size_t at = 1; at <= calls; at++) {
            f->allocator.fail_at = 0;
            f->allocator.calls = 0;
            if (at == 1) {
                f->options.replace = true;
                runs(f);
                calls = f->allocator.calls;
                unlink(f->output);
                continue;
            }
            f->allocator.fail_at = at - 1;
            lxm_status status = run(f);
            assert_int_equal(f->allocator.live, 0);
            if (format == LXM_VECTORS_SHARDS) /* the folder of the first run is still there */
                assert_int_equal(unit_folder_count(f->folder), 2);
            else
                assert_int_equal(unit_folder_count(f->folder), status ? 1 : 2);
            assert_true(status == LXM_ERROR_MEMORY || status == LXM_OK);
            if (format != LXM_VECTORS_SHARDS)
                unlink(f->output);
        }
    }
}

static void test_every_allocation_of_tables(void **state)
{
    fixture *f = *state;
    static const lxm_table_options options[] = {{.rows = 9, .dim = 5},
                                                {.rows = 9, .dim = 5, .init = LXM_INIT_TORCH}};
    unit_succeeds(lxm_run_write_table(f->table, 0, LXM_VECTORS_SAFETENSORS, LXM_DTYPE_F32, NULL,
                                      f->output, NULL, &f->error),
                  &f->error);
    for (size_t at = 1; at < 6; at++)
        for (int which = 0; which < 4; which++) {
            lxm_table *table = NULL;
            f->allocator.calls = 0;
            f->allocator.fail_at = at;
            lxm_status status =
                which < 2 ? lxm_table_generate(&table, &options[which], &f->allocator.functions,
                                               &f->error)
                : which == 2
                    ? lxm_table_sinusoidal(&table, 3, 5, &f->allocator.functions, &f->error)
                    : lxm_table_open(&table, f->output, NULL, &f->allocator.functions, &f->error);
            assert_true(status == (f->allocator.calls >= at ? LXM_ERROR_MEMORY : LXM_OK));
            assert_true((table == NULL) == (status != LXM_OK));
            lxm_table_free(table);
            assert_int_equal(f->allocator.live, 0);
        }
    f->allocator.fail_at = 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_text),
        TEST(test_npy),
        TEST(test_no_ids_no_rows),
        TEST(test_safetensors),
        TEST(test_drop_last),
        TEST(test_the_same_bytes),
        TEST(test_shards),
        TEST(test_shards_are_replaced),
        TEST(test_failures_leave_nothing),
        TEST(test_a_file_is_no_folder),
        TEST(test_ids_over_int32),
        TEST(test_options_that_make_no_sense),
        TEST(test_fingerprints),
        TEST(test_write_table),
        TEST(test_every_allocation),
        TEST(test_every_allocation_of_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
