#include "base/error.h"
#include "formats/table_reader.h"

static const lxm_table_reader *const formats[] = {&lxm_npy_table, &lxm_safetensors_table};

static lxm_status open_map(lxm_table **table, lxm_map map, const char *tensor,
                           const lxm_allocator *allocator, lxm_error *error)
{
    if (map.length == 0)
        return lxm_fail(error, LXM_ERROR_FORMAT, "the file is empty: it holds no table");
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (formats[i]->probe(map.data, map.length))
            return formats[i]->open(table, map, tensor, allocator, error);
    return lxm_fail(error, LXM_ERROR_FORMAT, "neither an .npy nor a .safetensors file");
}

lxm_status lxm_table_open(lxm_table **table, const char *path, const char *tensor,
                          const lxm_allocator *allocator, lxm_error *error)
{
    *table = NULL;
    lxm_map map;
    lxm_status status = lxm_map_open(&map, path, error);
    if (status)
        return status;
    status = open_map(table, map, tensor, allocator, error);
    if (status) {
        lxm_map_close(&map);
        *table = NULL;
        if (error)
            error->path = path;
    }
    return status;
}
