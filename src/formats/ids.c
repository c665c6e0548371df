#include "formats/ids.h"

#include "base/error.h"

enum { spool_memory = 1 << 20, step = 4096 };

static const lxm_ids_format *const formats[] = {
    [LXM_IDS_NANOGPT] = &lxm_nanogpt_ids,         [LXM_IDS_LLMC] = &lxm_llmc_ids,
    [LXM_IDS_MEGATRON] = &lxm_megatron_ids,       [LXM_IDS_NPY] = &lxm_npy_ids,
    [LXM_IDS_SAFETENSORS] = &lxm_safetensors_ids,
};

enum { format_count = sizeof formats / sizeof *formats };

const lxm_ids_format *lxm_ids_format_of(lxm_id_layout layout)
{
    return (unsigned)layout < format_count ? formats[layout] : NULL;
}

const lxm_ids_format *lxm_ids_format_named(const char *name)
{
    for (size_t i = 0; i < format_count; i++)
        if (strcmp(formats[i]->name, name) == 0)
            return formats[i];
    return NULL;
}

lxm_status lxm_ids_file_open(lxm_ids_file *file, const lxm_ids_format *format, unsigned width,
                             const char *path, const char *name, const lxm_allocator *allocator,
                             lxm_error *error)
{
    *file = (lxm_ids_file){.allocator = *allocator, .format = format, .path = path, .width = width};
    lxm_spool_init(&file->lengths, spool_memory, NULL, allocator);
    if (!name)
        return LXM_OK;
    lxm_status status = lxm_output_open(&file->output, name, allocator, error);
    return status ? status : format->begin(file, error);
}

void lxm_ids_file_free(lxm_ids_file *file)
{
    if (!file->format)
        return;
    lxm_output_discard(file->output);
    lxm_spool_free(&file->lengths);
    *file = (lxm_ids_file){0};
}

static lxm_status put_narrow(lxm_ids_file *file, const uint32_t *ids, size_t count,
                             lxm_error *error)
{
    uint16_t narrow[step];
    lxm_status status = LXM_OK;
    while (!status && count > 0) {
        size_t n = count < step ? count : step;
        for (size_t i = 0; i < n; i++)
            narrow[i] = (uint16_t)ids[i];
        status = lxm_output_write(file->output, narrow, n * sizeof *narrow, error);
        ids += n;
        count -= n;
    }
    return status;
}

lxm_status lxm_ids_file_put(lxm_ids_file *file, const uint32_t *ids, size_t count, lxm_error *error)
{
    file->tokens += count;
    file->in_document += count;
    if (!file->output)
        return LXM_OK;
    return file->width == sizeof(uint16_t)
               ? put_narrow(file, ids, count, error)
               : lxm_output_write(file->output, ids, count * sizeof *ids, error);
}

lxm_status lxm_ids_file_end_document(lxm_ids_file *file, lxm_error *error)
{
    uint64_t length = file->in_document;
    file->documents++;
    file->in_document = 0;
    return file->format->documents && file->output
               ? lxm_spool_write(&file->lengths, &length, sizeof length, error)
               : LXM_OK;
}

lxm_status lxm_ids_file_commit(lxm_ids_file *file, lxm_error *error)
{
    lxm_status status = file->format->finish(file, error);
    if (status)
        return status;
    lxm_output *output = file->output;
    file->output = NULL;
    return lxm_output_commit(output, error);
}

lxm_status lxm_ids_put_number(lxm_output *output, uint64_t number, unsigned width, lxm_error *error)
{
    return lxm_output_write(output, &number, width, error);
}
