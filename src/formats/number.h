/* Decimals as they stand in tables of other programs. */
#ifndef LXM_FORMATS_NUMBER_H
#define LXM_FORMATS_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the rare numbers need that are too long for exact arithmetic: the C locale. */
typedef struct lxm_numbers {
    void *locale; /* NULL: not needed yet */
} lxm_numbers;

void lxm_numbers_free(lxm_numbers *numbers);

/* Reads a field that is a decimal from end to end, or nan or inf: the nearest float. False where
 * it is none. */
bool lxm_number_read(lxm_numbers *numbers, const char *text, size_t length, float *value);

/* Whether it is a whole number without sign that fits; its value. */
bool lxm_number_whole(const char *text, size_t length, uint64_t *value);

#endif
