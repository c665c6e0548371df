/*
 * WordPiece's vocab.txt: a token a line, its id the number of the line from 0; continuations begin
 * with ##. It is known by the tokens that BERT needs, of which [UNK] is one.
 */
#include <inttypes.h>

#include "base/error.h"
#include "formats/vocab.h"
#include "idmap/wordpiece.h"

enum { most_characters = 100 };

static const char *const specials[] = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};

/* The next line without its end; false behind the last. */
static bool next_line(const uint8_t *bytes, size_t length, size_t *at, const uint8_t **line,
                      size_t *size)
{
    if (*at >= length)
        return false;
    *line = bytes + *at;
    const uint8_t *end = memchr(*line, '\n', length - *at);
    *size = end ? (size_t)(end - *line) : length - *at;
    *at += *size + 1;
    if (*size && (*line)[*size - 1] == '\r')
        --*size;
    return true;
}

static bool probe(const uint8_t *bytes, size_t length)
{
    const uint8_t *line;
    size_t at = 0, size;
    while (next_line(bytes, length, &at, &line, &size))
        if (size == 5 && memcmp(line, "[UNK]", 5) == 0)
            return true;
    return false;
}

static lxm_status fail(lxm_error *error, uint64_t line, size_t offset, const char *message)
{
    lxm_fail_at(error, LXM_ERROR_FORMAT, offset, "%s", message);
    if (error)
        error->line = line;
    return LXM_ERROR_FORMAT;
}

/* A line of its own without a token is an id without one. */
static lxm_status read_lines(lxm_vocab *vocab, const uint8_t *bytes, size_t length,
                             lxm_error *error)
{
    const uint8_t *line;
    size_t at = 0, size;
    lxm_status status = LXM_OK;
    for (uint32_t id = 0, found; !status && next_line(bytes, length, &at, &line, &size); id++) {
        found = id;
        status = size ? lxm_vocab_add(vocab, line, size, 0, &found, error)
                      : lxm_vocab_append(vocab, "", 0, error);
        if (!status && found != id)
            status = fail(error, (uint64_t)id + 1, (size_t)(line - bytes),
                          "this token stands on a line before: drop one");
    }
    return status;
}

static lxm_status set_roles(lxm_vocab *vocab, lxm_error *error)
{
    lxm_status status = LXM_OK;
    for (size_t i = 0; !status && i < sizeof specials / sizeof *specials; i++) {
        size_t length = strlen(specials[i]);
        uint32_t id = lxm_vocab_find(vocab, specials[i], length);
        if (id == LXM_NO_ID)
            continue;
        status = lxm_vocab_set_special(vocab, id, error);
        if (!status)
            status = lxm_vocab_add_outside(vocab, specials[i], length, id, error);
    }
    uint32_t unk = lxm_vocab_find(vocab, "[UNK]", 5);
    return !status && unk != LXM_NO_ID ? lxm_vocab_set_unk(vocab, unk, error) : status;
}

static lxm_status read_file(lxm_vocab *vocab, const uint8_t *bytes, size_t length, lxm_error *error)
{
    static const lxm_affix prefix = {"##", 2};
    lxm_status status = read_lines(vocab, bytes, length, error);
    if (!status)
        status = set_roles(vocab, error);
    vocab->decoding.continuation = prefix;
    return status ? status : lxm_wordpiece_new(vocab, &prefix, most_characters, error);
}

static lxm_status read_folder(lxm_vocab *vocab, const lxm_vocab_file *files, size_t *at_fault,
                              lxm_error *error)
{
    *at_fault = 0;
    return read_file(vocab, files[0].bytes, files[0].length, error);
}

/* ---- writing ---- */

static bool is_known_special(const uint8_t *token, size_t length)
{
    for (size_t i = 0; i < sizeof specials / sizeof *specials; i++)
        if (length == strlen(specials[i]) && memcmp(token, specials[i], length) == 0)
            return true;
    return false;
}

static lxm_status check_model(const lxm_vocab *vocab, lxm_error *error)
{
    if (vocab->model != &lxm_model_wordpiece)
        return lxm_fail(error, LXM_ERROR_UNSUPPORTED,
                        "a vocab.txt is WordPiece's, and the model of this vocabulary is %s: write "
                        "it compiled, or as a tokenizer.json",
                        vocab->model->name);
    const lxm_affix prefix = lxm_wordpiece_prefix(vocab);
    if (prefix.length != 2 || memcmp(prefix.bytes, "##", 2) != 0 ||
        lxm_wordpiece_most(vocab) != most_characters)
        return lxm_fail(error, LXM_ERROR_UNSUPPORTED,
                        "a vocab.txt means continuations with ## and words of up to %d characters, "
                        "and this vocabulary has others: write it compiled, or as a tokenizer.json",
                        most_characters);
    size_t length;
    const uint8_t *unk = lxm_vocab_token(vocab, vocab->unk, &length);
    if (!unk || length != 5 || memcmp(unk, "[UNK]", 5) != 0)
        return lxm_fail(error, LXM_ERROR_UNSUPPORTED,
                        "a vocab.txt is known by its unknown token, [UNK], and this vocabulary has "
                        "another: write it compiled, or as a tokenizer.json");
    return LXM_OK;
}

/* An id without a token is an empty line. */
static lxm_status append_line(const lxm_vocab *vocab, const lxm_vocab_write_options *options,
                              uint32_t id, lxm_buffer *text, lxm_error *error)
{
    size_t length;
    const uint8_t *token = lxm_vocab_token(vocab, id, &length);
    bool outside = token && lxm_vocab_find_outside(vocab, token, length) == id;
    bool role = outside || lxm_vocab_is_special(vocab, id);
    if (role && !is_known_special(token, length)) {
        if (!options->drop_special)
            return lxm_vocab_refuse_token(vocab, id,
                                          "would no longer be a special token, which a vocab.txt "
                                          "can't say: drop such with --drop-special, or write a "
                                          "tokenizer.json",
                                          error);
        token = NULL;
    } else if (token && (memchr(token, '\n', length) || token[length - 1] == '\r' ||
                         (!role && lxm_token_table_find(&vocab->table, token, length) != id))) {
        return lxm_vocab_refuse_token(vocab, id, "can't stand on a line: write a tokenizer.json",
                                      error);
    }
    bool good =
        (!token || lxm_buffer_append(text, token, length)) && lxm_buffer_append(text, "\n", 1);
    return good ? LXM_OK : lxm_fail_memory(error);
}

static lxm_status write_file(const lxm_vocab *vocab, const lxm_vocab_write_options *options,
                             lxm_output *output, lxm_error *error)
{
    lxm_buffer text;
    lxm_buffer_init(&text, &vocab->allocator);
    lxm_status status = check_model(vocab, error);
    for (uint32_t id = 0; !status && id < vocab->table.size; id++)
        status = append_line(vocab, options, id, &text, error);
    if (!status)
        status = lxm_output_write(output, text.data, text.length, error);
    lxm_buffer_free(&text);
    return status;
}

const lxm_vocab_format lxm_vocab_format_wordpiece = {
    .name = "WordPiece vocab.txt",
    .probe = probe,
    .read = read_file,
    .write = write_file,
};
const lxm_vocab_folder lxm_vocab_folder_wordpiece = {
    .format = "WordPiece vocab.txt", .names = {"vocab.txt"}, .count = 1, .read = read_folder};
