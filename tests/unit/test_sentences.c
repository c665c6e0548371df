/* Sentences: Unicode's own test where it is installed, the rules as UAX #29 words them, looking
 * back and ahead over the whole text, and the same for any pieces. */
#include "unit.h"

#include "base/utf8.h"
#include "tokenize/documents.h"

#define OFFICIAL "/usr/share/unicode/auxiliary/SentenceBreakTest.txt"

/* Sentences that a splitter finds where the text comes in pieces, each in brackets. */
static void split(const uint8_t *text, size_t length, size_t step, lxm_buffer *out)
{
    lxm_splitter splitter = {.how = LXM_SPLIT_SENTENCE};
    size_t at = 0, seen = step && step < length ? step : length;
    out->length = 0;
    for (bool open = false;;) {
        lxm_piece piece;
        bool final = seen == length;
        size_t used = lxm_splitter_next(&splitter, text + at, seen - at, final, &piece);
        assert_true(used <= seen - at);
        if (!piece.nothing) {
            assert_true(piece.begin <= piece.end && piece.end <= used);
            assert_true(open || lxm_buffer_append(out, "[", 1));
            lxm_buffer_append(out, text + at + piece.begin, piece.end - piece.begin);
            assert_true(!piece.last || lxm_buffer_append(out, "]", 1));
            open = !piece.last;
        }
        assert_int_equal(splitter.in_document, open);
        at += used;
        if (at == length && final && !open)
            return;
        if (piece.nothing && used == 0)
            assert_false(final);
        if (piece.nothing || !piece.last)
            seen = seen + step < length ? seen + step : length;
    }
}

/* ---- the rules ---- */

typedef struct characters {
    lxm_sentence_class *classes;
    size_t *starts; /* and the length of the text */
    size_t count;
} characters;

static lxm_sentence_class class_of(uint32_t c)
{
    return (lxm_sentence_class)lxm_sentence_rows[lxm_sentence_row[c >> 6]][c & 63];
}

static characters decode(const uint8_t *text, size_t length)
{
    characters c = {calloc(length + 1, sizeof *c.classes), calloc(length + 1, sizeof *c.starts), 0};
    assert_true(c.classes && c.starts);
    for (size_t at = 0, size; at < length; at += size) {
        c.classes[c.count] = class_of(lxm_utf8_decode(text + at, &size));
        c.starts[c.count++] = at;
    }
    c.starts[c.count] = length;
    return c;
}

/* The character before `i` that the rules see, or -1. */
static ptrdiff_t before(const characters *c, ptrdiff_t i)
{
    for (i--; i >= 0 && c->classes[i] == LXM_SENTENCE_EXTEND; i--)
        if (i > 0 && c->classes[i - 1] == LXM_SENTENCE_SEP)
            return -1;
    return i;
}

static bool is_terminator(lxm_sentence_class class)
{
    return class == LXM_SENTENCE_ATERM || class == LXM_SENTENCE_STERM;
}

static bool small_letter_follows(const characters *c, size_t i)
{
    for (; i < c->count; i++) {
        lxm_sentence_class class = c->classes[i];
        if (class == LXM_SENTENCE_LOWER)
            return true;
        if (class == LXM_SENTENCE_OLETTER || class == LXM_SENTENCE_UPPER ||
            class == LXM_SENTENCE_SEP || is_terminator(class))
            return false;
    }
    return false;
}

/* Whether there is a border before character `i`, which isn't the first. */
static bool is_border(const characters *c, size_t i)
{
    lxm_sentence_class class = c->classes[i];
    if (c->classes[i - 1] == LXM_SENTENCE_SEP)
        return true;
    if (class == LXM_SENTENCE_EXTEND)
        return false;
    ptrdiff_t at = before(c, (ptrdiff_t)i);
    bool spaces = false, closes = false;
    for (; at >= 0 && c->classes[at] == LXM_SENTENCE_SP; at = before(c, at))
        spaces = true;
    for (; at >= 0 && c->classes[at] == LXM_SENTENCE_CLOSE; at = before(c, at))
        closes = true;
    if (at < 0 || !is_terminator(c->classes[at]))
        return false;
    ptrdiff_t letter = before(c, at);
    bool stop = c->classes[at] == LXM_SENTENCE_ATERM, right_behind = !spaces && !closes;
    bool cased = letter >= 0 && (c->classes[letter] == LXM_SENTENCE_UPPER ||
                                 c->classes[letter] == LXM_SENTENCE_LOWER);
    if (stop && right_behind && class == LXM_SENTENCE_NUMERIC)
        return false;
    if (stop && right_behind && cased && class == LXM_SENTENCE_UPPER)
        return false;
    if (stop && small_letter_follows(c, i))
        return false;
    if (class == LXM_SENTENCE_SCONTINUE || is_terminator(class))
        return false;
    if (!spaces && class == LXM_SENTENCE_CLOSE)
        return false;
    return class != LXM_SENTENCE_SP && class != LXM_SENTENCE_SEP;
}

static bool is_white(lxm_sentence_class class)
{
    return class == LXM_SENTENCE_SP || class == LXM_SENTENCE_SEP;
}

/* Appends characters [from, to) without the white space around them, if there are others. */
static void put(const uint8_t *text, const characters *c, size_t from, size_t to, lxm_buffer *out)
{
    while (from < to && is_white(c->classes[from]))
        from++;
    while (to > from && is_white(c->classes[to - 1]))
        to--;
    if (from == to)
        return;
    assert_true(lxm_buffer_append(out, "[", 1));
    assert_true(lxm_buffer_append(out, text + c->starts[from], c->starts[to] - c->starts[from]));
    assert_true(lxm_buffer_append(out, "]", 1));
}

static void describe(const uint8_t *text, size_t length, lxm_buffer *out)
{
    characters c = decode(text, length);
    size_t begin = 0;
    out->length = 0;
    for (size_t i = 1; i < c.count; i++)
        if (is_border(&c, i)) {
            put(text, &c, begin, i, out);
            begin = i;
        }
    put(text, &c, begin, c.count, out);
    free(c.classes);
    free(c.starts);
}

static void compare(const uint8_t *text, size_t length, const lxm_buffer *expected, size_t step,
                    lxm_buffer *got)
{
    split(text, length, step, got);
    if (got->length != expected->length || memcmp(got->data, expected->data, got->length) != 0)
        fail_msg("pieces of %zu: %.*s\nis not\n%.*s", step, (int)got->length,
                 (const char *)got->data, (int)expected->length, (const char *)expected->data);
}

static void the_rules_whatever_the_pieces(void **state)
{
    (void)state;
    static const char *const parts[] = {" ",
                                        " ",
                                        ".",
                                        ".",
                                        "!",
                                        "?",
                                        "a",
                                        "b",
                                        "A",
                                        "B",
                                        "1",
                                        ",",
                                        ")",
                                        "\"",
                                        "\n",
                                        "\r\n",
                                        "-",
                                        ":",
                                        "\xC2\xA0",
                                        "(",
                                        "%",
                                        "\xCC\x88",
                                        "\t",
                                        "\xE2\x80\xA6",
                                        "\xE6\x9D\xB1",
                                        "\xE3\x80\x82",
                                        "\xE2\x80\x8D",
                                        "\xC2\x85",
                                        "+"};
    uint64_t random = 7;
    lxm_allocator a = lxm_allocator_or_default(NULL);
    lxm_buffer text, expected, got;
    lxm_buffer_init(&text, &a);
    lxm_buffer_init(&expected, &a);
    lxm_buffer_init(&got, &a);
    for (int round = 0; round < 20000; round++) {
        size_t count = unit_random(&random) % 24;
        text.length = 0;
        for (size_t i = 0; i < count; i++) {
            const char *part = parts[unit_random(&random) % unit_count(parts)];
            assert_true(lxm_buffer_append(&text, part, strlen(part)));
        }
        describe(text.data, text.length, &expected);
        for (size_t step = 0; step < 4; step++)
            compare(text.data, text.length, &expected, step, &got);
    }
    lxm_buffer_free(&text);
    lxm_buffer_free(&expected);
    lxm_buffer_free(&got);
}

static void expect(const char *text, const char *sentences)
{
    lxm_allocator a = lxm_allocator_or_default(NULL);
    lxm_buffer got;
    lxm_buffer_init(&got, &a);
    for (size_t step = 0; step < 9; step++) {
        split((const uint8_t *)text, strlen(text), step, &got);
        assert_true(lxm_buffer_append(&got, "", 1));
        assert_string_equal((const char *)got.data, sentences);
    }
    lxm_buffer_free(&got);
}

static void sentences_of_plain_text(void **state)
{
    (void)state;
    expect("", "");
    expect(" \n\t ", "");
    expect("No end", "[No end]");
    expect("It is 3.5 m. Yes!  (No?) e.g. this", "[It is 3.5 m.][Yes!][(No?)][e.g. this]");
    expect("The U.S.A. won... and lost.", "[The U.S.A. won... and lost.]");
    expect("\"Go!\" he said. \"Now?\" She went.", "[\"Go!\"][he said.][\"Now?\"][She went.]");
    expect("a heading\n\nText.\r\nMore", "[a heading][Text.][More]");
    expect("\xE6\x9D\xB1\xE3\x80\x82\xE4\xBA\xAC\xE3\x80\x82", "[\xE6\x9D\xB1\xE3\x80\x82]"
                                                               "[\xE4\xBA\xAC\xE3\x80\x82]");
    expect("bad \xFF. \xE2\x80. B\xE2", "[bad \xFF.][\xE2\x80.][B\xE2]");
}

/* What is held back has a bound: white space past it is text, a letter past it isn't looked for. */
static void what_is_held_has_a_bound(void **state)
{
    (void)state;
    enum { room = 3 * lxm_sentence_held };
    char *text = malloc(room + 8);
    lxm_allocator a = lxm_allocator_or_default(NULL);
    lxm_buffer got, again;
    assert_non_null(text);
    lxm_buffer_init(&got, &a);
    lxm_buffer_init(&again, &a);
    for (int fill = 0; fill < 2; fill++)
        for (int many = 0; many < 2; many++) {
            size_t length = many ? room : lxm_sentence_held / 2;
            memset(text, fill ? '1' : ' ', length);
            memcpy(text, "A. ", 3);
            memcpy(text + length, fill ? "a. " : "\nA. ", 4);
            length += 3;
            split((const uint8_t *)text, length, 0, &got);
            /* digits: one sentence where the letter is near; spaces: part of one where they are
             * many */
            const char *sentence = memchr(got.data, ']', got.length);
            if (fill)
                assert_int_equal(sentence == (char *)got.data + 3, many);
            else
                assert_int_equal((size_t)(sentence - (char *)got.data) > 3, many);
            for (size_t step = 4093; step < length; step = 3 * step + 1) {
                split((const uint8_t *)text, length, step, &again);
                assert_int_equal(again.length, got.length);
                assert_memory_equal(again.data, got.data, got.length);
            }
        }
    free(text);
    lxm_buffer_free(&got);
    lxm_buffer_free(&again);
}

/* A line of Unicode's test: code points with a division or a multiplication sign between. */
static void read_official(const char *line, lxm_buffer *text, lxm_buffer *expected)
{
    size_t begin = 0;
    text->length = expected->length = 0;
    for (const char *at = line; *at && *at != '#';) {
        char *end;
        unsigned long code = strtoul(at, &end, 16);
        if (end != at) {
            uint8_t bytes[4];
            size_t size = lxm_utf8_encode((uint32_t)code, bytes);
            assert_true(lxm_buffer_append(text, bytes, size));
            at = end;
        } else if (strncmp(at, "\xC3\xB7", 2) == 0) {
            characters c = decode(text->data + begin, text->length - begin);
            put(text->data + begin, &c, 0, c.count, expected);
            free(c.classes);
            free(c.starts);
            begin = text->length;
            at += 2;
        } else {
            at++;
        }
    }
}

static void the_official_test(void **state)
{
    (void)state;
    char line[2048];
    size_t lines = 0;
    FILE *file = fopen(OFFICIAL, "r");
    if (!file || !fgets(line, sizeof line, file) || !strstr(line, "15.0.0")) {
        print_message("skipped: no " OFFICIAL " of Unicode 15.0\n");
        if (file)
            fclose(file);
        skip();
    }
    lxm_allocator a = lxm_allocator_or_default(NULL);
    lxm_buffer text, expected, got;
    lxm_buffer_init(&text, &a);
    lxm_buffer_init(&expected, &a);
    lxm_buffer_init(&got, &a);
    while (fgets(line, sizeof line, file)) {
        if (*line == '#')
            continue;
        read_official(line, &text, &expected);
        for (size_t step = 0; step < 4; step++)
            compare(text.data, text.length, &expected, step, &got);
        lines++;
    }
    assert_true(lines > 500);
    fclose(file);
    lxm_buffer_free(&text);
    lxm_buffer_free(&expected);
    lxm_buffer_free(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rules_whatever_the_pieces),
        cmocka_unit_test(sentences_of_plain_text),
        cmocka_unit_test(what_is_held_has_a_bound),
        cmocka_unit_test(the_official_test),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
