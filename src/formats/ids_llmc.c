/* llm.c: 256 int32, of which three say magic, version and number of ids; then u16 or u32. */
#include "formats/ids.h"

enum { header_numbers = 256 };

static void make_header(const lxm_ids_file *file, uint32_t *header)
{
    bool narrow = file->width == sizeof(uint16_t);
    memset(header, 0, header_numbers * sizeof *header);
    header[0] = narrow ? 20240520 : 20240801;
    header[1] = narrow ? 1 : 7;
    header[2] = (uint32_t)file->tokens;
}

static lxm_status begin(lxm_ids_file *file, lxm_error *error)
{
    uint32_t header[header_numbers];
    make_header(file, header);
    return lxm_output_write(file->output, header, sizeof header, error);
}

static lxm_status finish(lxm_ids_file *file, lxm_error *error)
{
    uint32_t header[header_numbers];
    make_header(file, header);
    return lxm_output_patch(file->output, 0, header, sizeof header, error);
}

const lxm_ids_format lxm_llmc_ids = {.name = "llmc",
                                     .extension = ".bin",
                                     .limit16 = 1 << 16,
                                     .limit32 = (uint64_t)1 << 32,
                                     .eot_before = true,
                                     .header = header_numbers * sizeof(uint32_t),
                                     .begin = begin,
                                     .finish = finish};
