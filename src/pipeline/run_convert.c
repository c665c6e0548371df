/* Tables from one form to another, with their words. */
#include "base/error.h"
#include "base/memory.h"
#include "embed/finite.h"
#include "embed/table.h"
#include "formats/words_vectors.h"
#include "pipeline/job.h"
#include "pipeline/run_embed.h"

typedef struct convert {
    lxm_allocator allocator;
    const lxm_table *table;
    const lxm_convert_options *options;
    const char *output_path;
    const lxm_job *job;
    lxm_vocab *words; /* NULL: there are none */
    lxm_buffer kept;  /* of uint32_t: rows that are written, */
    bool all;         /* or all are */
    uint64_t rows;    /* that are written */
    uint64_t fingerprint;
    uint64_t not_finite;
} convert;

static const lxm_words_format *words_format(lxm_table_file format)
{
    switch (format) {
    case LXM_TABLE_WORD2VEC:
        return &lxm_word2vec_words;
    case LXM_TABLE_VEC:
        return &lxm_vec_words;
    case LXM_TABLE_GLOVE:
        return &lxm_glove_words;
    case LXM_TABLE_NPY:
    case LXM_TABLE_SAFETENSORS:
        break;
    }
    return NULL;
}

static lxm_status check(const convert *c, lxm_error *error)
{
    const lxm_convert_options *options = c->options;
    bool known = options->format >= LXM_TABLE_NPY && options->format <= LXM_TABLE_GLOVE;
    if (!known || options->dtype > LXM_DTYPE_I8)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "no such format or dtype");
    if (words_format(options->format) && options->dtype)
        return lxm_fail(
            error, LXM_ERROR_ARGUMENT,
            "this format holds 32-bit floats: leave --dtype out, or write .safetensors");
    if (lxm_table_rows(c->table) > UINT32_MAX)
        return lxm_fail(error, LXM_ERROR_ARGUMENT,
                        "a table file needs a number of rows under 2^32 (--rows)");
    return LXM_OK;
}

/* The first row of a word stays, as in other readers. */
static lxm_status collect_words(convert *c, lxm_error *error)
{
    lxm_status status = lxm_vocab_new(&c->words, &c->allocator, error);
    uint32_t rows = (uint32_t)lxm_table_rows(c->table), id;
    size_t length;
    for (uint32_t row = 0; !status && row < rows; row++) {
        size_t before = lxm_vocab_size(c->words);
        const uint8_t *word = lxm_table_word(c->table, row, &length);
        status = lxm_vocab_add(c->words, word, length, 0, &id, error);
        if (!status && id == before && !lxm_buffer_append(&c->kept, &row, sizeof row))
            status = lxm_fail_memory(error);
    }
    c->rows = c->kept.length / sizeof(uint32_t);
    c->all = c->rows == rows;
    return status;
}

static lxm_status open_words(convert *c, lxm_error *error)
{
    lxm_status status = lxm_vocab_open(&c->words, c->options->words, &c->allocator, error);
    if (status)
        return status;
    if (lxm_vocab_size(c->words) == c->rows)
        return LXM_OK;
    status = lxm_fail(error, LXM_ERROR_MISMATCH,
                      "the vocabulary has %zu tokens, but the table has %llu rows",
                      lxm_vocab_size(c->words), (unsigned long long)c->rows);
    lxm_job_blame(error, c->options->words);
    return status;
}

static lxm_status find_words(convert *c, lxm_error *error)
{
    size_t length;
    lxm_status status = LXM_OK;
    c->all = true;
    c->rows = lxm_table_rows(c->table);
    if (c->options->words)
        status = open_words(c, error);
    else if (lxm_table_word(c->table, 0, &length))
        status = collect_words(c, error);
    else if (words_format(c->options->format) || c->options->save_vocab)
        return lxm_fail(error, LXM_ERROR_ARGUMENT,
                        "the table has no words: name a vocabulary with one for each row (-V)");
    c->fingerprint = c->options->fingerprint;
    if (!status && !c->fingerprint)
        c->fingerprint =
            c->words ? lxm_vocab_fingerprint(c->words) : lxm_table_fingerprint(c->table);
    return status;
}

static lxm_status write_rows(convert *c, lxm_output *output, lxm_error *error)
{
    const lxm_words_format *format = words_format(c->options->format);
    size_t dim = lxm_table_dim(c->table), length;
    const uint32_t *kept = (const uint32_t *)(const void *)c->kept.data;
    lxm_buffer bytes;
    lxm_buffer_init(&bytes, &c->allocator);
    float *values = lxm_allocate(&c->allocator, dim, sizeof *values);
    lxm_status status = values ? lxm_words_write_header(format, c->rows, dim, output, error)
                               : lxm_fail_memory(error);
    for (uint32_t i = 0; !status && i < c->rows; i++) {
        const uint8_t *word = lxm_vocab_token(c->words, i, &length);
        lxm_table_row(c->table, c->all ? i : kept[i], values);
        c->not_finite += lxm_rows_not_finite(values, 1, dim, LXM_DTYPE_F32);
        status = lxm_words_write_row(format, word, length, values, dim, &bytes, output, error);
    }
    lxm_buffer_free(&bytes);
    lxm_release(&c->allocator, values);
    return status;
}

static lxm_status write_with_words(convert *c, lxm_error *error)
{
    lxm_output *output;
    lxm_status status = lxm_output_open(&output, c->output_path, &c->allocator, error);
    if (status)
        return status;
    status = write_rows(c, output, error);
    if (!status)
        return lxm_output_commit(output, error);
    lxm_output_discard(output);
    lxm_job_blame(error, c->output_path);
    return status;
}

static lxm_status write_table(convert *c, lxm_error *error)
{
    if (words_format(c->options->format))
        return write_with_words(c, error);
    lxm_embed_options options = {.table = c->table,
                                 .format = (lxm_vector_format)c->options->format,
                                 .dtype = c->options->dtype,
                                 .settings = c->options->settings};
    const uint32_t *kept = (const uint32_t *)(const void *)c->kept.data;
    lxm_embed_result result;
    lxm_status status = lxm_run_write_rows(&options, c->all ? NULL : kept, c->rows, c->fingerprint,
                                           c->output_path, c->job, &result, error);
    c->not_finite = status ? 0 : result.not_finite;
    return status;
}

lxm_status lxm_run_convert(const lxm_table *table, const lxm_convert_options *options,
                           const char *output_path, const lxm_job *job, lxm_convert_result *result,
                           lxm_error *error)
{
    static const lxm_job plain = {0};
    convert c = {.table = table, .options = options, .output_path = output_path};
    c.job = job ? job : &plain;
    c.allocator = lxm_allocator_or_default(c.job->allocator);
    lxm_buffer_init(&c.kept, &c.allocator);
    lxm_status status = check(&c, error);
    if (!status)
        status = find_words(&c, error);
    if (!status && options->save_vocab)
        status = lxm_vocab_save(c.words, options->save_vocab, error);
    if (!status)
        status = write_table(&c, error);
    if (!status && result)
        *result = (lxm_convert_result){c.rows, lxm_table_rows(table) - c.rows, c.not_finite};
    lxm_vocab_free(c.words);
    lxm_buffer_free(&c.kept);
    return status;
}
