/* What fuzz targets share. */
#ifndef LXM_TEST_FUZZ_H
#define LXM_TEST_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lexmill/lexmill.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A file that holds the bytes; the path is good until the next call. */
const char *fuzz_file(const uint8_t *data, size_t size);

/* Ends the program where something doesn't hold. */
#define fuzz_demand(condition)                                                                     \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* An error has a code, and one line of text. */
static inline void fuzz_check_error(lxm_status status, const lxm_error *error)
{
    if (!status)
        return;
    fuzz_demand(error->code == status);
    fuzz_demand(error->message[0] && !strchr(error->message, '\n'));
}

/* A hash that goes on: FNV-1a. */
static inline uint64_t fuzz_hash(uint64_t hash, const void *bytes, size_t size)
{
    const uint8_t *p = bytes;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ p[i]) * 1099511628211u;
    return hash;
}

#endif
