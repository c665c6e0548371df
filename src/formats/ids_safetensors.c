/* `ids` U16 or I32, and `documents` I64: where each begins, and where the last ends. */
#include <inttypes.h>
#include <stdio.h>

#include "base/error.h"
#include "formats/ids.h"

enum { header_size = 320, prefix = 8 };

/* Padded with spaces to a size that numbers of any length fit; the documents, of 8 bytes each,
 * begin behind ids that are filled up to 8 bytes with a tensor of zeros. */
static void make_header(const lxm_ids_file *file, char *header)
{
    uint64_t ids = file->tokens * file->width, filler = (8 - ids % 8) % 8;
    uint64_t documents = ids + filler, end = documents + (file->documents + 1) * 8;
    uint64_t size = header_size - prefix;
    int length = snprintf(
        header + prefix, header_size - prefix,
        "{\"ids\":{\"dtype\":\"%s\",\"shape\":[%" PRIu64 "],\"data_offsets\":[0,%" PRIu64
        "]},\"filler\":{\"dtype\":\"U8\",\"shape\":[%" PRIu64 "],\"data_offsets\":[%" PRIu64
        ",%" PRIu64 "]},\"documents\":{\"dtype\":\"I64\",\"shape\":[%" PRIu64
        "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}}",
        file->width == sizeof(uint16_t) ? "U16" : "I32", file->tokens, ids, filler, ids, documents,
        file->documents + 1, documents, end);
    memset(header + prefix + length, ' ', header_size - prefix - (size_t)length);
    memcpy(header, &size, sizeof size);
}

static lxm_status begin(lxm_ids_file *file, lxm_error *error)
{
    char header[header_size];
    make_header(file, header);
    return lxm_output_write(file->output, header, sizeof header, error);
}

static lxm_status finish(lxm_ids_file *file, lxm_error *error)
{
    static const uint8_t zeros[8] = {0};
    char header[header_size];
    uint64_t begins = 0, length;
    lxm_status status =
        lxm_output_write(file->output, zeros, (8 - file->tokens * file->width % 8) % 8, error);
    for (uint64_t i = 0; !status && i < file->documents; i++) {
        status = lxm_ids_put_number(file->output, begins, 8, error);
        if (!status)
            status =
                lxm_spool_read(&file->lengths, i * sizeof length, &length, sizeof length, error);
        begins += status ? 0 : length;
    }
    if (!status)
        status = lxm_ids_put_number(file->output, begins, 8, error);
    make_header(file, header);
    return status ? status : lxm_output_patch(file->output, 0, header, sizeof header, error);
}

const lxm_ids_format lxm_safetensors_ids = {.name = "safetensors",
                                            .extension = ".safetensors",
                                            .limit16 = 1 << 16,
                                            .limit32 = (uint64_t)1 << 31,
                                            .wide = true,
                                            .documents = true,
                                            .header = SIZE_MAX,
                                            .begin = begin,
                                            .finish = finish};
