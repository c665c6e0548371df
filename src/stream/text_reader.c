/* The text form: tokens one a line, ids one document a line. */
#include "base/error.h"
#include "base/escape.h"
#include "stream/reader.h"

enum { longest_line = 1 << 30 };

static lxm_status fail(const lxm_reader *reader, lxm_status code, size_t at, const char *what,
                       const uint8_t *bytes, size_t length, lxm_error *error)
{
    char shown[64];
    lxm_fail_at(error, code, reader->position + at, "%s: '%s'", what,
                lxm_printable(shown, sizeof shown, bytes, length));
    if (error)
        error->line = reader->line;
    return code;
}

/* Digits up to `end`: returns the end of the number, or NULL where there is none or it overflows.
 */
static const uint8_t *parse_number(const uint8_t *p, const uint8_t *end, uint64_t *number)
{
    const uint8_t *begin = p;
    *number = 0;
    for (; p < end && *p >= '0' && *p <= '9'; p++)
        if (__builtin_mul_overflow(*number, 10, number) ||
            __builtin_add_overflow(*number, *p - '0', number))
            return NULL;
    return p == begin ? NULL : p;
}

/* ---- tokens ---- */

/* Whether a whole line waits in the window, and its length without the newline. */
static bool find_line(const lxm_reader *reader, size_t *length)
{
    const uint8_t *from = reader->window.data + reader->begin;
    size_t waiting = lxm_reader_waiting(reader);
    const uint8_t *end = waiting ? memchr(from, '\n', waiting) : NULL;
    *length = end ? (size_t)(end - from) : waiting;
    return end || reader->ended;
}

/* Reads until a whole line waits; twice as much each time, so that it takes linear time. */
static lxm_status read_line(lxm_reader *reader, size_t *length, lxm_error *error)
{
    while (!find_line(reader, length)) {
        size_t waiting = lxm_reader_waiting(reader);
        if (waiting > longest_line)
            return fail(reader, LXM_ERROR_LIMIT, 0, "a token of over 1 GiB",
                        reader->window.data + reader->begin, 32, error);
        lxm_status status = lxm_reader_fill(reader, 2 * waiting + 1, error);
        if (status)
            return status;
    }
    return LXM_OK;
}

/* TAB, begin, TAB, end: what may stand behind a token. */
static bool parse_offsets(const uint8_t *p, const uint8_t *end, uint64_t *offsets)
{
    p = parse_number(p + 1, end, &offsets[0]);
    if (!p || p == end || *p != '\t')
        return false;
    p = parse_number(p + 1, end, &offsets[1]);
    return p == end;
}

/* The token on a line of the window, as item number `item` of the block. */
static lxm_status parse_token(lxm_reader *reader, uint8_t *token, size_t length, size_t item,
                              bool *has_offsets, lxm_error *error)
{
    size_t bad = 0;
    uint8_t *tab = memchr(token, '\t', length);
    if (tab && !parse_offsets(tab, token + length, reader->offsets + 2 * item))
        return fail(reader, LXM_ERROR_FORMAT, (size_t)(tab - token),
                    "a TAB in a token is written \\t, and behind it stand two offsets", token,
                    length, error);
    if (item > 0 && (tab != NULL) != *has_offsets)
        return fail(reader, LXM_ERROR_FORMAT, 0, "only some of the tokens have offsets", token,
                    length, error);
    *has_offsets = tab != NULL;
    if (tab)
        length = (size_t)(tab - token);
    if (length == 0)
        return fail(reader, LXM_ERROR_FORMAT, 0, "a token is missing", token, 1, error);
    size_t size = lxm_unescape(token, length, &bad);
    if (size == SIZE_MAX)
        return fail(reader, LXM_ERROR_FORMAT, bad,
                    "an escape must be one of \\\\ \\n \\r \\t \\0 \\xHH", token + bad,
                    length - bad, error);
    size_t begin = (size_t)(token - reader->window.data);
    reader->spans[item] = (lxm_span){(uint32_t)begin, (uint32_t)(begin + size)};
    return LXM_OK;
}

lxm_status lxm_reader_next_tokens(lxm_reader *reader, lxm_block *block, bool *more,
                                  lxm_error *error)
{
    size_t count = 0;
    bool has_offsets = false;
    block->position = reader->line;
    while (count < lxm_reader_items) {
        size_t length;
        lxm_status status = LXM_OK;
        if (!find_line(reader, &length)) {
            /* what is in the block must not move: a line that isn't whole waits for the next */
            if (count > 0)
                break;
            status = read_line(reader, &length, error);
        }
        if (status)
            return status;
        bool end = lxm_reader_waiting(reader) == 0;
        if (end && !reader->in_document)
            break;
        if (end || length == 0) {
            lxm_reader_skip(reader, !end);
            reader->line++;
            block->end_document = *more = true;
            reader->in_document = !end;
            break;
        }
        status = parse_token(reader, reader->window.data + reader->begin, length, count,
                             &has_offsets, error);
        if (status)
            return status;
        count++;
        reader->in_document = true;
        lxm_reader_skip(reader, length + (length < lxm_reader_waiting(reader)));
        reader->line++;
    }
    *more = *more || count > 0;
    block->tokens = (lxm_tokens){reader->window.data, reader->spans, count,
                                 has_offsets ? reader->offsets : NULL};
    return LXM_OK;
}

/* ---- ids ---- */

static lxm_status parse_id(lxm_reader *reader, const uint8_t *p, const uint8_t *end, uint32_t *id,
                           size_t *used, lxm_error *error)
{
    const uint8_t *word = p;
    uint64_t number = 0;
    while (word<end && * word> ' ')
        word++;
    if (word == p) /* a control character: neither digits nor white space */
        return fail(reader, LXM_ERROR_FORMAT, 0, "not an id (a number from 0 on)", p, 1, error);
    for (const uint8_t *q = p; q < word; q++) {
        if (*q < '0' || *q > '9')
            return fail(reader, LXM_ERROR_FORMAT, 0, "not an id (a number from 0 on)", p,
                        (size_t)(word - p), error);
        number = 10 * number + (*q - '0');
        if (number > UINT32_MAX)
            return fail(reader, LXM_ERROR_ID, 0, "an id doesn't fit 32 bits", p, (size_t)(word - p),
                        error);
    }
    *id = (uint32_t)number;
    *used = (size_t)(word - p);
    return LXM_OK;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Whether the word at the start of the window may go on behind its end. */
static lxm_status whole_word(lxm_reader *reader, lxm_error *error)
{
    enum { longest_word = 64 };
    const uint8_t *p = reader->window.data + reader->begin;
    size_t waiting = lxm_reader_waiting(reader), n = 0;
    while (n < waiting && n < longest_word && p[n] > ' ')
        n++;
    if (n < waiting || n == longest_word)
        return LXM_OK;
    return lxm_reader_fill(reader, longest_word, error);
}

lxm_status lxm_reader_next_ids(lxm_reader *reader, lxm_block *block, bool *more, lxm_error *error)
{
    size_t count = 0;
    block->position = reader->line;
    while (count < lxm_reader_items && !block->end_document) {
        lxm_status status = whole_word(reader, error);
        if (status)
            return status;
        const uint8_t *p = reader->window.data + reader->begin;
        const uint8_t *end = reader->window.data + reader->window.length;
        size_t used = 1;
        if (p == end) {
            block->end_document = reader->in_line;
            reader->in_line = false;
            break;
        }
        reader->in_line = true;
        if (*p == '\n') {
            block->end_document = true;
            reader->in_line = false;
            reader->line++;
        } else if (!is_blank(*p)) {
            status = parse_id(reader, p, end, &reader->ids[count], &used, error);
            if (status)
                return status;
            count++;
        }
        lxm_reader_skip(reader, used);
    }
    *more = count > 0 || block->end_document;
    block->ids = (lxm_ids){reader->ids, count, NULL};
    return LXM_OK;
}
