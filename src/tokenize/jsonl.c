#include "tokenize/jsonl.h"

#include "base/error.h"
#include "base/utf8.h"

/* ---- fields ---- */

/* Copies one name up to a dot or the end, without its escapes. */
static const char *copy_name(const char *field, char *name, size_t *length)
{
    for (*length = 0; *field && *field != '.'; field++) {
        if (*field == '\\' && (field[1] == '.' || field[1] == '\\'))
            field++;
        name[(*length)++] = *field;
    }
    name[*length] = '\0';
    return field;
}

lxm_status lxm_json_path_init(lxm_json_path *path, const char *field,
                              const lxm_allocator *allocator, lxm_error *error)
{
    size_t size = strlen(field) + 1;
    *path = (lxm_json_path){.allocator = *allocator};
    path->names = lxm_allocate(allocator, size, 1);
    path->lengths = lxm_allocate(allocator, size, sizeof *path->lengths);
    if (!path->names || !path->lengths) {
        lxm_json_path_free(path);
        return lxm_fail_memory(error);
    }
    for (char *name = path->names;; field++) {
        size_t *length = &path->lengths[path->count++];
        field = copy_name(field, name, length);
        name += *length + 1;
        if (!*field)
            return LXM_OK;
    }
}

void lxm_json_path_free(lxm_json_path *path)
{
    lxm_release(&path->allocator, path->names);
    lxm_release(&path->allocator, path->lengths);
    path->names = NULL;
    path->lengths = NULL;
    path->count = 0;
}

/* ---- strings ---- */

enum { replacement = 0xFFFD };

#define EACH_BYTE UINT64_C(0x0101010101010101)

/* Whether any of eight bytes is below `limit` (at most 0x80) and below 0x80. */
static uint64_t any_below(uint64_t word, uint64_t limit)
{
    return (word - EACH_BYTE * limit) & ~word & (EACH_BYTE << 7);
}

/* Skips what stands for itself in a string: all but quotes, backslashes and controls. */
static const uint8_t *skip_plain(const uint8_t *p, const uint8_t *end)
{
    for (uint64_t word; end - p >= 8; p += 8) {
        memcpy(&word, p, 8);
        if (any_below(word, 0x20) | any_below(word ^ EACH_BYTE * '"', 1) |
            any_below(word ^ EACH_BYTE * '\\', 1))
            break;
    }
    while (p < end && *p >= 0x20 && *p != '"' && *p != '\\')
        p++;
    return p;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits behind \u; -1 where they are none. */
static int32_t hex_unit(const uint8_t *p, const uint8_t *end)
{
    int32_t unit = 0;
    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0)
            return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

static bool is_half(uint32_t c)
{
    return c >= 0xD800 && c <= 0xDFFF;
}

/* The escape sequence at p: its length, and the code point, or half of a surrogate pair that stands
 * alone, in *c; 0 where it is none. */
static size_t escape(const uint8_t *p, const uint8_t *end, uint32_t *c)
{
    static const char letters[] = "\"\\/bfnrt";
    static const uint8_t values[] = {'"', '\\', '/', '\b', '\f', '\n', '\r', '\t'};
    if (end - p < 2)
        return 0;
    if (p[1] != 'u') {
        const char *letter = p[1] ? strchr(letters, p[1]) : NULL;
        *c = letter ? values[letter - letters] : 0;
        return letter ? 2 : 0;
    }
    int32_t unit = hex_unit(p + 2, end);
    *c = (uint32_t)unit;
    if (unit < 0)
        return 0;
    if (unit < 0xD800 || unit > 0xDBFF)
        return 6;
    int32_t low = end - p >= 8 && p[6] == '\\' && p[7] == 'u' ? hex_unit(p + 8, end) : -1;
    if (low < 0xDC00 || low > 0xDFFF)
        return 6;
    *c = 0x10000 + ((uint32_t)(unit - 0xD800) << 10) + (uint32_t)(low - 0xDC00);
    return 12;
}

size_t lxm_json_decode(const uint8_t *raw, size_t length, size_t *at, uint8_t *bytes,
                       size_t capacity)
{
    const uint8_t *p = raw + *at, *end = raw + length;
    size_t used = 0;
    while (p < end && capacity - used >= 4) {
        if (*p == '\\') {
            uint32_t c;
            p += escape(p, end, &c);
            used += lxm_utf8_encode(is_half(c) ? replacement : c, bytes + used);
            continue;
        }
        size_t room = capacity - used;
        const uint8_t *stop = (size_t)(end - p) < room ? end : p + room;
        const uint8_t *next = memchr(p, '\\', (size_t)(stop - p));
        size_t n = (size_t)((next ? next : stop) - p);
        memcpy(bytes + used, p, n);
        used += n;
        p += n;
    }
    *at = (size_t)(p - raw);
    return used;
}

size_t lxm_json_source(const uint8_t *raw, size_t length, uint64_t decoded)
{
    const uint8_t *p = raw, *end = raw + length;
    uint8_t bytes[4];
    while (p < end) {
        uint32_t c = 0;
        size_t size = *p == '\\' ? escape(p, end, &c) : 1;
        size_t gives = *p == '\\' ? lxm_utf8_encode(is_half(c) ? replacement : c, bytes) : 1;
        if (decoded < gives)
            break;
        decoded -= gives;
        p += size;
    }
    return (size_t)(p - raw);
}

/* ---- lines ---- */

/* What the next value is to the field. */
typedef enum role { role_none, role_way, role_field } role;

typedef struct parser {
    const lxm_json_path *path;
    const uint8_t *line, *p, *end;
    bool strict; /* no half of a surrogate pair stands alone */
    size_t depth;
    size_t matched; /* how many objects, outermost first, are on the way to the field */
    uint64_t objects[lxm_json_depth / 64]; /* a bit for each level: an object, not an array */
    role role;
    lxm_json_string found;
    const uint8_t *wrong; /* where the field isn't a string */
    bool is_found;
    const char *problem; /* why it isn't JSON, at p */
} parser;

static bool fail(parser *s, const char *problem)
{
    s->problem = problem;
    return false;
}

static void skip_space(parser *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\r' || *s->p == '\n'))
        s->p++;
}

/* A string, p being behind its first quote. */
static bool read_string(parser *s, lxm_json_string *string)
{
    string->begin = (size_t)(s->p - s->line);
    string->escaped = false;
    for (;;) {
        uint32_t c;
        s->p = skip_plain(s->p, s->end);
        if (s->p == s->end)
            return fail(s, "a string doesn't end");
        if (*s->p == '"')
            break;
        if (*s->p < 0x20)
            return fail(s, "a control character in a string must be escaped");
        size_t size = escape(s->p, s->end, &c);
        if (size == 0)
            return fail(s, "no such escape sequence");
        if (s->strict && is_half(c))
            return fail(s, "half a surrogate pair, which --invalid replace makes U+FFFD");
        string->escaped = true;
        s->p += size;
    }
    string->end = (size_t)(s->p++ - s->line);
    return true;
}

static bool skip_digits(parser *s)
{
    const uint8_t *begin = s->p;
    while (s->p < s->end && *s->p >= '0' && *s->p <= '9')
        s->p++;
    return s->p > begin;
}

static bool at(const parser *s, char c)
{
    return s->p < s->end && *s->p == (uint8_t)c;
}

static bool read_number(parser *s)
{
    s->p += at(s, '-');
    if (at(s, '0'))
        s->p++;
    else if (!skip_digits(s))
        return fail(s, "no value");
    if (at(s, '.')) {
        s->p++;
        if (!skip_digits(s))
            return fail(s, "a number without digits behind its point");
    }
    if (at(s, 'e') || at(s, 'E')) {
        s->p++;
        s->p += at(s, '+') || at(s, '-');
        if (!skip_digits(s))
            return fail(s, "a number without digits in its exponent");
    }
    return true;
}

static bool read_word(parser *s, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(s->end - s->p) < length || memcmp(s->p, word, length) != 0)
        return fail(s, "no value");
    s->p += length;
    return true;
}

static bool in_object(const parser *s)
{
    size_t level = s->depth - 1;
    return s->objects[level / 64] >> level % 64 & 1;
}

static bool enter(parser *s, bool object)
{
    if (s->depth == lxm_json_depth)
        return fail(s, "nested too deeply");
    uint64_t bit = UINT64_C(1) << s->depth % 64;
    if (object)
        s->objects[s->depth / 64] |= bit;
    else
        s->objects[s->depth / 64] &= ~bit;
    /* the outermost object is on the way to any field */
    if (object && (s->depth == 0 || s->role == role_way))
        s->matched++;
    s->depth++;
    s->role = role_none;
    s->p++;
    return true;
}

static void leave(parser *s)
{
    if (s->matched == s->depth)
        s->matched--;
    s->depth--;
    s->p++;
}

/* Whether a name is the one that the field has at the present level. */
static bool is_named(const parser *s, const lxm_json_string *name)
{
    const char *want = s->path->names;
    for (size_t i = 0; i + 1 < s->depth; i++)
        want += s->path->lengths[i] + 1;
    size_t length = s->path->lengths[s->depth - 1], size = name->end - name->begin, used = 0, n;
    const uint8_t *raw = s->line + name->begin;
    if (!name->escaped)
        return size == length && memcmp(raw, want, length) == 0;
    uint8_t part[64];
    for (size_t i = 0; (n = lxm_json_decode(raw, size, &i, part, sizeof part)) > 0; used += n)
        if (n > length - used || memcmp(part, want + used, n) != 0)
            return false;
    return used == length;
}

/* "NAME": of a member; what its value is to the field. */
static bool read_name(parser *s)
{
    lxm_json_string name;
    skip_space(s);
    if (!at(s, '"'))
        return fail(s, "the name of a member must stand here");
    s->p++;
    if (!read_string(s, &name))
        return false;
    skip_space(s);
    if (!at(s, ':'))
        return fail(s, "':' must stand behind a name");
    s->p++;
    s->role = role_none;
    if (s->matched == s->depth && is_named(s, &name)) {
        s->role = s->depth == s->path->count ? role_field : role_way;
        s->is_found = false;
        s->wrong = NULL;
    }
    return true;
}

/* A value that isn't an object or an array. */
static bool read_scalar(parser *s)
{
    lxm_json_string string;
    const uint8_t *begin = s->p;
    bool is_string = at(s, '"');
    bool good;
    switch (s->p < s->end ? *s->p : 0) {
    case '"':
        s->p++;
        good = read_string(s, &string);
        break;
    case 't':
        good = read_word(s, "true");
        break;
    case 'f':
        good = read_word(s, "false");
        break;
    case 'n':
        good = read_word(s, "null");
        break;
    default:
        good = read_number(s);
    }
    if (!good || s->role != role_field)
        return good;
    s->is_found = is_string;
    if (is_string)
        s->found = string;
    else
        s->wrong = begin;
    return true;
}

/* What follows a value: the ends of what it stands in, then a comma and perhaps a name. Sets
 * *done where the outermost value has ended. */
static bool read_ends(parser *s, bool *done)
{
    for (;;) {
        skip_space(s);
        *done = s->depth == 0;
        if (*done)
            return s->p == s->end || fail(s, "something follows the object");
        bool object = in_object(s);
        if (at(s, ',')) {
            s->p++;
            s->role = role_none;
            return !object || read_name(s);
        }
        if (!at(s, object ? '}' : ']'))
            return fail(s, object ? "',' or '}' must stand here" : "',' or ']' must stand here");
        leave(s);
    }
}

static bool read_line(parser *s)
{
    for (bool done = false; !done;) {
        skip_space(s);
        bool object = at(s, '{');
        if (!object && s->depth == 0)
            return fail(s, "a line must be an object");
        if (object || at(s, '[')) {
            if (s->role == role_field)
                s->wrong = s->p;
            if (!enter(s, object))
                return false;
            skip_space(s);
            if (!at(s, object ? '}' : ']')) {
                if (object && !read_name(s))
                    return false;
                continue;
            }
        } else if (!read_scalar(s)) {
            return false;
        }
        if (!read_ends(s, &done))
            return false;
    }
    return true;
}

/* The field as the user wrote it, dots and all. */
static lxm_status no_field(const parser *s, lxm_error *error)
{
    char text[80];
    const lxm_json_path *path = s->path;
    size_t length = path->count - 1;
    for (size_t i = 0; i < path->count; i++)
        length += path->lengths[i];
    lxm_buffer name;
    lxm_buffer_init(&name, &path->allocator);
    if (!lxm_buffer_append(&name, path->names, length))
        return lxm_fail_memory(error);
    for (size_t i = 0; i < length; i++)
        if (name.data[i] == 0)
            name.data[i] = '.';
    lxm_printable(text, sizeof text, name.data, length);
    lxm_buffer_free(&name);
    if (s->wrong)
        return lxm_fail_at(error, LXM_ERROR_FORMAT, (uint64_t)(s->wrong - s->line),
                           "the field '%s' is not a string: drop the line, or use --skip-bad",
                           text);
    return lxm_fail_at(error, LXM_ERROR_FORMAT, 0,
                       "there is no field '%s' on this line: name another with -d jsonl:FIELD, or "
                       "use --skip-bad",
                       text);
}

lxm_status lxm_json_find(const lxm_json_path *path, const uint8_t *line, size_t length, bool utf8,
                         lxm_json_string *found, lxm_error *error)
{
    parser s = {.path = path, .line = line, .p = line, .end = line + length, .strict = utf8};
    size_t valid = utf8 ? lxm_utf8_valid(line, length) : length;
    if (valid != length)
        return lxm_fail_at(error, LXM_ERROR_UTF8, valid,
                           "byte 0x%02X is not UTF-8: convert the text, or use --skip-bad, "
                           "--invalid replace or --invalid bytes",
                           line[valid]);
    if (!read_line(&s))
        return lxm_fail_at(error, LXM_ERROR_FORMAT, (uint64_t)(s.p - line),
                           "this is not JSON: %s (mend the line, or use --skip-bad)", s.problem);
    if (!s.is_found)
        return no_field(&s, error);
    *found = s.found;
    return LXM_OK;
}
