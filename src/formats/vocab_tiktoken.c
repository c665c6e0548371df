/*
 * .tiktoken: a line a token, base64 of its bytes, a space, its rank, which is its id. The merges
 * follow from the ranks; special tokens aren't in the file. Those of OpenAI's files, known by their
 * sizes, are added (openai/tiktoken, tiktoken_ext/openai_public.py).
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/error.h"
#include "base/lines.h"
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

static const encoding *find_encoding(size_t tokens)
{
    static const encoding none = {0};
    for (size_t i = 0; i < sizeof encodings / sizeof *encodings; i++)
        if (encodings[i].tokens == tokens)
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
    const special *specials = find_encoding(p->count)->specials;
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

static lxm_status read_file(lxm_vocab *vocab, const uint8_t *bytes, size_t length, lxm_error *error)
{
    parser p = {.vocab = vocab, .bytes = bytes, .length = length, .error = error};
    const lxm_bpe_options options = {.byte_level = true, .ignore_merges = true};
    lxm_buffer_init(&p.decoded, &vocab->allocator);
    vocab->decoding.join = LXM_JOIN_NONE;
    p.limit = 2 * (size_t)lxm_count_lines(bytes, length) + 1024; /* there may be gaps */
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

/* ---- writing ---- */

/*
 * The form knows no merges: any two neighbours merge that are a token together, the lowest id
 * first, and a pre-token that is a token is that one. So what the vocabulary does is compared with
 * what its tokens alone would do.
 */
typedef struct ranked {
    lxm_vocab *vocab; /* the tokens that have a rank, each under its id */
    size_t count;     /* of them */
} ranked;

/* Whether an id has a rank: the model sees its token, and nothing else does. */
static bool has_rank(const lxm_vocab *vocab, uint32_t id)
{
    const uint8_t *bytes = lxm_token_table_bytes(&vocab->table, id);
    size_t length = lxm_token_table_length(&vocab->table, id);
    return lxm_token_table_find(&vocab->table, bytes, length) == id &&
           lxm_vocab_find_outside(vocab, bytes, length) != id;
}

static lxm_status rank_tokens(ranked *r, const lxm_vocab *vocab, lxm_error *error)
{
    const lxm_bpe_options options = {.byte_level = true, .ignore_merges = true};
    lxm_status status = lxm_vocab_new(&r->vocab, &vocab->allocator, error);
    for (uint32_t id = 0; !status && id < vocab->table.size; id++) {
        bool has = has_rank(vocab, id);
        size_t length = lxm_token_table_length(&vocab->table, id);
        r->count += has;
        status = has ? lxm_vocab_add(r->vocab, lxm_token_table_bytes(&vocab->table, id), length, 0,
                                     NULL, error)
                     : lxm_vocab_append(r->vocab, "", 0, error);
    }
    if (!status)
        status = lxm_bpe_new(r->vocab, &options, r->vocab->table.size, error);
    if (!status)
        status = lxm_bpe_merge_by_id(r->vocab, error);
    return status ? status : lxm_bpe_finish(r->vocab, error);
}

static lxm_status compare(const lxm_vocab *vocab, const ranked *r, lxm_error *error)
{
    lxm_bpe_merge_of *ours = NULL, *theirs = NULL;
    size_t our_count = 0, their_count = 0;
    lxm_status status = lxm_bpe_list_merges(vocab, &ours, &our_count, error);
    if (!status)
        status = lxm_bpe_list_merges(r->vocab, &theirs, &their_count, error);
    bool same = our_count == their_count &&
                (our_count == 0 || memcmp(ours, theirs, our_count * sizeof *ours) == 0);
    lxm_release(&vocab->allocator, ours);
    lxm_release(&vocab->allocator, theirs);
    if (!status && !same)
        return lxm_fail(
            error, LXM_ERROR_UNSUPPORTED,
            "the merges of this vocabulary are not those that its ids alone would tell, "
            "and a .tiktoken has no others: write it compiled, or as a tokenizer.json");
    uint32_t whole = lxm_bpe_options_of(vocab)->ignore_merges ? LXM_NO_ID : lxm_bpe_whole(r->vocab);
    if (!status && whole != LXM_NO_ID)
        return lxm_vocab_refuse_token(vocab, whole,
                                      "is what no merges come to, and a .tiktoken would give it to "
                                      "text that spells it: write a tokenizer.json",
                                      error);
    return status;
}

/* Those that have no rank are lost, unless the reader knows them by the number of ranks. */
static lxm_status check_others(const lxm_vocab *vocab, size_t count, lxm_error *error)
{
    const special *known = find_encoding(count)->specials;
    for (uint32_t id = 0; id < vocab->table.size; id++) {
        size_t length;
        const uint8_t *bytes = lxm_vocab_token(vocab, id, &length);
        bool lost = bytes && !has_rank(vocab, id);
        for (const special *s = known; lost && s->token; s++)
            lost =
                s->id != id || length != strlen(s->token) || memcmp(bytes, s->token, length) != 0;
        if (lost)
            return lxm_vocab_refuse_token(
                vocab, id,
                "would be lost, a .tiktoken holds no special tokens: drop "
                "such with --drop-special, or write a tokenizer.json",
                error);
    }
    return LXM_OK;
}

static lxm_status check(const lxm_vocab *vocab, const lxm_vocab_write_options *options,
                        lxm_error *error)
{
    ranked r = {.count = 0};
    const lxm_bpe_options *o = NULL;
    if (vocab->model == &lxm_model_bpe)
        o = lxm_bpe_options_of(vocab);
    if (!o || !o->byte_level || o->prefix.length || o->suffix.length || !vocab->exact)
        return lxm_fail(
            error, LXM_ERROR_UNSUPPORTED,
            "a .tiktoken is BPE over all 256 bytes, and the model of this vocabulary is "
            "%s%s: write it compiled, or as a tokenizer.json",
            o ? "another " : "", vocab->model->name);
    lxm_status status = rank_tokens(&r, vocab, error);
    if (!status)
        status = compare(vocab, &r, error);
    if (!status && !options->drop_special)
        status = check_others(vocab, r.count, error);
    lxm_vocab_free(r.vocab);
    return status;
}

static bool append_base64(lxm_buffer *text, const uint8_t *bytes, size_t length)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < length; i += 3) {
        uint32_t group = (uint32_t)bytes[i] << 16;
        group |= i + 1 < length ? (uint32_t)bytes[i + 1] << 8 : 0;
        group |= i + 2 < length ? bytes[i + 2] : 0;
        char four[4] = {digits[group >> 18], digits[group >> 12 & 63], digits[group >> 6 & 63],
                        digits[group & 63]};
        for (size_t k = length - i + 1; k < 4; k++)
            four[k] = '=';
        if (!lxm_buffer_append(text, four, 4))
            return false;
    }
    return true;
}

static lxm_status write_file(const lxm_vocab *vocab, const lxm_vocab_write_options *options,
                             lxm_output *output, lxm_error *error)
{
    lxm_buffer text;
    lxm_status status = check(vocab, options, error);
    lxm_buffer_init(&text, &vocab->allocator);
    for (uint32_t id = 0; !status && id < vocab->table.size; id++) {
        char rank[16];
        size_t digits = (size_t)snprintf(rank, sizeof rank, " %" PRIu32 "\n", id);
        if (has_rank(vocab, id) && (!append_base64(&text, lxm_token_table_bytes(&vocab->table, id),
                                                   lxm_token_table_length(&vocab->table, id)) ||
                                    !lxm_buffer_append(&text, rank, digits)))
            status = lxm_fail_memory(error);
    }
    if (!status)
        status = lxm_output_write(output, text.data, text.length, error);
    lxm_buffer_free(&text);
    return status;
}

const lxm_vocab_format lxm_vocab_format_tiktoken = {
    .name = "tiktoken",
    .probe = probe,
    .read = read_file,
    .write = write_file,
};
