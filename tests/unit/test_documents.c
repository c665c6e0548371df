/* Where documents begin and end: against a description that sees the whole text at once. */
#include "unit.h"

#include "tokenize/documents.h"

static void put(lxm_buffer *out, const uint8_t *bytes, size_t length, bool last)
{
    assert_true(lxm_buffer_append(out, bytes, length));
    if (last)
        assert_true(lxm_buffer_append(out, "|", 1));
}

/* ---- the description ---- */

/* End of the line that begins at `at`, and through *text where its \r\n or \n begins. */
static size_t line_end(const uint8_t *bytes, size_t length, size_t at, size_t *text)
{
    const uint8_t *newline = at < length ? memchr(bytes + at, '\n', length - at) : NULL;
    size_t end = newline ? (size_t)(newline - bytes) : length;
    *text = newline && end > at && bytes[end - 1] == '\r' ? end - 1 : end;
    return end;
}

static bool is_blank(const uint8_t *bytes, size_t begin, size_t end)
{
    while (begin < end && bytes[begin] && strchr(" \t\r\v\f", bytes[begin]))
        begin++;
    return begin == end;
}

static void describe_lines(const uint8_t *bytes, size_t length, lxm_buffer *out)
{
    for (size_t at = 0, text; at < length;) {
        size_t end = line_end(bytes, length, at, &text);
        put(out, bytes + at, text - at, true);
        at = end + 1;
    }
}

static void describe_nul(const uint8_t *bytes, size_t length, lxm_buffer *out)
{
    for (size_t at = 0; at < length;) {
        const uint8_t *nul = memchr(bytes + at, 0, length - at);
        size_t end = nul ? (size_t)(nul - bytes) : length;
        put(out, bytes + at, end - at, true);
        at = end + 1;
    }
}

static void describe_paragraphs(const uint8_t *bytes, size_t length, lxm_buffer *out)
{
    size_t begin = SIZE_MAX, last = 0, text;
    for (size_t at = 0; at < length;) {
        size_t end = line_end(bytes, length, at, &text);
        if (is_blank(bytes, at, end)) {
            if (begin != SIZE_MAX)
                put(out, bytes + begin, last - begin, true);
            begin = SIZE_MAX;
        } else {
            if (begin == SIZE_MAX)
                begin = at;
            last = text;
        }
        at = end + 1;
    }
    if (begin != SIZE_MAX)
        put(out, bytes + begin, last - begin, true);
}

static void describe(lxm_split how, const uint8_t *bytes, size_t length, lxm_buffer *out)
{
    out->length = 0;
    switch (how) {
    case LXM_SPLIT_LINE:
        describe_lines(bytes, length, out);
        break;
    case LXM_SPLIT_BLANK:
        describe_paragraphs(bytes, length, out);
        break;
    case LXM_SPLIT_NUL:
        describe_nul(bytes, length, out);
        break;
    default:
        put(out, bytes, length, true);
    }
}

/* ---- the splitter ---- */

typedef struct feed {
    lxm_splitter splitter;
    lxm_buffer waiting, out;
} feed;

/* Presents what waits until the splitter wants more. */
static void advance(feed *f, bool final)
{
    lxm_piece piece;
    do {
        size_t used =
            lxm_splitter_next(&f->splitter, f->waiting.data, f->waiting.length, final, &piece);
        assert_true(used <= f->waiting.length);
        if (!piece.nothing) {
            assert_true(piece.begin <= piece.end && piece.end <= used);
            put(&f->out, f->waiting.data + piece.begin, piece.end - piece.begin, piece.last);
        }
        f->waiting.length -= used;
        if (f->waiting.length)
            memmove(f->waiting.data, f->waiting.data + used, f->waiting.length);
    } while (!piece.nothing && !(final && f->waiting.length == 0 && piece.last));
}

/* Feeds the text cut before `first` and `second`, or after every byte. */
static void split(feed *f, lxm_split how, const uint8_t *bytes, size_t length, size_t first,
                  size_t second, bool single)
{
    f->splitter = (lxm_splitter){.how = how};
    f->waiting.length = f->out.length = 0;
    for (size_t i = 0; i < length; i++) {
        assert_true(lxm_buffer_append(&f->waiting, bytes + i, 1));
        if (single || i + 1 == first || i + 1 == second)
            advance(f, false);
    }
    advance(f, true);
    assert_int_equal(f->waiting.length, 0);
    assert_false(f->splitter.in_document);
}

static void feed_init(feed *f)
{
    lxm_allocator standard = lxm_allocator_or_default(NULL);
    lxm_buffer_init(&f->waiting, &standard);
    lxm_buffer_init(&f->out, &standard);
    assert_true(lxm_buffer_reserve(&f->waiting, 1) && lxm_buffer_reserve(&f->out, 1));
}

static void feed_free(feed *f)
{
    lxm_buffer_free(&f->waiting);
    lxm_buffer_free(&f->out);
}

static void same(const feed *f, const lxm_buffer *want, lxm_split how, const uint8_t *bytes,
                 size_t length)
{
    if (f->out.length == want->length &&
        (want->length == 0 || memcmp(f->out.data, want->data, want->length) == 0))
        return;
    for (size_t i = 0; i < length; i++)
        print_message("%02X ", bytes[i]);
    fail_msg("way %d: \"%.*s\" is not \"%.*s\"", (int)how, (int)f->out.length, f->out.data,
             (int)want->length, want->data);
}

static void check(feed *f, lxm_buffer *want, const uint8_t *bytes, size_t length, bool pairs)
{
    for (lxm_split how = LXM_SPLIT_FILE; how <= LXM_SPLIT_NUL; how++) {
        describe(how, bytes, length, want);
        split(f, how, bytes, length, 0, 0, false);
        same(f, want, how, bytes, length);
        split(f, how, bytes, length, 0, 0, true);
        same(f, want, how, bytes, length);
        for (size_t a = 1; a < length; a++)
            for (size_t b = a; b < (pairs ? length : a + 1); b++) {
                split(f, how, bytes, length, a, b, false);
                same(f, want, how, bytes, length);
            }
    }
}

static void every_short_text_gives_its_documents_whatever_the_cuts(void **state)
{
    (void)state;
    static const char letters[] = {'a', '\n', '\r', ' ', '\0'};
    feed f;
    lxm_buffer want;
    feed_init(&f);
    lxm_buffer_init(&want, &f.out.allocator);
    for (size_t length = 0, count = 1; length <= 6; length++, count *= sizeof letters)
        for (size_t n = 0; n < count; n++) {
            uint8_t text[8];
            for (size_t i = 0, rest = n; i < length; i++, rest /= sizeof letters)
                text[i] = (uint8_t)letters[rest % sizeof letters];
            check(&f, &want, text, length, false);
        }
    lxm_buffer_free(&want);
    feed_free(&f);
}

static void longer_texts_do_as_well(void **state)
{
    (void)state;
    static const char letters[] = "ab \t\r\n\n\v\f";
    feed f;
    lxm_buffer want;
    uint64_t seed = 7;
    feed_init(&f);
    lxm_buffer_init(&want, &f.out.allocator);
    for (int round = 0; round < 400; round++) {
        uint8_t text[32];
        size_t length = unit_random(&seed) % sizeof text;
        for (size_t i = 0; i < length; i++)
            text[i] = (uint8_t)letters[unit_random(&seed) % sizeof letters];
        check(&f, &want, text, length, true);
    }
    lxm_buffer_free(&want);
    feed_free(&f);
}

/* What is held back has a bound, even where a line of white space never ends. */
static void a_line_of_white_space_without_end_is_not_held_back(void **state)
{
    (void)state;
    feed f;
    uint8_t *blanks = malloc(1 << 20);
    assert_non_null(blanks);
    memset(blanks, ' ', 1 << 20);
    feed_init(&f);
    f.splitter = (lxm_splitter){.how = LXM_SPLIT_BLANK};
    assert_true(lxm_buffer_append(&f.waiting, "a\n", 2));
    for (int i = 0; i < 16; i++) {
        assert_true(lxm_buffer_append(&f.waiting, blanks, 1 << 16));
        advance(&f, false);
        assert_true(f.waiting.length < 1 << 18);
    }
    assert_true(f.splitter.in_document);
    advance(&f, true);
    assert_int_equal(f.out.length, 2 + (1 << 20) + 1);
    free(blanks);
    feed_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_short_text_gives_its_documents_whatever_the_cuts),
        cmocka_unit_test(longer_texts_do_as_well),
        cmocka_unit_test(a_line_of_white_space_without_end_is_not_held_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
