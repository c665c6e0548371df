#include "formats/gradients.h"

#include "base/error.h"
#include "embed/dtype.h"
#include "formats/npy.h"
#include "formats/safetensors.h"

/* Numbers of some shape, whichever file they lie in. */
typedef struct array {
    const char *name, *dtype; /* as .safetensors calls it */
    size_t dimensions;
    uint64_t shape[lxm_npy_dimensions];
    const uint8_t *data;
} array;

typedef struct number_type {
    const char *dtype, *descr;
    size_t size;
    bool is_signed;
    lxm_dtype dtype_of_gradients;
} number_type;

static const number_type id_types[] = {
    {"U16", "<u2", 2, false, 0}, {"I32", "<i4", 4, true, 0},  {"U32", "<u4", 4, false, 0},
    {"I64", "<i8", 8, true, 0},  {"U64", "<u8", 8, false, 0}, {NULL, NULL, 0, false, 0},
};

static const number_type gradient_types[] = {
    {"F32", "<f4", 4, true, LXM_DTYPE_F32},
    {"F16", "<f2", 2, true, LXM_DTYPE_F16},
    {"BF16", NULL, 2, true, LXM_DTYPE_BF16},
    {NULL, NULL, 0, false, 0},
};

static const number_type *find_type(const number_type *types, const char *dtype)
{
    for (; types->dtype; types++)
        if (strcmp(types->dtype, dtype) == 0 || (types->descr && strcmp(types->descr, dtype) == 0))
            return types;
    return NULL;
}

/* All of an .npy file. */
static lxm_status take_npy(array *a, const char *name, lxm_map map, const number_type *types,
                           lxm_npy_header *header, lxm_error *error)
{
    lxm_status status = lxm_npy_parse(header, map.data, map.length, error);
    if (status)
        return status;
    const number_type *type = find_type(types, header->descr);
    if (type)
        status = lxm_npy_check_data(header, type->size, map.length, error);
    if (status)
        return status;
    if (header->fortran_order && header->dimensions > 1)
        return lxm_fail(error, LXM_ERROR_UNSUPPORTED,
                        "the array is in Fortran order: save it with numpy.ascontiguousarray");
    *a = (array){name, header->descr, header->dimensions, {0}, map.data + header->size};
    memcpy(a->shape, header->shape, sizeof header->shape);
    return LXM_OK;
}

/* A tensor, which lxm_safetensors_read has checked. */
static lxm_status take_tensor(array *a, const char *name, const lxm_safetensors *c, lxm_map map,
                              lxm_error *error)
{
    const lxm_tensor *t = lxm_safetensors_find(c, name);
    if (!t)
        return lxm_fail(error, LXM_ERROR_FORMAT,
                        "it holds no tensor '%s': save 'ids' and 'gradients'", name);
    *a = (array){name, t->dtype, t->dimensions, {0}, map.data + c->data + t->start};
    memcpy(a->shape, t->shape, t->dimensions * sizeof *t->shape);
    return LXM_OK;
}

static lxm_status fail_type(const array *a, const char *wanted, lxm_error *error)
{
    char shown[40];
    lxm_printable(shown, sizeof shown - 8, a->dtype, strlen(a->dtype));
    return lxm_fail(error, LXM_ERROR_UNSUPPORTED, "the %s have the dtype %s, not one of %s",
                    a->name, shown, wanted);
}

static lxm_status set_gradients(lxm_gradient_file *file, const array *gradients, lxm_error *error)
{
    const number_type *type = find_type(gradient_types, gradients->dtype);
    if (!type)
        return fail_type(gradients, "F32, F16, BF16", error);
    uint64_t dim = gradients->dimensions > 1 ? gradients->shape[gradients->dimensions - 1] : 0;
    if (dim == 0 || dim > PTRDIFF_MAX / sizeof(float))
        return lxm_fail(error, LXM_ERROR_FORMAT,
                        "the gradients have no rows and columns: save them as [n, dim]");
    file->count = 1;
    for (size_t i = 0; i + 1 < gradients->dimensions; i++)
        file->count *= gradients->shape[i];
    file->dim = (size_t)dim;
    file->gradients = gradients->data;
    file->dtype = type->dtype_of_gradients;
    return LXM_OK;
}

/* Their shape must be that of the gradients without the last dimension. */
static lxm_status set_ids(lxm_gradient_file *file, const array *ids, const array *gradients,
                          lxm_error *error)
{
    const number_type *type = find_type(id_types, ids->dtype);
    if (!type)
        return fail_type(ids, "U16, I32, U32, I64, U64", error);
    bool match = gradients->dimensions == ids->dimensions + 1;
    for (size_t i = 0; match && i < ids->dimensions; i++)
        match = ids->shape[i] == gradients->shape[i];
    if (!match)
        return lxm_fail(error, LXM_ERROR_MISMATCH,
                        "ids [n] and gradients [n, dim] don't go together: %zu and %zu dimensions, "
                        "the first %llu and %llu",
                        ids->dimensions, gradients->dimensions, (unsigned long long)ids->shape[0],
                        (unsigned long long)gradients->shape[0]);
    file->ids = ids->data;
    file->id_size = type->size;
    file->is_signed = type->is_signed;
    return LXM_OK;
}

static lxm_status open_stream(lxm_gradient_file *file, const char *path,
                              const lxm_allocator *allocator, lxm_error *error)
{
    file->stream_path = path;
    lxm_status status = lxm_input_open(&file->input, path, allocator, error);
    return status ? status
                  : lxm_reader_new(&file->reader, file->input, LXM_KIND_IDS, allocator, error);
}

/* An array of ids, or a stream of them, in a file of their own. */
static lxm_status open_ids(lxm_gradient_file *file, const char *path, const array *gradients,
                           const lxm_allocator *allocator, lxm_error *error)
{
    array ids;
    lxm_npy_header header;
    lxm_status status = strcmp(path, "-") ? lxm_map_open(&file->id_map, path, error) : LXM_OK;
    if (status)
        return status;
    if (!lxm_npy_probe(file->id_map.data, file->id_map.length))
        return open_stream(file, path, allocator, error);
    status = take_npy(&ids, "ids", file->id_map, id_types, &header, error);
    return status ? status : set_ids(file, &ids, gradients, error);
}

static lxm_status open_npy(lxm_gradient_file *file, const char *ids, const lxm_allocator *allocator,
                           lxm_error *error)
{
    array gradients;
    lxm_npy_header header;
    lxm_status status =
        take_npy(&gradients, "gradients", file->map, gradient_types, &header, error);
    if (!status)
        status = set_gradients(file, &gradients, error);
    if (!status && !ids)
        return lxm_fail(error, LXM_ERROR_ARGUMENT,
                        "an .npy file holds gradients alone: name one with their ids (--ids)");
    if (status)
        return status;
    status = open_ids(file, ids, &gradients, allocator, error);
    if (status && error)
        error->path = ids;
    return status;
}

static lxm_status open_safetensors(lxm_gradient_file *file, const char *ids_path,
                                   const lxm_allocator *allocator, lxm_error *error)
{
    array ids, gradients;
    lxm_safetensors c = {0};
    if (ids_path)
        return lxm_fail(error, LXM_ERROR_ARGUMENT,
                        "a .safetensors file holds its own ids: leave --ids out");
    lxm_status status = lxm_safetensors_read(&c, file->map, allocator, error);
    if (!status)
        status = take_tensor(&ids, "ids", &c, file->map, error);
    if (!status)
        status = take_tensor(&gradients, "gradients", &c, file->map, error);
    if (!status)
        status = set_gradients(file, &gradients, error);
    if (!status)
        status = set_ids(file, &ids, &gradients, error);
    lxm_safetensors_free(&c);
    return status;
}

lxm_status lxm_gradient_file_open(lxm_gradient_file *file, const char *path, const char *ids,
                                  const lxm_allocator *allocator, lxm_error *error)
{
    *file = (lxm_gradient_file){0};
    lxm_status status = lxm_map_open(&file->map, path, error);
    if (status)
        return status;
    if (lxm_npy_probe(file->map.data, file->map.length))
        status = open_npy(file, ids, allocator, error);
    else if (lxm_safetensors_probe(file->map.data, file->map.length))
        status = open_safetensors(file, ids, allocator, error);
    else
        status = lxm_fail(error, LXM_ERROR_FORMAT,
                          "neither .npy nor .safetensors: gradients are kept in one of these");
    if (status && error && !error->path)
        error->path = path;
    return status;
}

void lxm_gradient_file_close(lxm_gradient_file *file)
{
    lxm_map_close(&file->map);
    lxm_map_close(&file->id_map);
    lxm_reader_free(file->reader);
    lxm_input_close(file->input);
}

uint64_t lxm_gradient_file_fingerprint(const lxm_gradient_file *file)
{
    return file->reader ? lxm_reader_fingerprint(file->reader) : 0;
}

/* Little-endian; what is below 0 comes out above 32 bits. */
static uint64_t load_id(const lxm_gradient_file *file, uint64_t index)
{
    uint64_t id = 0;
    memcpy(&id, file->ids + index * file->id_size, file->id_size);
    if (file->is_signed && id >> (8 * file->id_size - 1))
        return UINT64_MAX;
    return id;
}

static lxm_status read_array(const lxm_gradient_file *file, uint64_t at, size_t count,
                             uint32_t *ids, lxm_error *error)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t id = load_id(file, at + i);
        if (id > UINT32_MAX)
            return lxm_fail(error, LXM_ERROR_ID, "ids[%llu] is no number from 0 to 2^32 - 1",
                            (unsigned long long)(at + i));
        ids[i] = (uint32_t)id;
    }
    return LXM_OK;
}

/* Goes on to a block that has ids; none: *more is false. */
static lxm_status next_block(lxm_gradient_file *file, bool *more, lxm_error *error)
{
    lxm_block block;
    lxm_status status = LXM_OK;
    *more = true;
    while (!status && *more && file->taken == file->block.count) {
        status = lxm_reader_next(file->reader, &block, more, error);
        file->block = block.ids;
        file->taken = 0;
        if (!*more)
            file->block.count = 0;
    }
    return status;
}

static lxm_status read_stream(lxm_gradient_file *file, uint64_t at, size_t count, uint32_t *ids,
                              lxm_error *error)
{
    bool more;
    for (size_t i = 0; i < count; i++) {
        lxm_status status = next_block(file, &more, error);
        if (status)
            return status;
        if (!more)
            return lxm_fail(error, LXM_ERROR_MISMATCH, "%llu ids, but %llu rows of gradients",
                            (unsigned long long)(at + i), (unsigned long long)file->count);
        ids[i] = file->block.ids[file->taken++];
    }
    if (at + count < file->count)
        return LXM_OK;
    lxm_status status = next_block(file, &more, error);
    if (!status && more)
        status = lxm_fail(error, LXM_ERROR_MISMATCH, "more ids than the %llu rows of gradients",
                          (unsigned long long)file->count);
    return status;
}

lxm_status lxm_gradient_file_read(lxm_gradient_file *file, uint64_t at, size_t count, uint32_t *ids,
                                  float *gradients, lxm_error *error)
{
    lxm_status status = file->reader ? read_stream(file, at, count, ids, error)
                                     : read_array(file, at, count, ids, error);
    if (status && file->stream_path && error)
        error->path = file->stream_path;
    if (status)
        return status;
    lxm_widen *widen = lxm_dtype_widen(file->dtype);
    const uint8_t *from = file->gradients + at * file->dim * lxm_dtype_size(file->dtype);
    if (widen)
        widen(from, count * file->dim, gradients);
    else
        memcpy(gradients, from, count * file->dim * sizeof *gradients);
    return LXM_OK;
}
