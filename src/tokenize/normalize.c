#include "tokenize/normalize.h"

#include <utf8proc.h>

#include "base/error.h"
#include "base/utf8.h"

void lxm_normalizer_init(lxm_normalizer *normalizer, const lxm_tokenizer_options *options,
                         size_t most, const lxm_allocator *allocator)
{
    *normalizer = (lxm_normalizer){
        .form = options->normal_form,
        .strip_marks = options->strip_marks || options->strip_all_marks,
        .strip_all_marks = options->strip_all_marks,
        .lowercase = options->lowercase,
        .casefold = options->casefold,
        .clean = options->clean,
        .clusters = options->normal_form != LXM_NORMAL_NONE || options->strip_marks ||
                    options->strip_all_marks,
        .most = most,
        .allocator = *allocator,
    };
    lxm_buffer_init(&normalizer->text, allocator);
    lxm_alignment_init(&normalizer->alignment, allocator);
}

void lxm_normalizer_free(lxm_normalizer *normalizer)
{
    lxm_buffer_free(&normalizer->text);
    lxm_alignment_free(&normalizer->alignment);
    if (normalizer->cluster)
        lxm_release(&normalizer->allocator, normalizer->cluster);
    if (normalizer->work)
        lxm_release(&normalizer->allocator, normalizer->work);
    normalizer->cluster = normalizer->work = NULL;
    lxm_release(&normalizer->allocator, normalizer->passing);
    normalizer->passing = NULL;
    for (size_t i = 0; i < sizeof normalizer->pages / sizeof *normalizer->pages; i++) {
        lxm_release(&normalizer->allocator, normalizer->pages[i]);
        normalizer->pages[i] = NULL;
    }
}

bool lxm_normalizer_wanted(const lxm_tokenizer_options *options)
{
    return options->normal_form != LXM_NORMAL_NONE || options->strip_marks ||
           options->strip_all_marks || options->lowercase || options->casefold || options->clean;
}

void lxm_normalizer_reset(lxm_normalizer *normalizer)
{
    normalizer->length = 0;
    normalizer->text.length = 0;
    lxm_alignment_clear(&normalizer->alignment);
}

static bool reserve(const lxm_allocator *allocator, int32_t **list, size_t *capacity, size_t need)
{
    if (need <= *capacity)
        return true;
    size_t bigger = 2 * need + 64;
    int32_t *grown = lxm_resize(allocator, *list, bigger, sizeof *grown);
    if (!grown)
        return false;
    *list = grown;
    *capacity = bigger;
    return true;
}

static int decomposition_options(const lxm_normalizer *normalizer)
{
    int options = 0;
    if (normalizer->clusters)
        options |= UTF8PROC_STABLE | UTF8PROC_DECOMPOSE;
    if (normalizer->form == LXM_NORMAL_NFKC || normalizer->form == LXM_NORMAL_NFKD)
        options |= UTF8PROC_COMPAT;
    if (normalizer->casefold)
        options |= UTF8PROC_CASEFOLD;
    return options;
}

static int combining_class(int32_t c)
{
    return utf8proc_get_property(c)->combining_class;
}

/* Whether nothing before a character can combine with it. What stands below U+0300 never looks
 * back; from there on, nonspacing marks, the second halves of compositions and the Hangul vowels
 * and finals may, and so may characters whose decompositions begin with one of those. U+11A7 is no
 * final, but utf8proc's composition would swallow it as one: it must not see it behind a syllable.
 */
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
    bool hangul = first[0] >= 0x1160 && first[0] <= 0x11FF && first[0] != 0x11A7;
    bool second = property->comb_index != UINT16_MAX && property->comb_index >= 0x8000;
    return property->combining_class == 0 && !second && !hangul &&
           property->category != UTF8PROC_CATEGORY_MN;
}

/* Canonical ordering of one run of marks: stable, by combining class (UAX #15, D109), in linear
 * time however long the run is. */
static void order_marks(int32_t *marks, size_t count, int32_t *scratch)
{
    size_t from[257] = {0};
    for (size_t i = 0; i < count; i++)
        from[combining_class(marks[i]) + 1]++;
    for (size_t c = 0; c < 256; c++)
        from[c + 1] += from[c];
    for (size_t i = 0; i < count; i++)
        scratch[from[combining_class(marks[i])]++] = marks[i];
    memcpy(marks, scratch, count * sizeof *marks);
}

static void order_few(int32_t *marks, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        int32_t mark = marks[i];
        size_t at = i;
        for (; at > 0 && combining_class(marks[at - 1]) > combining_class(mark); at--)
            marks[at] = marks[at - 1];
        marks[at] = mark;
    }
}

static void canonical_order(int32_t *text, size_t count, int32_t *scratch)
{
    for (size_t i = 0; i < count;) {
        if (combining_class(text[i]) == 0) {
            i++;
            continue;
        }
        size_t begin = i;
        while (i < count && combining_class(text[i]) != 0)
            i++;
        if (i - begin > 16)
            order_marks(text + begin, i - begin, scratch);
        else
            order_few(text + begin, i - begin);
    }
}

static size_t drop_marks(int32_t *text, size_t count, bool all)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        utf8proc_category_t category = utf8proc_category(text[i]);
        bool other = category == UTF8PROC_CATEGORY_MC || category == UTF8PROC_CATEGORY_ME;
        if (category != UTF8PROC_CATEGORY_MN && !(all && other))
            text[kept++] = text[i];
    }
    return kept;
}

/* Lower case of one code point: the simple mapping, and the one unconditional mapping to two code
 * points that Unicode has (SpecialCasing.txt). Room for one more is there. */
static size_t lower(int32_t *text, size_t count, size_t i)
{
    if (text[i] != 0x130) {
        text[i] = utf8proc_tolower(text[i]);
        return count;
    }
    memmove(text + i + 2, text + i + 1, (count - i - 1) * sizeof *text);
    text[i] = 'i';
    text[i + 1] = 0x307;
    return count + 1;
}

/* A character that has no decomposition at all, nor a case that is folded. */
static bool is_whole(const lxm_normalizer *z, int32_t c)
{
    bool syllable = c >= 0xAC00 && c < 0xAC00 + 11172;
    return !z->casefold && !syllable && utf8proc_get_property(c)->decomp_seqindex == UINT16_MAX;
}

/* Decomposes characters into `work`: returns how many code points, 0 when memory runs out. */
static size_t decompose(lxm_normalizer *z, const int32_t *text, size_t length)
{
    int options = decomposition_options(z), boundclass = 0;
    size_t count = 0;
    for (size_t i = 0; i < length; i++) {
        /* 18 is the longest decomposition; lower case adds one; the sort wants as much again */
        if (!reserve(&z->allocator, &z->work, &z->work_capacity, 2 * (count + 40)))
            return 0;
        if (is_whole(z, text[i])) {
            z->work[count++] = text[i];
            continue;
        }
        utf8proc_ssize_t n =
            utf8proc_decompose_char(text[i], z->work + count, 36, options, &boundclass);
        count += n > 0 ? (size_t)n : 0;
    }
    return count;
}

static bool composes(const lxm_normalizer *z)
{
    return z->form == LXM_NORMAL_NFC || z->form == LXM_NORMAL_NFKC;
}

/* Normalises a cluster into `work`: *count code points. False when memory runs out. */
static bool transform(lxm_normalizer *z, const int32_t *cluster, size_t length, size_t *count)
{
    *count = decompose(z, cluster, length);
    if (*count == 0)
        return false;
    if (z->strip_marks)
        *count = drop_marks(z->work, *count, z->strip_all_marks);
    if (z->lowercase)
        for (size_t i = *count; i-- > 0;)
            *count = lower(z->work, *count, i);
    if (z->clusters)
        canonical_order(z->work, *count, z->work + z->work_capacity / 2);
    if (composes(z)) {
        utf8proc_ssize_t n = utf8proc_normalize_utf32(z->work, (utf8proc_ssize_t)*count,
                                                      UTF8PROC_STABLE | UTF8PROC_COMPOSE);
        *count = n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* A character as the quick check lets it pass: it counts as what stood in the source. */
static int32_t passing(const lxm_normalizer *z, int32_t c)
{
    bool upper = (uint32_t)(c - 'A') < 26 && (z->lowercase || z->casefold);
    return upper ? c | 0x20 : c;
}

static lxm_status append(lxm_normalizer *z, const int32_t *text, size_t count, lxm_error *error)
{
    size_t begin = z->text.length, same = count == z->length;
    for (size_t i = 0; i < count; i++) {
        same = same && text[i] == passing(z, z->cluster[i]);
        if (!lxm_buffer_reserve(&z->text, 4))
            return lxm_fail_memory(error);
        z->text.length += lxm_utf8_encode((uint32_t)text[i], z->text.data + z->text.length);
    }
    same = same && z->source_end - z->source == z->text.length - begin;
    if (!lxm_alignment_add(&z->alignment, begin, z->source, z->source_end, !same))
        return lxm_fail_memory(error);
    return LXM_OK;
}

/* Normalises the cluster and empties it. */
static lxm_status settle(lxm_normalizer *z, lxm_error *error)
{
    size_t count;
    if (z->length == 0)
        return LXM_OK;
    if (!transform(z, z->cluster, z->length, &count))
        return lxm_fail_memory(error);
    lxm_status status = append(z, z->work, count, error);
    z->length = 0;
    return status;
}

static lxm_status push_character(lxm_normalizer *z, int32_t c, uint64_t source, uint64_t end,
                                 lxm_error *error)
{
    lxm_status status = LXM_OK;
    const uint8_t *page = z->pages[c >> 8];
    if (!z->clusters || (page ? page[c & 0xFF] >= lxm_class_passes : starts_cluster(c)))
        status = settle(z, error);
    if (status)
        return status;
    if (z->length == z->most)
        return lxm_fail_at(error, LXM_ERROR_LIMIT, z->source,
                           "a character with more than %zu combining marks: raise --max-token",
                           z->most);
    if (!reserve(&z->allocator, &z->cluster, &z->capacity, z->length + 1))
        return lxm_fail_memory(error);
    if (z->length == 0)
        z->source = source;
    z->source_end = end;
    z->cluster[z->length++] = c;
    return LXM_OK;
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

uint8_t lxm_normalizer_class(lxm_normalizer *z, int32_t c, bool *failed)
{
    size_t count;
    bool starts = !z->clusters || starts_cluster(c);
    if (c >= 0xD800 && c < 0xE000)
        return lxm_class_slow;
    if (z->clean && clean_up(c) != c)
        return clean_up(c) < 0 ? lxm_class_slow : lxm_class_slow_start;
    if (!transform(z, &c, 1, &count)) {
        *failed = true;
        return lxm_class_slow;
    }
    if (count != 1 || z->work[0] != c)
        return starts ? lxm_class_slow_start : lxm_class_slow;
    if (starts)
        return lxm_class_passes;
    /* what is the second half of a composition, or of a syllable, looks back */
    const utf8proc_property_t *property = utf8proc_get_property(c);
    bool second = property->comb_index != UINT16_MAX && property->comb_index >= 0x8000;
    bool hangul = c >= 0x1160 && c <= 0x11FF;
    if (composes(z) && (second || hangul))
        return lxm_class_slow;
    return property->combining_class ? (uint8_t)property->combining_class : lxm_class_inner;
}

/* Text that passes as it is, but for the case of ASCII letters and for white space. */
static lxm_status push_run(lxm_normalizer *z, const uint8_t *text, size_t length, uint64_t source,
                           lxm_error *error)
{
    lxm_status status = settle(z, error);
    if (status)
        return status;
    size_t begin = z->text.length;
    if (!lxm_buffer_append(&z->text, text, length) ||
        !lxm_alignment_add(&z->alignment, begin, source, source + length, false))
        return lxm_fail_memory(error);
    uint8_t *p = z->text.data + begin;
    if (z->lowercase || z->casefold)
        for (size_t i = 0; i < length; i++)
            p[i] = (uint8_t)(p[i] | ((uint8_t)(p[i] - 'A') < 26) << 5);
    if (z->clean) /* what is left below it are tabs and line ends */
        for (size_t i = 0; i < length; i++)
            p[i] = p[i] < ' ' ? ' ' : p[i];
    return LXM_OK;
}

static lxm_status push_slowly(lxm_normalizer *z, const uint8_t *text, size_t *size, uint64_t source,
                              uint64_t source_end, lxm_error *error)
{
    int32_t c = (int32_t)lxm_utf8_decode(text, size);
    if (z->clean)
        c = clean_up(c);
    return c < 0 ? LXM_OK : push_character(z, c, source, source_end, error);
}

lxm_status lxm_normalizer_push(lxm_normalizer *z, const uint8_t *text, size_t length,
                               uint64_t source, uint64_t source_end, lxm_error *error)
{
    z->text.length = 0;
    lxm_alignment_clear(&z->alignment);
    return lxm_normalizer_append(z, text, length, source, source_end, error);
}

lxm_status lxm_normalizer_append(lxm_normalizer *z, const uint8_t *text, size_t length,
                                 uint64_t source, uint64_t source_end, lxm_error *error)
{
    lxm_status status = LXM_OK;
    bool whole = source_end - source != length, failed = false;
    for (size_t i = 0, size; !status && i < length; i += size) {
        size = whole ? 0 : lxm_quick_run(z, text + i, length - i, &failed);
        if (failed)
            return lxm_fail_memory(error);
        if (size)
            status = push_run(z, text + i, size, source + i, error);
        else if (whole)
            status = push_slowly(z, text + i, &size, source, source_end, error);
        else {
            lxm_utf8_decode(text + i, &size);
            status = push_slowly(z, text + i, &size, source + i, source + i + size, error);
        }
    }
    return status;
}

lxm_status lxm_normalizer_end(lxm_normalizer *z, lxm_error *error)
{
    z->text.length = 0;
    lxm_alignment_clear(&z->alignment);
    return settle(z, error);
}
