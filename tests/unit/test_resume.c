/* Folders of shards: a run that was killed goes on, and what is damaged is found. */
#define _DEFAULT_SOURCE
#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

typedef struct fixture {
    char *folder, *ids, *whole, *output;
    lxm_table *table;
    lxm_embed_options options;
    lxm_error error;
} fixture;

static void write_ids(fixture *f, int first)
{
    FILE *file = fopen(f->ids, "w");
    assert_non_null(file);
    for (int i = 0; i < 4000; i++)
        fprintf(file, "%d%c", i ? i % 1000 : first, i % 500 == 499 ? '\n' : ' ');
    assert_int_equal(fclose(file), 0);
}

static lxm_status run(fixture *f, const char *output)
{
    const char *paths[] = {f->ids};
    lxm_job job = {.threads = 2};
    f->error = (lxm_error){0};
    return lxm_run_embed(&f->options, paths, 1, output, &job, NULL, &f->error);
}

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->folder = unit_folder_make();
    f->ids = unit_path(f->folder, "ids.txt");
    f->whole = unit_path(f->folder, "whole");
    f->output = unit_path(f->folder, "output");
    lxm_table_options options = {.rows = 1000, .dim = 64};
    assert_int_equal(lxm_table_generate(&f->table, &options, NULL, NULL), LXM_OK);
    f->options = (lxm_embed_options){.table = f->table,
                                     .format = LXM_VECTORS_SHARDS,
                                     .batch = 3,
                                     .shard_size = 16384,
                                     .window = {.context = 8, .targets = true}};
    write_ids(f, 0);
    unit_succeeds(run(f, f->whole), &f->error);
    f->options.resume = true;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    lxm_table_free(f->table);
    unit_folder_remove(f->folder);
    free(f->ids);
    free(f->whole);
    free(f->output);
    free(f);
    return 0;
}

static void expect_the_same(const fixture *f)
{
    assert_int_equal(unit_folder_count(f->output), unit_folder_count(f->whole));
    DIR *listing = opendir(f->whole);
    assert_non_null(listing);
    for (struct dirent *entry; (entry = readdir(listing));) {
        size_t lengths[2];
        if (entry->d_name[0] == '.')
            continue;
        char *paths[] = {unit_path(f->whole, entry->d_name), unit_path(f->output, entry->d_name)};
        uint8_t *bytes[2];
        for (int i = 0; i < 2; i++) {
            bytes[i] = unit_file_read(paths[i], &lengths[i]);
            free(paths[i]);
        }
        assert_int_equal(lengths[0], lengths[1]);
        assert_memory_equal(bytes[0], bytes[1], lengths[0]);
        free(bytes[0]);
        free(bytes[1]);
    }
    closedir(listing);
}

/* Runs in a process that is killed after so many microseconds; whether it was done before. */
static bool run_and_kill(fixture *f, unsigned microseconds)
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(run(f, f->output) == LXM_OK ? 0 : 1);
    usleep(microseconds);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status))
        return false;
    assert_int_equal(WEXITSTATUS(status), 0);
    return true;
}

static void remove_output(const fixture *f)
{
    if (access(f->output, F_OK) == 0)
        unit_folder_remove(strdup(f->output));
}

static void test_killed_at_any_moment(void **state)
{
    fixture *f = *state;
    uint64_t seed = 1;
    double began = unit_seconds();
    assert_int_equal(lxm_run_verify(f->whole, NULL, NULL, NULL), LXM_OK);
    unit_succeeds(run(f, f->output), &f->error);
    unsigned whole = (unsigned)(1e6 * (unit_seconds() - began));
    for (int round = 0; round < 10; round++) {
        remove_output(f);
        for (int kills = 0; kills < 5; kills++)
            if (run_and_kill(f, (unsigned)(unit_random(&seed) % (whole + 1))))
                break;
        unit_succeeds(run(f, f->output), &f->error);
        expect_the_same(f);
    }
}

static void test_another_job_is_refused(void **state)
{
    fixture *f = *state;
    for (int kills = 0; kills < 50; kills++) {
        char *journal = unit_path(f->output, ".incomplete/shard-00003.safetensors");
        (void)run_and_kill(f, 1000u * (unsigned)kills);
        bool enough = access(journal, F_OK) == 0;
        free(journal);
        if (enough)
            break;
        remove_output(f);
    }
    f->options.resume = false;
    assert_int_equal(run(f, f->output), LXM_ERROR_IO);
    assert_non_null(strstr(f->error.message, "--resume"));
    f->options.resume = true;
    f->options.window.targets = false;
    assert_int_equal(run(f, f->output), LXM_ERROR_MISMATCH);
    f->options.window.targets = true;
    write_ids(f, 1);
    assert_int_equal(run(f, f->output), LXM_ERROR_MISMATCH);
    assert_non_null(strstr(f->error.message, "ids"));
    write_ids(f, 0);
    unit_succeeds(run(f, f->output), &f->error);
    expect_the_same(f);
    unit_succeeds(run(f, f->output), &f->error); /* again: nothing to do */
    expect_the_same(f);
    f->options.shard_size *= 2;
    assert_int_equal(run(f, f->output), LXM_ERROR_IO);
    assert_non_null(strstr(f->error.message, "--force"));
}

/* ---- verify ---- */

static lxm_status check(fixture *f, lxm_verify_result *result)
{
    f->error = (lxm_error){0};
    lxm_status status = lxm_run_verify(f->whole, NULL, result, &f->error);
    if (status)
        assert_ptr_equal(f->error.path, f->whole);
    return status;
}

static void test_every_flipped_byte(void **state)
{
    fixture *f = *state;
    lxm_verify_result result;
    unit_succeeds(check(f, &result), &f->error);
    assert_int_equal(result.rows, 496);
    char *path = unit_path(f->whole, "shard-00001.safetensors");
    size_t length;
    uint8_t *bytes = unit_file_read(path, &length);
    for (size_t at = 0; at < length; at += 97) {
        bytes[at] ^= 1;
        unit_file_write(path, bytes, length);
        assert_int_equal(check(f, NULL), LXM_ERROR_FORMAT);
        assert_non_null(strstr(f->error.message, "shard-00001.safetensors"));
        bytes[at] ^= 1;
    }
    unit_file_write(path, bytes, length - 1);
    assert_int_equal(check(f, NULL), LXM_ERROR_FORMAT);
    unlink(path);
    assert_int_equal(check(f, NULL), LXM_ERROR_IO);
    free(bytes);
    free(path);
}

static void test_manifests_that_lie(void **state)
{
    fixture *f = *state;
    static const char *const changes[][3] = {
        {"shard-00000.safetensors", "../../../../etc/passwd ", "leads out"},
        {"shard-00000.safetensors", "/tmp/lexmill-test-shard", "leads out"},
        {"shard-00000.safetensors", "..", "leads out"},
        {"shard-00000.safetensors", "", "leads out"},
        {"\"file\"", "\"life\"", "lacks"},
        {"\"rows\": 6", "\"rows\": 7", "hasn't the 7 rows"},
        {"\"rows\": 496", "\"rows\": 497", "says 497 rows"},
        {"lexmill-shards", "lexmill-shreds", "none of lexmill's"},
        {"{", "[", "none of lexmill's"},
    };
    char *path = unit_path(f->whole, "manifest.json");
    size_t length;
    char *text = (char *)unit_file_read(path, &length), *made = malloc(length + 100);
    assert_non_null(made);
    for (size_t i = 0; i < unit_count(changes); i++) {
        const char *at = strstr(text, changes[i][0]);
        assert_non_null(at);
        int size = snprintf(made, length + 100, "%.*s%s%s", (int)(at - text), text, changes[i][1],
                            at + strlen(changes[i][0]));
        unit_file_write(path, made, (size_t)size);
        assert_int_equal(check(f, NULL), LXM_ERROR_FORMAT);
        if (!strstr(f->error.message, changes[i][2]))
            fail_msg("%zu: %s", i, f->error.message);
    }
    free(made);
    free(text);
    free(path);
}

static void test_other_positions_are_another_job(void **state)
{
    fixture *f = *state;
    lxm_table *positions;
    unit_succeeds(lxm_table_sinusoidal(&positions, 8, 64, NULL, &f->error), &f->error);
    unit_succeeds(run(f, f->whole), &f->error);
    f->options.positions = positions;
    assert_int_equal(run(f, f->whole), LXM_ERROR_IO);
    lxm_table_free(positions);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_killed_at_any_moment),
        TEST(test_another_job_is_refused),
        TEST(test_other_positions_are_another_job),
        TEST(test_every_flipped_byte),
        TEST(test_manifests_that_lie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
