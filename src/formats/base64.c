#include "formats/base64.h"

static int digit_of(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

size_t lxm_base64_decode(const uint8_t *text, size_t length, uint8_t *out)
{
    size_t written = 0, padding = 0;
    if (length == 0 || length % 4)
        return 0;
    while (padding < 2 && text[length - 1 - padding] == '=')
        padding++;
    for (size_t i = 0; i < length; i += 4) {
        uint32_t group = 0;
        size_t digits = i + 4 == length ? 4 - padding : 4;
        for (size_t k = 0; k < 4; k++) {
            int digit = k < digits ? digit_of(text[i + k]) : 0;
            if (digit < 0)
                return 0;
            group = group << 6 | (uint32_t)digit;
        }
        for (size_t k = 0; k + 1 < digits; k++)
            out[written++] = (uint8_t)(group >> (16 - 8 * k));
        if (group & ((digits == 2) ? 0xFFFFu : (digits == 3) ? 0xFFu : 0u))
            return 0; /* bits behind the last byte */
    }
    return written;
}
