/* The header of an .npy file (numpy.lib.format): magic, version, length and a Python dict. */
#ifndef LXM_FORMATS_NPY_H
#define LXM_FORMATS_NPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lexmill/error.h"

enum { lxm_npy_dimensions = 32 };

typedef struct lxm_npy_header {
    char descr[64];
    bool fortran_order;
    size_t dimensions;
    uint64_t shape[lxm_npy_dimensions];
    size_t size; /* of the whole header: where the data starts */
} lxm_npy_header;

bool lxm_npy_probe(const uint8_t *bytes, size_t length);
lxm_status lxm_npy_parse(lxm_npy_header *header, const uint8_t *bytes, size_t length,
                         lxm_error *error);

/* Bytes of an array's numbers, of `number` bytes each; false where that overflows. */
bool lxm_npy_data_size(const lxm_npy_header *header, size_t number, size_t *size);

/* Whether a file of `length` bytes holds the numbers of its header, of `number` bytes each:
 * otherwise LXM_ERROR_FORMAT. */
lxm_status lxm_npy_check_data(const lxm_npy_header *header, size_t number, size_t length,
                              lxm_error *error);

#endif
