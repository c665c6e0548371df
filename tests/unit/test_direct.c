/* Large files, which go past the page cache: every byte arrives, and errors are found. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/direct.h"
#include "unit.h"

enum { size = (40 << 20) + 12345, piece = 300001 };

/* On the disk of the build, since memory has no way past the cache. */
static char path[] = "test_direct.XXXXXX";

static int make_file(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    if (fd >= 0)
        close(fd);
    return fd < 0;
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static uint8_t *make_bytes(void)
{
    uint8_t *bytes = malloc(size);
    assert_non_null(bytes);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(i * 2654435761u >> 13);
    return bytes;
}

/* Writes all in pieces; `change` bytes at the start twice. */
static lxm_status write_pieces(const uint8_t *bytes, size_t change, const lxm_allocator *allocator)
{
    lxm_output *output;
    lxm_status status = lxm_output_open(&output, path, allocator, NULL);
    if (status)
        return status;
    for (size_t at = 0; !status && at < size; at += piece)
        status = lxm_output_write(output, bytes + at, size - at < piece ? size - at : piece, NULL);
    if (!status && change)
        status = lxm_output_patch(output, 0, bytes + size - change, change, NULL);
    if (!status && change)
        status = lxm_output_write(output, bytes, change, NULL);
    if (!status)
        return lxm_output_commit(output, NULL);
    lxm_output_discard(output);
    return status;
}

static void test_every_byte(void **state)
{
    (void)state;
    uint8_t *bytes = make_bytes();
    for (size_t change = 0; change < 200; change += 100) {
        size_t length;
        assert_int_equal(write_pieces(bytes, change, NULL), LXM_OK);
        uint8_t *back = unit_file_read(path, &length);
        assert_int_equal(length, size + change);
        assert_memory_equal(back, bytes + size - change, change);
        assert_memory_equal(back + change, bytes + change, size - change);
        assert_memory_equal(back + size, bytes, change);
        free(back);
    }
    free(bytes);
}

/* Without memory for blocks a file is written all the same. */
static void test_no_memory_for_it(void **state)
{
    (void)state;
    uint8_t *bytes = make_bytes();
    unit_allocator allocator;
    unit_allocator_init(&allocator);
    assert_int_equal(write_pieces(bytes, 0, &allocator.functions), LXM_OK);
    size_t calls = allocator.calls;
    for (size_t at = 1; at <= calls; at++) {
        size_t length;
        allocator.calls = 0;
        allocator.fail_at = at;
        lxm_status status = write_pieces(bytes, 0, &allocator.functions);
        assert_true(status == LXM_OK || status == LXM_ERROR_MEMORY);
        assert_int_equal(allocator.live, 0);
        uint8_t *back = unit_file_read(path, &length);
        assert_int_equal(length, size);
        assert_memory_equal(back, bytes, size);
        free(back);
    }
    free(bytes);
}

/* A limit on the size of files stands for a full disk. */
static void test_no_room(void **state)
{
    (void)state;
    uint8_t *bytes = make_bytes();
    assert_int_equal(write_pieces(bytes, 0, NULL), LXM_OK);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit old, limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    for (size_t over = 0; over < 2; over++) {
        limit = (struct rlimit){over ? size - 1 : 35 << 20, old.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        assert_int_equal(write_pieces(bytes, 0, NULL), LXM_ERROR_IO);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
        size_t length;
        uint8_t *back = unit_file_read(path, &length);
        assert_int_equal(length, size); /* the old file */
        free(back);
    }
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_byte),
        cmocka_unit_test(test_no_memory_for_it),
        cmocka_unit_test(test_no_room),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
