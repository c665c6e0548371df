#define _GNU_SOURCE
#include "formats/number.h"

#include <locale.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { most_digits = 19, exact_power = 22, longest = 200 };

static const double powers[exact_power + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                               1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                               1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

void lxm_numbers_free(lxm_numbers *numbers)
{
    if (numbers->locale)
        freelocale((locale_t)numbers->locale);
    numbers->locale = NULL;
}

typedef struct decimal {
    bool negative, cut; /* cut: digits were left out */
    uint64_t digits;
    int exponent;
} decimal;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool read_exponent(const char *p, const char *end, int *exponent)
{
    bool negative = p < end && *p == '-';
    int value = 0;
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    if (p == end)
        return false;
    for (; p < end && is_digit(*p); p++)
        value = value < 100000 ? 10 * value + (*p - '0') : value;
    *exponent += negative ? -value : value;
    return p == end;
}

static bool read_decimal(const char *p, const char *end, decimal *d)
{
    int count = 0;
    bool any = false, point = false;
    *d = (decimal){.negative = p < end && *p == '-'};
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    for (; p < end && (is_digit(*p) || (*p == '.' && !point)); p++) {
        if (*p == '.') {
            point = true;
            continue;
        }
        any = true;
        if (count < most_digits) {
            d->digits = 10 * d->digits + (uint64_t)(*p - '0');
            count += d->digits > 0;
            d->exponent -= point;
        } else {
            d->cut = true;
            d->exponent += !point;
        }
    }
    if (any && p < end && (*p == 'e' || *p == 'E'))
        return read_exponent(p + 1, end, &d->exponent);
    return any && p == end;
}

/* A double that is the nearest to the decimal gives the nearest float too, unless it lies half way
 * between two floats, or where floats have fewer digits. */
static bool read_exactly(const decimal *d, float *value)
{
    if (d->cut || d->digits > (uint64_t)1 << 53 || d->exponent > exact_power ||
        d->exponent < -exact_power)
        return false;
    double x = (double)d->digits;
    x = d->exponent < 0 ? x / powers[-d->exponent] : x * powers[d->exponent];
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    if ((bits & 0x1FFFFFFF) == 0x10000000 || (x != 0 && (x < 0x1p-126 || x > 0x1p127)))
        return false;
    *value = (float)(d->negative ? -x : x);
    return true;
}

static bool read_slowly(lxm_numbers *numbers, const char *text, size_t length, float *value)
{
    char copy[longest + 1];
    char *end;
    if (length > longest)
        return false;
    if (!numbers->locale)
        numbers->locale = (void *)newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!numbers->locale)
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    *value = strtof_l(copy, &end, (locale_t)numbers->locale);
    return end == copy + length;
}

static bool read_word(const char *text, size_t length, float *value)
{
    static const uint32_t nan = 0x7FC00000, infinity = 0x7F800000;
    bool sign = length > 0 && (*text == '-' || *text == '+');
    uint32_t bits = sign && *text == '-' ? 0x80000000 : 0;
    text += sign;
    length -= sign;
    if (length == 3 && strncasecmp(text, "nan", 3) == 0)
        bits |= nan;
    else if ((length == 3 && strncasecmp(text, "inf", 3) == 0) ||
             (length == 8 && strncasecmp(text, "infinity", 8) == 0))
        bits |= infinity;
    else
        return false;
    memcpy(value, &bits, sizeof bits);
    return true;
}

bool lxm_number_read(lxm_numbers *numbers, const char *text, size_t length, float *value)
{
    decimal d;
    if (!read_decimal(text, text + length, &d))
        return read_word(text, length, value);
    return read_exactly(&d, value) || read_slowly(numbers, text, length, value);
}

bool lxm_number_whole(const char *text, size_t length, uint64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < length; i++)
        if (!is_digit(text[i]) || __builtin_mul_overflow(*value, 10, value) ||
            __builtin_add_overflow(*value, (uint64_t)(text[i] - '0'), value))
            return false;
    return length > 0;
}
