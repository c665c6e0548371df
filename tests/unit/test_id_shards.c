/* Files of ids, byte for byte as their readers define them. */
#define _DEFAULT_SOURCE
#include <unistd.h>

#include <jansson.h>

#include "base/hash.h"
#include "unit.h"

typedef struct fixture {
    char *folder, *ids, *output;
    unit_allocator allocator;
    lxm_id_shards_options options;
    lxm_id_shards_result result;
    lxm_error error;
} fixture;

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->folder = unit_folder_make();
    f->ids = unit_path(f->folder, "ids.txt");
    f->output = unit_path(f->folder, "output");
    unit_allocator_init(&f->allocator);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    assert_int_equal(f->allocator.live, 0);
    unit_folder_remove(f->folder);
    free(f->ids);
    free(f->output);
    free(f);
    return 0;
}

/* Ids or, where a vocabulary is given, tokens or ids; with the file as it is. */
static lxm_status run_file(fixture *f, const lxm_vocab *vocab, unsigned threads)
{
    const char *paths[] = {f->ids};
    lxm_id_shards *shards;
    lxm_job job = {.threads = threads, .allocator = &f->allocator.functions};
    f->error = (lxm_error){0};
    lxm_status status =
        lxm_id_shards_new(&shards, &f->options, f->output, &f->allocator.functions, &f->error);
    if (status)
        return status;
    lxm_id_sink sink = lxm_id_shards_sink(shards);
    lxm_stream_options stream = {.sink = &sink};
    status = vocab ? lxm_run_encode(vocab, paths, 1, &stream, NULL, &job, &f->error)
                   : lxm_run_ids(paths, 1, &sink, &job, &f->error);
    if (!status)
        status = lxm_id_shards_commit(shards, &f->result, &f->error);
    lxm_id_shards_free(shards);
    return status;
}

static lxm_status run(fixture *f, const char *ids)
{
    unit_file_write(f->ids, ids, strlen(ids));
    return run_file(f, NULL, 1);
}

static void runs(fixture *f, const char *ids)
{
    f->options.replace = true;
    unit_succeeds(run(f, ids), &f->error);
}

static void expect(const fixture *f, const char *name, const void *bytes, size_t size)
{
    size_t length;
    char *path = unit_path(f->output, name);
    uint8_t *got = unit_file_read(path, &length);
    assert_int_equal(length, size);
    assert_memory_equal(got, bytes, size);
    free(got);
    free(path);
}

#define BYTES(text) text, sizeof text - 1

static void test_nanogpt(void **state)
{
    fixture *f = *state;
    f->options =
        (lxm_id_shards_options){.layout = LXM_IDS_NANOGPT, .has_eot = true, .eot_id = 50256};
    runs(f, "1 65535\n\n258\n");
    expect(f, "ids-00000.bin", BYTES("\1\0\xff\xff\x50\xc4\2\1\x50\xc4"));
    assert_int_equal(f->result.tokens, 5);
    assert_int_equal(f->result.documents, 2);
    assert_int_equal(unit_folder_count(f->output), 2);
    f->options.width = 32;
    assert_int_equal(run(f, "1"), LXM_ERROR_ARGUMENT);
}

static void test_llmc(void **state)
{
    fixture *f = *state;
    uint8_t want[1024 + 20] = {0x88, 0xD8, 0x34, 0x01, 1, 0, 0, 0, 5, 0, 0, 0}; /* 20240520 */
    memcpy(want + 1024, "\x50\xc4\1\0\xff\xff\x50\xc4\2\1", 10);
    f->options = (lxm_id_shards_options){.layout = LXM_IDS_LLMC, .has_eot = true, .eot_id = 50256};
    runs(f, "1 65535\n258\n");
    expect(f, "ids-00000.bin", want, 1024 + 10);
    memcpy(want, "\xA1\xD9\x34\x01\7\0\0\0\5\0\0\0", 12); /* 20240801 */
    memcpy(want + 1024, "\x50\xc4\0\0\1\0\0\0\0\0\1\0\x50\xc4\0\0\xff\xff\xff\xff", 20);
    f->options.vocab_size = 65537;
    runs(f, "1 65536\n4294967295\n");
    expect(f, "ids-00000.bin", want, 1024 + 20);
}

static void test_megatron(void **state)
{
    fixture *f = *state;
    f->options = (lxm_id_shards_options){.layout = LXM_IDS_MEGATRON};
    runs(f, "1 2 3\n\n4\n");
    expect(f, "ids-00000.bin", BYTES("\1\0\2\0\3\0\4\0"));
    expect(f, "ids-00000.idx",
           BYTES("MMIDIDX\0\0"
                 "\1\0\0\0\0\0\0\0"
                 "\x8" /* version, uint16 */
                 "\2\0\0\0\0\0\0\0"
                 "\3\0\0\0\0\0\0\0" /* sequences, documents + 1 */
                 "\3\0\0\0"
                 "\1\0\0\0" /* lengths */
                 "\0\0\0\0\0\0\0\0"
                 "\6\0\0\0\0\0\0\0" /* byte offsets */
                 "\0\0\0\0\0\0\0\0"
                 "\1\0\0\0\0\0\0\0"
                 "\2\0\0\0\0\0\0\0"));
    f->options = (lxm_id_shards_options){
        .layout = LXM_IDS_MEGATRON, .width = 32, .has_eot = true, .eot_id = 9, .shard_size = 2};
    runs(f, "1\n2147483647\n");
    expect(f, "ids-00000.bin", BYTES("\1\0\0\0\x9\0\0\0"));
    expect(f, "ids-00001.bin", BYTES("\xff\xff\xff\x7f\x9\0\0\0"));
    expect(f, "ids-00001.idx",
           BYTES("MMIDIDX\0\0"
                 "\1\0\0\0\0\0\0\0"
                 "\4"
                 "\1\0\0\0\0\0\0\0"
                 "\2\0\0\0\0\0\0\0"
                 "\2\0\0\0"
                 "\0\0\0\0\0\0\0\0"
                 "\0\0\0\0\0\0\0\0"
                 "\1\0\0\0\0\0\0\0"));
    assert_int_equal(run(f, "2147483648"), LXM_ERROR_ID);
}

/* Files end where they are full; what is left of longer runs goes. */
static void test_npy(void **state)
{
    fixture *f = *state;
    f->options = (lxm_id_shards_options){.layout = LXM_IDS_NPY, .shard_size = 2};
    runs(f, "1 2 3\n4 4294967295\n");
    assert_int_equal(unit_folder_count(f->output), 4);
    char want[128 + 4];
    memset(want, ' ', sizeof want);
    memcpy(want, "\x93NUMPY\1\0\x76\0{'descr': '<u4', 'fortran_order': False, 'shape': (1,), }",
           67);
    memcpy(want + 127, "\n\xff\xff\xff\xff", 5);
    expect(f, "ids-00002.npy", want, sizeof want);
    f->options.width = 16;
    f->options.shard_size = 0;
    runs(f, "7\n");
    assert_int_equal(unit_folder_count(f->output), 2);
}

static void test_safetensors(void **state)
{
    fixture *f = *state;
    f->options = (lxm_id_shards_options){.layout = LXM_IDS_SAFETENSORS};
    runs(f, "1 2 3\n4 5\n");
    char *path = unit_path(f->output, "ids-00000.safetensors");
    size_t length;
    uint8_t *bytes = unit_file_read(path, &length);
    assert_int_equal(length, 320 + 20 + 4 + 24);
    assert_memory_equal(bytes + 320, "\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5\0\0\0\0\0\0\0", 24);
    assert_memory_equal(bytes + 344, "\0\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0", 24);
    free(bytes);
    lxm_output *output;
    unit_succeeds(lxm_output_open(&output, f->ids, NULL, &f->error), &f->error);
    unit_succeeds(lxm_run_info(path, NULL, output, NULL, &f->error), &f->error);
    unit_succeeds(lxm_output_commit(output, &f->error), &f->error);
    char *text = (char *)unit_file_read(f->ids, &length);
    assert_string_equal(text, "format: safetensors\ntensor: ids I32 [5]\ntensor: filler U8 [4]\n"
                              "tensor: documents I64 [3]\n");
    free(text);
    free(path);
}

static void test_ids_that_do_not_fit(void **state)
{
    fixture *f = *state;
    static const lxm_id_layout layouts[] = {LXM_IDS_NANOGPT, LXM_IDS_LLMC, LXM_IDS_MEGATRON};
    for (size_t i = 0; i < 3; i++) {
        f->options = (lxm_id_shards_options){.layout = layouts[i], .shard_size = 1};
        assert_int_equal(run(f, "1 65535\n7\n65536\n"), LXM_ERROR_ID);
        assert_int_equal(f->error.line, 3);
        assert_ptr_equal(f->error.path, f->ids);
        assert_non_null(strstr(f->error.message, "65536"));
        assert_int_equal(unit_folder_count(f->folder), 1); /* nothing is left */
    }
    f->options =
        (lxm_id_shards_options){.layout = LXM_IDS_NANOGPT, .has_eot = true, .eot_id = 65536};
    assert_int_equal(run(f, "1"), LXM_ERROR_ARGUMENT);
    f->options = (lxm_id_shards_options){.shard_size = (uint64_t)1 << 31};
    assert_int_equal(run(f, "1"), LXM_ERROR_ARGUMENT);
    f->options = (lxm_id_shards_options){.width = 8};
    assert_int_equal(run(f, "1"), LXM_ERROR_ARGUMENT);
}

static void test_manifest(void **state)
{
    fixture *f = *state;
    f->options = (lxm_id_shards_options){.layout = LXM_IDS_MEGATRON, .shard_size = 2};
    unit_succeeds(run(f, "1 2 3\n4\n5\n6\n"), &f->error);
    assert_int_equal(run(f, "1"), LXM_ERROR_IO);
    assert_non_null(strstr(f->error.message, "--force"));
    assert_ptr_equal(f->error.path, f->output);
    char *path = unit_path(f->output, "manifest.json");
    json_t *manifest = json_load_file(path, 0, NULL), *shard;
    size_t index;
    assert_non_null(manifest);
    assert_int_equal(json_integer_value(json_object_get(manifest, "tokens")), 6);
    assert_int_equal(json_integer_value(json_object_get(manifest, "documents")), 4);
    assert_int_equal(json_array_size(json_object_get(manifest, "shards")), 3);
    json_array_foreach(json_object_get(manifest, "shards"), index, shard)
    {
        static const int documents[] = {1, 2, 1};
        char hash[17];
        size_t length;
        char *file = unit_path(f->output, json_string_value(json_object_get(shard, "file")));
        uint8_t *bytes = unit_file_read(file, &length);
        snprintf(hash, sizeof hash, "%016llx", (unsigned long long)lxm_hash(bytes, length, 0));
        assert_string_equal(json_string_value(json_object_get(shard, "xxh3")), hash);
        assert_int_equal(json_integer_value(json_object_get(shard, "documents")), documents[index]);
        free(bytes);
        free(file);
    }
    json_decref(manifest);
    free(path);
}

static void test_every_allocation(void **state)
{
    fixture *f = *state;
    for (int layout = LXM_IDS_NANOGPT; layout <= LXM_IDS_SAFETENSORS; layout++)
        for (size_t at = 1;; at++) {
            f->options = (lxm_id_shards_options){.layout = (lxm_id_layout)layout, .shard_size = 2};
            f->allocator.calls = 0;
            f->allocator.fail_at = at;
            lxm_status status = run(f, "1 2\n3\n4\n");
            assert_int_equal(f->allocator.live, 0);
            assert_true(status == LXM_OK || status == LXM_ERROR_MEMORY);
            if (access(f->output, F_OK) == 0)
                unit_folder_remove(strdup(f->output));
            if (f->allocator.calls < at)
                break;
        }
}

/* ---- what comes in binary ---- */

static void write_stream(fixture *f, lxm_kind kind, uint64_t fingerprint, const uint32_t *ids,
                         size_t count)
{
    static const lxm_span spans[] = {{0, 1}, {1, 2}, {0, 1}};
    lxm_output *output;
    lxm_writer *writer;
    lxm_stream_options options = {.kind = kind,
                                  .format = LXM_STREAM_BINARY,
                                  .fingerprint = fingerprint,
                                  .settings = "preset=words"};
    unit_succeeds(lxm_output_open(&output, f->ids, NULL, &f->error), &f->error);
    unit_succeeds(lxm_writer_new(&writer, output, &options, NULL, &f->error), &f->error);
    lxm_tokens tokens = {(const uint8_t *)"ab", spans, count, NULL};
    lxm_ids numbers = {ids, count, NULL};
    unit_succeeds(kind == LXM_KIND_IDS ? lxm_writer_ids(writer, &numbers, &f->error)
                                       : lxm_writer_tokens(writer, &tokens, &f->error),
                  &f->error);
    unit_succeeds(lxm_writer_finish(writer, &f->error), &f->error);
    lxm_writer_free(writer);
    unit_succeeds(lxm_output_commit(output, &f->error), &f->error);
}

static void test_edges_in_binary(void **state)
{
    fixture *f = *state;
    static const struct {
        lxm_id_layout layout;
        unsigned width;
        uint32_t most;
    } cases[] = {
        {LXM_IDS_NANOGPT, 16, 65535},         {LXM_IDS_LLMC, 16, 65535},
        {LXM_IDS_MEGATRON, 16, 65535},        {LXM_IDS_NPY, 16, 65535},
        {LXM_IDS_SAFETENSORS, 16, 65535},     {LXM_IDS_LLMC, 32, UINT32_MAX},
        {LXM_IDS_MEGATRON, 32, INT32_MAX},    {LXM_IDS_NPY, 32, UINT32_MAX},
        {LXM_IDS_SAFETENSORS, 32, INT32_MAX},
    };
    for (size_t i = 0; i < unit_count(cases); i++) {
        f->options = (lxm_id_shards_options){
            .layout = cases[i].layout, .width = cases[i].width, .replace = true};
        const uint32_t good[] = {1, cases[i].most, 2}, bad[] = {1, 2, cases[i].most + 1};
        write_stream(f, LXM_KIND_IDS, 0, good, 3);
        unit_succeeds(run_file(f, NULL, 1), &f->error);
        assert_int_equal(f->result.tokens, 3);
        if (cases[i].most == UINT32_MAX)
            continue;
        write_stream(f, LXM_KIND_IDS, 0, bad, 3);
        assert_int_equal(run_file(f, NULL, 1), LXM_ERROR_ID);
        assert_non_null(strstr(f->error.message, "number 2 of the stream, from 0"));
        assert_ptr_equal(f->error.path, f->ids);
        assert_int_equal(lxm_run_verify(f->output, NULL, NULL, NULL), LXM_OK); /* the old one */
    }
}

static lxm_vocab *make_vocab(fixture *f)
{
    lxm_vocab *vocab;
    uint32_t id;
    unit_succeeds(lxm_vocab_new(&vocab, NULL, &f->error), &f->error);
    unit_succeeds(lxm_vocab_add(vocab, "a", 1, 0, &id, &f->error), &f->error);
    unit_succeeds(lxm_vocab_add(vocab, "b", 1, 0, &id, &f->error), &f->error);
    return vocab;
}

static void test_tokens_and_ids_are_told_apart(void **state)
{
    fixture *f = *state;
    lxm_vocab *vocab = make_vocab(f);
    uint64_t fingerprint = lxm_vocab_fingerprint(vocab);
    static const uint32_t ids[] = {0, 1, 0};
    f->options = (lxm_id_shards_options){.vocab_size = 2, .fingerprint = fingerprint};
    write_stream(f, LXM_KIND_TOKENS, 0, NULL, 3);
    unit_succeeds(run_file(f, vocab, 2), &f->error);
    expect(f, "ids-00000.bin", BYTES("\0\0\1\0\0\0"));
    f->options.replace = true;
    write_stream(f, LXM_KIND_IDS, fingerprint, ids, 3);
    unit_succeeds(run_file(f, vocab, 2), &f->error);
    expect(f, "ids-00000.bin", BYTES("\0\0\1\0\0\0"));
    write_stream(f, LXM_KIND_IDS, fingerprint + 1, ids, 3);
    assert_int_equal(run_file(f, vocab, 2), LXM_ERROR_MISMATCH);
    assert_ptr_equal(f->error.path, f->ids);
    unit_file_write(f->ids, "a\nc\n", 4);
    assert_int_equal(run_file(f, vocab, 2), LXM_ERROR_TOKEN);
    assert_int_equal(f->error.line, 2);
    f->options.vocab_size = 65537;
    assert_int_equal(run_file(f, vocab, 2), LXM_ERROR_ARGUMENT);
    lxm_vocab_free(vocab);
}

static void test_every_allocation_of_tokens(void **state)
{
    fixture *f = *state;
    lxm_vocab *vocab = make_vocab(f);
    write_stream(f, LXM_KIND_TOKENS, 0, NULL, 3);
    for (size_t at = 1;; at++) {
        f->options = (lxm_id_shards_options){.layout = LXM_IDS_MEGATRON, .shard_size = 1};
        f->allocator.calls = 0;
        f->allocator.fail_at = at;
        lxm_status status = run_file(f, vocab, 1);
        assert_int_equal(f->allocator.live, 0);
        assert_true(status == LXM_OK || status == LXM_ERROR_MEMORY);
        if (access(f->output, F_OK) == 0)
            unit_folder_remove(strdup(f->output));
        if (f->allocator.calls < at)
            break;
    }
    lxm_vocab_free(vocab);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_nanogpt),
        TEST(test_llmc),
        TEST(test_megatron),
        TEST(test_npy),
        TEST(test_safetensors),
        TEST(test_ids_that_do_not_fit),
        TEST(test_manifest),
        TEST(test_every_allocation),
        TEST(test_edges_in_binary),
        TEST(test_tokens_and_ids_are_told_apart),
        TEST(test_every_allocation_of_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
