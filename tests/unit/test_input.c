/* Compressed input: every format, from files and pipes; cut, damaged, empty, and with more behind.
 */
#define _XOPEN_SOURCE 700
#include "unit.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/compressed.h"
#include "compressed_samples.h"

#define FIRST "The wren sings. The wren sings again.\n"
#define TEXT FIRST "Brest, Bath, Bern.\n"

enum { most_text = 4096 };

typedef struct sample {
    const char *name;
    const uint8_t *bytes;
    size_t length, cut;
    const uint8_t *nothing;
    size_t nothing_length;
} sample;

#define SAMPLE(name)                                                                               \
    {                                                                                              \
#name, name##_sample, sizeof name##_sample, name##_cut, name##_nothing,                    \
            sizeof name##_nothing                                                                  \
    }
static const sample samples[] = {SAMPLE(gzip), SAMPLE(zstd), SAMPLE(xz), SAMPLE(bzip2),
                                 SAMPLE(lz4)};

typedef struct files {
    char *folder, *path;
    lxm_error error;
    char text[most_text + 1];
    size_t length;
} files;

static int set_up(void **state)
{
    files *f = calloc(1, sizeof *f);
    f->folder = unit_folder_make();
    f->path = unit_path(f->folder, "data");
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    files *f = *state;
    unit_folder_remove(f->folder);
    free(f->path);
    free(f);
    return 0;
}

/* Reads a whole input, `step` bytes at a time. */
static lxm_status read_path(files *f, const char *path, size_t step, const lxm_allocator *allocator)
{
    lxm_input *input;
    f->length = 0;
    f->error = (lxm_error){0};
    lxm_status status = lxm_input_open(&input, path, allocator, &f->error);
    for (size_t n = 1; !status && n > 0; f->length += n) {
        assert_true(f->length + step <= most_text);
        status = lxm_input_read(input, f->text + f->length, step, &n, &f->error);
    }
    lxm_input_close(input);
    f->text[f->length] = '\0';
    return status;
}

static lxm_status read_file(files *f, const uint8_t *bytes, size_t length)
{
    unit_file_write(f->path, bytes, length);
    return read_path(f, f->path, 64, NULL);
}

static lxm_status read_pipe(files *f, const uint8_t *bytes, size_t length, size_t step)
{
    int ends[2];
    char path[32];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], bytes, length), length);
    close(ends[1]);
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    lxm_status status = read_path(f, path, step, NULL);
    close(ends[0]);
    return status;
}

static void plain_bytes_are_read_as_they_are(void **state)
{
    static const char *const texts[] = {"",
                                        "B",
                                        "BZ",
                                        "BZh91",
                                        "BZh91AY&S and so on",
                                        "\x1f\x8b",
                                        "(\xb5/",
                                        "\xfd"
                                        "7zXZ",
                                        "P*M",
                                        "PMM*",
                                        "one, two\n"};
    files *f = *state;
    for (size_t i = 0; i < unit_count(texts); i++)
        for (size_t step = 1; step < 32; step++) {
            const uint8_t *bytes = (const uint8_t *)texts[i];
            unit_file_write(f->path, bytes, strlen(texts[i]));
            unit_succeeds(read_path(f, f->path, step, NULL), &f->error);
            assert_string_equal(f->text, texts[i]);
            unit_succeeds(read_pipe(f, bytes, strlen(texts[i]), step), &f->error);
            assert_string_equal(f->text, texts[i]);
        }
}

#ifdef LXM_HAVE_ARCHIVE

static void compressed_bytes_are_decompressed_from_files_and_pipes(void **state)
{
    files *f = *state;
    for (size_t i = 0; i < unit_count(samples); i++)
        for (size_t step = 1; step < 80; step += 3) {
            const sample *s = &samples[i];
            unit_file_write(f->path, s->bytes, s->length);
            unit_succeeds(read_path(f, f->path, step, NULL), &f->error);
            assert_string_equal(f->text, TEXT);
            unit_succeeds(read_pipe(f, s->bytes, s->length, step), &f->error);
            assert_string_equal(f->text, TEXT);
        }
}

static void the_bytes_consumed_are_those_of_the_file(void **state)
{
    files *f = *state;
    for (size_t i = 0; i < unit_count(samples); i++) {
        lxm_input *input;
        size_t n = 1;
        unit_file_write(f->path, samples[i].bytes, samples[i].length);
        unit_succeeds(lxm_input_open(&input, f->path, NULL, &f->error), &f->error);
        assert_int_equal(lxm_input_size(input), samples[i].length);
        while (n > 0)
            unit_succeeds(lxm_input_read(input, f->text, most_text, &n, &f->error), &f->error);
        assert_int_equal(lxm_input_consumed(input), samples[i].length);
        lxm_input_close(input);
    }
}

static void nothing_compressed_is_nothing(void **state)
{
    files *f = *state;
    for (size_t i = 0; i < unit_count(samples); i++) {
        unit_succeeds(read_file(f, samples[i].nothing, samples[i].nothing_length), &f->error);
        assert_int_equal(f->length, 0);
    }
}

static void a_cut_file_is_an_error(void **state)
{
    files *f = *state;
    for (size_t i = 0; i < unit_count(samples); i++) {
        const sample *s = &samples[i];
        bool more;
        for (size_t length = 1; length < s->length; length++) {
            lxm_status status = read_pipe(f, s->bytes, length, 64);
            lxm_compression found = lxm_compression_of(s->bytes, length, &more);
            bool whole = length == s->cut || found == LXM_COMPRESSION_NONE;
            if (status != (whole ? LXM_OK : LXM_ERROR_FORMAT))
                fail_msg("%s cut to %zu bytes: %d %s", s->name, length, status, f->error.message);
            if (status)
                assert_non_null(strstr(f->error.message, "cut short or damaged"));
        }
        for (size_t length = 11; length < s->nothing_length; length++)
            assert_int_equal(read_file(f, s->nothing, length), LXM_ERROR_FORMAT);
    }
}

/* A flipped bit is an error, but for those that nothing depends on, such as a time stamp. */
static void damage_never_changes_the_text(void **state)
{
    files *f = *state;
    for (size_t i = 0; i < unit_count(samples); i++) {
        const sample *s = &samples[i];
        uint8_t bytes[512];
        for (size_t bit = 80; bit < 8 * s->length; bit += 3) {
            memcpy(bytes, s->bytes, s->length);
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            lxm_status status = read_pipe(f, bytes, s->length, 64);
            if (status ? status != LXM_ERROR_FORMAT : strcmp(f->text, TEXT) != 0)
                fail_msg("%s, bit %zu: %d %s \"%s\"", s->name, bit, status, f->error.message,
                         f->text);
        }
    }
}

static void what_follows_must_be_more_of_the_same(void **state)
{
    files *f = *state;
    for (size_t i = 0; i < unit_count(samples); i++) {
        const sample *s = &samples[i];
        uint8_t bytes[512];
        memcpy(bytes, s->bytes, s->length);
        memcpy(bytes + s->length, "more!", 5);
        assert_int_equal(read_file(f, bytes, s->length + 5), LXM_ERROR_FORMAT);
        assert_int_equal(read_file(f, bytes, s->length + 1), LXM_ERROR_FORMAT);
    }
    uint8_t padded[512] = {0};
    memcpy(padded, gzip_sample, sizeof gzip_sample);
    unit_succeeds(read_file(f, padded, sizeof padded), &f->error);
    assert_string_equal(f->text, TEXT);
}

static void a_frame_to_be_skipped_may_come_first(void **state)
{
    static const uint8_t skipped[] = {0x53, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 'a', 'b', 'c'};
    files *f = *state;
    uint8_t bytes[512];
    memcpy(bytes, skipped, sizeof skipped);
    memcpy(bytes + sizeof skipped, zstd_sample, sizeof zstd_sample);
    unit_succeeds(read_file(f, bytes, sizeof skipped + sizeof zstd_sample), &f->error);
    assert_string_equal(f->text, TEXT);
}

static void every_allocation_may_fail(void **state)
{
    files *f = *state;
    for (size_t i = 0; i < unit_count(samples); i++) {
        lxm_status status = LXM_ERROR_MEMORY;
        unit_file_write(f->path, samples[i].bytes, samples[i].length);
        for (size_t at = 1; status; at++) {
            unit_allocator a;
            unit_allocator_init(&a);
            a.fail_at = at;
            status = read_path(f, f->path, 64, &a.functions);
            if (status && status != LXM_ERROR_MEMORY)
                fail_msg("%s, %zu: %s", samples[i].name, at, f->error.message);
            assert_int_equal(atomic_load(&a.live), 0);
        }
        assert_string_equal(f->text, TEXT);
    }
}

#else

static void compressed_bytes_are_refused_by_name(void **state)
{
    files *f = *state;
    for (size_t i = 0; i < unit_count(samples); i++) {
        const sample *s = &samples[i];
        assert_int_equal(read_file(f, s->bytes, s->length), LXM_ERROR_UNSUPPORTED);
        assert_non_null(strstr(f->error.message, s->name));
        assert_int_equal(read_file(f, s->nothing, s->nothing_length), LXM_ERROR_UNSUPPORTED);
    }
}

#endif

#define with_files(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_files(plain_bytes_are_read_as_they_are),
#ifdef LXM_HAVE_ARCHIVE
        with_files(compressed_bytes_are_decompressed_from_files_and_pipes),
        with_files(the_bytes_consumed_are_those_of_the_file),
        with_files(nothing_compressed_is_nothing),
        with_files(a_cut_file_is_an_error),
        with_files(damage_never_changes_the_text),
        with_files(what_follows_must_be_more_of_the_same),
        with_files(a_frame_to_be_skipped_may_come_first),
        with_files(every_allocation_may_fail),
#else
        with_files(compressed_bytes_are_refused_by_name),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
