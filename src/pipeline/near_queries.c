#include "pipeline/near_queries.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/error.h"
#include "base/escape.h"
#include "embed/table.h"
#include "formats/npy.h"
#include "pipeline/job.h"

enum { read_size = 64 * 1024, longest_line = 1 << 20, npy_prefix = 12, longest_header = 10012 };

static const char standard_input[] = "-";

static lxm_status check_dim(const lxm_near_queries *q, uint64_t dim, lxm_error *error)
{
    if (dim == lxm_table_dim(q->options->table))
        return LXM_OK;
    return lxm_fail(error, LXM_ERROR_MISMATCH,
                    "the queries have %" PRIu64 " columns, but the table has %zu: both must come "
                    "from one model",
                    dim, lxm_table_dim(q->options->table));
}

lxm_status lxm_near_queries_open(lxm_near_queries *q, const lxm_near_options *options,
                                 lxm_row_names *names, size_t most, const lxm_allocator *allocator,
                                 lxm_error *error)
{
    size_t row, dim = lxm_table_dim(options->table);
    *q = (lxm_near_queries){.options = options, .names = names, .new_line = true};
    q->allocator = lxm_allocator_or_default(allocator);
    lxm_buffer_init(&q->bytes, &q->allocator);
    lxm_buffer_init(&q->block.labels, &q->allocator);
    lxm_buffer_init(&q->block.ends, &q->allocator);
    if (options->queries) {
        lxm_status status = check_dim(q, lxm_table_dim(options->queries), error);
        if (status)
            return status;
    }
    if (lxm_multiply(dim, sizeof(float), &row))
        q->block.vectors = lxm_allocate(&q->allocator, most, row);
    q->block.own = lxm_allocate(&q->allocator, most, lxm_most_names * sizeof *q->block.own);
    if (!q->block.vectors || !q->block.own)
        return lxm_fail_memory(error);
    if (options->queries || options->name_count)
        return LXM_OK;
    return lxm_input_open(&q->input, standard_input, &q->allocator, error);
}

void lxm_near_queries_close(lxm_near_queries *q)
{
    lxm_input_close(q->input);
    lxm_release(&q->allocator, q->block.vectors);
    lxm_release(&q->allocator, q->block.own);
    lxm_buffer_free(&q->block.labels);
    lxm_buffer_free(&q->block.ends);
    lxm_buffer_free(&q->bytes);
}

/* ---- the block ---- */

static float *next_vector(const lxm_near_queries *q)
{
    return q->block.vectors + q->block.count * lxm_table_dim(q->options->table);
}

/* Ends the query whose label and vector are there. */
static lxm_status end_query(lxm_near_queries *q, const uint32_t *own, size_t count,
                            lxm_error *error)
{
    uint32_t *to = q->block.own + q->block.count * lxm_most_names;
    for (size_t i = 0; i < lxm_most_names; i++)
        to[i] = i < count ? own[i] : LXM_NO_ROW;
    size_t end = q->block.labels.length;
    q->block.count++;
    q->taken++;
    return lxm_buffer_append(&q->block.ends, &end, sizeof end) ? LXM_OK : lxm_fail_memory(error);
}

/* A vector that came without a name: its number is its label, and its row. */
static lxm_status end_vector(lxm_near_queries *q, lxm_error *error)
{
    char label[24];
    bool is_row = q->taken < lxm_table_rows(q->options->table);
    uint32_t own = is_row ? (uint32_t)q->taken : LXM_NO_ROW;
    int length = snprintf(label, sizeof label, "%" PRIu64, q->taken);
    if (!lxm_buffer_append(&q->block.labels, label, (size_t)length))
        return lxm_fail_memory(error);
    return end_query(q, &own, 1, error);
}

static lxm_status take_rows(lxm_near_queries *q, size_t most, lxm_error *error)
{
    lxm_status status = LXM_OK;
    while (!status && q->block.count < most && q->taken < lxm_table_rows(q->options->queries)) {
        lxm_table_row(q->options->queries, q->taken, next_vector(q));
        status = end_vector(q, error);
    }
    return status;
}

/* ---- names ---- */

typedef struct name {
    const char *bytes;
    size_t length;
} name;

/* b - a + c, each of length 1. What has no direction makes it so that nothing is found. */
static lxm_status combine(lxm_near_queries *q, const uint32_t *rows, lxm_error *error)
{
    static const double signs[lxm_most_names] = {-1, 1, 1};
    size_t dim = lxm_table_dim(q->options->table);
    float *row = lxm_allocate(&q->allocator, dim, sizeof *row), *to = next_vector(q);
    double *sum = lxm_allocate(&q->allocator, dim, sizeof *sum);
    if (row && sum) {
        memset(sum, 0, dim * sizeof *sum);
        for (size_t i = 0; i < lxm_most_names; i++) {
            double square = 0;
            lxm_table_row(q->options->table, rows[i], row);
            for (size_t j = 0; j < dim; j++)
                square += (double)row[j] * (double)row[j];
            for (size_t j = 0; j < dim; j++)
                sum[j] += signs[i] * (double)row[j] / sqrt(square);
        }
        for (size_t j = 0; j < dim; j++)
            to[j] = (float)sum[j];
    }
    lxm_status status = row && sum ? LXM_OK : lxm_fail_memory(error);
    lxm_release(&q->allocator, row);
    lxm_release(&q->allocator, sum);
    return status;
}

/* A word as it stands, an id as a number. */
static lxm_status add_label(lxm_near_queries *q, const name *n, uint32_t row, lxm_error *error)
{
    char number[12];
    int digits = snprintf(number, sizeof number, "%" PRIu32, row);
    const char *bytes = q->names->words ? n->bytes : number;
    size_t length = q->names->words ? n->length : (size_t)digits;
    return lxm_buffer_append(&q->block.labels, bytes, length) ? LXM_OK : lxm_fail_memory(error);
}

static lxm_status add_names(lxm_near_queries *q, const name *names, size_t count, lxm_error *error)
{
    uint32_t rows[lxm_most_names];
    lxm_status status = LXM_OK;
    for (size_t i = 0; !status && i < count; i++) {
        status = lxm_row_names_find(q->names, names[i].bytes, names[i].length, &rows[i], error);
        if (!status && i && !lxm_buffer_append(&q->block.labels, " ", 1))
            status = lxm_fail_memory(error);
        if (!status)
            status = add_label(q, &names[i], rows[i], error);
    }
    if (!status && q->options->analogy)
        status = combine(q, rows, error);
    else if (!status)
        lxm_table_row(q->options->table, rows[0], next_vector(q));
    return status ? status : end_query(q, rows, count, error);
}

static size_t names_a_query(const lxm_near_queries *q)
{
    return q->options->analogy ? lxm_most_names : 1;
}

static lxm_status take_names(lxm_near_queries *q, size_t most, lxm_error *error)
{
    size_t each = names_a_query(q);
    lxm_status status = LXM_OK;
    while (!status && q->block.count < most && q->next_name < q->options->name_count) {
        name names[lxm_most_names];
        if (q->options->name_count - q->next_name < each)
            return lxm_fail(error, LXM_ERROR_ARGUMENT, "an analogy has three words: a, b and c");
        for (size_t i = 0; i < each; i++) {
            const char *text = q->options->names[q->next_name++];
            names[i] = (name){text, strlen(text)};
        }
        status = add_names(q, names, each, error);
    }
    return status;
}

/* ---- standard input ---- */

/* Makes `wanted` bytes there, if so many come. */
static lxm_status fill(lxm_near_queries *q, size_t wanted, lxm_error *error)
{
    lxm_status status = LXM_OK;
    if (q->used) {
        memmove(q->bytes.data, q->bytes.data + q->used, q->bytes.length - q->used);
        q->bytes.length -= q->used;
        q->position += q->used;
        q->used = 0;
    }
    while (!status && !q->ended && q->bytes.length < wanted) {
        size_t length = 0;
        if (!lxm_buffer_reserve(&q->bytes, read_size))
            return lxm_fail_memory(error);
        status =
            lxm_input_read(q->input, q->bytes.data + q->bytes.length, read_size, &length, error);
        q->bytes.length += length;
        q->ended = length == 0;
    }
    return status;
}

static lxm_status fail_array(const lxm_near_queries *q, const char *message, lxm_error *error)
{
    return lxm_fail_at(error, LXM_ERROR_FORMAT, q->position, "%s", message);
}

/* The header of an array; rows_left stays 0 at the end of all. */
static lxm_status begin_array(lxm_near_queries *q, lxm_error *error)
{
    lxm_npy_header header;
    lxm_status status = fill(q, longest_header, error);
    if (status || q->bytes.length == 0)
        return status;
    if (q->bytes.length < npy_prefix || !lxm_npy_probe(q->bytes.data, q->bytes.length))
        return fail_array(q, "an .npy array was expected to begin here", error);
    status = lxm_npy_parse(&header, q->bytes.data, q->bytes.length, error);
    if (status)
        return status;
    bool half = strcmp(header.descr, "<f2") == 0;
    if ((!half && strcmp(header.descr, "<f4") != 0) || header.fortran_order ||
        header.dimensions != 2)
        return fail_array(q, "queries are .npy arrays of two dimensions, <f4 or <f2, in C order",
                          error);
    q->dtype = half ? LXM_DTYPE_F16 : LXM_DTYPE_F32;
    q->rows_left = header.shape[0];
    q->used = header.size;
    return check_dim(q, header.shape[1], error);
}

static lxm_status take_vector(lxm_near_queries *q, lxm_error *error)
{
    size_t dim = lxm_table_dim(q->options->table), size = dim * lxm_dtype_size(q->dtype);
    lxm_widen *widen = lxm_dtype_widen(q->dtype);
    if (q->bytes.length - q->used < size) {
        lxm_status status = fill(q, size, error);
        if (status)
            return status;
        if (q->bytes.length < size)
            return lxm_fail_at(error, LXM_ERROR_FORMAT, q->position + q->bytes.length,
                               "the array is cut: %" PRIu64 " rows are missing", q->rows_left);
    }
    if (widen)
        widen(q->bytes.data + q->used, dim, next_vector(q));
    else
        memcpy(next_vector(q), q->bytes.data + q->used, size);
    q->used += size;
    q->rows_left--;
    return end_vector(q, error);
}

static lxm_status take_vectors(lxm_near_queries *q, size_t most, lxm_error *error)
{
    lxm_status status = LXM_OK;
    while (!status && q->block.count < most) {
        while (!status && q->rows_left == 0) {
            status = begin_array(q, error);
            if (!status && q->rows_left == 0 && q->ended && q->used == q->bytes.length)
                return LXM_OK;
        }
        if (!status)
            status = take_vector(q, error);
    }
    return status;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t';
}

/* Where a line ends, or one of the ids that stand on it, as idmap writes them. */
static uint8_t *find_end(const lxm_near_queries *q, uint8_t *start, size_t left)
{
    if (q->names->words || q->options->analogy)
        return left ? memchr(start, '\n', left) : NULL;
    for (size_t i = 0; i < left; i++)
        if (start[i] == '\n' || is_blank(start[i]))
            return start + i;
    return NULL;
}

/* The next line without its end; NULL at the end of all. */
static lxm_status next_line(lxm_near_queries *q, uint8_t **line, size_t *length, lxm_error *error)
{
    uint8_t *start = q->bytes.data + q->used;
    size_t left = q->bytes.length - q->used;
    uint8_t *end = find_end(q, start, left);
    lxm_status status = LXM_OK;
    *line = NULL;
    if (!end) {
        status = fill(q, longest_line + 1, error);
        start = q->bytes.data;
        left = q->bytes.length;
        end = find_end(q, start, left);
    }
    if (status || !left)
        return status;
    q->line += q->new_line;
    q->new_line = end && *end == '\n';
    *length = end ? (size_t)(end - start) : left;
    if (*length > longest_line)
        return lxm_fail(error, LXM_ERROR_LIMIT, "a line of more than 1 MiB is no word");
    *line = start;
    q->used += *length + (end != NULL);
    if (*length && start[*length - 1] == '\r')
        --*length;
    return LXM_OK;
}

/* Cuts a line into names: one, or three with blanks between. How many there are. */
static size_t cut_line(const lxm_near_queries *q, uint8_t *line, size_t length, name *names)
{
    size_t count = 0, most = names_a_query(q);
    for (size_t at = 0, begin; at < length; count++) {
        while (q->options->analogy && at < length && is_blank(line[at]))
            at++;
        if (at == length)
            break;
        for (begin = at; at < length && !(q->options->analogy && is_blank(line[at]));)
            at++;
        if (count < most)
            names[count] = (name){(char *)line + begin, at - begin};
    }
    return count;
}

/* Undoes the escapes of a token stream. */
static lxm_status unescape(name *names, size_t count, uint8_t *line, lxm_error *error)
{
    for (size_t i = 0; i < count; i++) {
        size_t bad = 0, begin = (size_t)(names[i].bytes - (char *)line);
        names[i].length = lxm_unescape(line + begin, names[i].length, &bad);
        if (names[i].length == SIZE_MAX)
            return lxm_fail(error, LXM_ERROR_FORMAT,
                            "a backslash begins no escape here: write it as \\\\");
    }
    return LXM_OK;
}

static lxm_status take_lines(lxm_near_queries *q, size_t most, lxm_error *error)
{
    lxm_status status = LXM_OK;
    while (!status && q->block.count < most) {
        name names[lxm_most_names];
        uint8_t *line;
        size_t length = 0;
        status = next_line(q, &line, &length, error);
        if (status || !line)
            break;
        size_t count = cut_line(q, line, length, names);
        if (count == 0)
            continue;
        if (count != names_a_query(q))
            status = lxm_fail(error, LXM_ERROR_FORMAT,
                              "an analogy is a line of three words: a, b and c");
        if (!status)
            status = unescape(names, count, line, error);
        if (!status)
            status = add_names(q, names, count, error);
    }
    if (status && error && !error->path)
        error->line = q->line;
    return status;
}

static lxm_status take_input(lxm_near_queries *q, size_t most, lxm_error *error)
{
    lxm_status status = LXM_OK;
    if (!q->begun) {
        status = fill(q, npy_prefix, error);
        q->begun = true;
        q->arrays = lxm_npy_probe(q->bytes.data, q->bytes.length);
    }
    if (!status && q->arrays && q->options->analogy)
        status = lxm_fail(error, LXM_ERROR_FORMAT,
                          "an analogy is made of words, but this is an .npy array");
    if (!status)
        status = q->arrays ? take_vectors(q, most, error) : take_lines(q, most, error);
    if (status)
        lxm_job_blame(error, standard_input);
    return status;
}

lxm_status lxm_near_queries_next(lxm_near_queries *q, size_t most, lxm_error *error)
{
    q->block.count = q->block.labels.length = q->block.ends.length = 0;
    if (q->options->queries)
        return take_rows(q, most, error);
    lxm_status status =
        q->options->name_count ? take_names(q, most, error) : take_input(q, most, error);
    q->block.words = q->options->analogy || (!q->arrays && q->names->words);
    return status;
}
