#include "pipeline/row_names.h"

#include "base/error.h"
#include "base/hash.h"
#include "formats/number.h"
#include "pipeline/job.h"

static lxm_status open_vocab(lxm_row_names *n, const char *path, lxm_error *error)
{
    lxm_status status = lxm_vocab_open(&n->vocab, path, &n->allocator, error);
    if (!status && lxm_vocab_size(n->vocab) != lxm_table_rows(n->table))
        status = lxm_fail(error, LXM_ERROR_MISMATCH,
                          "the vocabulary has %zu tokens, but the table has %llu rows",
                          lxm_vocab_size(n->vocab), (unsigned long long)lxm_table_rows(n->table));
    if (status)
        lxm_job_blame(error, path);
    return status;
}

static bool add_line(lxm_row_names *n, uint64_t at)
{
    return lxm_buffer_append(&n->lines, &at, sizeof at);
}

static lxm_status open_texts(lxm_row_names *n, const char *path, lxm_error *error)
{
    lxm_status status = lxm_map_open(&n->texts, path, error);
    uint64_t lines = 0, rows = lxm_table_rows(n->table);
    bool good = add_line(n, 0);
    for (size_t at = 0; !status && good && at < n->texts.length; lines++) {
        const uint8_t *newline = memchr(n->texts.data + at, '\n', n->texts.length - at);
        at = newline ? (size_t)(newline - n->texts.data) + 1 : n->texts.length;
        good = lines >= rows || add_line(n, at);
    }
    if (!status && !good)
        status = lxm_fail_memory(error);
    else if (!status && lines != rows)
        status = lxm_fail(error, LXM_ERROR_MISMATCH,
                          "it has %llu lines, but the table has %llu rows: one line for each row",
                          (unsigned long long)lines, (unsigned long long)rows);
    if (status)
        lxm_job_blame(error, path);
    return status;
}

lxm_status lxm_row_names_open(lxm_row_names *n, const lxm_table *table, const char *vocab,
                              const char *texts, const lxm_allocator *allocator, lxm_error *error)
{
    size_t length;
    *n = (lxm_row_names){.allocator = lxm_allocator_or_default(allocator), .table = table};
    lxm_buffer_init(&n->lines, &n->allocator);
    n->words = vocab || lxm_table_word(table, 0, &length);
    lxm_status status = vocab ? open_vocab(n, vocab, error) : LXM_OK;
    return !status && texts ? open_texts(n, texts, error) : status;
}

void lxm_row_names_free(lxm_row_names *n)
{
    lxm_vocab_free(n->vocab);
    lxm_release(&n->allocator, n->index);
    lxm_map_close(&n->texts);
    lxm_buffer_free(&n->lines);
}

/* The slot of a word in the index: its row's, the first of several, or the free one. */
static uint32_t *find_slot(const lxm_row_names *n, const void *word, size_t length)
{
    for (size_t at = (size_t)lxm_hash(word, length, n->seed);; at++) {
        size_t size;
        uint32_t *slot = &n->index[at & (n->slots - 1)];
        if (*slot == LXM_NO_ROW)
            return slot;
        const uint8_t *other = lxm_table_word(n->table, *slot, &size);
        if (size == length && memcmp(other, word, length) == 0)
            return slot;
    }
}

static bool make_index(lxm_row_names *n)
{
    uint32_t rows = (uint32_t)lxm_table_rows(n->table);
    size_t length;
    n->seed = lxm_random_seed();
    for (n->slots = 16; n->slots / 2 < rows;)
        n->slots *= 2;
    n->index = lxm_allocate(&n->allocator, n->slots, sizeof *n->index);
    if (!n->index)
        return false;
    for (size_t i = 0; i < n->slots; i++)
        n->index[i] = LXM_NO_ROW;
    for (uint32_t row = 0; row < rows; row++) {
        const uint8_t *word = lxm_table_word(n->table, row, &length);
        uint32_t *slot = find_slot(n, word, length);
        *slot = *slot == LXM_NO_ROW ? row : *slot;
    }
    return true;
}

lxm_status lxm_row_names_find(lxm_row_names *n, const void *name, size_t length, uint32_t *row,
                              lxm_error *error)
{
    char shown[80];
    uint64_t id;
    lxm_printable(shown, sizeof shown - 8, name, length);
    if (!n->words) {
        uint64_t rows = lxm_table_rows(n->table);
        bool good = lxm_number_whole(name, length, &id) && id < rows;
        *row = good ? (uint32_t)id : LXM_NO_ROW;
        return good ? LXM_OK
                    : lxm_fail(error, LXM_ERROR_ID,
                               "'%s' is no id of the table's %llu rows (words need -V, a "
                               "vocabulary)",
                               shown, (unsigned long long)rows);
    }
    if (!n->vocab && !n->index && !make_index(n))
        return lxm_fail_memory(error);
    *row = n->vocab ? lxm_vocab_find(n->vocab, name, length) : *find_slot(n, name, length);
    return *row == LXM_NO_ROW ? lxm_fail(error, LXM_ERROR_TOKEN, "no row has the word '%s'", shown)
                              : LXM_OK;
}

const uint8_t *lxm_row_names_word(const lxm_row_names *n, uint32_t row, size_t *length)
{
    return n->vocab ? lxm_vocab_token(n->vocab, row, length)
                    : lxm_table_word(n->table, row, length);
}

const uint8_t *lxm_row_names_text(const lxm_row_names *n, uint32_t row, size_t *length)
{
    const uint64_t *lines = (const uint64_t *)(const void *)n->lines.data;
    if (!n->texts.data)
        return NULL;
    const uint8_t *text = n->texts.data + lines[row], *end = n->texts.data + lines[row + 1];
    if (end > text && end[-1] == '\n')
        end--;
    if (end > text && end[-1] == '\r')
        end--;
    *length = (size_t)(end - text);
    return text;
}
