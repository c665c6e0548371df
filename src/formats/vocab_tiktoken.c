/*
 * .tiktoken: a line a token, base64 of its bytes, a space, its rank, which is its id. The merges
 * follow from the ranks; special tokens aren't in the file. Those of OpenAI's files, known by their
 * sizes, are added (openai/tiktoken, tiktoken_ext/openai_public.py).
 */
#include <inttypes.h>

#include "base/error.h"
#include "formats/base64.h"
#include "formats/vocab.h"
#include "idmap/bpe.h"

typedef struct special {
    const char *token;
    uint32_t id;
} special;

typedef struct encoding {
    size_t tokens;
    special specials[6];
} encoding;

static const encoding encodings[] = {
    {50256, {{"<|endoftext|>", 50256}}}, /* r50k_base */
    {50280, {{"<|endoftext|>", 50256}}}, /* p50k_base */
    {100256,
     {{"<|endoftext|>", 100257},
      {"<|fim_prefix|>", 100258},
      {"<|fim_middle|>", 100259},
      {"<|fim_suffix|>", 100260},
      {"<|endofprompt|>", 100276}}},                                    /* cl100k_base */
    {199998, {{"<|endoftext|>", 199999}, {"<|endofprompt|>", 200018}}}, /* o200k_base */
};

typedef struct token {
    uint32_t start, length; /* in the bytes; length 0: none has the id */
    uint64_t line;
} token;

typedef struct parser {
    lxm_vocab *vocab;
    const uint8_t *bytes;
    size_t length, at;
    uint64_t line;
    lxm_buffer decoded;
    token *tokens; /* by id */
    size_t count, limit;
    uint32_t size; /* the highest id + 1 */
    lxm_error *error;
} parser;

static lxm_status at_line(parser *p, lxm_status status)
{
    if (p->error)
        p->error->line = p->line;
    return status;
}

#define FAIL(p, offset, ...)                                                                       \
    at_line(p, lxm_fail_at((p)->error, LXM_ERROR_FORMAT, offset, __VA_ARGS__))

static bool number_of(const uint8_t *text, size_t length, uint32_t *number)
{
    *number = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned digit = (unsigned)text[i] - '0';
        if (digit > 9 || __builtin_mul_overflow(*number, 10u, number) ||
            __builtin_add_overflow(*number, digit, number))
            return false;
    }
    return length > 0;
}

/* The parts of a line, for probing and for reading. */
static bool split_line(const uint8_t *line, size_t length, size_t *digits, uint32_t *rank)
{
    const uint8_t *space = memchr(line, ' ', length);
    if (!space)
        return false;
    *digits = (size_t)(space - line);
    return number_of(space + 1, length - *digits - 1, rank);
}

static size_t line_length(const uint8_t *bytes, size_t length)
{
    const uint8_t *end = memchr(bytes, '\n', length);
    return end ? (size_t)(end - bytes) : length;
}

static size_t without_return(const uint8_t *line, size_t length)
{
    return length && line[length - 1] == '\r' ? length - 1 : length;
}

static bool probe(const uint8_t *bytes, size_t length)
{
    size_t line = without_return(bytes, line_length(bytes, length)), digits;
    uint8_t out[192];
    uint32_t rank;
    return line < 256 && split_line(bytes, line, &digits, &rank) &&
           lxm_base64_decode(bytes, digits, out);
}

static lxm_status read_line(parser *p, const uint8_t *line, size_t length)
{
    size_t digits, at = (size_t)(line - p->bytes);
    uint32_t rank;
    if (!split_line(line, length, &digits, &rank))
        return FAIL(p, at, "a line is base64, a space and a rank");
    if (rank >= p->limit)
        return FAIL(p, at + digits + 1, "rank %" PRIu32 " is far beyond the number of tokens",
                    rank);
    if (p->tokens[rank].length)
        return FAIL(p, at + digits + 1, "rank %" PRIu32 " stands on line %" PRIu64 " already", rank,
                    p->tokens[rank].line);
    if (!lxm_buffer_reserve(&p->decoded, length))
        return lxm_fail_memory(p->error);
    size_t size = lxm_base64_decode(line, digits, p->decoded.data + p->decoded.length);
    if (size == 0)
        return FAIL(p, at, "this is not base64");
    p->tokens[rank] = (token){(uint32_t)p->decoded.length, (uint32_t)size, p->line};
    p->decoded.length += size;
    p->count++;
    p->size = rank + 1 > p->size ? rank + 1 : p->size;
    return LXM_OK;
}

static lxm_status read_lines(parser *p)
{
    lxm_status status = LXM_OK;
    while (!status && p->at < p->length) {
        const uint8_t *line = p->bytes + p->at;
        size_t length = line_length(line, p->length - p->at);
        p->at += length + 1;
        p->line++;
        length = without_return(line, length);
        if (length > 0 || p->at < p->length)
            status = read_line(p, line, length);
    }
    return status;
}

static const encoding *find_encoding(const parser *p)
{
    static const encoding none = {0};
    for (size_t i = 0; i < sizeof encodings / sizeof *encodings; i++)
        if (encodings[i].tokens == p->count)
            return &encodings[i];
    return &none;
}

/* An id without a rank: a special token has it, or none. */
static lxm_status store_gap(parser *p, const special *specials)
{
    const char *text = "";
    for (const special *s = specials; s->token; s++)
        text = s->id == p->vocab->table.size ? s->token : text;
    return lxm_vocab_append(p->vocab, text, strlen(text), p->error);
}

static lxm_status store_token(parser *p, uint32_t id)
{
    const token *t = &p->tokens[id];
    uint32_t found;
    lxm_status status =
        lxm_vocab_add(p->vocab, p->decoded.data + t->start, t->length, 0, &found, p->error);
    p->line = t->line;
    if (!status && found != id)
        return FAIL(p, LXM_NO_OFFSET, "this token has the rank %" PRIu32 " already", found);
    return status;
}

static lxm_status store_special(parser *p, const special *s, const special *all)
{
    lxm_status status = LXM_OK;
    while (!status && p->vocab->table.size <= s->id)
        status = store_gap(p, all);
    if (!status)
        status = lxm_vocab_add_outside(p->vocab, s->token, strlen(s->token), s->id, p->error);
    return status ? status : lxm_vocab_set_special(p->vocab, s->id, p->error);
}

static lxm_status store(parser *p)
{
    const special *specials = find_encoding(p)->specials;
    lxm_status status = LXM_OK;
    for (uint32_t id = 0; !status && id < p->size; id++)
        status = p->tokens[id].length ? store_token(p, id) : store_gap(p, specials);
    for (unsigned byte = 0; !status && byte < 256; byte++) {
        uint8_t bytes[1] = {(uint8_t)byte};
        if (lxm_token_table_find(&p->vocab->table, bytes, 1) == LXM_NO_ID)
            return lxm_fail(p->error, LXM_ERROR_FORMAT, "the byte 0x%02X is no token", byte);
    }
    for (const special *s = specials; !status && s->token; s++)
        if (s->id >= p->size || !p->tokens[s->id].length)
            status = store_special(p, s, specials);
    return status;
}

static size_t count_lines(const uint8_t *bytes, size_t length)
{
    size_t lines = 1;
    for (size_t i = 0; i < length; i++)
        lines += bytes[i] == '\n';
    return lines;
}

static lxm_status read_file(lxm_vocab *vocab, const uint8_t *bytes, size_t length, lxm_error *error)
{
    parser p = {.vocab = vocab, .bytes = bytes, .length = length, .error = error};
    const lxm_bpe_options options = {.byte_level = true, .ignore_merges = true};
    lxm_buffer_init(&p.decoded, &vocab->allocator);
    vocab->decoding.join = LXM_JOIN_NONE;
    p.limit = 2 * count_lines(bytes, length) + 1024; /* there may be gaps */
    p.tokens = lxm_new(&vocab->allocator, p.limit * sizeof *p.tokens);
    lxm_status status = p.tokens && length < UINT32_MAX ? LXM_OK : lxm_fail_memory(error);
    if (!status)
        status = read_lines(&p);
    if (!status)
        status = store(&p);
    if (!status)
        status = lxm_bpe_new(vocab, &options, vocab->table.size, error);
    if (!status)
        status = lxm_bpe_merge_by_id(vocab, error);
    if (!status)
        status = lxm_bpe_finish(vocab, error);
    lxm_release(&vocab->allocator, p.tokens);
    lxm_buffer_free(&p.decoded);
    return status;
}

const lxm_vocab_format lxm_vocab_format_tiktoken = {
    .name = "tiktoken",
    .probe = probe,
    .read = read_file,
};
