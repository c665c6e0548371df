#include "unit.h"

#include "base/error.h"

static void sums_and_products_that_overflow_are_refused(void **state)
{
    (void)state;
    size_t n = 7;
    assert_true(lxm_multiply(3, 4, &n));
    assert_int_equal(n, 12);
    assert_true(lxm_multiply(SIZE_MAX, 1, &n));
    assert_true(lxm_multiply(SIZE_MAX / 2, 2, &n));
    assert_false(lxm_multiply(SIZE_MAX / 2 + 1, 2, &n));
    assert_true(lxm_multiply(SIZE_MAX, 0, &n));
    assert_int_equal(n, 0);
    assert_true(lxm_add(SIZE_MAX - 1, 1, &n));
    assert_false(lxm_add(SIZE_MAX, 1, &n));
}

static void a_product_that_overflows_is_never_allocated(void **state)
{
    (void)state;
    unit_allocator a;
    unit_allocator_init(&a);
    assert_null(lxm_allocate(&a.functions, SIZE_MAX / 4, 8));
    void *kept = lxm_allocate(&a.functions, 4, 8);
    assert_null(lxm_resize(&a.functions, kept, SIZE_MAX / 4, 8));
    assert_int_equal(a.calls, 1);
    assert_int_equal(a.live, 1);
    lxm_release(&a.functions, kept);
    assert_int_equal(a.live, 0);
}

static void the_edges_of_allocation_are_sound(void **state)
{
    (void)state;
    unit_allocator a;
    unit_allocator_init(&a);
    void *nothing = lxm_allocate(&a.functions, 0, 8);
    assert_non_null(nothing);
    nothing = lxm_resize(&a.functions, nothing, 0, 1);
    assert_non_null(nothing);
    uint8_t *zeros = lxm_new(&a.functions, 100);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(zeros[i], 0);
    char *copy = lxm_copy_string(&a.functions, "goose");
    assert_string_equal(copy, "goose");
    uint8_t *made = lxm_resize(&a.functions, NULL, 3, 2);
    assert_non_null(made);
    lxm_release(&a.functions, nothing);
    lxm_release(&a.functions, zeros);
    lxm_release(&a.functions, copy);
    lxm_release(&a.functions, made);
    lxm_release(&a.functions, NULL);
    assert_int_equal(a.live, 0);
}

static void no_allocator_means_the_systems(void **state)
{
    (void)state;
    lxm_allocator standard = lxm_allocator_or_default(NULL);
    uint8_t *bytes = lxm_allocate(&standard, 10, 10);
    memset(bytes, 1, 100);
    bytes = lxm_resize(&standard, bytes, 20, 10);
    assert_int_equal(bytes[99], 1);
    lxm_release(&standard, bytes);
    unit_allocator a;
    unit_allocator_init(&a);
    lxm_allocator same = lxm_allocator_or_default(&a.functions);
    assert_memory_equal(&same, &a.functions, sizeof same);
}

static void a_buffer_grows_and_keeps_its_bytes(void **state)
{
    (void)state;
    unit_allocator a;
    lxm_buffer buffer;
    unit_allocator_init(&a);
    lxm_buffer_init(&buffer, &a.functions);
    assert_true(lxm_buffer_append(&buffer, NULL, 0));
    assert_int_equal(a.calls, 0);
    for (unsigned i = 0; i < 100000; i++) {
        uint8_t byte = (uint8_t)(i * 7);
        assert_true(lxm_buffer_append(&buffer, &byte, 1));
    }
    assert_int_equal(buffer.length, 100000);
    for (unsigned i = 0; i < 100000; i++)
        assert_int_equal(buffer.data[i], (uint8_t)(i * 7));
    /* by a factor, so that appending is linear */
    assert_true(a.calls < 30);
    lxm_buffer_free(&buffer);
    lxm_buffer_free(&buffer);
    assert_int_equal(a.live, 0);
}

static void a_buffer_that_cant_grow_is_as_it_was(void **state)
{
    (void)state;
    unit_allocator a;
    lxm_buffer buffer;
    unit_allocator_init(&a);
    lxm_buffer_init(&buffer, &a.functions);
    assert_true(lxm_buffer_append(&buffer, "goose", 5));
    size_t capacity = buffer.capacity;
    a.fail_at = a.calls + 1;
    assert_false(lxm_buffer_reserve(&buffer, 1 << 20));
    assert_false(lxm_buffer_reserve(&buffer, SIZE_MAX - 2));
    assert_int_equal(buffer.length, 5);
    assert_int_equal(buffer.capacity, capacity);
    assert_memory_equal(buffer.data, "goose", 5);
    lxm_buffer_free(&buffer);
    assert_int_equal(a.live, 0);
}

static void an_error_says_all_and_may_be_left_out(void **state)
{
    (void)state;
    lxm_error error;
    memset(&error, 0xA5, sizeof error);
    assert_int_equal(lxm_fail(&error, LXM_ERROR_FORMAT, "%d geese", 3), LXM_ERROR_FORMAT);
    assert_int_equal(error.code, LXM_ERROR_FORMAT);
    assert_true(error.offset == LXM_NO_OFFSET);
    assert_int_equal(error.line, 0);
    assert_null(error.path);
    assert_string_equal(error.message, "3 geese");
    assert_int_equal(lxm_fail_at(&error, LXM_ERROR_UTF8, 12, "bad"), LXM_ERROR_UTF8);
    assert_int_equal(error.offset, 12);
    assert_int_equal(lxm_fail_io(&error, 28, "write failed"), LXM_ERROR_IO);
    assert_int_equal(error.system, 28);
    assert_string_equal(error.message, "write failed: No space left on device");
    assert_int_equal(lxm_fail(NULL, LXM_ERROR_MEMORY, "x"), LXM_ERROR_MEMORY);
    assert_int_equal(lxm_fail_at(NULL, LXM_ERROR_LIMIT, 1, "x"), LXM_ERROR_LIMIT);
    assert_int_equal(lxm_fail_io(NULL, 5, "x"), LXM_ERROR_IO);
    assert_int_equal(lxm_fail_memory(NULL), LXM_ERROR_MEMORY);
    char text[1000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    lxm_fail(&error, LXM_ERROR_FORMAT, "%s", text);
    assert_int_equal(strlen(error.message), sizeof error.message - 1);
}

static void every_status_has_a_name(void **state)
{
    (void)state;
    for (int i = LXM_OK; i <= LXM_ERROR_UNSUPPORTED; i++)
        assert_string_not_equal(lxm_status_name((lxm_status)i), "unknown status");
    assert_string_equal(lxm_status_name((lxm_status)1000), "unknown status");
    assert_string_equal(lxm_version(), LXM_VERSION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_and_products_that_overflow_are_refused),
        cmocka_unit_test(a_product_that_overflows_is_never_allocated),
        cmocka_unit_test(the_edges_of_allocation_are_sound),
        cmocka_unit_test(no_allocator_means_the_systems),
        cmocka_unit_test(a_buffer_grows_and_keeps_its_bytes),
        cmocka_unit_test(a_buffer_that_cant_grow_is_as_it_was),
        cmocka_unit_test(an_error_says_all_and_may_be_left_out),
        cmocka_unit_test(every_status_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
