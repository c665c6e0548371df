/*
 * Our own vocabulary file, version 1. The first line, fields separated by TAB:
 *
 *     lexmill-vocabulary 1    size=N    special=TOKEN ...    unk=TOKEN
 *
 * with a field for each special token, and unk where there is one. Then N lines, one an id from 0
 * up: token, TAB, count in decimal. Tokens are escaped as in a token stream.
 */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <stdio.h>

#include "base/error.h"
#include "base/escape.h"
#include "formats/vocab.h"
#include "idmap/model.h"

static const char magic[] = "lexmill-vocabulary ";

typedef struct parser {
    lxm_vocab *vocab;
    const uint8_t *bytes;
    size_t length, at; /* `at`: where the next line starts */
    uint64_t line;     /* its number */
    uint64_t size;     /* as the first line has it */
    lxm_buffer token;  /* one without its escapes */
    lxm_error *error;
} parser;

/* Some bytes of the file. */
typedef struct field {
    size_t begin, end;
} field;

static lxm_status at_line(parser *p, lxm_status status)
{
    if (p->error)
        p->error->line = p->line;
    return status;
}

#define FAIL(p, offset, ...)                                                                       \
    at_line(p, lxm_fail_at((p)->error, LXM_ERROR_FORMAT, offset, __VA_ARGS__))

static bool probe(const uint8_t *bytes, size_t length)
{
    return length >= sizeof magic - 1 && memcmp(bytes, magic, sizeof magic - 1) == 0;
}

static bool is_number(const parser *p, field f, uint64_t *number)
{
    *number = 0;
    for (size_t i = f.begin; i < f.end; i++) {
        unsigned digit = (unsigned)p->bytes[i] - '0';
        if (digit > 9 || __builtin_mul_overflow(*number, 10u, number) ||
            __builtin_add_overflow(*number, digit, number))
            return false;
    }
    return f.begin < f.end;
}

/* Finds the byte that ends a field, or the end of `line`. */
static field cut(const parser *p, size_t begin, size_t end, char separator)
{
    const uint8_t *found = memchr(p->bytes + begin, separator, end - begin);
    return (field){begin, found ? (size_t)(found - p->bytes) : end};
}

/* Checks a token and undoes its escapes; the bytes are the file's or the parser's. */
static lxm_status read_token(parser *p, field f, const uint8_t **token, size_t *length)
{
    const uint8_t *bytes = p->bytes + f.begin;
    size_t i, bad;
    *token = bytes;
    *length = f.end - f.begin;
    if (*length == 0)
        return FAIL(p, f.begin, "a token is missing");
    for (i = lxm_escape_plain(bytes, *length); i < *length && bytes[i] == '\\';)
        i = i + 2 < *length ? i + 2 + lxm_escape_plain(bytes + i + 2, *length - i - 2) : *length;
    if (i < *length)
        return FAIL(p, f.begin + i, "byte 0x%02X can't stand in a token as it is: write \\x%02X",
                    bytes[i], bytes[i]);
    if (!memchr(bytes, '\\', *length))
        return LXM_OK;
    p->token.length = 0;
    if (!lxm_buffer_append(&p->token, bytes, *length))
        return lxm_fail_memory(p->error);
    *length = lxm_unescape(p->token.data, *length, &bad);
    if (*length == SIZE_MAX)
        return FAIL(p, f.begin + bad, "this escape is none of \\\\ \\n \\r \\t \\0 \\xHH");
    *token = p->token.data;
    return LXM_OK;
}

/* A role that the first line gives to a token, once the tokens are there. */
static lxm_status read_role(parser *p, field f, bool unk)
{
    const uint8_t *token;
    size_t length;
    lxm_status status = read_token(p, f, &token, &length);
    if (status)
        return status;
    uint32_t id = lxm_vocab_find(p->vocab, token, length);
    if (id == LXM_NO_ID)
        return FAIL(p, f.begin, "this token has no line of its own: add one, or drop the field");
    if (unk ? lxm_vocab_unk(p->vocab) != LXM_NO_ID : lxm_vocab_is_special(p->vocab, id))
        return FAIL(p, f.begin, "this field is here for the second time: drop it");
    return unk ? lxm_vocab_set_unk(p->vocab, id, p->error)
               : lxm_vocab_set_special(p->vocab, id, p->error);
}

/* The value of a field that begins with `name`. */
static bool is_field(const parser *p, field *f, const char *name)
{
    size_t length = strlen(name);
    if (f->end - f->begin < length || memcmp(p->bytes + f->begin, name, length) != 0)
        return false;
    f->begin += length;
    return true;
}

static lxm_status read_field(parser *p, field f, bool roles)
{
    if (is_field(p, &f, "size=")) {
        if (roles)
            return LXM_OK;
        if (p->size != UINT64_MAX)
            return FAIL(p, f.begin, "the size is here for the second time: drop it");
        if (!is_number(p, f, &p->size) || p->size > LXM_NO_ID)
            return FAIL(p, f.begin, "the size is not a whole number up to %" PRIu32, LXM_NO_ID);
        return LXM_OK;
    }
    bool unk = is_field(p, &f, "unk=");
    if (!unk && !is_field(p, &f, "special="))
        return FAIL(p, f.begin, "this field is none of size=, special=, unk=");
    return roles ? read_role(p, f, unk) : LXM_OK;
}

/* Reads the fields of the first line: the size, or, with `roles`, what needs the tokens. */
static lxm_status read_first_line(parser *p, bool roles)
{
    uint64_t version;
    p->line = 1;
    field line = cut(p, 0, p->length, '\n');
    if (line.end == p->length)
        return FAIL(p, p->length, "the first line is cut: copy or build the file anew");
    field f = cut(p, sizeof magic - 1, line.end, '\t');
    if (!is_number(p, f, &version) || version != 1)
        return FAIL(p, f.begin,
                    "this version of the format is unknown: the program reads version 1");
    lxm_status status = LXM_OK;
    while (!status && f.end < line.end) {
        f = cut(p, f.end + 1, line.end, '\t');
        status = read_field(p, f, roles);
    }
    if (!status && p->size == UINT64_MAX)
        status = FAIL(p, line.end, "the first line has no size=");
    p->at = line.end + 1;
    return status;
}

static lxm_status read_line(parser *p)
{
    size_t id = lxm_vocab_size(p->vocab), length;
    const uint8_t *token;
    uint64_t count;
    uint32_t found;
    if (p->at == p->length)
        return FAIL(p, p->at,
                    "%" PRIu64 " tokens are promised in the first line, %zu are here: "
                    "copy or build the file anew",
                    p->size, id);
    field line = cut(p, p->at, p->length, '\n');
    if (line.end == p->length)
        return FAIL(p, p->length, "the last line is cut: copy or build the file anew");
    field word = cut(p, line.begin, line.end, '\t');
    if (word.end == line.end)
        return FAIL(p, line.end, "the line has no TAB and count");
    if (!is_number(p, (field){word.end + 1, line.end}, &count))
        return FAIL(p, word.end + 1, "the count is not a whole number below 2^64");
    lxm_status status = read_token(p, word, &token, &length);
    if (!status)
        status = lxm_vocab_add(p->vocab, token, length, 0, &found, p->error);
    if (!status && found < id)
        return FAIL(p, line.begin, "this token stands on line %" PRIu64 " already: drop one",
                    found + (uint64_t)2);
    if (!status)
        status = lxm_token_table_count(&p->vocab->table, found, count, p->error);
    p->at = line.end + 1;
    return status;
}

static lxm_status read_lines(parser *p)
{
    lxm_status status = LXM_OK;
    /* a line has four bytes or more: a size that lies asks for no more than the file's own */
    size_t left = p->length - p->at, lines = p->size < left / 4 ? (size_t)p->size : left / 4;
    if (!lxm_token_table_reserve(&p->vocab->table, lines, left - 3 * lines))
        return lxm_fail_memory(p->error);
    for (uint64_t i = 0; !status && i < p->size; i++) {
        p->line = i + 2;
        status = read_line(p);
    }
    p->line = p->size + 2;
    if (!status && p->at < p->length)
        status = FAIL(p, p->at,
                      "more lines than the %" PRIu64 " of the first line: correct size=", p->size);
    return status;
}

static lxm_status read_file(lxm_vocab *vocab, const uint8_t *bytes, size_t length, lxm_error *error)
{
    parser p = {
        .vocab = vocab, .bytes = bytes, .length = length, .size = UINT64_MAX, .error = error};
    lxm_buffer_init(&p.token, &vocab->allocator);
    lxm_status status = read_first_line(&p, false);
    if (!status)
        status = read_lines(&p);
    if (!status)
        status = read_first_line(&p, true);
    lxm_buffer_free(&p.token);
    return status;
}

static bool append_field(lxm_buffer *text, const char *name, const lxm_vocab *vocab, uint32_t id)
{
    size_t length;
    const uint8_t *token = lxm_vocab_token(vocab, id, &length);
    return lxm_buffer_append(text, name, strlen(name)) && lxm_escape(text, token, length);
}

static bool append_number(lxm_buffer *text, const char *before, uint64_t number)
{
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%s%" PRIu64, before, number);
    return lxm_buffer_append(text, digits, (size_t)length);
}

static bool first_line(lxm_buffer *text, const lxm_vocab *vocab)
{
    size_t size = lxm_vocab_size(vocab);
    uint32_t unk = lxm_vocab_unk(vocab);
    bool good =
        lxm_buffer_append(text, magic, sizeof magic - 1) && append_number(text, "1\tsize=", size);
    for (size_t id = 0; good && id < size; id++)
        if (lxm_vocab_is_special(vocab, (uint32_t)id))
            good = append_field(text, "\tspecial=", vocab, (uint32_t)id);
    if (good && unk != LXM_NO_ID)
        good = append_field(text, "\tunk=", vocab, unk);
    return good && lxm_buffer_append(text, "\n", 1);
}

static lxm_status flush(lxm_buffer *text, lxm_output *output, lxm_error *error)
{
    size_t length = text->length;
    text->length = 0;
    return lxm_output_write(output, text->data, length, error);
}

static lxm_status check(const lxm_vocab *vocab, lxm_error *error)
{
    if (vocab->model != &lxm_model_word)
        return lxm_fail(error, LXM_ERROR_UNSUPPORTED,
                        "our text vocabulary holds no model, and this one has one (%s): write it "
                        "compiled, or as a tokenizer.json",
                        vocab->model->name);
    for (uint32_t id = 0; id < vocab->table.size; id++)
        if (lxm_token_table_length(&vocab->table, id) == 0)
            return lxm_fail(error, LXM_ERROR_UNSUPPORTED,
                            "id %" PRIu32 " has no token, and our text vocabulary has one on each "
                            "line: write it compiled, or as a tokenizer.json",
                            id);
    return LXM_OK;
}

static lxm_status write_file(const lxm_vocab *vocab, const lxm_vocab_write_options *options,
                             lxm_output *output, lxm_error *error)
{
    enum { piece = 64 * 1024 };
    lxm_buffer text;
    (void)options;
    lxm_buffer_init(&text, &vocab->allocator);
    lxm_status status = check(vocab, error);
    if (!status && !first_line(&text, vocab))
        status = lxm_fail_memory(error);
    for (size_t id = 0; !status && id < lxm_vocab_size(vocab); id++) {
        if (!append_field(&text, "", vocab, (uint32_t)id) ||
            !append_number(&text, "\t", lxm_vocab_count(vocab, (uint32_t)id)) ||
            !lxm_buffer_append(&text, "\n", 1))
            status = lxm_fail_memory(error);
        else if (text.length >= piece)
            status = flush(&text, output, error);
    }
    if (!status)
        status = flush(&text, output, error);
    lxm_buffer_free(&text);
    return status;
}

const lxm_vocab_format lxm_vocab_format_lexmill = {
    .name = "lexmill-vocabulary",
    .probe = probe,
    .read = read_file,
    .write = write_file,
};
