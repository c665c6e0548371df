/* Promise 5: a named output appears whole or not at all, and nothing is left behind. */
#define _XOPEN_SOURCE 700
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

typedef struct fixture {
    char *folder, *target;
    unit_allocator a;
    lxm_error error;
} fixture;

static int set_up(void **state)
{
    static fixture f;
    f.folder = unit_folder_make();
    f.target = unit_path(f.folder, "target");
    unit_allocator_init(&f.a);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    free(f->target);
    unit_folder_remove(f->folder);
    return f->a.live != 0;
}

static lxm_output *open_output(fixture *f, const char *path)
{
    lxm_output *output;
    unit_succeeds(lxm_output_open(&output, path, &f->a.functions, &f->error), &f->error);
    return output;
}

static void put(fixture *f, lxm_output *output, const void *bytes, size_t length)
{
    unit_succeeds(lxm_output_write(output, bytes, length, &f->error), &f->error);
}

static void commit(fixture *f, lxm_output *output)
{
    unit_succeeds(lxm_output_commit(output, &f->error), &f->error);
}

static void holds(const char *path, const char *text)
{
    size_t length;
    uint8_t *bytes = unit_file_read(path, &length);
    assert_int_equal(length, strlen(text));
    assert_string_equal((char *)bytes, text);
    free(bytes);
}

static void write_whole(fixture *f, const char *path, const char *text)
{
    lxm_output *output = open_output(f, path);
    put(f, output, text, strlen(text));
    commit(f, output);
}

/* ---- outputs ---- */

static void the_old_file_stays_until_the_commit(void **state)
{
    fixture *f = *state;
    unit_file_write(f->target, "old", 3);
    lxm_output *output = open_output(f, f->target);
    put(f, output, "new", 3);
    unit_succeeds(lxm_output_flush(output, &f->error), &f->error);
    holds(f->target, "old");
    commit(f, output);
    holds(f->target, "new");
    assert_int_equal(unit_folder_count(f->folder), 1);
}

static void a_discarded_output_leaves_nothing(void **state)
{
    fixture *f = *state;
    lxm_output *output = open_output(f, f->target);
    put(f, output, "new", 3);
    unit_succeeds(lxm_output_flush(output, &f->error), &f->error);
    lxm_output_discard(output);
    assert_int_equal(unit_folder_count(f->folder), 0);
    unit_file_write(f->target, "old", 3);
    output = open_output(f, f->target);
    put(f, output, "new", 3);
    lxm_output_discard(output);
    holds(f->target, "old");
    assert_int_equal(unit_folder_count(f->folder), 1);
    lxm_output_discard(NULL);
}

static void an_empty_output_is_an_empty_file(void **state)
{
    fixture *f = *state;
    commit(f, open_output(f, f->target));
    holds(f->target, "");
}

static void permissions_are_kept(void **state)
{
    fixture *f = *state;
    static const mode_t modes[] = {0600, 0644, 0755, 0640};
    for (size_t i = 0; i < unit_count(modes); i++) {
        struct stat status;
        unit_file_write(f->target, "old", 3);
        assert_int_equal(chmod(f->target, modes[i]), 0);
        write_whole(f, f->target, "new");
        assert_int_equal(stat(f->target, &status), 0);
        assert_int_equal(status.st_mode & 07777, modes[i]);
        holds(f->target, "new");
    }
}

static void a_new_file_has_the_users_permissions(void **state)
{
    fixture *f = *state;
    struct stat status;
    mode_t old = umask(027);
    write_whole(f, f->target, "new");
    umask(old);
    assert_int_equal(stat(f->target, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
}

/* Writes through a link and demands that it still is one, and leads to the text. */
static void through_link(fixture *f, const char *to, const char *name, const char *end)
{
    struct stat status;
    char *link = unit_path(f->folder, name), *file = unit_path(f->folder, end);
    assert_int_equal(symlink(to, link), 0);
    write_whole(f, link, "new");
    assert_int_equal(lstat(link, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_int_equal(lstat(file, &status), 0);
    assert_true(S_ISREG(status.st_mode));
    holds(file, "new");
    free(link);
    free(file);
}

static void through_a_symbolic_link_its_target_is_written(void **state)
{
    fixture *f = *state;
    char *inner = unit_path(f->folder, "inner"), *deep = unit_path(f->folder, "inner/deep");
    assert_int_equal(mkdir(inner, 0777), 0);
    unit_file_write(f->target, "old", 3);
    through_link(f, "target", "relative", "target");
    through_link(f, "relative", "twice", "target");
    through_link(f, deep, "absolute_dangling", "inner/deep");
    through_link(f, "inner/other", "relative_dangling", "inner/other");
    through_link(f, "../target", "inner/up", "target");
    through_link(f, "../fresh", "inner/up_dangling", "fresh");
    assert_int_equal(unit_folder_count(inner), 4);
    assert_int_equal(unit_folder_count(f->folder), 7);
    free(inner);
    free(deep);
}

static void a_circle_of_links_is_an_error(void **state)
{
    fixture *f = *state;
    lxm_output *output;
    assert_int_equal(symlink("target", f->target), 0);
    assert_int_equal(lxm_output_open(&output, f->target, &f->a.functions, &f->error), LXM_ERROR_IO);
    assert_int_equal(f->error.system, ELOOP);
    assert_ptr_equal(f->error.path, f->target);
    assert_null(output);
}

static void what_cant_be_opened_is_named(void **state)
{
    fixture *f = *state;
    char *missing = unit_path(f->folder, "no/such/folder");
    lxm_output *output;
    assert_int_equal(lxm_output_open(&output, missing, &f->a.functions, &f->error), LXM_ERROR_IO);
    assert_int_equal(f->error.system, ENOENT);
    assert_ptr_equal(f->error.path, missing);
    assert_int_equal(lxm_output_open(&output, f->folder, &f->a.functions, &f->error), LXM_ERROR_IO);
    assert_int_equal(f->error.system, EISDIR);
    assert_int_equal(lxm_output_open(&output, "", &f->a.functions, &f->error), LXM_ERROR_IO);
    free(missing);
    assert_int_equal(unit_folder_count(f->folder), 0);
}

static void *read_fifo(void *path)
{
    static char text[16];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

static void a_fifo_is_written_straight(void **state)
{
    fixture *f = *state;
    pthread_t reader;
    void *text;
    struct stat status;
    assert_int_equal(mkfifo(f->target, 0666), 0);
    assert_int_equal(pthread_create(&reader, NULL, read_fifo, f->target), 0);
    lxm_output *output = open_output(f, f->target);
    assert_false(lxm_output_can_patch(output));
    assert_int_equal(lxm_output_patch(output, 0, "x", 1, &f->error), LXM_ERROR_ARGUMENT);
    put(f, output, "through", 7);
    commit(f, output);
    assert_int_equal(pthread_join(reader, &text), 0);
    assert_string_equal((char *)text, "through");
    assert_int_equal(stat(f->target, &status), 0);
    assert_true(S_ISFIFO(status.st_mode));
    assert_int_equal(unit_folder_count(f->folder), 1);
}

static void a_device_is_written_straight(void **state)
{
    fixture *f = *state;
    struct stat status;
    write_whole(f, "/dev/null", "gone");
    assert_int_equal(stat("/dev/null", &status), 0);
    assert_true(S_ISCHR(status.st_mode));
    if (access("/dev/full", W_OK))
        return;
    lxm_output *output = open_output(f, "/dev/full");
    put(f, output, "no room", 7);
    assert_int_equal(lxm_output_commit(output, &f->error), LXM_ERROR_IO);
    assert_int_equal(f->error.system, ENOSPC);
    assert_string_equal(f->error.path, "/dev/full");
}

static void writes_of_every_size_arrive_in_order(void **state)
{
    fixture *f = *state;
    static const size_t sizes[] = {0,      1,      100,    65536,  131071, 131072,
                                   131073, 262143, 262144, 262145, 600000, 3};
    lxm_output *output = open_output(f, f->target);
    uint8_t *bytes = malloc(600000);
    size_t total = 0, length, at = 0;
    uint64_t seed = 1, again = 1;
    assert_non_null(bytes);
    for (size_t i = 0; i < unit_count(sizes); i++) {
        for (size_t k = 0; k < sizes[i]; k++)
            bytes[k] = (uint8_t)unit_random(&seed);
        put(f, output, bytes, sizes[i]);
        total += sizes[i];
    }
    commit(f, output);
    free(bytes);
    bytes = unit_file_read(f->target, &length);
    assert_int_equal(length, total);
    while (at < length && bytes[at] == (uint8_t)unit_random(&again))
        at++;
    assert_int_equal(at, length);
    free(bytes);
}

static void what_was_written_can_be_patched(void **state)
{
    fixture *f = *state;
    lxm_output *output = open_output(f, f->target);
    assert_true(lxm_output_can_patch(output));
    assert_false(lxm_output_is_terminal(output));
    put(f, output, "one two three", 13);
    unit_succeeds(lxm_output_patch(output, 4, "TWO", 3, &f->error), &f->error);
    put(f, output, " four", 5);
    unit_succeeds(lxm_output_patch(output, 0, "O", 1, &f->error), &f->error);
    unit_succeeds(lxm_output_patch(output, 14, "FOUR", 4, &f->error), &f->error);
    unit_succeeds(lxm_output_patch(output, 3, NULL, 0, &f->error), &f->error);
    commit(f, output);
    holds(f->target, "One TWO three FOUR");
}

static void two_outputs_of_one_name_do_not_meet(void **state)
{
    fixture *f = *state;
    lxm_output *one = open_output(f, f->target), *two = open_output(f, f->target);
    put(f, one, "one", 3);
    put(f, two, "two", 3);
    commit(f, two);
    holds(f->target, "two");
    commit(f, one);
    holds(f->target, "one");
    assert_int_equal(unit_folder_count(f->folder), 1);
}

static void a_target_that_became_a_folder_is_an_error(void **state)
{
    fixture *f = *state;
    lxm_output *output = open_output(f, f->target);
    put(f, output, "new", 3);
    assert_int_equal(mkdir(f->target, 0777), 0);
    assert_int_equal(lxm_output_commit(output, &f->error), LXM_ERROR_IO);
    assert_ptr_equal(f->error.path, f->target);
    assert_int_equal(unit_folder_count(f->folder), 1);
}

/* Runs with descriptor 1 in the place of another and gives it back. */
static void standard_output(fixture *f, const char *path, int flags, const char *text,
                            lxm_status expected)
{
    int saved = dup(STDOUT_FILENO), fd = open(path, flags, 0666);
    lxm_output *output;
    fflush(stdout);
    assert_true(saved >= 0 && fd >= 0);
    assert_int_equal(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
    close(fd);
    lxm_status status = lxm_output_open(&output, "-", &f->a.functions, &f->error);
    bool patch = !status && lxm_output_can_patch(output);
    if (!status)
        status = lxm_output_write(output, text, strlen(text), &f->error);
    if (!status)
        status = lxm_output_commit(output, &f->error);
    bool closed = fcntl(STDOUT_FILENO, F_GETFD) < 0;
    dup2(saved, STDOUT_FILENO);
    close(saved);
    assert_int_equal(status, expected);
    if (expected) {
        assert_string_equal(f->error.path, "standard output");
        return;
    }
    assert_true(closed);
    assert_int_equal(patch, !(flags & O_APPEND));
}

static void standard_output_is_closed_and_checked(void **state)
{
    fixture *f = *state;
    standard_output(f, f->target, O_WRONLY | O_CREAT, "one", LXM_OK);
    holds(f->target, "one");
    standard_output(f, f->target, O_WRONLY | O_APPEND, " two", LXM_OK);
    holds(f->target, "one two");
    standard_output(f, f->target, O_RDONLY, "x", LXM_ERROR_IO);
    holds(f->target, "one two");
}

/* ---- inputs ---- */

static void an_input_is_read_to_its_end(void **state)
{
    fixture *f = *state;
    lxm_input *input;
    char text[16];
    size_t n;
    unit_file_write(f->target, "goose", 5);
    unit_succeeds(lxm_input_open(&input, f->target, &f->a.functions, &f->error), &f->error);
    assert_string_equal(lxm_input_name(input), f->target);
    assert_int_equal(lxm_input_size(input), 5);
    unit_succeeds(lxm_input_read(input, text, 3, &n, &f->error), &f->error);
    assert_int_equal(n, 3);
    unit_succeeds(lxm_input_read(input, text, 16, &n, &f->error), &f->error);
    assert_int_equal(n, 2);
    unit_succeeds(lxm_input_read(input, text, 16, &n, &f->error), &f->error);
    assert_int_equal(n, 0);
    lxm_input_close(input);
    lxm_input_close(NULL);
}

static void an_input_that_cant_be_read_is_named(void **state)
{
    fixture *f = *state;
    lxm_input *input;
    assert_int_equal(lxm_input_open(&input, f->target, &f->a.functions, &f->error), LXM_ERROR_IO);
    assert_int_equal(f->error.system, ENOENT);
    assert_ptr_equal(f->error.path, f->target);
    assert_null(input);
    assert_int_equal(lxm_input_open(&input, f->folder, &f->a.functions, &f->error), LXM_ERROR_IO);
    assert_int_equal(f->error.system, EISDIR);
    assert_ptr_equal(f->error.path, f->folder);
}

static void standard_input_is_not_closed(void **state)
{
    fixture *f = *state;
    lxm_input *input;
    unit_succeeds(lxm_input_open(&input, "-", &f->a.functions, &f->error), &f->error);
    assert_string_equal(lxm_input_name(input), "standard input");
    lxm_input_close(input);
    assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0);
}

static void a_map_shows_the_file(void **state)
{
    fixture *f = *state;
    lxm_map map;
    unit_file_write(f->target, "goose", 5);
    unit_succeeds(lxm_map_open(&map, f->target, &f->error), &f->error);
    assert_int_equal(map.length, 5);
    assert_memory_equal(map.data, "goose", 5);
    lxm_map_close(&map);
    lxm_map_close(&map);
    unit_file_write(f->target, "", 0);
    unit_succeeds(lxm_map_open(&map, f->target, &f->error), &f->error);
    assert_int_equal(map.length, 0);
    lxm_map_close(&map);
    assert_int_equal(lxm_map_open(&map, f->folder, &f->error), LXM_ERROR_IO);
    assert_ptr_equal(f->error.path, f->folder);
    assert_int_equal(lxm_map_open(&map, "/dev/null", &f->error), LXM_ERROR_IO);
    unlink(f->target);
    assert_int_equal(lxm_map_open(&map, f->target, &f->error), LXM_ERROR_IO);
}

/* ---- spools ---- */

static void fill_spool(fixture *f, lxm_spool *spool, size_t length, size_t piece)
{
    uint8_t bytes[64];
    for (size_t i = 0; i < length;) {
        size_t n = length - i < piece ? length - i : piece;
        for (size_t k = 0; k < n; k++)
            bytes[k] = (uint8_t)((i + k) * 31);
        unit_succeeds(lxm_spool_write(spool, bytes, n, &f->error), &f->error);
        i += n;
    }
}

static void a_spool_gives_back_what_it_got(void **state)
{
    fixture *f = *state;
    static const size_t memories[] = {0, 1, 16, 1000, 1 << 20};
    static const size_t pieces[] = {1, 7, 16, 64};
    for (size_t m = 0; m < unit_count(memories); m++)
        for (size_t p = 0; p < unit_count(pieces); p++) {
            lxm_spool spool;
            lxm_spool_init(&spool, memories[m], f->folder, &f->a.functions);
            for (int round = 0; round < 2; round++) {
                uint8_t bytes[3000];
                fill_spool(f, &spool, 3000, pieces[p]);
                assert_int_equal(spool.length, 3000);
                unit_succeeds(lxm_spool_read(&spool, 0, bytes, 3000, &f->error), &f->error);
                for (size_t i = 0; i < 3000; i++)
                    assert_int_equal(bytes[i], (uint8_t)(i * 31));
                for (size_t at = 0; at < 3000; at += 97) {
                    size_t n = at + 40 < 3000 ? 40 : 3000 - at;
                    unit_succeeds(lxm_spool_read(&spool, at, bytes, n, &f->error), &f->error);
                    assert_int_equal(bytes[0], (uint8_t)(at * 31));
                    assert_int_equal(bytes[n - 1], (uint8_t)((at + n - 1) * 31));
                }
                assert_int_equal(lxm_spool_read(&spool, 2999, bytes, 2, &f->error),
                                 LXM_ERROR_ARGUMENT);
                unit_succeeds(lxm_spool_clear(&spool, &f->error), &f->error);
                assert_int_equal(spool.length, 0);
            }
            lxm_spool_free(&spool);
        }
    assert_int_equal(unit_folder_count(f->folder), 0);
}

static void a_spool_is_drained_to_an_output(void **state)
{
    fixture *f = *state;
    lxm_spool spool;
    size_t length;
    lxm_spool_init(&spool, 1000, f->folder, &f->a.functions);
    fill_spool(f, &spool, 100000, 64);
    lxm_output *output = open_output(f, f->target);
    unit_succeeds(lxm_spool_drain(&spool, output, &f->error), &f->error);
    assert_int_equal(spool.length, 0);
    commit(f, output);
    uint8_t *bytes = unit_file_read(f->target, &length);
    assert_int_equal(length, 100000);
    for (size_t i = 0; i < length; i++)
        if (bytes[i] != (uint8_t)(i * 31))
            fail_msg("byte %zu", i);
    free(bytes);
    lxm_spool_free(&spool);
}

static void a_spool_without_a_folder_says_so(void **state)
{
    fixture *f = *state;
    lxm_spool spool;
    lxm_spool_init(&spool, 4, f->target, &f->a.functions);
    assert_int_equal(lxm_spool_write(&spool, "longer than four", 16, &f->error), LXM_ERROR_IO);
    assert_non_null(strstr(f->error.message, "TMPDIR"));
    lxm_spool_free(&spool);
}

#define with_folder(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_folder(the_old_file_stays_until_the_commit),
        with_folder(a_discarded_output_leaves_nothing),
        with_folder(an_empty_output_is_an_empty_file),
        with_folder(permissions_are_kept),
        with_folder(a_new_file_has_the_users_permissions),
        with_folder(through_a_symbolic_link_its_target_is_written),
        with_folder(a_circle_of_links_is_an_error),
        with_folder(what_cant_be_opened_is_named),
        with_folder(a_fifo_is_written_straight),
        with_folder(a_device_is_written_straight),
        with_folder(writes_of_every_size_arrive_in_order),
        with_folder(what_was_written_can_be_patched),
        with_folder(two_outputs_of_one_name_do_not_meet),
        with_folder(a_target_that_became_a_folder_is_an_error),
        with_folder(standard_output_is_closed_and_checked),
        with_folder(an_input_is_read_to_its_end),
        with_folder(an_input_that_cant_be_read_is_named),
        with_folder(standard_input_is_not_closed),
        with_folder(a_map_shows_the_file),
        with_folder(a_spool_gives_back_what_it_got),
        with_folder(a_spool_is_drained_to_an_output),
        with_folder(a_spool_without_a_folder_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
