/*
 * The shortest decimal of a float: R. Giulietti, "The Schubfach way to render doubles" (2020), in
 * single precision. No locale, no C library.
 */
#include "formats/vectors.h"

enum { least_power = -31, most_power = 45 };

/* 10^k, k from -31 to 45, as ceil(10^k 2^(63 - floor(log2 10^k))). */
static const uint64_t powers[most_power - least_power + 1] = {
    0x81CEB32C4B43FCF5, 0xA2425FF75E14FC32, 0xCAD2F7F5359A3B3F, 0xFD87B5F28300CA0E,
    0x9E74D1B791E07E49, 0xC612062576589DDB, 0xF79687AED3EEC552, 0x9ABE14CD44753B53,
    0xC16D9A0095928A28, 0xF1C90080BAF72CB2, 0x971DA05074DA7BEF, 0xBCE5086492111AEB,
    0xEC1E4A7DB69561A6, 0x9392EE8E921D5D08, 0xB877AA3236A4B44A, 0xE69594BEC44DE15C,
    0x901D7CF73AB0ACDA, 0xB424DC35095CD810, 0xE12E13424BB40E14, 0x8CBCCC096F5088CC,
    0xAFEBFF0BCB24AAFF, 0xDBE6FECEBDEDD5BF, 0x89705F4136B4A598, 0xABCC77118461CEFD,
    0xD6BF94D5E57A42BD, 0x8637BD05AF6C69B6, 0xA7C5AC471B478424, 0xD1B71758E219652C,
    0x83126E978D4FDF3C, 0xA3D70A3D70A3D70B, 0xCCCCCCCCCCCCCCCD, 0x8000000000000000,
    0xA000000000000000, 0xC800000000000000, 0xFA00000000000000, 0x9C40000000000000,
    0xC350000000000000, 0xF424000000000000, 0x9896800000000000, 0xBEBC200000000000,
    0xEE6B280000000000, 0x9502F90000000000, 0xBA43B74000000000, 0xE8D4A51000000000,
    0x9184E72A00000000, 0xB5E620F480000000, 0xE35FA931A0000000, 0x8E1BC9BF04000000,
    0xB1A2BC2EC5000000, 0xDE0B6B3A76400000, 0x8AC7230489E80000, 0xAD78EBC5AC620000,
    0xD8D726B7177A8000, 0x878678326EAC9000, 0xA968163F0A57B400, 0xD3C21BCECCEDA100,
    0x84595161401484A0, 0xA56FA5B99019A5C8, 0xCECB8F27F4200F3A, 0x813F3978F8940985,
    0xA18F07D736B90BE6, 0xC9F2C9CD04674EDF, 0xFC6F7C4045812297, 0x9DC5ADA82B70B59E,
    0xC5371912364CE306, 0xF684DF56C3E01BC7, 0x9A130B963A6C115D, 0xC097CE7BC90715B4,
    0xF0BDC21ABB48DB21, 0x96769950B50D88F5, 0xBC143FA4E250EB32, 0xEB194F8E1AE525FE,
    0x92EFD1B8D0CF37BF, 0xB7ABC627050305AE, 0xE596B7B0C643C71A, 0x8F7E32CE7BEA5C70,
    0xB35DBF821AE4F38C,
};

/* floor(e log2 10), floor(e log10 2) and floor(log10(3/4 2^e)), for the exponents of floats. */
static int log2_of_power10(int e)
{
    return (e * 1741647) >> 19;
}

static int log10_of_power2(int e)
{
    return (e * 1262611) >> 22;
}

static int log10_of_three_quarters(int e)
{
    return (e * 1262611 - 524031) >> 22;
}

/* The high bits of power x factor; the last bit says whether anything was lost. */
static uint32_t round_to_odd(uint64_t power, uint32_t factor)
{
    uint64_t low = (power & 0xFFFFFFFFu) * factor;
    uint64_t high = (power >> 32) * factor + (low >> 32);
    return (uint32_t)(high >> 32) | ((uint32_t)high > 1);
}

typedef struct decimal {
    uint32_t digits;
    int exponent;
} decimal;

/* Of significand x 2^exponent; `edge`: the next float below is nearer than the one above. */
static decimal shortest(uint32_t significand, int exponent, bool edge)
{
    int k = edge ? log10_of_three_quarters(exponent) : log10_of_power2(exponent);
    int shift = exponent + log2_of_power10(-k) + 1;
    uint64_t power = powers[-k - least_power];
    bool odd = significand & 1;
    uint32_t middle = round_to_odd(power, (4 * significand) << shift);
    uint32_t lower = round_to_odd(power, (4 * significand - 2 + edge) << shift) + odd;
    uint32_t upper = round_to_odd(power, (4 * significand + 2) << shift) - odd;
    uint32_t s = middle / 4;
    if (s >= 10) {
        uint32_t tens = s / 10;
        bool below = lower <= 40 * tens, above = 40 * tens + 40 <= upper;
        if (below != above)
            return (decimal){tens + above, k + 1};
    }
    bool below = lower <= 4 * s, above = 4 * s + 4 <= upper;
    if (below != above)
        return (decimal){s + above, k};
    uint32_t half = 4 * s + 2;
    bool up = middle > half || (middle == half && (s & 1));
    return (decimal){s + up, k};
}

static decimal to_decimal(uint32_t bits)
{
    uint32_t fraction = bits & 0x7FFFFF;
    int exponent = (int)(bits >> 23 & 0xFF);
    if (exponent == 0)
        return shortest(fraction, -149, false);
    return shortest(fraction | 0x800000, exponent - 150, fraction == 0 && exponent > 1);
}

static size_t put_word(char *text, const char *word)
{
    size_t length = strlen(word);
    memcpy(text, word, length);
    return length;
}

/* d.ddde-xx, for a first digit at 10^`place`. */
static size_t put_scientific(char *text, const char *digits, size_t count, int place)
{
    size_t n = 0;
    text[n++] = digits[0];
    if (count > 1) {
        text[n++] = '.';
        memcpy(text + n, digits + 1, count - 1);
        n += count - 1;
    }
    text[n++] = 'e';
    text[n++] = place < 0 ? '-' : '+';
    unsigned size = (unsigned)(place < 0 ? -place : place);
    text[n++] = (char)('0' + size / 10);
    text[n++] = (char)('0' + size % 10);
    return n;
}

static size_t put_fixed(char *text, const char *digits, size_t count, int place)
{
    size_t n = 0;
    if (place < 0) {
        n = put_word(text, "0.");
        for (int i = -1; i > place; i--)
            text[n++] = '0';
        memcpy(text + n, digits, count);
        return n + count;
    }
    for (size_t i = 0; i < count || i <= (size_t)place; i++) {
        if (i == (size_t)place + 1)
            text[n++] = '.';
        text[n++] = i < count ? digits[i] : '0';
    }
    return n;
}

size_t lxm_float_text(float value, char *text)
{
    uint32_t bits;
    char digits[10] = {0};
    memcpy(&bits, &value, sizeof bits);
    size_t n = 0;
    if ((bits & 0x7FFFFFFF) > 0x7F800000)
        return put_word(text, "nan");
    if (bits >> 31)
        text[n++] = '-';
    bits &= 0x7FFFFFFF;
    if (bits == 0x7F800000)
        return n + put_word(text + n, "inf");
    if (bits == 0)
        return n + put_word(text + n, "0");
    decimal d = to_decimal(bits);
    for (; d.digits % 10 == 0; d.digits /= 10)
        d.exponent++;
    size_t count = 0;
    for (uint32_t rest = d.digits; rest; rest /= 10)
        count++;
    for (size_t i = count; i-- > 0; d.digits /= 10)
        digits[i] = (char)('0' + d.digits % 10);
    int place = d.exponent + (int)count - 1;
    if (place < -4 || place > 8)
        return n + put_scientific(text + n, digits, count, place);
    return n + put_fixed(text + n, digits, count, place);
}
