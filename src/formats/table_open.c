#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <sys/stat.h>

#include "base/error.h"
#include "embed/table.h"
#include "formats/table_reader.h"

/* The last knows its files by their lines alone, and so comes last. */
static const lxm_table_reader *const formats[] = {&lxm_npy_table, &lxm_safetensors_table,
                                                  &lxm_words_table};

static lxm_status open_map(lxm_table **table, lxm_map map, const char *tensor,
                           const lxm_allocator *allocator, lxm_error *error)
{
    if (map.length == 0)
        return lxm_fail(error, LXM_ERROR_FORMAT, "the file is empty: it holds no table");
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (formats[i]->probe(map.data, map.length))
            return formats[i]->open(table, map, tensor, allocator, error);
    return lxm_fail(error, LXM_ERROR_FORMAT,
                    "neither .npy nor .safetensors nor lines of a word and numbers");
}

/* The path itself, or where it is the folder of a model, the table in it. */
static lxm_status find_file(const char *path, char **found, const lxm_allocator *allocator,
                            lxm_error *error)
{
    static const char *const inside[] = {"0_StaticEmbedding/model.safetensors",
                                         "model.safetensors"};
    struct stat status;
    size_t size = strlen(path) + 48;
    char *file = lxm_allocate(allocator, size, 1);
    *found = file;
    if (!file)
        return lxm_fail_memory(error);
    snprintf(file, size, "%s", path);
    if (stat(path, &status) || !S_ISDIR(status.st_mode))
        return LXM_OK;
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++) {
        snprintf(file, size, "%s/%s", path, inside[i]);
        if (stat(file, &status) == 0)
            return LXM_OK;
    }
    return lxm_fail(error, LXM_ERROR_FORMAT, "no table is in the folder: %s or %s", inside[0],
                    inside[1]);
}

lxm_status lxm_table_open(lxm_table **table, const char *path, const char *tensor,
                          const lxm_allocator *allocator, lxm_error *error)
{
    *table = NULL;
    lxm_map map;
    char *file;
    lxm_allocator a = lxm_allocator_or_default(allocator);
    lxm_status status = find_file(path, &file, &a, error);
    if (!status)
        status = lxm_map_open(&map, file, error);
    lxm_release(&a, file);
    if (!status) {
        status = open_map(table, map, tensor, allocator, error);
        if (status && !*table)
            lxm_map_close(&map);
    }
    if (status) {
        lxm_table_free(*table);
        *table = NULL;
        if (error)
            error->path = path;
    }
    return status;
}
