/*
 * Every scanner equals PCRE2 on the pattern of its preset, in every variant that the processor has,
 * however the text is cut. LEXMILL_TEST_STRINGS sets how many random strings are tried.
 */
#define _POSIX_C_SOURCE 200809L
#define PCRE2_CODE_UNIT_WIDTH 8
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <pcre2.h>

#include "base/utf8.h"
#include "tokenize/scan/scan.h"
#include "unicode_15.h"

enum { VARIANTS = 3, PRESETS = 16 };

typedef struct subject_preset {
    const lxm_preset *preset;
    pcre2_code *code;
    pcre2_match_data *match;
    const lxm_scanner *scanners[VARIANTS];
    size_t scanner_count;
} subject_preset;

static subject_preset presets[PRESETS];
static size_t preset_count;
static pcre2_match_context *match_context;
static pcre2_jit_stack *jit_stack;

typedef struct tokens {
    lxm_span *spans;
    size_t count, capacity;
} tokens;

static void add(tokens *t, uint32_t begin, uint32_t end)
{
    if (t->count == t->capacity) {
        t->capacity = t->capacity ? 2 * t->capacity : 1024;
        t->spans = realloc(t->spans, t->capacity * sizeof *t->spans);
        assert_non_null(t->spans);
    }
    t->spans[t->count++] = (lxm_span){begin, end};
}

/* An alias: the pattern and the scanner of another preset. */
static bool is_alias(const lxm_preset *preset)
{
    for (size_t i = 0; i < preset_count; i++)
        if (strcmp(presets[i].preset->pattern, preset->pattern) == 0) {
            assert_ptr_equal(lxm_scanner_for_preset(preset->name, 0), presets[i].scanners[0]);
            return true;
        }
    return false;
}

static void set_up_preset(const lxm_preset *preset)
{
    static const char *const limits[VARIANTS] = {"scalar", "avx2", NULL};
    subject_preset *p = &presets[preset_count++];
    int error;
    PCRE2_SIZE offset;
    p->preset = preset;
    p->code = pcre2_compile((PCRE2_SPTR)preset->pattern, PCRE2_ZERO_TERMINATED,
                            PCRE2_UTF | PCRE2_UCP, &error, &offset, NULL);
    assert_non_null(p->code);
    assert_int_equal(pcre2_jit_compile(p->code, PCRE2_JIT_COMPLETE), 0);
    p->match = pcre2_match_data_create_from_pattern(p->code, NULL);
    for (size_t v = 0; v < VARIANTS; v++) {
        const lxm_scanner *s =
            lxm_scanner_for_preset(preset->name, lxm_cpu_features_up_to(limits[v]));
        assert_non_null(s);
        if (p->scanner_count == 0 || p->scanners[p->scanner_count - 1] != s)
            p->scanners[p->scanner_count++] = s;
    }
}

static int set_up(void **state)
{
    (void)state;
    match_context = pcre2_match_context_create(NULL);
    jit_stack = pcre2_jit_stack_create(32 * 1024, 64 * 1024 * 1024, NULL);
    pcre2_jit_stack_assign(match_context, NULL, jit_stack);
    for (size_t i = 0; lxm_preset_at(i); i++)
        if (lxm_scanner_for_preset(lxm_preset_at(i)->name, 0) && !is_alias(lxm_preset_at(i)))
            set_up_preset(lxm_preset_at(i));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < preset_count; i++) {
        pcre2_code_free(presets[i].code);
        pcre2_match_data_free(presets[i].match);
    }
    pcre2_jit_stack_free(jit_stack);
    pcre2_match_context_free(match_context);
    return 0;
}

/* What PCRE2 finds. */
static void reference(const subject_preset *p, const uint8_t *text, size_t length, tokens *out)
{
    out->count = 0;
    for (size_t at = 0; at < length;) {
        int rc = pcre2_match(p->code, text, length, at, PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY,
                             p->match, match_context);
        if (rc == PCRE2_ERROR_NOMATCH)
            break;
        assert_true(rc > 0);
        const PCRE2_SIZE *ovector = pcre2_get_ovector_pointer(p->match);
        add(out, (uint32_t)ovector[0], (uint32_t)ovector[1]);
        at = ovector[1];
    }
}

/* How a text is given to a scanner. */
typedef struct feeding {
    size_t part;     /* bytes that come at a time */
    size_t capacity; /* spans */
    bool doubling;   /* undecided text is presented again only when it has doubled */
} feeding;

/* Scans text[kept, end) in memory of exactly that size, so that a sanitizer sees what is read
 * beyond it. Returns the new position. */
static size_t present(const lxm_scanner *scanner, const uint8_t *text, size_t kept, size_t position,
                      size_t end, bool final, size_t capacity, tokens *out)
{
    uint8_t *copy = malloc(end - kept + !(end - kept));
    lxm_span *spans = malloc(capacity * sizeof *spans);
    assert_true(copy && spans);
    memcpy(copy, text + kept, end - kept);
    lxm_scan scan = {.text = copy,
                     .length = end - kept,
                     .position = position - kept,
                     .first = kept == 0,
                     .final = final,
                     .spans = spans,
                     .capacity = capacity};
    do {
        scan.count = 0;
        assert_int_equal(scanner->scan(scanner, NULL, &scan, NULL), LXM_OK);
        assert_true(scan.count <= capacity && scan.position <= scan.length);
        for (size_t i = 0; i < scan.count; i++)
            add(out, (uint32_t)(spans[i].begin + kept), (uint32_t)(spans[i].end + kept));
    } while (scan.count == capacity);
    free(copy);
    free(spans);
    return scan.position + kept;
}

static void feed(const lxm_scanner *scanner, const uint8_t *text, size_t length, feeding how,
                 tokens *out)
{
    size_t position = 0, end = 0, wanted = 0;
    out->count = 0;
    while (end < length) {
        end = length - end < how.part ? length : end + how.part;
        while (end < length && (text[end] & 0xC0) == 0x80)
            end++;
        if (end < length && end - position < wanted)
            continue;
        size_t kept = position < scanner->context ? 0 : position - scanner->context;
        while (kept && (text[kept] & 0xC0) == 0x80)
            kept--;
        size_t before = position;
        position = present(scanner, text, kept, position, end, end == length, how.capacity, out);
        wanted = how.doubling && position == before ? 2 * (end - position) : 0;
    }
    assert_int_equal(position, length);
}

static void fail_at(const subject_preset *p, size_t variant, const uint8_t *text, size_t length,
                    feeding how, const tokens *expected, const tokens *found)
{
    size_t i = 0;
    while (i < expected->count && i < found->count &&
           memcmp(&expected->spans[i], &found->spans[i], sizeof(lxm_span)) == 0)
        i++;
    size_t at = i < expected->count ? expected->spans[i].begin : length;
    size_t from = at < 200 ? 0 : at - 200, to = length - at < 200 ? length : at + 200;
    print_error("%s, variant %zu, part %zu, capacity %zu: token %zu of %zu (%zu found): ",
                p->preset->name, variant, how.part, how.capacity, i, expected->count, found->count);
    if (i < expected->count)
        print_error("expected %u-%u, ", expected->spans[i].begin, expected->spans[i].end);
    if (i < found->count)
        print_error("found %u-%u, ", found->spans[i].begin, found->spans[i].end);
    print_error("text from %zu: ", from);
    for (size_t k = from; k < to; k++)
        print_error(text[k] > ' ' && text[k] < 0x7F ? "%c" : "\\x%02X", text[k]);
    print_error("\n");
    fail();
}

static tokens expected, found;

static void compare(const subject_preset *p, size_t variant, const uint8_t *text, size_t length,
                    feeding how)
{
    feed(p->scanners[variant], text, length, how, &found);
    if (found.count != expected.count ||
        (found.count && memcmp(found.spans, expected.spans, found.count * sizeof(lxm_span)) != 0))
        fail_at(p, variant, text, length, how, &expected, &found);
}

static const feeding whole = {.part = SIZE_MAX / 2, .capacity = 4096};

static void check_whole(const uint8_t *text, size_t length)
{
    for (size_t i = 0; i < preset_count; i++) {
        reference(&presets[i], text, length, &expected);
        for (size_t v = 0; v < presets[i].scanner_count; v++)
            compare(&presets[i], v, text, length, whole);
    }
}

static void check_with(const char *pattern, uint32_t c)
{
    uint8_t text[256], sequence[4];
    size_t length = 0, size = lxm_utf8_encode(c, sequence);
    for (; *pattern; pattern++)
        if (*pattern == '@') {
            memcpy(text + length, sequence, size);
            length += size;
        } else {
            text[length++] = (uint8_t)*pattern;
        }
    check_whole(text, length);
}

static void every_code_point_alone_doubled_and_between_classes(void **state)
{
    (void)state;
    /* Past plane 3 all is unassigned or private, but for the tags: a sample is enough. */
    bool all = getenv("LEXMILL_TEST_STRINGS") != NULL;
    for (uint32_t c = 0; c < 0x110000; c += all || c < 0x32400 || c >> 9 == 0xE0000 >> 9 ? 1 : 37) {
        if ((c >= 0xD800 && c < 0xE000) || new_in_15(c))
            continue;
        check_with("@", c);
        check_with("@@", c);
        check_with("a@b A@B@ 1@2 @ .@. ,@a@, '@'s@\n@\n\t@a'@ !@\n/@a -@-b", c);
    }
}

static uint64_t random_state = 20250401;

static uint32_t random_below(uint32_t bound)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)((random_state >> 32) * bound >> 32);
}

/* One or two of each class that some preset tells apart, and what contractions are made of. */
static const char *const pieces[] = {
    " ",          " ",          " ",          "a",          "b",          "s",
    "t",          "ll",         "re",         "VE",         "S",          "A",
    "B",          "Zz",         "'",          "'",          "'s",         "'S",
    "'ll",        "'LL",        "'Re",        "'\u017F",    "\u017F",     "\n",
    "\n",         "\r\n",       "\r",         "\t",         "\v",         "1",
    "2",          "34567",      "!",          "/",          "/",          "-",
    "--",         "_",          ".",          ",",          "#",          "\"",
    "\x01",       "\x1C",       "\x7F",       "\u00A0",     "\xC2\x85",   "\u3000",
    "\u2028",     "\u1680",     "\u180E",     "\u00E9",     "\u00C9",     "\u01C5",
    "\u02BC",     "\u0301",     "\u0301",     "\u0903",     "\u20E3",     "\uFE0F",
    "\u4E2D",     "\u6587",     "\u3042",     "\u0E01",     "\u0434",     "\u0414",
    "\u0660",     "\u00B2",     "\u2167",     "\u2019",     "\u00B7",     "\u00AD",
    "\u200C",     "\u200D",     "\u2010",     "\u05F3",     "\u20AC",     "\u2764",
    "\u2194",     "\u00BF",     "\uFFFD",     "\uE000",     "\u0378",     "\U0001F600",
    "\U0001F3FB", "\U0001F1E6", "\U0001F1E7", "\U0001F468", "\U000E0067", "\U000E007F",
    "\U00020000", "\U0002B820", "\U0002B920", "\U0001D400", "\U0001D7CE", "\U0001E900",
    "\U00016F51", "\U0010FFFF", "\uFA6E",
};
enum { PIECES = sizeof pieces / sizeof *pieces };

/* A few of the pieces make a string, so that their combinations recur; in some strings all come in
 * runs, as long as a block and longer. */
static size_t random_text(uint8_t *text, size_t capacity)
{
    bool runs = random_below(8) == 0;
    size_t length = 0;
    size_t wanted = 1 + random_below(!runs && random_below(4) ? 90 : (uint32_t)capacity - 80);
    const char *some[6];
    uint32_t count = 1 + random_below(6);
    for (uint32_t i = 0; i < count; i++)
        some[i] = pieces[random_below(PIECES)];
    while (length < wanted) {
        const char *piece = some[random_below(count)];
        if (random_below(8) == 0)
            piece = pieces[random_below(PIECES)];
        uint32_t times = runs                  ? 1 + random_below(75)
                         : random_below(6)     ? 1
                         : random_below(6) > 0 ? 1 + random_below(4)
                                               : 1 + random_below(70);
        for (size_t n = strlen(piece); times && length + n <= capacity; times--, length += n)
            memcpy(text + length, piece, n);
    }
    return length;
}

static feeding random_feeding(void)
{
    static const size_t capacities[] = {1, 2, 7, 71, 200, 4096};
    return (feeding){.part = 1 + random_below(130),
                     .capacity = capacities[random_below(6)],
                     .doubling = random_below(2)};
}

static void random_strings(void **state)
{
    (void)state;
    const char *wanted = getenv("LEXMILL_TEST_STRINGS");
    uint8_t text[400];
    for (long n = wanted ? strtol(wanted, NULL, 10) : 100000; n; n--) {
        size_t length = random_text(text, sizeof text);
        check_whole(text, length);
        if (n % 16)
            continue;
        const subject_preset *p = &presets[random_below((uint32_t)preset_count)];
        reference(p, text, length, &expected);
        for (size_t v = 0; v < p->scanner_count; v++)
            compare(p, v, text, length, random_feeding());
    }
}

static void every_split(void **state)
{
    (void)state;
    static const size_t capacities[] = {1, 7, 4096};
    uint8_t text[400];
    for (int round = 0; round < 12; round++) {
        size_t length = random_text(text, sizeof text);
        for (size_t i = 0; i < preset_count; i++) {
            reference(&presets[i], text, length, &expected);
            for (size_t v = 0; v < presets[i].scanner_count; v++)
                for (feeding how = {.part = 1}; how.part <= 130; how.part++)
                    for (size_t k = 0; k < 3; k++) {
                        how.capacity = capacities[k];
                        compare(&presets[i], v, text, length, how);
                    }
        }
    }
}

static uint8_t *read_file(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    uint8_t *text = NULL;
    if (fseek(file, 0, SEEK_END) == 0 && (*length = (size_t)ftell(file)) > 0) {
        rewind(file);
        text = malloc(*length);
        if (text && fread(text, 1, *length, file) != *length)
            *length = 0;
    }
    fclose(file);
    return text;
}

/* LEXMILL_TEST_TEXT: a folder with real text. */
static void real_text(void **state)
{
    (void)state;
    static const char *const names[] = {"wikitext-2-valid.txt", "many-languages.txt", "emoji.txt"};
    const char *folder = getenv("LEXMILL_TEST_TEXT");
    size_t read = 0;
    for (size_t f = 0; folder && f < 3; f++) {
        char path[4096];
        size_t length = 0;
        snprintf(path, sizeof path, "%s/%s", folder, names[f]);
        uint8_t *text = read_file(path, &length);
        if (!text)
            continue;
        read++;
        for (size_t i = 0; i < preset_count; i++) {
            reference(&presets[i], text, length, &expected);
            for (size_t v = 0; v < presets[i].scanner_count; v++) {
                compare(&presets[i], v, text, length, whole);
                compare(&presets[i], v, text, length, (feeding){65536, 4096, true});
                compare(&presets[i], v, text, length, (feeding){4099, 7, true});
            }
        }
        free(text);
    }
    if (!read) {
        print_message("no text: LEXMILL_TEST_TEXT names no folder that has %s\n", names[0]);
        skip();
    }
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

enum { MEGABYTE = 1 << 20 };

static void fill(uint8_t *text, const char *piece)
{
    size_t n = strlen(piece);
    for (size_t i = 0; i < MEGABYTE; i++)
        text[i] = (uint8_t)piece[i % n];
    while (n > 1 && (text[MEGABYTE - 1] & 0xC0) != 0x80 && text[MEGABYTE - 1] >= 0x80)
        text[MEGABYTE - 1] = 'x';
}

/* A generous bound, a hundredth of which is usual: quadratic work would take minutes. */
static void linear_time(void **state)
{
    (void)state;
    static const char *const all[] = {"a",  " ",   "\n",     "^",       "\u0301", "'s",  "'",
                                      "A",  "7",   "-",      "\u4E2D",  "\n ",    " \n", "!\n",
                                      "\r", "a's", "\u200D", "\u4E2DA", "/\n",    "' ",  "_a"};
    uint8_t *text = malloc(MEGABYTE);
    assert_non_null(text);
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        fill(text, all[k]);
        for (size_t i = 0; i < preset_count; i++) {
            reference(&presets[i], text, MEGABYTE, &expected);
            for (size_t v = 0; v < presets[i].scanner_count; v++) {
                double start = seconds();
                compare(&presets[i], v, text, MEGABYTE, whole);
                compare(&presets[i], v, text, MEGABYTE, (feeding){65536, 4096, true});
                assert_true(seconds() - start < 2);
            }
        }
    }
    free(text);
}

static void unknown_presets_have_no_scanner(void **state)
{
    (void)state;
    assert_null(lxm_scanner_for_preset("nothing", LXM_CPU_ALL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_alone_doubled_and_between_classes),
        cmocka_unit_test(random_strings),
        cmocka_unit_test(every_split),
        cmocka_unit_test(real_text),
        cmocka_unit_test(linear_time),
        cmocka_unit_test(unknown_presets_have_no_scanner),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
