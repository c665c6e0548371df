#include "tokenize/canonical.h"

#include <string.h>

#include "tokenize/unicode.h"

size_t lxm_hangul_decompose(uint32_t syllable, lxm_classed *parts)
{
    uint32_t index = syllable - lxm_hangul_syllable, trailing = index % lxm_hangul_trailings;
    index /= lxm_hangul_trailings;
    parts[0] = lxm_hangul_leading + index / lxm_hangul_vowels;
    parts[1] = lxm_hangul_vowel + index % lxm_hangul_vowels;
    parts[2] = lxm_hangul_trailing + trailing;
    return trailing ? 3 : 2;
}

/* One run of marks, however long. */
static void order_many(lxm_classed *marks, size_t count, lxm_classed *scratch)
{
    size_t from[257] = {0};
    for (size_t i = 0; i < count; i++)
        from[lxm_classed_class(marks[i]) + 1]++;
    for (size_t c = 0; c < 256; c++)
        from[c + 1] += from[c];
    for (size_t i = 0; i < count; i++)
        scratch[from[lxm_classed_class(marks[i])]++] = marks[i];
    memcpy(marks, scratch, count * sizeof *marks);
}

static void order_few(lxm_classed *marks, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        lxm_classed mark = marks[i];
        size_t at = i;
        for (; at > 0 && lxm_classed_class(marks[at - 1]) > lxm_classed_class(mark); at--)
            marks[at] = marks[at - 1];
        marks[at] = mark;
    }
}

void lxm_canonical_order(lxm_classed *text, size_t count, lxm_classed *scratch)
{
    for (size_t i = 0; i < count; i++) {
        size_t begin = i;
        while (i < count && lxm_classed_class(text[i]) != 0)
            i++;
        if (i - begin > lxm_order_few)
            order_many(text + begin, i - begin, scratch);
        else
            order_few(text + begin, i - begin);
    }
}

/* What two characters are composed into, or 0. */
static uint32_t composite(uint32_t first, uint32_t second)
{
    uint32_t vowel = second - lxm_hangul_vowel, trailing = second - lxm_hangul_trailing;
    if (vowel < lxm_hangul_vowels && first - lxm_hangul_leading < lxm_hangul_leadings)
        return lxm_hangul_syllable +
               ((first - lxm_hangul_leading) * lxm_hangul_vowels + vowel) * lxm_hangul_trailings;
    if (trailing - 1 < lxm_hangul_trailings - 1 && lxm_is_hangul_syllable(first) &&
        (first - lxm_hangul_syllable) % lxm_hangul_trailings == 0)
        return first + trailing;
    return lxm_unicode_composite(first, second);
}

/* The canonical composition algorithm (D117): a character is composed with the last starter where
 * nothing between them is of its class or a higher one. */
size_t lxm_canonical_compose(lxm_classed *text, size_t count)
{
    size_t kept = 0, starter = count;
    int highest = -1; /* class behind the starter; of what is left */
    for (size_t i = 0; i < count; i++) {
        lxm_classed c = text[i];
        int class = (int)lxm_classed_class(c);
        if (class > highest && starter < count) {
            uint32_t one = composite(text[starter], lxm_classed_point(c));
            if (one) {
                text[starter] = one;
                continue;
            }
        }
        if (class == 0) {
            starter = kept;
            highest = -1;
        } else if (class > highest) {
            highest = class;
        }
        text[kept++] = c;
    }
    return kept;
}
