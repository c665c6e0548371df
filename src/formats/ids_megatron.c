/*
 * Megatron-LM: the ids in .bin; in .idx magic, version, dtype and, of each document, which is a
 * sequence of its own, length and byte offset; then the index of documents.
 */
#include <stdio.h>

#include "base/error.h"
#include "formats/ids.h"

enum { code_int32 = 4, code_uint16 = 8 };

static lxm_status begin(lxm_ids_file *file, lxm_error *error)
{
    (void)file, (void)error;
    return LXM_OK;
}

static lxm_status put_header(const lxm_ids_file *file, lxm_output *output, lxm_error *error)
{
    static const char magic[9] = "MMIDIDX";
    unsigned code = file->width == sizeof(uint16_t) ? code_uint16 : code_int32;
    lxm_status status = lxm_output_write(output, magic, sizeof magic, error);
    if (!status)
        status = lxm_ids_put_number(output, 1, 8, error);
    if (!status)
        status = lxm_ids_put_number(output, code, 1, error);
    if (!status)
        status = lxm_ids_put_number(output, file->documents, 8, error);
    return status ? status : lxm_ids_put_number(output, file->documents + 1, 8, error);
}

/* The lengths, or with `offsets` the bytes before each. */
static lxm_status put_lengths(lxm_ids_file *file, lxm_output *output, bool offsets,
                              lxm_error *error)
{
    lxm_status status = LXM_OK;
    uint64_t length, before = 0;
    for (uint64_t i = 0; !status && i < file->documents; i++) {
        status = lxm_spool_read(&file->lengths, i * sizeof length, &length, sizeof length, error);
        if (!status)
            status = lxm_ids_put_number(output, offsets ? before : length, offsets ? 8 : 4, error);
        before += length * file->width;
    }
    return status;
}

static lxm_status put_index(lxm_ids_file *file, lxm_output *output, lxm_error *error)
{
    lxm_status status = put_header(file, output, error);
    if (!status)
        status = put_lengths(file, output, false, error);
    if (!status)
        status = put_lengths(file, output, true, error);
    for (uint64_t i = 0; !status && i <= file->documents; i++)
        status = lxm_ids_put_number(output, i, 8, error);
    return status;
}

static lxm_status finish(lxm_ids_file *file, lxm_error *error)
{
    lxm_output *output = NULL;
    size_t size = strlen(file->path) + 8;
    char *name = lxm_allocate(&file->allocator, size, 1);
    if (!name)
        return lxm_fail_memory(error);
    snprintf(name, size, "%s.idx", file->path);
    lxm_status status = lxm_output_open(&output, name, &file->allocator, error);
    if (!status)
        status = put_index(file, output, error);
    if (status)
        lxm_output_discard(output);
    else
        status = lxm_output_commit(output, error);
    if (status && error)
        error->path = NULL; /* the name goes */
    lxm_release(&file->allocator, name);
    return status;
}

const lxm_ids_format lxm_megatron_ids = {.name = "megatron",
                                         .extension = ".bin",
                                         .limit16 = 1 << 16,
                                         .limit32 = (uint64_t)1 << 31,
                                         .documents = true,
                                         .has_index = true,
                                         .begin = begin,
                                         .finish = finish};
