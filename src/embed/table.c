#define _GNU_SOURCE
#include "embed/table.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"

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
    lxm_allocator a = table->allocator;
    lxm_release(&a, table);
}

static void fill_stored(const lxm_table *table, uint64_t row, size_t column, size_t count,
                        float *values)
{
    const uint8_t *from = table->data + (row * table->dim + column) * sizeof(float);
    memcpy(values, from, count * sizeof(float));
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
                              size_t dim, const lxm_allocator *allocator, lxm_error *error)
{
    *out = lxm_table_allocate(allocator, rows, dim);
    if (!*out)
        return lxm_fail_memory(error);
    (*out)->map = map;
    (*out)->data = map.data ? map.data + offset : NULL;
    (*out)->fill = fill_stored;
    return LXM_OK;
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
