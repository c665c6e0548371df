/*
 * Normalisation equals what utf8proc's functions give, put one behind another without any thought
 * of speed: for every code point, for pairs, and for random text in which much combines, however it
 * is cut; and where each byte came from doesn't depend on the cuts either.
 */
#include <utf8proc.h>

#include "unit.h"

#include "base/utf8.h"
#include "tokenize/normalize.h"

enum { code_points = 0x110000, no_limit = 16 << 20 };

/* ---- the definition ---- */

static size_t cleaned(const int32_t *text, size_t count, int32_t *result)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        utf8proc_category_t category = utf8proc_category(text[i]);
        bool space = text[i] == '\t' || text[i] == '\n' || text[i] == '\r' ||
                     (category >= UTF8PROC_CATEGORY_ZS && category <= UTF8PROC_CATEGORY_ZP);
        bool dropped = category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_CF ||
                       category == UTF8PROC_CATEGORY_CO || text[i] == 0xFFFD;
        if (space || !dropped)
            result[n++] = space ? ' ' : text[i];
    }
    return n;
}

static size_t decomposed(const lxm_tokenizer_options *o, const int32_t *text, size_t count,
                         int32_t *result)
{
    bool form = o->normal_form != LXM_NORMAL_NONE || o->strip_marks || o->strip_all_marks;
    bool compatible = o->normal_form == LXM_NORMAL_NFKC || o->normal_form == LXM_NORMAL_NFKD;
    int options = (form ? UTF8PROC_STABLE | UTF8PROC_DECOMPOSE : 0) |
                  (compatible ? UTF8PROC_COMPAT : 0) | (o->casefold ? UTF8PROC_CASEFOLD : 0);
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        int boundclass = 0;
        utf8proc_ssize_t more = utf8proc_decompose_char(text[i], result + n, 32,
                                                        (utf8proc_option_t)options, &boundclass);
        assert_in_range(more, 1, 32);
        n += (size_t)more;
    }
    return n;
}

static size_t stripped(const lxm_tokenizer_options *o, int32_t *text, size_t count)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        utf8proc_category_t category = utf8proc_category(text[i]);
        bool nonspacing = category == UTF8PROC_CATEGORY_MN;
        bool mark =
            nonspacing || category == UTF8PROC_CATEGORY_MC || category == UTF8PROC_CATEGORY_ME;
        if (!(o->strip_all_marks ? mark : o->strip_marks && nonspacing))
            text[n++] = text[i];
    }
    return n;
}

static size_t lowered(const int32_t *text, size_t count, int32_t *result)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        result[n++] = text[i] == 0x130 ? 'i' : utf8proc_tolower(text[i]);
        if (text[i] == 0x130)
            result[n++] = 0x307;
    }
    return n;
}

static int class_of(int32_t c)
{
    return utf8proc_get_property(c)->combining_class;
}

static void ordered(int32_t *text, size_t count)
{
    for (size_t i = 1; i < count; i++)
        for (size_t k = i; k > 0 && class_of(text[k]) && class_of(text[k - 1]) > class_of(text[k]);
             k--) {
            int32_t swapped = text[k];
            text[k] = text[k - 1];
            text[k - 1] = swapped;
        }
}

/* U+11A7 is no final, but utf8proc takes it for one: it must not see it behind a syllable. */
static size_t composed(int32_t *text, size_t count)
{
    size_t n = 0;
    for (size_t begin = 0, end; begin < count; begin = end) {
        for (end = begin + 1; end < count && text[end] != 0x11A7; end++)
            ;
        utf8proc_ssize_t left = utf8proc_normalize_utf32(
            text + begin, (utf8proc_ssize_t)(end - begin), UTF8PROC_STABLE | UTF8PROC_COMPOSE);
        assert_true(left > 0);
        memmove(text + n, text + begin, (size_t)left * sizeof *text);
        n += (size_t)left;
    }
    return n;
}

/* `result` has room for 64 code points for each of the text. */
static size_t defined(const lxm_tokenizer_options *o, const int32_t *text, size_t count,
                      int32_t *result)
{
    int32_t *work = malloc((64 * count + 64) * sizeof *work);
    assert_non_null(work);
    bool form = o->normal_form != LXM_NORMAL_NONE || o->strip_marks || o->strip_all_marks;
    if (o->clean)
        count = cleaned(text, count, work);
    else
        memcpy(work, text, count * sizeof *work);
    count = decomposed(o, work, count, result);
    count = stripped(o, result, count);
    if (o->lowercase) {
        count = lowered(result, count, work);
        memcpy(result, work, count * sizeof *work);
    }
    if (form)
        ordered(result, count);
    if (o->normal_form == LXM_NORMAL_NFC || o->normal_form == LXM_NORMAL_NFKC)
        count = composed(result, count);
    free(work);
    return count;
}

static size_t encode(const int32_t *text, size_t count, uint8_t *bytes)
{
    size_t length = 0;
    for (size_t i = 0; i < count; i++)
        length += lxm_utf8_encode((uint32_t)text[i], bytes + length);
    return length;
}

/* ---- what is tested ---- */

/* All combinations of the options, each with a normaliser, which pages of characters stay in. */
enum { combinations = 5 * 2 * 2 * 2 * 3 };

typedef struct subject {
    lxm_tokenizer_options options;
    lxm_normalizer normalizer;
    lxm_buffer text, parts;
    lxm_alignment alignment, parts_alignment;
} subject;

static subject *subjects[combinations];
static int32_t *marks, *composites;
static size_t mark_count, composite_count;
static bool is_last[code_points]; /* of what a character is decomposed into */

static subject *make_subject(unsigned number)
{
    lxm_allocator standard = lxm_allocator_or_default(NULL);
    subject *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->options = (lxm_tokenizer_options){.normal_form = (lxm_normal_form)(number % 5),
                                         .lowercase = number / 5 % 2,
                                         .casefold = number / 10 % 2,
                                         .clean = number / 20 % 2,
                                         .strip_marks = number / 40 > 0,
                                         .strip_all_marks = number / 40 > 1};
    /* a spacing mark that goes parts what stands around it, as a letter would */
    if (s->options.normal_form == LXM_NORMAL_NFC || s->options.normal_form == LXM_NORMAL_NFKC)
        s->options.strip_all_marks = false;
    lxm_normalizer_init(&s->normalizer, &s->options, no_limit, &standard);
    lxm_buffer_init(&s->text, &standard);
    lxm_buffer_init(&s->parts, &standard);
    lxm_alignment_init(&s->alignment, &standard);
    lxm_alignment_init(&s->parts_alignment, &standard);
    return s;
}

static int set_up(void **state)
{
    (void)state;
    for (unsigned i = 0; i < combinations; i++)
        subjects[i] = make_subject(i);
    marks = malloc(code_points * sizeof *marks);
    composites = malloc(code_points * sizeof *composites);
    for (int32_t c = 0; c < code_points; c++) {
        int32_t parts[32];
        int boundclass = 0;
        if (c >= 0xD800 && c < 0xE000)
            continue;
        utf8proc_ssize_t n = utf8proc_decompose_char(
            c, parts, 32, UTF8PROC_STABLE | UTF8PROC_DECOMPOSE, &boundclass);
        assert_in_range(n, 1, 32);
        is_last[parts[n - 1]] |= n > 1;
        if (class_of(c))
            marks[mark_count++] = c;
        else if (n > 1)
            composites[composite_count++] = c;
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (unsigned i = 0; i < combinations; i++) {
        subject *s = subjects[i];
        lxm_normalizer_free(&s->normalizer);
        lxm_buffer_free(&s->text);
        lxm_buffer_free(&s->parts);
        lxm_alignment_free(&s->alignment);
        lxm_alignment_free(&s->parts_alignment);
        free(s);
    }
    free(marks);
    free(composites);
    return 0;
}

static void keep(const lxm_normalizer *z, lxm_buffer *text, lxm_alignment *alignment)
{
    assert_true(lxm_alignment_append(alignment, &z->alignment, text->length));
    assert_true(lxm_buffer_append(text, z->text.data, z->text.length));
}

static size_t character(const uint8_t *text)
{
    size_t size;
    lxm_utf8_decode(text, &size);
    return size;
}

/* Normalises text in parts: cut at `cut`, and from there on every `step` characters (0: never). */
static void normalize(lxm_normalizer *z, const uint8_t *bytes, size_t length, size_t cut,
                      size_t step, lxm_buffer *text, lxm_alignment *alignment)
{
    lxm_error error;
    lxm_normalizer_reset(z);
    text->length = 0;
    lxm_alignment_clear(alignment);
    for (size_t at = 0, end = cut; at < length; at = end, end = step ? at : length) {
        for (size_t i = 0; at >= cut && i < step && end < length; i++)
            end += character(bytes + end);
        unit_succeeds(lxm_normalizer_push(z, bytes + at, end - at, at, end, &error), &error);
        keep(z, text, alignment);
    }
    unit_succeeds(lxm_normalizer_end(z, &error), &error);
    keep(z, text, alignment);
}

static void fail_with(const lxm_tokenizer_options *o, const int32_t *text, size_t count,
                      const char *what)
{
    char shown[512] = "";
    for (size_t i = 0, n = 0; i < count && n < sizeof shown - 8; i++)
        n += (size_t)snprintf(shown + n, sizeof shown - n, " %04X", (unsigned)text[i]);
    fail_msg("%s: form %d, lower %d, fold %d, clean %d, strip %d %d:%s", what, (int)o->normal_form,
             o->lowercase, o->casefold, o->clean, o->strip_marks, o->strip_all_marks, shown);
}

static bool is_defined(const subject *s, const int32_t *text, size_t count)
{
    int32_t result[64 * 64];
    uint8_t bytes[4 * 64 * 64];
    assert_true(count < 64);
    size_t length = encode(result, defined(&s->options, text, count, result), bytes);
    return length == s->text.length && (!length || memcmp(s->text.data, bytes, length) == 0);
}

/* Whether the parts give the same as the whole, each byte from the same place. */
static bool is_uncut(const subject *s)
{
    if (s->parts.length != s->text.length ||
        (s->text.length && memcmp(s->parts.data, s->text.data, s->text.length) != 0))
        return false;
    for (size_t i = 0; i < s->text.length; i++) {
        uint64_t a, a_end, b, b_end;
        lxm_alignment_range(&s->alignment, i, i + 1, &a, &a_end);
        lxm_alignment_range(&s->parts_alignment, i, i + 1, &b, &b_end);
        if (a != b || a_end != b_end)
            return false;
    }
    return true;
}

static void check_whole(subject *s, const int32_t *text, size_t count)
{
    uint8_t bytes[4 * 64];
    size_t length = encode(text, count, bytes);
    normalize(&s->normalizer, bytes, length, 0, 0, &s->text, &s->alignment);
    if (!is_defined(s, text, count))
        fail_with(&s->options, text, count, "not what it is defined to be");
}

static void check_cuts(subject *s, const int32_t *text, size_t count)
{
    uint8_t bytes[4 * 64];
    size_t length = encode(text, count, bytes);
    check_whole(s, text, count);
    for (size_t cut = 0; cut < length; cut += character(bytes + cut)) {
        normalize(&s->normalizer, bytes, length, cut, 0, &s->parts, &s->parts_alignment);
        if (!is_uncut(s))
            fail_with(&s->options, text, count, "the cut shows");
    }
    for (size_t step = 1; step < 4; step++) {
        normalize(&s->normalizer, bytes, length, 0, step, &s->parts, &s->parts_alignment);
        if (!is_uncut(s))
            fail_with(&s->options, text, count, "the parts show");
    }
}

static subject *with(lxm_tokenizer_options wanted)
{
    for (unsigned i = 0; i < combinations; i++) {
        const lxm_tokenizer_options *o = &subjects[i]->options;
        if (o->normal_form == wanted.normal_form && o->lowercase == wanted.lowercase &&
            o->casefold == wanted.casefold && o->clean == wanted.clean &&
            o->strip_marks == wanted.strip_marks && !o->strip_all_marks)
            return subjects[i];
    }
    fail_msg("no such combination");
    return NULL;
}

static void every_code_point_is_as_defined(void **state)
{
    (void)state;
    subject *const usual[] = {
        with((lxm_tokenizer_options){.normal_form = LXM_NORMAL_NFC}),
        with((lxm_tokenizer_options){.normal_form = LXM_NORMAL_NFD}),
        with((lxm_tokenizer_options){.normal_form = LXM_NORMAL_NFKC}),
        with((lxm_tokenizer_options){.normal_form = LXM_NORMAL_NFKD}),
        with((lxm_tokenizer_options){.clean = true, .lowercase = true, .strip_marks = true}),
        with((lxm_tokenizer_options){.normal_form = LXM_NORMAL_NFKC, .casefold = true}),
        with((lxm_tokenizer_options){.lowercase = true}),
    };
    for (int32_t c = 0; c < code_points; c++) {
        bool surrogate = c >= 0xD800 && c < 0xE000;
        if (surrogate || (utf8proc_category(c) == UTF8PROC_CATEGORY_CN && c % 61 != 0))
            continue;
        /* alone, after what may combine with it, before what it may combine with */
        const int32_t text[] = {c, c, 'a', c, 0x301, 0x323, 0x1100, c, 0x11A8, 0xC694, c, 0x345};
        for (size_t i = 0; i < unit_count(usual); i++)
            check_whole(usual[i], text, unit_count(text));
    }
}

/* Any two of which the second ends some decomposition, and a few others. */
static void every_pair_is_composed_as_defined(void **state)
{
    (void)state;
    enum { usual = 0x3100 };
    for (int32_t second = 0; second < 0x20000; second++) {
        if (!is_last[second] && second % 997)
            continue;
        for (size_t i = 0; i < usual + composite_count; i++) {
            int32_t first = i < usual ? (int32_t)i : composites[i - usual];
            int32_t pair[] = {first, second};
            lxm_classed ours[] = {(lxm_classed)first | (lxm_classed)class_of(first) << 24,
                                  (lxm_classed)second | (lxm_classed)class_of(second) << 24};
            size_t n = composed(pair, 2);
            if (lxm_canonical_compose(ours, 2) != n ||
                lxm_classed_point(ours[0]) != (uint32_t)pair[0])
                fail_msg("%04X %04X", (unsigned)first, (unsigned)second);
        }
    }
}

static int32_t random_character(uint64_t *seed)
{
    static const int32_t few[] = {0x301, 0x323, 0x308, 0x304, 0x338, 0x345, 0x315, 0x327, 0x3099};
    static const int32_t odd[] = {
        'a',     'E',     0x212B, 0x130,  0x344,   0xF73,   0x340,  0x958,  0x93C,  0xFB2C,
        0xFDFA,  0x9BE,   0x9C7,  0xDD9,  0xDCF,   0xDCA,   0x102E, 0x1025, 0x2ADC, 0x1D15E,
        0x1D165, 0x110BA, 0x903,  0x20DD, 0x200D,  0x11131, 0x1127, 0xFB01, 0xA0,   0x3000,
        '\t',    0x7F,    0xFFFD, 0xE000, 0x11127, 0x1B35,  0x1B05, 0x2F800};
    uint64_t kind = unit_random(seed) % 16, r = unit_random(seed) >> 16;
    if (kind < 4)
        return few[r % unit_count(few)];
    if (kind < 6)
        return marks[r % mark_count];
    if (kind < 8)
        return composites[r % composite_count];
    if (kind < 10)
        return odd[r % unit_count(odd)];
    if (kind < 13)
        return kind == 10   ? 0x1100 + (int32_t)(r % 20)
               : kind == 11 ? 0x1160 + (int32_t)(r % 0x70)
                            : 0xAC00 + 14 * (int32_t)(r % 798);
    if (kind < 15)
        return 'A' + (int32_t)(r % 58);
    int32_t any = (int32_t)(r % (code_points - 0x800));
    return any < 0xD800 ? any : any + 0x800;
}

static void random_text_is_as_defined_however_it_is_cut(void **state)
{
    (void)state;
    uint64_t seed = 20;
    for (unsigned i = 0; i < 40000; i++) {
        int32_t text[60];
        size_t count = 1 + unit_random(&seed) % (i % 8 ? 12 : 59);
        for (size_t k = 0; k < count; k++)
            text[k] = random_character(&seed);
        check_cuts(subjects[i % combinations], text, count);
    }
}

/* Far more marks than a part of the text has, of few classes and of many. */
static void long_runs_of_marks_are_as_defined(void **state)
{
    (void)state;
    enum { most = 3000 };
    uint64_t seed = 7;
    int32_t *text = malloc(most * sizeof *text), *result = malloc(64 * most * sizeof *result);
    uint8_t *bytes = malloc(4 * most), *wanted = malloc(4 * 64 * most);
    for (unsigned i = 0; i < combinations; i++) {
        subject *s = subjects[i];
        for (size_t k = 0; k < most; k++)
            text[k] = i % 3 == 0   ? 0x301
                      : i % 3 == 1 ? (k % 1000 ? marks[unit_random(&seed) % mark_count] : 'e')
                                   : 0x300 + (int32_t)(unit_random(&seed) % 0x70);
        text[0] = i % 2 ? 'u' : text[0];
        size_t length = encode(text, most, bytes);
        size_t wanted_length = encode(result, defined(&s->options, text, most, result), wanted);
        for (size_t step = 0; step < 2000; step = 3 * step + 1) {
            normalize(&s->normalizer, bytes, length, 0, step, &s->text, &s->alignment);
            if (s->text.length != wanted_length || memcmp(s->text.data, wanted, wanted_length) != 0)
                fail_with(&s->options, text, 20, "a long run");
        }
    }
    free(text);
    free(result);
    free(bytes);
    free(wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_is_as_defined),
        cmocka_unit_test(every_pair_is_composed_as_defined),
        cmocka_unit_test(random_text_is_as_defined_however_it_is_cut),
        cmocka_unit_test(long_runs_of_marks_are_as_defined),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
