/* An .npy or .safetensors file of any bytes: refused, or all its rows can be read. */
#include "fuzz.h"

enum { most_values = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lxm_table *table;
    lxm_error error;
    lxm_status status = lxm_table_open(&table, fuzz_file(data, size), NULL, NULL, &error);
    fuzz_check_error(status, &error);
    if (status) {
        fuzz_demand(!table);
        return 0;
    }
    uint64_t rows = lxm_table_rows(table);
    size_t dim = lxm_table_dim(table);
    fuzz_demand(rows == 0 || dim <= size / rows);
    float *row = malloc(dim * sizeof *row + 1);
    fuzz_demand(row);
    for (uint32_t id = 0; id < rows && id < most_values; id++)
        fuzz_demand(!lxm_table_gather(table, &id, 1, row, &error));
    if (rows <= UINT32_MAX)
        fuzz_demand(lxm_table_gather(table, &(uint32_t){(uint32_t)rows}, 1, row, &error) ==
                    LXM_ERROR_ID);
    free(row);
    lxm_table_free(table);
    return 0;
}
