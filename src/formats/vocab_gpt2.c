/*
 * GPT-2's pair of files: vocab.json (or encoder.json), {"token": id}, and merges.txt (or
 * vocab.bpe), "A B" a line in order of rank, after a line "#version". Tokens stand in characters
 * that are bytes (byte_level.h).
 *
 * What is neither a byte nor made by a merge is a special token: the files have no other sign.
 */
#include "base/error.h"
#include "base/lines.h"
#include "base/utf8.h"
#include "formats/byte_level.h"
#include "formats/model_json.h"
#include "formats/vocab.h"
#include "formats/vocab_list.h"

typedef struct merges {
    lxm_vocab *vocab;
    const uint8_t *bytes;
    size_t length, at;
    uint64_t line;
    lxm_buffer parts;
    uint64_t *made; /* a bit an id: a merge makes it */
    lxm_error *error;
} merges;

static lxm_status fail(merges *m, size_t at, const char *what, const uint8_t *text, size_t length)
{
    char shown[96];
    lxm_fail_at(m->error, LXM_ERROR_FORMAT, at, "%s: '%s'", what,
                lxm_printable(shown, sizeof shown, text, length));
    if (m->error)
        m->error->line = m->line;
    return LXM_ERROR_FORMAT;
}

static lxm_status find(merges *m, size_t from, size_t at, uint32_t *id)
{
    *id = lxm_token_table_find(&m->vocab->table, m->parts.data + from, m->parts.length - from);
    if (*id == LXM_NO_ID)
        return fail(m, at, "a merge of, or to, what is no token", m->parts.data + from,
                    m->parts.length - from);
    return LXM_OK;
}

static lxm_status decode(merges *m, const uint8_t *text, size_t length)
{
    switch (lxm_byte_level_decode(&m->parts, (const char *)text, length)) {
    case LXM_BYTE_LEVEL_DONE:
        return LXM_OK;
    case LXM_BYTE_LEVEL_MEMORY:
        return lxm_fail_memory(m->error);
    default:
        return fail(m, (size_t)(text - m->bytes), "a character here stands for no byte", text,
                    length);
    }
}

static lxm_status read_line(merges *m, const uint8_t *line, size_t length)
{
    size_t at = (size_t)(line - m->bytes), split;
    uint32_t left, right, result;
    const uint8_t *space = memchr(line, ' ', length);
    size_t first = space ? (size_t)(space - line) : 0;
    if (first == 0 || first + 1 == length || memchr(space + 1, ' ', length - first - 1))
        return fail(m, at, "a merge is two tokens with one space between", line, length);
    m->parts.length = 0;
    lxm_status status = decode(m, line, first);
    split = m->parts.length;
    if (!status)
        status = find(m, 0, at, &left);
    if (!status)
        status = decode(m, line + first + 1, length - first - 1);
    if (!status)
        status = find(m, split, at, &right);
    if (!status)
        status = find(m, 0, at, &result);
    if (!status)
        status = lxm_bpe_merge(m->vocab, left, right, result, m->error);
    if (!status)
        m->made[result / 64] |= (uint64_t)1 << result % 64;
    return status;
}

static lxm_status check_utf8(merges *m)
{
    size_t valid = lxm_utf8_valid(m->bytes, m->length);
    if (valid == m->length)
        return LXM_OK;
    m->line = 1;
    for (size_t i = 0; i < valid; i++)
        m->line += m->bytes[i] == '\n';
    return fail(m, valid, "not UTF-8", m->bytes + valid, 1);
}

static lxm_status read_lines(merges *m)
{
    static const char version[] = "#version";
    lxm_status status = check_utf8(m);
    while (!status && m->at < m->length) {
        const uint8_t *line = m->bytes + m->at;
        const uint8_t *end = memchr(line, '\n', m->length - m->at);
        size_t length = end ? (size_t)(end - line) : m->length - m->at;
        m->at += length + 1;
        m->line++;
        if (length && line[length - 1] == '\r')
            length--;
        if (length < sizeof version - 1 || memcmp(line, version, sizeof version - 1) != 0)
            status = read_line(m, line, length);
    }
    return status;
}

static lxm_status find_specials(merges *m)
{
    lxm_vocab *vocab = m->vocab;
    lxm_status status = LXM_OK;
    for (uint32_t id = 0; !status && id < vocab->table.size; id++) {
        size_t length = lxm_token_table_length(&vocab->table, id);
        if (length < 2 || (m->made[id / 64] >> id % 64 & 1))
            continue;
        status = lxm_vocab_set_special(vocab, id, m->error);
        if (!status)
            status = lxm_vocab_add_outside(vocab, lxm_token_table_bytes(&vocab->table, id), length,
                                           id, m->error);
    }
    return status;
}

static lxm_status read_merges(lxm_vocab *vocab, const uint8_t *bytes, size_t length,
                              lxm_error *error)
{
    merges m = {.vocab = vocab, .bytes = bytes, .length = length, .error = error};
    const lxm_bpe_options options = {.byte_level = true};
    lxm_buffer_init(&m.parts, &vocab->allocator);
    m.made = lxm_new(&vocab->allocator, (vocab->table.size / 64 + 1) * sizeof *m.made);
    lxm_status status = m.made ? LXM_OK : lxm_fail_memory(error);
    if (!status)
        status = lxm_bpe_new(vocab, &options, (size_t)lxm_count_lines(bytes, length) + 1, error);
    if (!status)
        status = read_lines(&m);
    if (!status)
        status = find_specials(&m);
    if (!status)
        status = lxm_bpe_finish(vocab, error);
    lxm_release(&vocab->allocator, m.made);
    lxm_buffer_free(&m.parts);
    return status;
}

static lxm_status read_tokens(lxm_vocab *vocab, const uint8_t *bytes, size_t length,
                              lxm_error *error)
{
    json_t *json;
    lxm_vocab_list list;
    lxm_status status = lxm_vocab_json(&json, bytes, length, error);
    if (status)
        return status;
    lxm_vocab_list_init(&list, length, &vocab->allocator);
    status = lxm_vocab_list_take(&list, json, error);
    if (!status)
        status = lxm_vocab_list_store(&list, vocab, true, error);
    lxm_vocab_list_free(&list);
    json_decref(json);
    return status;
}

static lxm_status read_pair(lxm_vocab *vocab, const lxm_vocab_file *files, size_t *at_fault,
                            lxm_error *error)
{
    vocab->decoding.join = LXM_JOIN_NONE;
    *at_fault = 0;
    lxm_status status = read_tokens(vocab, files[0].bytes, files[0].length, error);
    if (status)
        return status;
    *at_fault = 1;
    return read_merges(vocab, files[1].bytes, files[1].length, error);
}

/* ---- writing ---- */

static lxm_status check_model(const lxm_vocab *vocab, lxm_error *error)
{
    const lxm_bpe_options *o = NULL;
    if (vocab->model == &lxm_model_bpe)
        o = lxm_bpe_options_of(vocab);
    if (!o || !o->byte_level || o->prefix.length || o->suffix.length)
        return lxm_fail(error, LXM_ERROR_UNSUPPORTED,
                        "vocab.json and merges.txt are of BPE over bytes, and the model of this "
                        "vocabulary is %s%s: write it compiled, or as a tokenizer.json",
                        o ? "another " : "", vocab->model->name);
    if (!vocab->exact && vocab->unk != LXM_NO_ID)
        return lxm_vocab_refuse_token(
            vocab, vocab->unk,
            "stands for unknown bytes, which merges.txt can't say: write a "
            "tokenizer.json",
            error);
    return LXM_OK;
}

/* Marks what is a byte or made by a merge. */
static void mark_made(const lxm_vocab *vocab, const lxm_bpe_merge_of *list, size_t count,
                      uint64_t *made)
{
    for (size_t i = 0; i < count; i++)
        made[list[i].result / 64] |= (uint64_t)1 << list[i].result % 64;
    for (uint32_t id = 0; id < vocab->table.size; id++)
        if (lxm_token_table_length(&vocab->table, id) < 2)
            made[id / 64] |= (uint64_t)1 << id % 64;
}

/* Who reads the files takes a special token's characters for bytes, where they can be. */
static lxm_status check_special(const lxm_vocab *vocab, uint32_t id, lxm_buffer *bytes,
                                lxm_error *error)
{
    size_t length;
    const uint8_t *token = lxm_vocab_token(vocab, id, &length);
    if (lxm_utf8_valid(token, length) < length)
        return LXM_OK; /* JSON doesn't hold it: that is said when it is written */
    bytes->length = 0;
    lxm_byte_level_result result = lxm_byte_level_decode(bytes, (const char *)token, length);
    if (result == LXM_BYTE_LEVEL_MEMORY)
        return lxm_fail_memory(error);
    if (result == LXM_BYTE_LEVEL_DONE &&
        (bytes->length != length || memcmp(bytes->data, token, length) != 0))
        return lxm_vocab_refuse_token(vocab, id,
                                      "would be read as other bytes: write a "
                                      "tokenizer.json",
                                      error);
    return LXM_OK;
}

/* To who reads the files a token is special where it is neither a byte nor made by a merge. */
static lxm_status check_role(const lxm_vocab *vocab, uint32_t id, bool made, lxm_buffer *bytes,
                             lxm_error *error)
{
    size_t length;
    const uint8_t *token = lxm_vocab_token(vocab, id, &length);
    bool special = lxm_vocab_is_special(vocab, id);
    if (made && (special || lxm_vocab_find_outside(vocab, token, length) == id))
        return lxm_vocab_refuse_token(vocab, id,
                                      "is kept whole in text, and a byte or made by a merge as "
                                      "well, which merges.txt can't say: write a tokenizer.json",
                                      error);
    if (!made && !special)
        return lxm_vocab_refuse_token(
            vocab, id,
            "is made by no merge, and would become a special token: write "
            "a tokenizer.json",
            error);
    return special ? check_special(vocab, id, bytes, error) : LXM_OK;
}

static lxm_status check_roles(const lxm_vocab *vocab, const uint64_t *made, lxm_error *error)
{
    lxm_buffer bytes;
    lxm_status status = LXM_OK;
    lxm_buffer_init(&bytes, &vocab->allocator);
    uint32_t whole = lxm_bpe_whole(vocab);
    if (whole != LXM_NO_ID)
        status = lxm_vocab_refuse_token(vocab, whole,
                                        "is what no merges come to, and merges.txt has no other "
                                        "tokens: write a tokenizer.json",
                                        error);
    for (uint32_t id = 0; !status && id < vocab->table.size; id++)
        if (lxm_token_table_length(&vocab->table, id))
            status = check_role(vocab, id, made[id / 64] >> id % 64 & 1, &bytes, error);
    lxm_buffer_free(&bytes);
    return status;
}

static lxm_status write_merges(const lxm_vocab *vocab, const lxm_bpe_merge_of *list, size_t count,
                               lxm_output *output, lxm_error *error)
{
    static const char version[] = "#version: 0.2\n";
    lxm_buffer text;
    lxm_buffer_init(&text, &vocab->allocator);
    lxm_status status =
        lxm_buffer_append(&text, version, sizeof version - 1) ? LXM_OK : lxm_fail_memory(error);
    for (size_t i = 0; !status && i < count; i++) {
        status = lxm_model_token_text(vocab, list[i].left, &text, error);
        if (!status && !lxm_buffer_append(&text, " ", 1))
            status = lxm_fail_memory(error);
        if (!status)
            status = lxm_model_token_text(vocab, list[i].right, &text, error);
        if (!status && !lxm_buffer_append(&text, "\n", 1))
            status = lxm_fail_memory(error);
    }
    if (!status)
        status = lxm_output_write(output, text.data, text.length, error);
    lxm_buffer_free(&text);
    return status;
}

static lxm_status write_tokens(const lxm_vocab *vocab, lxm_output *output, lxm_error *error)
{
    json_t *tokens;
    lxm_status status = lxm_model_tokens(vocab, true, &tokens, error);
    if (!status)
        status = lxm_json_write(tokens, JSON_COMPACT, "", output, error);
    json_decref(tokens);
    return status;
}

static lxm_status write_pair(const lxm_vocab *vocab, const lxm_vocab_write_options *options,
                             lxm_output *const *outputs, lxm_error *error)
{
    lxm_bpe_merge_of *list = NULL;
    size_t count = 0;
    (void)options;
    lxm_status status = check_model(vocab, error);
    if (status)
        return status;
    uint64_t *made = lxm_new(&vocab->allocator, (vocab->table.size / 64 + 1) * sizeof *made);
    status = made ? lxm_bpe_list_merges(vocab, &list, &count, error) : lxm_fail_memory(error);
    if (!status)
        mark_made(vocab, list, count, made);
    if (!status)
        status = check_roles(vocab, made, error);
    if (!status)
        status = write_tokens(vocab, outputs[0], error);
    if (!status)
        status = write_merges(vocab, list, count, outputs[1], error);
    lxm_release(&vocab->allocator, list);
    lxm_release(&vocab->allocator, made);
    return status;
}

const lxm_vocab_folder lxm_vocab_folder_gpt2 = {.format = "vocab.json + merges.txt",
                                                .names = {"vocab.json", "merges.txt"},
                                                .count = 2,
                                                .read = read_pair,
                                                .write = write_pair};
const lxm_vocab_folder lxm_vocab_folder_openai = {.format = "encoder.json + vocab.bpe",
                                                  .names = {"encoder.json", "vocab.bpe"},
                                                  .count = 2,
                                                  .read = read_pair,
                                                  .write = write_pair};
