/* One array of u16 or u32. */
#include <inttypes.h>
#include <stdio.h>

#include "formats/ids.h"

enum { header_size = 128, prefix = 10 };

static void make_header(const lxm_ids_file *file, char *header)
{
    static const char magic[8] = "\x93NUMPY\x01";
    char dict[header_size];
    int length = snprintf(dict, sizeof dict,
                          "{'descr': '<u%u', 'fortran_order': False, 'shape': (%" PRIu64 ",), }",
                          file->width, file->tokens);
    memset(header, ' ', header_size);
    memcpy(header, magic, sizeof magic);
    header[8] = (char)(header_size - prefix);
    header[9] = 0;
    memcpy(header + prefix, dict, (size_t)length);
    header[header_size - 1] = '\n';
}

static lxm_status begin(lxm_ids_file *file, lxm_error *error)
{
    char header[header_size];
    make_header(file, header);
    return lxm_output_write(file->output, header, sizeof header, error);
}

static lxm_status finish(lxm_ids_file *file, lxm_error *error)
{
    char header[header_size];
    make_header(file, header);
    return lxm_output_patch(file->output, 0, header, sizeof header, error);
}

const lxm_ids_format lxm_npy_ids = {.name = "npy",
                                    .extension = ".npy",
                                    .limit16 = 1 << 16,
                                    .limit32 = (uint64_t)1 << 32,
                                    .wide = true,
                                    .header = header_size,
                                    .begin = begin,
                                    .finish = finish};
