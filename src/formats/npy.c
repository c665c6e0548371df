/* Reading .npy: the header, and a table in one. */
#include "formats/npy.h"

#include <stdio.h>

#include "base/error.h"
#include "embed/table.h"
#include "formats/table_reader.h"

/* As NumPy: a longer header is refused, for its parser would be at its mercy. */
enum { longest_header = 10000, prefix_v1 = 10, prefix_v2 = 12 };

static const uint8_t magic[6] = {0x93, 'N', 'U', 'M', 'P', 'Y'};

/* What is left of the dict. */
typedef struct cursor {
    const char *at, *end;
} cursor;

static void skip_space(cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\n' || *c->at == '\t' || *c->at == '\r'))
        c->at++;
}

/* Takes a character, with the white space before it. */
static bool take(cursor *c, char wanted)
{
    skip_space(c);
    if (c->at == c->end || *c->at != wanted)
        return false;
    c->at++;
    return true;
}

static bool take_word(cursor *c, const char *word)
{
    skip_space(c);
    size_t length = strlen(word);
    if ((size_t)(c->end - c->at) < length || memcmp(c->at, word, length))
        return false;
    c->at += length;
    return true;
}

/* A quoted string without escapes, cut to what `text` holds. */
static bool take_string(cursor *c, char *text, size_t capacity)
{
    skip_space(c);
    if (c->at == c->end || (*c->at != '\'' && *c->at != '"'))
        return false;
    const char *start = c->at + 1, *end = start;
    while (end < c->end && *end != *c->at && *end != '\\')
        end++;
    if (end == c->end || *end == '\\')
        return false;
    lxm_printable(text, capacity, start, (size_t)(end - start));
    c->at = end + 1;
    return true;
}

/* A number of Python; the L of Python 2 is allowed. */
static bool take_number(cursor *c, uint64_t *number)
{
    skip_space(c);
    const char *start = c->at;
    *number = 0;
    for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++)
        if (__builtin_mul_overflow(*number, 10, number) ||
            __builtin_add_overflow(*number, (uint64_t)(*c->at - '0'), number))
            return false;
    if (c->at == start)
        return false;
    if (c->at < c->end && *c->at == 'L')
        c->at++;
    return true;
}

static bool take_shape(cursor *c, lxm_npy_header *header)
{
    bool comma = true;
    if (!take(c, '('))
        return false;
    for (header->dimensions = 0; !take(c, ')'); header->dimensions++) {
        if (!comma || header->dimensions == lxm_npy_dimensions ||
            !take_number(c, &header->shape[header->dimensions]))
            return false;
        comma = take(c, ',');
    }
    return comma || header->dimensions > 1; /* (5) is a number, (5,) a shape */
}

static bool take_bool(cursor *c, bool *value)
{
    *value = take_word(c, "True");
    return *value || take_word(c, "False");
}

/* A key and its value; `seen` has a bit for each key. */
static bool take_item(cursor *c, lxm_npy_header *header, unsigned *seen)
{
    char key[40];
    unsigned bit = 0;
    bool good = take_string(c, key, sizeof key) && take(c, ':');
    if (good && strcmp(key, "descr") == 0) {
        bit = 1;
        good = take_string(c, header->descr, sizeof header->descr);
    } else if (good && strcmp(key, "fortran_order") == 0) {
        bit = 2;
        good = take_bool(c, &header->fortran_order);
    } else if (good && strcmp(key, "shape") == 0) {
        bit = 4;
        good = take_shape(c, header);
    }
    good = good && bit && !(*seen & bit);
    *seen |= bit;
    return good;
}

static bool take_dict(cursor *c, lxm_npy_header *header)
{
    unsigned seen = 0;
    bool comma = true;
    if (!take(c, '{'))
        return false;
    while (!take(c, '}')) {
        if (!comma || !take_item(c, header, &seen))
            return false;
        comma = take(c, ',');
    }
    skip_space(c);
    return seen == 7 && c->at == c->end;
}

bool lxm_npy_probe(const uint8_t *bytes, size_t length)
{
    size_t n = length < sizeof magic ? length : sizeof magic;
    return n > 0 && memcmp(bytes, magic, n) == 0;
}

lxm_status lxm_npy_parse(lxm_npy_header *header, const uint8_t *bytes, size_t length,
                         lxm_error *error)
{
    *header = (lxm_npy_header){0};
    if (length < prefix_v2)
        return lxm_fail_at(error, LXM_ERROR_FORMAT, length, "the .npy file ends in its header");
    if (bytes[6] < 1 || bytes[6] > 3)
        return lxm_fail_at(error, LXM_ERROR_FORMAT, 6,
                           "version %u.%u of .npy is unknown: save it again with numpy.save",
                           bytes[6], bytes[7]);
    bool first = bytes[6] == 1;
    size_t prefix = first ? prefix_v1 : prefix_v2;
    size_t dict = (size_t)bytes[8] | (size_t)bytes[9] << 8;
    if (!first)
        dict |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    if (dict > longest_header)
        return lxm_fail_at(error, LXM_ERROR_LIMIT, 8,
                           "an .npy header of %zu bytes: at most %d are read", dict,
                           longest_header);
    if (dict > length - prefix)
        return lxm_fail_at(error, LXM_ERROR_FORMAT, length, "the .npy file ends in its header");
    const char *text = (const char *)bytes + prefix;
    cursor c = {text, text + dict};
    if (!take_dict(&c, header))
        return lxm_fail_at(error, LXM_ERROR_FORMAT, prefix + (size_t)(c.at - text),
                           "the .npy header is no dict of descr, fortran_order and shape");
    header->size = prefix + dict;
    return LXM_OK;
}

bool lxm_npy_data_size(const lxm_npy_header *header, size_t number, size_t *size)
{
    *size = number;
    for (size_t i = 0; i < header->dimensions; i++)
        if (header->shape[i] > SIZE_MAX || !lxm_multiply(*size, (size_t)header->shape[i], size))
            return false;
    return true;
}

/* As many dimensions as there is room for. */
static const char *shape_text(const lxm_npy_header *header, char *text, size_t capacity)
{
    size_t used = (size_t)snprintf(text, capacity, "%s", header->dimensions ? "" : "1");
    for (size_t i = 0; i < header->dimensions && used + 24 < capacity; i++)
        used += (size_t)snprintf(text + used, capacity - used, "%s%llu", i ? " x " : "",
                                 (unsigned long long)header->shape[i]);
    return text;
}

lxm_status lxm_npy_check_data(const lxm_npy_header *header, size_t number, size_t length,
                              lxm_error *error)
{
    size_t need;
    char shape[128];
    if (lxm_npy_data_size(header, number, &need) && need == length - header->size)
        return LXM_OK;
    return lxm_fail_at(error, LXM_ERROR_FORMAT, header->size,
                       "%zu bytes of data are not the %s numbers of the header: the file is cut or "
                       "damaged",
                       length - header->size, shape_text(header, shape, sizeof shape));
}

static lxm_dtype dtype_of(const lxm_npy_header *header)
{
    return strcmp(header->descr, "<f2") == 0 ? LXM_DTYPE_F16 : LXM_DTYPE_F32;
}

static lxm_status check_table(const lxm_npy_header *header, size_t length, lxm_error *error)
{
    if (strcmp(header->descr, "<f4") != 0 && strcmp(header->descr, "<f2") != 0)
        return lxm_fail(error, LXM_ERROR_UNSUPPORTED,
                        "its numbers are '%s', not '<f4' or '<f2': save it with .astype('<f4')",
                        header->descr);
    if (header->dimensions != 2)
        return lxm_fail(error, LXM_ERROR_FORMAT,
                        "an array of %zu dimensions: a table has 2 (rows, columns)",
                        header->dimensions);
    if (header->fortran_order)
        return lxm_fail(error, LXM_ERROR_UNSUPPORTED,
                        "the array is in Fortran order: save it with numpy.ascontiguousarray");
    if (header->shape[1] == 0)
        return lxm_fail(error, LXM_ERROR_FORMAT, "the table has no columns");
    return lxm_npy_check_data(header, lxm_dtype_size(dtype_of(header)), length, error);
}

static lxm_status open_table(lxm_table **table, lxm_map map, const char *tensor,
                             const lxm_allocator *allocator, lxm_error *error)
{
    lxm_npy_header header;
    lxm_status status = lxm_npy_parse(&header, map.data, map.length, error);
    if (!status && tensor)
        status = lxm_fail(error, LXM_ERROR_ARGUMENT,
                          "an .npy file has no tensor names: leave '%.64s' out", tensor);
    if (!status)
        status = check_table(&header, map.length, error);
    if (!status)
        status = lxm_table_from_map(table, map, header.size, header.shape[0],
                                    (size_t)header.shape[1], dtype_of(&header), allocator, error);
    if (!status)
        lxm_table_describe(*table, "npy", 0);
    return status;
}

const lxm_table_reader lxm_npy_table = {"npy", lxm_npy_probe, open_table};
