#define _XOPEN_SOURCE 700
#include "unit.h"

#include <dirent.h>
#include <ftw.h>
#include <inttypes.h>
#include <time.h>
#include <unistd.h>

#include "base/escape.h"

static bool fails(unit_allocator *a)
{
    size_t call = atomic_fetch_add(&a->calls, 1) + 1;
    return a->fail_at && (call == a->fail_at || (a->fail_after && call > a->fail_at));
}

static void *allocate(void *context, size_t size)
{
    unit_allocator *a = context;
    if (fails(a))
        return NULL;
    void *pointer = malloc(size);
    assert_non_null(pointer);
    /* memory that nobody wrote is never zero by luck */
    memset(pointer, 0xA5, size);
    atomic_fetch_add(&a->live, 1);
    return pointer;
}

static void *resize(void *context, void *pointer, size_t size)
{
    unit_allocator *a = context;
    if (fails(a))
        return NULL;
    if (!pointer)
        atomic_fetch_add(&a->live, 1);
    void *bigger = realloc(pointer, size);
    assert_non_null(bigger);
    return bigger;
}

static void release(void *context, void *pointer)
{
    unit_allocator *a = context;
    if (pointer)
        atomic_fetch_sub(&a->live, 1);
    free(pointer);
}

void unit_allocator_init(unit_allocator *a)
{
    a->functions = (lxm_allocator){allocate, resize, release, a};
    atomic_init(&a->live, 0);
    atomic_init(&a->calls, 0);
    a->fail_at = 0;
    a->fail_after = false;
}

void unit_collector_init(unit_collector *collector)
{
    lxm_allocator standard = lxm_allocator_or_default(NULL);
    lxm_buffer_init(&collector->text, &standard);
    unit_collector_clear(collector);
}

void unit_collector_free(unit_collector *collector)
{
    lxm_buffer_free(&collector->text);
}

void unit_collector_clear(unit_collector *collector)
{
    collector->text.length = 0;
    collector->tokens = collector->documents = 0;
}

static void put(unit_collector *collector, const char *format, ...)
{
    char text[64];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    assert_true(lxm_buffer_append(&collector->text, text, (size_t)length));
}

static void put_offsets(unit_collector *collector, const uint64_t *offsets, size_t i)
{
    if (offsets)
        put(collector, "@%" PRIu64 "-%" PRIu64, offsets[2 * i], offsets[2 * i + 1]);
    put(collector, "|");
    collector->tokens++;
}

void unit_collect_tokens(unit_collector *collector, const lxm_tokens *tokens)
{
    for (size_t i = 0; i < tokens->count; i++) {
        lxm_span span = tokens->spans[i];
        assert_true(span.begin < span.end);
        assert_true(lxm_escape(&collector->text, tokens->text + span.begin, span.end - span.begin));
        put_offsets(collector, tokens->offsets, i);
    }
}

void unit_collect_ids(unit_collector *collector, const lxm_ids *ids)
{
    for (size_t i = 0; i < ids->count; i++) {
        put(collector, "%" PRIu32, ids->ids[i]);
        put_offsets(collector, ids->offsets, i);
    }
}

void unit_collect_end(unit_collector *collector)
{
    put(collector, "/");
    collector->documents++;
}

static lxm_status take_tokens(void *context, const lxm_tokens *tokens, lxm_error *error)
{
    (void)error;
    unit_collect_tokens(context, tokens);
    return LXM_OK;
}

static lxm_status take_end(void *context, lxm_error *error)
{
    (void)error;
    unit_collect_end(context);
    return LXM_OK;
}

lxm_token_sink unit_collector_sink(unit_collector *collector)
{
    return (lxm_token_sink){take_tokens, take_end, collector};
}

const char *unit_collected(unit_collector *collector)
{
    assert_true(lxm_buffer_reserve(&collector->text, 1));
    collector->text.data[collector->text.length] = '\0';
    return (const char *)collector->text.data;
}

void unit_succeeds(lxm_status status, const lxm_error *error)
{
    if (status)
        fail_msg("%s: %s", lxm_status_name(status), error ? error->message : "?");
}

char *unit_folder_make(void)
{
    /* in memory where that can be had: outputs are synced, and disks take their time */
    const char *where = getenv("TMPDIR");
    if (!where || !*where)
        where = access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm";
    char *folder = unit_path(where, "lexmill-test.XXXXXX");
    assert_non_null(mkdtemp(folder));
    return folder;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

void unit_folder_remove(char *folder)
{
    assert_int_equal(nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
    free(folder);
}

char *unit_path(const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = malloc(size);
    assert_non_null(path);
    snprintf(path, size, "%s/%s", folder, name);
    return path;
}

void unit_file_write(const char *path, const void *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

uint8_t *unit_file_read(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long size = ftell(file);
    assert_true(size >= 0);
    rewind(file);
    uint8_t *bytes = malloc((size_t)size + 1);
    assert_non_null(bytes);
    *length = fread(bytes, 1, (size_t)size, file);
    assert_int_equal(*length, size);
    bytes[size] = '\0';
    fclose(file);
    return bytes;
}

size_t unit_folder_count(const char *folder)
{
    DIR *directory = opendir(folder);
    assert_non_null(directory);
    size_t count = 0;
    while (readdir(directory))
        count++;
    closedir(directory);
    return count - 2;
}

uint64_t unit_random(uint64_t *state)
{
    uint64_t x = *state += 0x9E3779B97F4A7C15u;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

double unit_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
