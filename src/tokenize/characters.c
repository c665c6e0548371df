/* What becomes of each character, made from utf8proc's data 256 characters at a time. */
#include <utf8proc.h>

#include "base/cpu.h"
#include "base/utf8.h"
#include "tokenize/normalize.h"
#include "tokenize/unicode.h"

void lxm_normalizer_free_characters(lxm_normalizer *z)
{
    for (size_t i = 0; i < sizeof z->pages / sizeof *z->pages; i++) {
        lxm_release(&z->allocator, z->pages[i]);
        z->pages[i] = NULL;
    }
    lxm_buffer_free(&z->alone);
    lxm_release(&z->allocator, z->lists);
    lxm_release(&z->allocator, z->passing);
    z->lists = NULL;
    z->passing = NULL;
}

bool lxm_normalizer_reserve(const lxm_normalizer *z, uint32_t **list, size_t *capacity, size_t need)
{
    if (need <= *capacity)
        return true;
    size_t bigger = need + need / 2 + 64;
    uint32_t *grown = lxm_resize(&z->allocator, *list, bigger, sizeof *grown);
    if (!grown)
        return false;
    *list = grown;
    *capacity = bigger;
    return true;
}

static int decomposition_options(const lxm_normalizer *z)
{
    int options = 0;
    if (z->clusters)
        options |= UTF8PROC_STABLE | UTF8PROC_DECOMPOSE;
    if (z->form == LXM_NORMAL_NFKC || z->form == LXM_NORMAL_NFKD)
        options |= UTF8PROC_COMPAT;
    if (z->casefold)
        options |= UTF8PROC_CASEFOLD;
    return options;
}

static bool is_hangul_part(int32_t c)
{
    return c >= 0x1160 && c <= 0x11FF;
}

/* Whether nothing before a character can combine with it. What stands below U+0300 never looks
 * back; from there on, nonspacing marks, the second halves of compositions and the Hangul vowels
 * and finals may, and so may characters whose decompositions begin with one of those. */
static bool starts_cluster(int32_t c)
{
    if (c < 0x300)
        return true;
    int32_t first[16];
    int boundclass = 0;
    utf8proc_ssize_t n = utf8proc_decompose_char(
        c, first, 16, UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT, &boundclass);
    if (n <= 0 || n > 16)
        return false;
    const utf8proc_property_t *property = utf8proc_get_property(first[0]);
    bool hangul = is_hangul_part(first[0]) && first[0] != lxm_hangul_trailing;
    return property->combining_class == 0 && !hangul &&
           !lxm_unicode_is_second((uint32_t)first[0]) && property->category != UTF8PROC_CATEGORY_MN;
}

static bool is_dropped(const lxm_normalizer *z, int32_t c)
{
    utf8proc_category_t category = utf8proc_category(c);
    bool other = category == UTF8PROC_CATEGORY_MC || category == UTF8PROC_CATEGORY_ME;
    return z->strip_marks && (category == UTF8PROC_CATEGORY_MN || (z->strip_all_marks && other));
}

static lxm_classed classed(int32_t c)
{
    return (lxm_classed)c | (lxm_classed)utf8proc_get_property(c)->combining_class << 24;
}

/* Lower case of one code point: the simple mapping, and the one unconditional mapping to two code
 * points that Unicode has (SpecialCasing.txt). */
static size_t lower(int32_t c, lxm_classed *list)
{
    list[0] = c == 0x130 ? 'i' : classed(utf8proc_tolower(c));
    if (c == 0x130)
        list[1] = classed(0x307);
    return c == 0x130 ? 2 : 1;
}

/* A character by itself, neither ordered nor composed: decomposition, then marks, then case. */
static size_t map(const lxm_normalizer *z, int32_t c, lxm_classed list[lxm_mapped_most])
{
    int32_t parts[lxm_mapped_most / 2] = {c};
    int boundclass = 0;
    bool whole = !z->casefold && !lxm_is_hangul_syllable((uint32_t)c) &&
                 utf8proc_get_property(c)->decomp_seqindex == UINT16_MAX;
    utf8proc_ssize_t n = whole ? 1
                               : utf8proc_decompose_char(c, parts, lxm_mapped_most / 2,
                                                         decomposition_options(z), &boundclass);
    size_t count = 0;
    for (utf8proc_ssize_t i = 0; i < n; i++)
        if (is_dropped(z, parts[i]))
            continue;
        else if (z->lowercase)
            count += lower(parts[i], list + count);
        else
            list[count++] = classed(parts[i]);
    return count;
}

/* The clean-up of BERT's tokenizers: -1 for what is dropped (controls, formats, private use and the
 * replacement character), a space for white space. What isn't assigned is kept. */
static int32_t clean_up(int32_t c)
{
    if (c == '\t' || c == '\n' || c == '\r')
        return ' ';
    switch (utf8proc_category(c)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CO:
        return -1;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
        return ' ';
    default:
        return c == 0xFFFD ? -1 : c;
    }
}

/* The class for the quick check of a character that by itself becomes `count` code points. */
static uint8_t quick_class(const lxm_normalizer *z, int32_t c, const lxm_classed *alone,
                           size_t count)
{
    bool starts = !z->clusters || starts_cluster(c);
    if (count != 1 || lxm_classed_point(alone[0]) != (uint32_t)c)
        return starts ? lxm_class_slow_start : lxm_class_slow;
    if (starts)
        return lxm_class_passes;
    /* what is the second half of a composition, or of a syllable, looks back */
    if (lxm_normalizer_composes(z) && (lxm_unicode_is_second((uint32_t)c) || is_hangul_part(c)))
        return lxm_class_slow;
    uint32_t class = lxm_classed_class(alone[0]);
    return class ? (uint8_t) class : lxm_class_inner;
}

/* Keeps what a character becomes by itself; false when memory runs out. */
static bool put_alone(lxm_normalizer *z, const lxm_classed *list, size_t count, uint32_t *alone)
{
    lxm_buffer *all = &z->alone;
    if (!lxm_buffer_reserve(all, 1 + 4 * lxm_mapped_most))
        return false;
    *alone = (uint32_t)all->length;
    uint8_t *bytes = all->data + all->length + 1, *end = bytes;
    for (size_t i = 0; i < count; i++)
        end += lxm_utf8_encode(lxm_classed_point(list[i]), end);
    bytes[-1] = (uint8_t)(end - bytes);
    all->length += 1 + (size_t)(end - bytes);
    return true;
}

/* How a list is told of in a page; false when memory runs out. */
static bool put_list(lxm_normalizer *z, const lxm_classed *list, size_t count, uint32_t *mapped)
{
    size_t at = z->lists_length;
    if (!lxm_normalizer_reserve(z, &z->lists, &z->lists_capacity, at + 1 + count))
        return false;
    z->lists[at] = (uint32_t)count;
    memcpy(z->lists + at + 1, list, count * sizeof *list);
    z->lists_length += 1 + count;
    *mapped = lxm_mapped_list + (uint32_t)at;
    return true;
}

static bool put_mapped(lxm_normalizer *z, int32_t c, const lxm_classed *list, size_t count,
                       uint32_t *mapped)
{
    bool syllable = z->clusters && lxm_is_hangul_syllable((uint32_t)c);
    if (count > 1 && !syllable)
        return put_list(z, list, count, mapped);
    if (syllable)
        *mapped = lxm_normalizer_composes(z) ? (uint32_t)c : lxm_mapped_syllable;
    else
        *mapped = count ? list[0] : lxm_mapped_nothing;
    return true;
}

static bool make_character(lxm_normalizer *z, lxm_character_page *page, size_t i, int32_t c)
{
    lxm_classed list[lxm_mapped_most] = {' '};
    int32_t cleaned = z->clean ? clean_up(c) : c;
    bool surrogate = c >= 0xD800 && c < 0xE000;
    page->class[i] = lxm_class_slow;
    page->mapped[i] = lxm_mapped_ignored;
    page->alone[i] = 0;
    if (surrogate || cleaned < 0)
        return true;
    size_t count = cleaned == c ? map(z, c, list) : 1;
    if (cleaned == c && !put_mapped(z, c, list, count, &page->mapped[i]))
        return false;
    if (cleaned != c)
        page->mapped[i] = lxm_mapped_space;
    if (z->clusters)
        lxm_canonical_order(list, count, NULL);
    if (lxm_normalizer_composes(z))
        count = lxm_canonical_compose(list, count);
    page->class[i] = quick_class(z, c, list, count);
    if (page->class[i] >= lxm_class_passes)
        page->mapped[i] |= lxm_mapped_starts;
    if (page->class[i] == lxm_class_passes)
        page->mapped[i] |= lxm_mapped_passes;
    return page->class[i] != lxm_class_slow_start || put_alone(z, list, count, &page->alone[i]);
}

bool lxm_normalizer_passing(lxm_normalizer *z)
{
    enum { rows = 0x10000 / 64 };
    z->passing = lxm_allocate(&z->allocator, rows, sizeof *z->passing);
    if (!z->passing)
        return false;
    z->wide_vectors = lxm_cpu_features() & LXM_CPU_AVX512;
    memset(z->passing, 0, rows * sizeof *z->passing);
    for (uint8_t c = 0; c < 0x80; c++)
        if (!z->clean || lxm_clean_keeps(c))
            z->passing[c >> 6] |= (uint64_t)1 << (c & 63);
    return true;
}

const lxm_character_page *lxm_normalizer_page(lxm_normalizer *z, size_t number)
{
    lxm_character_page *page = lxm_allocate(&z->allocator, 1, sizeof *page);
    if (!page || (!z->passing && !lxm_normalizer_passing(z)))
        goto error;
    for (size_t i = 0; i < 256; i++)
        if (!make_character(z, page, i, (int32_t)(number << 8 | i)))
            goto error;
    for (size_t i = number ? 0 : 0x80; number < 0x100 && i < 256; i++)
        if (page->class[i] == lxm_class_passes)
            z->passing[number << 2 | i >> 6] |= (uint64_t)1 << (i & 63);
    z->pages[number] = page;
    return page;
error:
    lxm_release(&z->allocator, page);
    return NULL;
}
