/*
 * Tables whose rows have words: word2vec's binary form, and text as word2vec, fastText and GloVe
 * write it. Text is parsed once; the binary form is mapped, with each row behind its word.
 */
#include "base/error.h"
#include "embed/table.h"
#include "formats/number.h"
#include "formats/table_reader.h"

/* No line of text has a number that is longer, on the average. */
enum { longest_number = 40, longest_word = 1 << 20 };

/* So many bytes say whether a file is text. */
enum { seen = 65536 };

static const uint64_t largest_dim = 1 << 24;

/* A line, or what is left of one. */
typedef struct span {
    const char *at, *end;
} span;

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static void trim(span *s)
{
    while (s->end > s->at && is_blank(s->end[-1]))
        s->end--;
}

/* Takes the line that begins at *at; without its newline and what is blank before it. */
static span next_line(const uint8_t *bytes, size_t length, size_t *at)
{
    const char *from = (const char *)bytes + *at;
    const char *newline = memchr(from, '\n', length - *at);
    span line = {from, newline ? newline : (const char *)bytes + length};
    *at = (size_t)(line.end - (const char *)bytes) + (newline != NULL);
    trim(&line);
    return line;
}

/* Takes the last field. */
static span last_field(span *s)
{
    span field = {s->end, s->end};
    while (field.at > s->at && !is_blank(field.at[-1]))
        field.at--;
    s->end = field.at;
    trim(s);
    return field;
}

/* "V D" */
static bool read_header(span line, uint64_t *rows, uint64_t *dim)
{
    span second = last_field(&line), first = last_field(&line);
    return line.at == line.end && first.at < first.end &&
           lxm_number_whole(first.at, (size_t)(first.end - first.at), rows) &&
           lxm_number_whole(second.at, (size_t)(second.end - second.at), dim);
}

/* The numbers that end a line, at most `most`; at least one field is the word. */
static uint64_t count_numbers(span line, uint64_t most)
{
    lxm_numbers numbers = {0};
    uint64_t count = 0;
    float value;
    while (count < most) {
        span field = last_field(&line);
        if (line.at == line.end ||
            !lxm_number_read(&numbers, field.at, (size_t)(field.end - field.at), &value))
            break;
        count++;
    }
    lxm_numbers_free(&numbers);
    return count;
}

typedef struct plan {
    bool header, binary;
    uint64_t rows, dim;
    size_t start; /* of the first row */
    size_t end;   /* of the last, where they are text: empty lines may follow */
} plan;

/* Whether no byte there is one that text doesn't have. */
static bool is_plain(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (bytes[i] < '\t' || (bytes[i] > '\r' && bytes[i] < ' '))
            return false;
    return true;
}

/* Whether text follows a header: its first line is a word and numbers, or it looks like text. */
static bool is_text(const uint8_t *bytes, size_t length, const plan *p)
{
    size_t at = p->start, most = length - at;
    if (most > longest_word && p->dim < (most - longest_word) / longest_number)
        most = longest_word + (size_t)p->dim * longest_number;
    span line = next_line(bytes, at + most, &at);
    return is_plain(bytes + p->start, most < seen ? most : seen) ||
           count_numbers(line, p->dim) == p->dim;
}

/* What a file looks like from its beginning; false where it is none of these. */
static bool make_plan(plan *p, const uint8_t *bytes, size_t length)
{
    size_t at = 0, most = length < (size_t)1 << 30 ? length : (size_t)1 << 30;
    span line = next_line(bytes, most, &at);
    *p = (plan){.start = at};
    if (read_header(line, &p->rows, &p->dim)) {
        p->header = true;
        p->binary = !is_text(bytes, length, p);
        return true;
    }
    p->start = 0;
    p->dim = is_plain(bytes, length < seen ? length : seen) ? count_numbers(line, largest_dim) : 0;
    return p->dim > 0;
}

static bool probe(const uint8_t *bytes, size_t length)
{
    plan p;
    return make_plan(&p, bytes, length);
}

/* A row takes at least so many bytes: its word, and a space and a digit a number. */
static lxm_status check_size(const plan *p, size_t length, lxm_error *error)
{
    uint64_t row = p->binary ? 2 + p->dim * sizeof(float) : 1 + 2 * p->dim, need;
    if (p->dim == 0 || p->dim > largest_dim)
        return lxm_fail_at(error, LXM_ERROR_FORMAT, 0, "rows of %llu columns: from 1 to %llu",
                           (unsigned long long)p->dim, (unsigned long long)largest_dim);
    if (__builtin_mul_overflow(row, p->rows, &need) || need > length - p->start + 1)
        return lxm_fail_at(error, LXM_ERROR_FORMAT, 0,
                           "%zu bytes are too few for the %llu rows of %llu columns that the first "
                           "line promises: the file is cut",
                           length, (unsigned long long)p->rows, (unsigned long long)p->dim);
    return LXM_OK;
}

static lxm_status fail_line(lxm_error *error, uint64_t line, const char *message)
{
    lxm_status status = lxm_fail(error, LXM_ERROR_FORMAT, "%s", message);
    if (error)
        error->line = line;
    return status;
}

/* Reads the numbers from the last to the first: what is left is the word, spaces included. */
static lxm_status read_row(lxm_table *table, lxm_numbers *numbers, span line, float *values,
                           uint64_t number, lxm_error *error)
{
    span whole = line;
    for (size_t i = table->dim; i-- > 0;) {
        span field = last_field(&line);
        if (!lxm_number_read(numbers, field.at, (size_t)(field.end - field.at), &values[i])) {
            char shown[48];
            lxm_printable(shown, sizeof shown - 8, field.at, (size_t)(field.end - field.at));
            lxm_status status = lxm_fail(
                error, LXM_ERROR_FORMAT,
                "a word and %zu numbers are expected, but field %zu of the numbers is '%s'",
                table->dim, i + 1, shown);
            if (error)
                error->line = number;
            return status;
        }
    }
    if (line.at == line.end || whole.at == line.end)
        return fail_line(error, number, "there are numbers, but no word before them");
    if ((size_t)(line.end - line.at) > longest_word)
        return fail_line(error, number,
                         "a word of more than 1 MiB, or a line with too many fields");
    return lxm_table_add_word(table, (uint64_t)((const uint8_t *)line.at - table->map.data),
                              (uint32_t)(line.end - line.at), error);
}

static uint64_t count_lines(const uint8_t *bytes, size_t length)
{
    uint64_t count = 0;
    for (size_t at = 0; at < length; count++)
        (void)next_line(bytes, length, &at);
    return count;
}

static lxm_status read_rows(lxm_table *table, const plan *p, float *values, lxm_error *error)
{
    lxm_numbers numbers = {0};
    lxm_status status = LXM_OK;
    size_t at = p->start;
    uint64_t row = 0;
    for (; !status && row < p->rows && at < p->end; row++)
        status = read_row(table, &numbers, next_line(table->map.data, p->end, &at),
                          values + row * table->dim, row + 1 + p->header, error);
    lxm_numbers_free(&numbers);
    if (!status && (row < p->rows || at < p->end))
        status =
            fail_line(error, row + 1 + p->header,
                      row < p->rows ? "the file ends before the rows that its first line promises"
                                    : "there are more rows than the first line promises");
    return status;
}

static size_t find_end(const plan *p, lxm_map map)
{
    size_t end = map.length;
    while (end > p->start && (map.data[end - 1] == '\n' || map.data[end - 1] == '\r'))
        end--;
    return end;
}

/* The numbers go to memory, or an unnamed file; the words stay in the map. */
static lxm_status open_text(lxm_table **out, lxm_map map, plan *p, const lxm_allocator *allocator,
                            lxm_error *error)
{
    float *values;
    p->end = find_end(p, map);
    if (!p->header)
        p->rows = count_lines(map.data, p->end);
    lxm_status status = check_size(p, map.length, error);
    if (status)
        return status;
    lxm_table *table = *out = lxm_table_allocate(allocator, p->rows, (size_t)p->dim);
    if (!table)
        return lxm_fail_memory(error);
    table->map = map;
    lxm_table_describe(table, p->header ? "word2vec-text" : "glove", 0);
    status = lxm_table_store(table, &values, error);
    return status ? status : read_rows(table, p, values, error);
}

static lxm_status fail_row(lxm_error *error, size_t at, uint64_t row, const char *what)
{
    return lxm_fail_at(error, LXM_ERROR_FORMAT, at, "row %llu, from 0: %s", (unsigned long long)row,
                       what);
}

/* A word, a space and the numbers; the newline of the row before may stand first. */
static lxm_status read_binary_row(lxm_table *table, size_t *at, uint64_t row, lxm_error *error)
{
    const uint8_t *bytes = table->map.data;
    size_t length = table->map.length, numbers = table->dim * sizeof(float);
    while (*at < length && bytes[*at] == '\n')
        ++*at;
    size_t most = length - *at < longest_word ? length - *at : longest_word;
    const uint8_t *space = memchr(bytes + *at, ' ', most);
    if (!space)
        return fail_row(error, *at, row,
                        most < longest_word ? "the file ends in it: it is cut"
                                            : "a word of more than 1 MiB");
    size_t word = (size_t)(space - bytes) - *at, start = *at + word + 1;
    if (word == 0)
        return fail_row(error, *at, row, "it has no word");
    if (length - start < numbers)
        return fail_row(error, length, row, "the file ends in it: it is cut");
    lxm_status status = lxm_table_add_word(table, *at, (uint32_t)word, error);
    *at = start + numbers;
    return status;
}

static lxm_status open_binary(lxm_table **out, lxm_map map, const plan *p,
                              const lxm_allocator *allocator, lxm_error *error)
{
    lxm_status status = check_size(p, map.length, error);
    if (!status)
        status = lxm_table_from_map(out, map, 0, p->rows, (size_t)p->dim, LXM_DTYPE_F32, allocator,
                                    error);
    if (status)
        return status;
    (*out)->stride = 0;
    lxm_table_describe(*out, "word2vec", 0);
    size_t at = p->start;
    for (uint64_t row = 0; !status && row < p->rows; row++)
        status = read_binary_row(*out, &at, row, error);
    while (!status && at < map.length && map.data[at] == '\n')
        at++;
    if (!status && at < map.length)
        status = lxm_fail_at(error, LXM_ERROR_FORMAT, at,
                             "there is more behind the %llu rows that the first line promises",
                             (unsigned long long)p->rows);
    return status;
}

static lxm_status open_table(lxm_table **table, lxm_map map, const char *tensor,
                             const lxm_allocator *allocator, lxm_error *error)
{
    plan p;
    (void)make_plan(&p, map.data, map.length);
    if (tensor)
        return lxm_fail(error, LXM_ERROR_ARGUMENT,
                        "a file of words and numbers has no tensor names: leave '%.64s' out",
                        tensor);
    return p.binary ? open_binary(table, map, &p, allocator, error)
                    : open_text(table, map, &p, allocator, error);
}

const lxm_table_reader lxm_words_table = {"words", probe, open_table};
