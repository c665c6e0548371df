#include "formats/words_vectors.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/error.h"
#include "formats/vectors.h"

static bool binary_row(lxm_buffer *bytes, const uint8_t *word, size_t length, const float *values,
                       size_t dim)
{
    return lxm_buffer_append(bytes, word, length) && lxm_buffer_append(bytes, " ", 1) &&
           lxm_buffer_append(bytes, values, dim * sizeof *values) &&
           lxm_buffer_append(bytes, "\n", 1);
}

static bool text_row(lxm_buffer *bytes, const uint8_t *word, size_t length, const float *values,
                     size_t dim)
{
    size_t size;
    if (!lxm_buffer_append(bytes, word, length) || !lxm_multiply(dim, lxm_float_size + 1, &size) ||
        !lxm_buffer_reserve(bytes, size + 1))
        return false;
    char *text = (char *)bytes->data + bytes->length;
    for (size_t i = 0; i < dim; i++) {
        *text++ = ' ';
        text += lxm_float_text(values[i], text);
    }
    *text++ = '\n';
    bytes->length = (size_t)(text - (char *)bytes->data);
    return true;
}

const lxm_words_format lxm_word2vec_words = {"word2vec", true, false, binary_row};
const lxm_words_format lxm_vec_words = {"vec", true, false, text_row};
const lxm_words_format lxm_glove_words = {"glove", false, true, text_row};

lxm_status lxm_words_write_header(const lxm_words_format *format, uint64_t rows, size_t dim,
                                  lxm_output *output, lxm_error *error)
{
    char line[64];
    if (!format->header)
        return LXM_OK;
    int length = snprintf(line, sizeof line, "%" PRIu64 " %zu\n", rows, dim);
    return lxm_output_write(output, line, (size_t)length, error);
}

/* Blanks at its ends, which readers cut off, are no part of a word either. */
static bool is_writable(const lxm_words_format *format, const uint8_t *word, size_t length)
{
    static const char blanks[] = " \t\r";
    bool good = length > 0 && !memchr(word, '\n', length);
    if (good && !format->spaces)
        return !memchr(word, ' ', length) && !memchr(word, '\t', length) &&
               !memchr(word, '\r', length);
    return good && !strchr(blanks, word[0]) && !strchr(blanks, word[length - 1]);
}

lxm_status lxm_words_write_row(const lxm_words_format *format, const uint8_t *word, size_t length,
                               const float *values, size_t dim, lxm_buffer *bytes,
                               lxm_output *output, lxm_error *error)
{
    char shown[80];
    if (!is_writable(format, word, length))
        return lxm_fail(error, LXM_ERROR_UNSUPPORTED,
                        "the %s format can't hold the word '%s': write .safetensors, and the words "
                        "with --save-vocab",
                        format->name, lxm_printable(shown, sizeof shown - 8, word, length));
    bytes->length = 0;
    if (!format->row(bytes, word, length, values, dim))
        return lxm_fail_memory(error);
    return lxm_output_write(output, bytes->data, bytes->length, error);
}
