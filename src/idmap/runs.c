#define _POSIX_C_SOURCE 200809L
#include "idmap/runs.h"

#include <errno.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

void lxm_runs_init(lxm_runs *runs, size_t memory, const char *folder,
                   const lxm_allocator *allocator)
{
    *runs = (lxm_runs){.allocator = *allocator, .memory = memory, .folder = folder};
    for (size_t i = 0; i < lxm_run_levels; i++)
        runs->levels[i].fd = -1;
}

void lxm_runs_free(lxm_runs *runs)
{
    for (size_t i = 0; i < lxm_run_levels; i++) {
        if (runs->levels[i].fd >= 0)
            close(runs->levels[i].fd);
        runs->levels[i] = (lxm_run_level){.fd = -1};
    }
}

bool lxm_runs_any(const lxm_runs *runs)
{
    for (size_t i = 0; i < lxm_run_levels; i++)
        if (runs->levels[i].count)
            return true;
    return false;
}

/* Adds the runs of a level to a merge, each with `buffer` bytes to read through. */
static lxm_status add_level(lxm_merge *merge, const lxm_run_level *level, size_t buffer,
                            lxm_error *error)
{
    lxm_status status = LXM_OK;
    uint64_t begin = 0;
    for (size_t i = 0; !status && i < level->count; i++) {
        status = lxm_merge_add_file(merge, level->fd, begin, level->ends[i], buffer, error);
        begin = level->ends[i];
    }
    return status;
}

static size_t buffer_for(const lxm_runs *runs, size_t count)
{
    enum { least = 4096, most = 1 << 20 };
    size_t share = runs->memory / 2 / count;
    return share < least ? least : share > most ? most : share;
}

/* Says what kind of file it was that couldn't be written. */
static lxm_status write_temporary(int fd, lxm_buffer *text, uint64_t *end, lxm_error *error)
{
    lxm_error reason = {0};
    lxm_status status = lxm_write_all(fd, text->data, text->length, &reason);
    if (status)
        return lxm_fail_io(error, reason.system,
                           "can't write a temporary file (TMPDIR names their folder)");
    *end += text->length;
    text->length = 0;
    return LXM_OK;
}

static lxm_status write_run(lxm_run_level *level, lxm_merge *merge, uint64_t *end, lxm_error *error)
{
    enum { piece = 64 * 1024 };
    lxm_buffer text;
    lxm_record record;
    lxm_status status = LXM_OK;
    lxm_buffer_init(&text, &merge->allocator);
    for (bool more = true; !status && more;) {
        status = lxm_merge_next(merge, &record, &more, error);
        if (!status && more && !lxm_record_append(&text, &record))
            status = lxm_fail_memory(error);
        if (!status && (!more || text.length >= piece))
            status = write_temporary(level->fd, &text, end, error);
    }
    lxm_buffer_free(&text);
    return status;
}

/* Writes what a merge gives as the next run of a level that has room for it. */
static lxm_status append_run(lxm_runs *runs, size_t at, lxm_merge *merge, lxm_error *error)
{
    lxm_run_level *level = &runs->levels[at];
    lxm_status status = LXM_OK;
    if (level->fd < 0)
        status = lxm_unnamed_file(&level->fd, runs->folder, error);
    uint64_t end = level->count ? level->ends[level->count - 1] : 0;
    if (!status)
        status = write_run(level, merge, &end, error);
    if (!status)
        level->ends[level->count++] = end;
    return status;
}

/* Makes the runs of a full level one run of the next. */
static lxm_status collapse(lxm_runs *runs, size_t at, lxm_error *error)
{
    lxm_run_level *level = &runs->levels[at];
    lxm_merge merge;
    if (at + 1 == lxm_run_levels)
        return lxm_fail(error, LXM_ERROR_LIMIT, "too many runs: give more memory to count in");
    lxm_status status = lxm_merge_init(&merge, level->count, &runs->allocator, error);
    if (!status)
        status = add_level(&merge, level, buffer_for(runs, level->count), error);
    if (!status)
        status = append_run(runs, at + 1, &merge, error);
    lxm_merge_free(&merge);
    if (!status && (ftruncate(level->fd, 0) || lseek(level->fd, 0, SEEK_SET)))
        status = lxm_fail_io(error, errno, "can't empty a temporary file");
    level->count = 0;
    return status;
}

static lxm_status write_table(lxm_runs *runs, const lxm_token_table *table, uint64_t base,
                              lxm_error *error)
{
    lxm_merge merge = {0};
    lxm_entry *entries = lxm_sort_by_bytes(table);
    if (!entries)
        return lxm_fail_memory(error);
    lxm_status status = lxm_merge_init(&merge, 1, &runs->allocator, error);
    if (!status)
        status = lxm_merge_add_table(&merge, table, entries, base, error);
    if (!status)
        status = append_run(runs, 0, &merge, error);
    lxm_merge_free(&merge);
    lxm_release(&runs->allocator, entries);
    return status;
}

lxm_status lxm_runs_add(lxm_runs *runs, lxm_token_table *table, uint64_t base, lxm_error *error)
{
    lxm_token_table_freeze(table);
    lxm_status status = write_table(runs, table, base, error);
    lxm_token_table_free(table);
    for (size_t i = 0; !status && runs->levels[i].count == lxm_run_fan_in; i++)
        status = collapse(runs, i, error);
    return status;
}

lxm_status lxm_runs_merge(const lxm_runs *runs, lxm_merge *merge, lxm_error *error)
{
    size_t count = 0;
    for (size_t i = 0; i < lxm_run_levels; i++)
        count += runs->levels[i].count;
    lxm_status status = lxm_merge_init(merge, count, &runs->allocator, error);
    for (size_t i = 0; !status && i < lxm_run_levels; i++)
        status = add_level(merge, &runs->levels[i], buffer_for(runs, count), error);
    return status;
}
