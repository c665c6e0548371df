#define _GNU_SOURCE
#include "pipeline/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

enum { line_size = 192 };

static const char header_format[] = "lexmill-journal 2 %016" PRIx64 "\n";
static const char line_format[] =
    "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNx64 " %" SCNu64 " %" SCNx64 " %" SCNx64 "%c";

void lxm_journal_init(lxm_journal *journal, const lxm_allocator *allocator)
{
    journal->fd = -1;
    lxm_buffer_init(&journal->lines, allocator);
}

void lxm_journal_close(lxm_journal *journal)
{
    if (journal->fd >= 0)
        close(journal->fd);
    journal->fd = -1;
    lxm_buffer_free(&journal->lines);
}

size_t lxm_journal_count(const lxm_journal *journal)
{
    return journal->lines.length / sizeof(lxm_journal_entry);
}

const lxm_journal_entry *lxm_journal_at(const lxm_journal *journal, size_t index)
{
    return (const lxm_journal_entry *)(const void *)journal->lines.data + index;
}

/* A line that the kill cut ends what counts. */
static lxm_status parse(lxm_journal *journal, const char *text, lxm_error *error)
{
    while (text && *text) {
        lxm_journal_entry entry;
        lxm_shard *s = &entry.shard;
        char end = 0;
        if (sscanf(text, line_format, &s->rows, &s->documents, &s->bytes, &s->hash, &s->index_bytes,
                   &s->index_hash, &entry.inputs, &end) != 8 ||
            end != '\n' || s->rows == 0)
            break;
        if (!lxm_buffer_append(&journal->lines, &entry, sizeof entry))
            return lxm_fail_memory(error);
        text = strchr(text, '\n') + 1;
    }
    return LXM_OK;
}

static lxm_status read_lines(lxm_journal *journal, size_t size, uint64_t identity, lxm_error *error)
{
    char header[line_size];
    size_t length = (size_t)snprintf(header, sizeof header, header_format, identity);
    lxm_allocator *a = &journal->lines.allocator;
    char *text = lxm_allocate(a, size + 1, 1);
    if (!text)
        return lxm_fail_memory(error);
    lxm_status status = lxm_read_at(journal->fd, 0, text, size, error);
    text[size] = '\0';
    if (!status && size >= length && memcmp(text, header, length) != 0)
        status = lxm_fail(error, LXM_ERROR_MISMATCH,
                          "the run that was stopped had other options or another table: give the "
                          "same, or --force to begin anew");
    if (!status && size >= length)
        status = parse(journal, text + length, error);
    lxm_release(a, text);
    return status;
}

lxm_status lxm_journal_lock(lxm_journal *journal, const char *path, lxm_error *error)
{
    struct stat status;
    journal->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (journal->fd < 0)
        return lxm_fail_io(error, errno, "can't write the journal");
    bool busy = flock(journal->fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK;
    if (fstat(journal->fd, &status))
        return lxm_fail_io(error, errno, "can't write the journal");
    /* one without a name was another run's, which removed it between the two calls */
    if (busy || status.st_nlink == 0)
        return lxm_fail(error, LXM_ERROR_IO, "another run is writing to the folder");
    return LXM_OK;
}

lxm_status lxm_journal_read(lxm_journal *journal, uint64_t identity, lxm_error *error)
{
    struct stat status;
    if (fstat(journal->fd, &status))
        return lxm_fail_io(error, errno, "can't read the journal");
    if (status.st_size > INT32_MAX)
        return lxm_fail(error, LXM_ERROR_FORMAT, "the journal is too long: --force begins anew");
    return read_lines(journal, (size_t)status.st_size, identity, error);
}

static lxm_status write_line(lxm_journal *journal, const lxm_journal_entry *entry, lxm_error *error)
{
    char line[line_size];
    const lxm_shard *s = &entry->shard;
    int length = snprintf(line, sizeof line,
                          "%" PRIu64 " %" PRIu64 " %" PRIu64 " %016" PRIx64 " %" PRIu64
                          " %016" PRIx64 " %016" PRIx64 "\n",
                          s->rows, s->documents, s->bytes, s->hash, s->index_bytes, s->index_hash,
                          entry->inputs);
    return lxm_write_all(journal->fd, line, (size_t)length, error);
}

static lxm_status sync_lines(const lxm_journal *journal, lxm_error *error)
{
    return fdatasync(journal->fd) ? lxm_fail_io(error, errno, "can't sync the journal") : LXM_OK;
}

lxm_status lxm_journal_cut(lxm_journal *journal, uint64_t identity, size_t count, lxm_error *error)
{
    char header[line_size];
    int length = snprintf(header, sizeof header, header_format, identity);
    journal->lines.length = count * sizeof(lxm_journal_entry);
    if (ftruncate(journal->fd, 0) || lseek(journal->fd, 0, SEEK_SET) < 0)
        return lxm_fail_io(error, errno, "can't write the journal");
    lxm_status status = lxm_write_all(journal->fd, header, (size_t)length, error);
    for (size_t i = 0; !status && i < count; i++)
        status = write_line(journal, lxm_journal_at(journal, i), error);
    return status ? status : sync_lines(journal, error);
}

lxm_status lxm_journal_add(lxm_journal *journal, const lxm_journal_entry *entry, lxm_error *error)
{
    lxm_status status = write_line(journal, entry, error);
    return status ? status : sync_lines(journal, error);
}
