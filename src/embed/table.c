#define _GNU_SOURCE
#include "embed/table.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "embed/gather.h"

/* A stored table that is larger lies in an unnamed file, which the system can page out. */
enum { largest_in_memory = 64 << 20 };

lxm_table *lxm_table_allocate(const lxm_allocator *allocator, uint64_t rows, size_t dim)
{
    lxm_allocator a = lxm_allocator_or_default(allocator);
    lxm_table *table = lxm_new(&a, sizeof *table);
    if (!table)
        return NULL;
    table->allocator = a;
    table->rows = rows;
    table->dim = dim;
    table->format = "generated";
    table->gather = lxm_gather_fastest();
    lxm_buffer_init(&table->words, &a);
    return table;
}

void lxm_table_free(lxm_table *table)
{
    if (!table)
        return;
    if (table->anonymous)
        munmap((void *)(uintptr_t)table->data, table->anonymous);
    lxm_map_close(&table->map);
    lxm_release(&table->allocator, table->memory);
    lxm_release(&table->allocator, table->mapping);
    lxm_release(&table->allocator, table->weights);
    lxm_buffer_free(&table->words);
    lxm_allocator a = table->allocator;
    lxm_release(&a, table);
}

static void fill_stored(const lxm_table *table, uint64_t row, size_t column, size_t count,
                        float *values)
{
    const uint8_t *from = lxm_table_at(table, row) + column * sizeof(float);
    memcpy(values, from, count * sizeof(float));
}

/* The same, of other numbers, or times something. */
static void fill_scaled(const lxm_table *table, uint64_t row, size_t column, size_t count,
                        float *values)
{
    float scale = 1, weight = table->weights ? table->weights[row] : 1;
    uint64_t stored = table->mapping ? table->mapping[row] : row;
    const uint8_t *from = lxm_table_at(table, row) + column * lxm_dtype_size(table->dtype);
    if (table->widen)
        table->widen(from, count, values);
    else
        memcpy(values, from, count * sizeof *values);
    if (table->scales)
        memcpy(&scale, table->scales + stored * sizeof scale, sizeof scale);
    for (size_t i = 0; table->scales && i < count; i++)
        values[i] *= scale;
    for (size_t i = 0; table->weights && i < count; i++)
        values[i] *= weight;
}

static lxm_status store_in_file(lxm_table *table, size_t bytes, lxm_error *error)
{
    int fd;
    lxm_status status = lxm_unnamed_file(&fd, NULL, error);
    if (status)
        return status;
    /* reserved now, so that a full disk is an error here and no signal later */
    int failed = posix_fallocate(fd, 0, (off_t)bytes);
    void *data = MAP_FAILED;
    if (!failed) {
        data = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        failed = data == MAP_FAILED ? errno : 0;
    }
    close(fd);
    if (failed)
        return lxm_fail_io(error, failed, "no room for the table in a temporary file (set TMPDIR)");
    table->data = data;
    table->anonymous = bytes;
    return LXM_OK;
}

lxm_status lxm_table_store(lxm_table *table, float **values, lxm_error *error)
{
    size_t bytes;
    if (table->rows > SIZE_MAX || !lxm_multiply((size_t)table->rows, table->dim, &bytes) ||
        !lxm_multiply(bytes, sizeof(float), &bytes) || bytes > PTRDIFF_MAX)
        return lxm_fail(error, LXM_ERROR_LIMIT,
                        "the table is too large: fewer rows or a lower dim");
    table->fill = fill_stored;
    table->stride = table->dim * sizeof(float);
    if (bytes > largest_in_memory) {
        lxm_status status = store_in_file(table, bytes, error);
        *values = (float *)(uintptr_t)table->data;
        return status;
    }
    table->memory = lxm_allocate(&table->allocator, bytes, 1);
    table->data = (const uint8_t *)table->memory;
    *values = table->memory;
    return table->memory ? LXM_OK : lxm_fail_memory(error);
}

lxm_status lxm_table_from_map(lxm_table **out, lxm_map map, size_t offset, uint64_t rows,
                              size_t dim, lxm_dtype dtype, const lxm_allocator *allocator,
                              lxm_error *error)
{
    *out = lxm_table_allocate(allocator, rows, dim);
    if (!*out)
        return lxm_fail_memory(error);
    (*out)->map = map;
    (*out)->data = map.data ? map.data + offset : NULL;
    (*out)->dtype = dtype;
    (*out)->widen = lxm_dtype_widen(dtype);
    (*out)->stride = dim * lxm_dtype_size(dtype);
    (*out)->fill = (*out)->widen ? fill_scaled : fill_stored;
    return LXM_OK;
}

void lxm_table_weigh(lxm_table *table, uint32_t *mapping, float *weights)
{
    table->mapping = mapping;
    table->weights = weights;
    if (weights)
        table->fill = fill_scaled;
}

lxm_status lxm_table_add_word(lxm_table *table, uint64_t begin, uint32_t length, lxm_error *error)
{
    lxm_table_word_at word = {begin, length};
    return lxm_buffer_append(&table->words, &word, sizeof word) ? LXM_OK : lxm_fail_memory(error);
}

const uint8_t *lxm_table_word(const lxm_table *table, uint64_t row, size_t *length)
{
    if (row >= table->words.length / sizeof(lxm_table_word_at))
        return NULL;
    const lxm_table_word_at *words = (const lxm_table_word_at *)(const void *)table->words.data;
    *length = words[row].length;
    return table->map.data + words[row].begin;
}

lxm_dtype lxm_table_dtype(const lxm_table *table)
{
    return table->dtype;
}

void lxm_table_describe(lxm_table *table, const char *format, uint64_t fingerprint)
{
    table->format = format;
    table->fingerprint = fingerprint;
}

uint64_t lxm_table_rows(const lxm_table *table)
{
    return table->rows;
}

size_t lxm_table_dim(const lxm_table *table)
{
    return table->dim;
}

uint64_t lxm_table_fingerprint(const lxm_table *table)
{
    return table->fingerprint;
}

const char *lxm_table_format(const lxm_table *table)
{
    return table->format;
}

void lxm_table_row(const lxm_table *table, uint64_t row, float *values)
{
    table->fill(table, row, 0, table->dim, values);
}

lxm_status lxm_table_gather(const lxm_table *table, const uint32_t *ids, size_t count,
                            float *vectors, lxm_error *error)
{
    return lxm_project(table, NULL, ids, NULL, count, 1, vectors, error);
}
