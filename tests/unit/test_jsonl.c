/* JSON Lines: equal to Jansson on every line, for what is JSON and for what the field holds. */
#include "unit.h"

#include <jansson.h>

#include "tokenize/jsonl.h"

typedef struct fixture {
    lxm_allocator allocator;
    lxm_json_path path;
    lxm_buffer text;
    lxm_error error;
} fixture;

static void open_field(fixture *f, const char *field)
{
    f->allocator = lxm_allocator_or_default(NULL);
    lxm_buffer_init(&f->text, &f->allocator);
    unit_succeeds(lxm_json_path_init(&f->path, field, &f->allocator, &f->error), &f->error);
}

static void close_field(fixture *f)
{
    lxm_json_path_free(&f->path);
    lxm_buffer_free(&f->text);
}

/* The field of a line, decoded `step` bytes at a time; false where the line is bad. */
static bool find(fixture *f, const uint8_t *line, size_t length, size_t step)
{
    lxm_json_string found;
    f->text.length = 0;
    /* a copy of just its size, so that reading past its end is seen */
    uint8_t *copy = malloc(length ? length : 1);
    memcpy(copy, line, length);
    lxm_status status = lxm_json_find(&f->path, copy, length, true, &found, &f->error);
    if (!status) {
        const uint8_t *raw = copy + found.begin;
        size_t size = found.end - found.begin, n;
        assert_true(lxm_buffer_reserve(&f->text, size + step));
        assert_int_equal(found.escaped, size > 0 && memchr(raw, '\\', size) != NULL);
        for (size_t at = 0;
             (n = lxm_json_decode(raw, size, &at, f->text.data + f->text.length, step)) > 0;)
            f->text.length += n;
    } else {
        assert_true(status == LXM_ERROR_FORMAT || status == LXM_ERROR_UTF8);
        assert_true(f->error.offset <= length);
    }
    free(copy);
    return !status;
}

/* The field as Jansson sees it, or NULL. */
static const json_t *reference(const lxm_json_path *path, json_t *root)
{
    const char *name = path->names;
    const json_t *value = root;
    for (size_t i = 0; i < path->count; i++) {
        value = json_is_object(value) ? json_object_get(value, name) : NULL;
        name += path->lengths[i] + 1;
    }
    return json_is_string(value) ? value : NULL;
}

static void same_as_jansson(fixture *f, const uint8_t *line, size_t length)
{
    json_error_t error;
    json_t *root = json_loadb((const char *)line, length, JSON_ALLOW_NUL, &error);
    enum json_error_code code = root ? json_error_unknown : json_error_code(&error);
    /* what Jansson can't hold is JSON all the same */
    bool unknown = code == json_error_numeric_overflow || code == json_error_null_byte_in_key;
    const json_t *want = root ? reference(&f->path, root) : NULL;
    bool found = find(f, line, length, 8);
    if (!unknown && (found != (want != NULL) ||
                     (found && (f->text.length != json_string_length(want) ||
                                memcmp(f->text.data, json_string_value(want), f->text.length)))))
        fail_msg("%.*s: Jansson says %s; found \"%.*s\", %s", (int)length, (const char *)line,
                 want   ? json_string_value(want)
                 : root ? "no such field"
                        : error.text,
                 (int)f->text.length, (const char *)f->text.data, found ? "" : f->error.message);
    json_decref(root);
}

/* A line, whether it is good, and the text. */
typedef struct line {
    const char *json, *text; /* NULL: a bad line */
} line;

static const line lines[] = {
    {"{\"text\":\"\"}", ""},
    {"{\"text\":\"wren\"}", "wren"},
    {" \t\r{ \t\"text\" \t: \"a\" \r, \"b\" : [ ] } \t", "a"},
    {"{\"id\":1,\"text\":\"a\",\"tags\":[\"x\",{\"text\":\"no\"}]}", "a"},
    {"{\"meta\":{\"text\":\"no\"},\"text\":\"yes\"}", "yes"},
    {"{\"text\":\"first\",\"text\":\"last\"}", "last"},
    {"{\"text\":\"first\",\"text\":7}", NULL},
    {"{\"text\":7,\"text\":\"last\"}", "last"},
    {"{\"te\\u0078t\":\"x\"}", "x"},
    {"{\"\\u0074\\u0065\\u0078\\u0074\":\"x\"}", "x"},
    {"{\"text\\u0000\":\"x\"}", NULL},
    {"{\"tex\":\"x\"}", NULL},
    {"{\"texts\":\"x\"}", NULL},
    {"{\"te\\u0078ts\":\"x\"}", NULL},
    {"{}", NULL},
    {"{\"text\":null}", NULL},
    {"{\"text\":true}", NULL},
    {"{\"text\":1e3}", NULL},
    {"{\"text\":[\"a\"]}", NULL},
    {"{\"text\":{\"text\":\"a\"}}", NULL},
    {"{\"text\":\"a\"", NULL},
    {"{\"text\":\"a", NULL},
    {"{\"text\":\"a\"}}", NULL},
    {"{\"text\":\"a\"} x", NULL},
    {"{\"text\":\"a\"}{\"text\":\"a\"}", NULL},
    {"{\"text\":\"a\",}", NULL},
    {"{,\"text\":\"a\"}", NULL},
    {"{\"text\" \"a\"}", NULL},
    {"{\"text\"::\"a\"}", NULL},
    {"{\"text\":}", NULL},
    {"{\"text\"}", NULL},
    {"{text:\"a\"}", NULL},
    {"{'text':'a'}", NULL},
    {"[{\"text\":\"a\"}]", NULL},
    {"\"text\"", NULL},
    {"7", NULL},
    {"", NULL},
    {"{", NULL},
    {"}", NULL},
    {"\xEF\xBB\xBF{\"text\":\"a\"}", NULL},
    {"{\"text\":\"a\",\"n\":[1,-1,0,-0,1.5,1E5,1e+5,1.25e-5,12345678901234567]}", "a"},
    {"{\"text\":\"a\",\"n\":123456789012345678901234567890}", "a"},
    {"{\"text\":\"a\",\"n\":1e999}", "a"},
    {"{\"text\":\"a\",\"n\":01}", NULL},
    {"{\"text\":\"a\",\"n\":-}", NULL},
    {"{\"text\":\"a\",\"n\":+1}", NULL},
    {"{\"text\":\"a\",\"n\":.5}", NULL},
    {"{\"text\":\"a\",\"n\":1.}", NULL},
    {"{\"text\":\"a\",\"n\":1.e5}", NULL},
    {"{\"text\":\"a\",\"n\":1e}", NULL},
    {"{\"text\":\"a\",\"n\":1e+}", NULL},
    {"{\"text\":\"a\",\"n\":0x1}", NULL},
    {"{\"text\":\"a\",\"n\":NaN}", NULL},
    {"{\"text\":\"a\",\"n\":Infinity}", NULL},
    {"{\"text\":\"a\",\"n\":1 2}", NULL},
    {"{\"text\":\"a\",\"n\":tru}", NULL},
    {"{\"text\":\"a\",\"n\":truefalse}", NULL},
    {"{\"text\":\"a\",\"n\":True}", NULL},
    {"{\"text\":\"a\",\"n\":[true,false,null]}", "a"},
    {"{\"text\":\"a\",\"n\":[1,]}", NULL},
    {"{\"text\":\"a\",\"n\":[,1]}", NULL},
    {"{\"text\":\"a\",\"n\":[1 1]}", NULL},
    {"{\"text\":\"a\",\"n\":[1}", NULL},
    {"{\"text\":\"a\",\"n\":[1}}", NULL},
    {"{\"text\":\"a\",\"n\":{\"b\":1]}", NULL},
    {"{\"text\":\"a\"/*no*/}", NULL},
    {"{\"text\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "\"\\/\b\f\n\r\t"},
    {"{\"text\":\"\\u0041\\u00e9\\u20AC\"}", "A\xC3\xA9\xE2\x82\xAC"},
    {"{\"text\":\"\\uD83E\\uDD9A\"}", "\xF0\x9F\xA6\x9A"},
    {"{\"text\":\"\\ud800\\udc00\\udbff\\udfff\"}", "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"},
    {"{\"text\":\"\\uD83E\"}", NULL},
    {"{\"text\":\"\\uD83Ex\"}", NULL},
    {"{\"text\":\"\\uD83E\\n\"}", NULL},
    {"{\"text\":\"\\uD83E\\u0041\"}", NULL},
    {"{\"text\":\"\\uD83E\\uD83E\"}", NULL},
    {"{\"text\":\"\\uD83E\\uDD9\"}", NULL},
    {"{\"text\":\"\\uDD9A\"}", NULL},
    {"{\"text\":\"\\uDD9A\\uD83E\"}", NULL},
    {"{\"text\":\"a\",\"b\":\"\\uD83E\"}", NULL},
    {"{\"text\":\"\\x41\"}", NULL},
    {"{\"text\":\"\\u\"}", NULL},
    {"{\"text\":\"\\u004\"}", NULL},
    {"{\"text\":\"\\u004g\"}", NULL},
    {"{\"text\":\"\\u 041\"}", NULL},
    {"{\"text\":\"\\U0041\"}", NULL},
    {"{\"text\":\"\\", NULL},
    {"{\"text\":\"\\\"}", NULL},
    {"{\"text\":\"\\'\"}", NULL},
    {"{\"text\":\"a\tb\"}", NULL},
    {"{\"text\":\"a\x1f\"}", NULL},
    {"{\"text\":\"a\x7f\"}", "a\x7f"},
    {"{\"text\":\"\xC3\xA9\"}", "\xC3\xA9"},
    {"{\"text\":\"\xE9\"}", NULL},
    {"{\"text\":\"\xC0\xAF\"}", NULL},
    {"{\"text\":\"\xED\xA0\x80\"}", NULL},
    {"{\"text\":\"\xF4\x90\x80\x80\"}", NULL},
    {"{\"text\":\"\xE2\x82\"}", NULL},
    {"{\"text\":\"a\",\"b\":\"\xFF\"}", NULL},
};

static void the_field_is_found_in_json_and_nothing_else_is_taken(void **state)
{
    (void)state;
    fixture f;
    open_field(&f, "text");
    for (size_t i = 0; i < unit_count(lines); i++) {
        const uint8_t *json = (const uint8_t *)lines[i].json;
        size_t length = strlen(lines[i].json);
        same_as_jansson(&f, json, length);
        for (size_t step = 4; step < 20; step++) {
            bool good = find(&f, json, length, step);
            if (good != (lines[i].text != NULL))
                fail_msg("%s: %s", lines[i].json, good ? "is good" : f.error.message);
            if (good && lines[i].text) {
                assert_int_equal(f.text.length, strlen(lines[i].text));
                assert_memory_equal(f.text.data, lines[i].text, f.text.length);
            }
        }
    }
    assert_true(find(&f, (const uint8_t *)"{\"text\":\"\\u0000\"}", 17, 4));
    assert_int_equal(f.text.length, 1);
    close_field(&f);
}

static void a_path_goes_into_objects(void **state)
{
    (void)state;
    static const line nested[] = {
        {"{\"a\":{\"b\":\"x\"}}", "x"},
        {"{\"a\":{\"c\":{\"b\":\"no\"},\"b\":\"x\"},\"b\":\"no\"}", "x"},
        {"{\"b\":\"x\"}", NULL},
        {"{\"a\":\"x\"}", NULL},
        {"{\"a\":[{\"b\":\"x\"}]}", NULL},
        {"{\"c\":{\"a\":{\"b\":\"x\"}}}", NULL},
        {"{\"a\":{\"b\":\"x\"},\"a\":{}}", NULL},
        {"{\"a\":{\"b\":\"x\"},\"a\":7}", NULL},
        {"{\"a\":7,\"a\":{\"b\":\"x\"}}", "x"},
        {"{\"a\":{\"b\":\"x\"},\"c\":[[],{}],\"d\":{\"b\":1}}", "x"},
        {"{\"a.b\":\"x\"}", NULL},
        {"{\"a\":{\"b\":{\"b\":\"x\"}}}", NULL},
        {"{\"a\":[],\"c\":{\"b\":\"x\"}}", NULL},
    };
    fixture f;
    open_field(&f, "a.b");
    for (size_t i = 0; i < unit_count(nested); i++) {
        const uint8_t *json = (const uint8_t *)nested[i].json;
        same_as_jansson(&f, json, strlen(nested[i].json));
        bool good = find(&f, json, strlen(nested[i].json), 8);
        if (good != (nested[i].text != NULL))
            fail_msg("%s", nested[i].json);
    }
    close_field(&f);
    open_field(&f, "a\\.b\\\\");
    assert_true(find(&f, (const uint8_t *)"{\"a.b\\\\\":\"x\"}", 13, 8));
    close_field(&f);
}

static void nesting_has_a_limit(void **state)
{
    (void)state;
    fixture f;
    static char json[3 * lxm_json_depth];
    open_field(&f, "text");
    for (size_t depth = lxm_json_depth - 2; depth <= lxm_json_depth; depth++) {
        size_t n = (size_t)snprintf(json, sizeof json, "{\"text\":\"a\",\"n\":");
        memset(json + n, '[', depth);
        memset(json + n + depth, ']', depth);
        json[n + 2 * depth] = '}';
        same_as_jansson(&f, (uint8_t *)json, n + 2 * depth + 1);
        assert_int_equal(find(&f, (uint8_t *)json, n + 2 * depth + 1, 8), depth < lxm_json_depth);
    }
    close_field(&f);
}

/* Lines made of what JSON is made of, and changed here and there. */
static void random_lines_are_what_jansson_says(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "{",     "}",     "[",        "]",    ",",    ":",         "\"",      "\"text\"",
        "\"a\"", "\"b\"", "\"",       "\\n",  "\\u",  "D83E",      "\\uDD9A", "0041",
        "true",  "null",  "-",        "0",    "12",   ".5",        "e",       "+",
        " ",     "\\",    "\xC3\xA9", "\xFF", "\x01", "{\"text\":"};
    fixture f;
    uint64_t seed = 1;
    open_field(&f, "text");
    for (int round = 0; round < 200000; round++) {
        char json[512] = "{\"text\":";
        size_t length = round % 2 ? strlen(json) : 0;
        for (size_t n = unit_random(&seed) % 12; n > 0; n--) {
            const char *part = parts[unit_random(&seed) % unit_count(parts)];
            length += (size_t)snprintf(json + length, sizeof json - length, "%s", part);
        }
        same_as_jansson(&f, (uint8_t *)json, length);
        const line *l = &lines[unit_random(&seed) % unit_count(lines)];
        length = strlen(l->json);
        memcpy(json, l->json, length);
        for (size_t n = unit_random(&seed) % 3; n > 0 && length; n--) {
            const char *part = parts[unit_random(&seed) % unit_count(parts)];
            json[unit_random(&seed) % length] = part[unit_random(&seed) % strlen(part)];
        }
        same_as_jansson(&f, (uint8_t *)json, length);
    }
    close_field(&f);
}

static void a_decoded_byte_is_traced_to_its_place(void **state)
{
    (void)state;
    static const char raw[] = "a\\n\xC3\xA9\\u00e9\\uD83E\\uDD9Az";
    static const size_t places[] = {0, 1, 3, 4, 5, 5, 11, 11, 11, 11, 23, 24};
    for (size_t i = 0; i < unit_count(places); i++)
        assert_int_equal(lxm_json_source((const uint8_t *)raw, strlen(raw), i), places[i]);
}

static void errors_say_where(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        uint64_t offset;
        const char *says;
    } bad[] = {
        {"{\"text\":\"a\"", 11, "not JSON"},
        {"{\"text\":\"\\q\"}", 9, "escape"},
        {"{\"text\":\"\xFF\"}", 9, "UTF-8"},
        {"{\"text\": 7}", 9, "'text' is not a string"},
        {"{\"text\": []}", 9, "'text' is not a string"},
        {"{\"other\": 7}", 0, "no field 'text'"},
        {"[1]", 0, "must be an object"},
    };
    fixture f;
    open_field(&f, "text");
    for (size_t i = 0; i < unit_count(bad); i++) {
        assert_false(find(&f, (const uint8_t *)bad[i].json, strlen(bad[i].json), 8));
        assert_int_equal(f.error.offset, bad[i].offset);
        if (!strstr(f.error.message, bad[i].says) || !strstr(f.error.message, "--skip-bad"))
            fail_msg("%s: %s", bad[i].json, f.error.message);
    }
    close_field(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_field_is_found_in_json_and_nothing_else_is_taken),
        cmocka_unit_test(a_path_goes_into_objects),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(random_lines_are_what_jansson_says),
        cmocka_unit_test(a_decoded_byte_is_traced_to_its_place),
        cmocka_unit_test(errors_say_where),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
