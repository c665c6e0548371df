/*
 * GPT-2's pair of files: vocab.json (or encoder.json), {"token": id}, and merges.txt (or
 * vocab.bpe), "A B" a line in order of rank, after a line "#version". Tokens stand in characters
 * that are bytes (byte_level.h).
 *
 * What is neither a byte nor made by a merge is a special token: the files have no other sign.
 */
#include "base/error.h"
#include "base/utf8.h"
#include "formats/byte_level.h"
#include "formats/vocab.h"
#include "formats/vocab_list.h"
#include "idmap/bpe.h"

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

static size_t count_lines(const uint8_t *bytes, size_t length)
{
    size_t lines = length > 0;
    for (size_t i = 0; i < length; i++)
        lines += bytes[i] == '\n';
    return lines;
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
        status = lxm_bpe_new(vocab, &options, count_lines(bytes, length), error);
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

const lxm_vocab_folder lxm_vocab_folder_gpt2 = {.format = "vocab.json + merges.txt",
                                                .names = {"vocab.json", "merges.txt"},
                                                .count = 2,
                                                .read = read_pair};
const lxm_vocab_folder lxm_vocab_folder_openai = {.format = "encoder.json + vocab.bpe",
                                                  .names = {"encoder.json", "vocab.bpe"},
                                                  .count = 2,
                                                  .read = read_pair};
