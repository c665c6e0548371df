/* What is written to a stream is what is read from it; a stream that was cut or changed is an
 * error. */
#define _XOPEN_SOURCE 700
#include "unit.h"

#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stream/binary.h"

typedef struct fixture {
    char *folder, *path;
    unit_allocator a;
    lxm_error error;
    unit_collector written, read;
} fixture;

static int set_up(void **state)
{
    static fixture f;
    f.folder = unit_folder_make();
    f.path = unit_path(f.folder, "stream");
    unit_allocator_init(&f.a);
    unit_collector_init(&f.written);
    unit_collector_init(&f.read);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    unit_collector_free(&f->written);
    unit_collector_free(&f->read);
    free(f->path);
    unit_folder_remove(f->folder);
    return f->a.live != 0;
}

/* ---- writing ---- */

typedef struct stream {
    fixture *f;
    lxm_stream_options options;
    lxm_output *output;
    lxm_writer *writer;
} stream;

static stream begin(fixture *f, lxm_kind kind, lxm_stream_format format, bool offsets)
{
    stream s = {.f = f,
                .options = {.kind = kind,
                            .format = format,
                            .offsets = offsets,
                            .fingerprint = kind == LXM_KIND_IDS ? 0x1234567890ABCDEF : 0,
                            .settings = "normalize=nfc preset=words"}};
    unit_collector_clear(&f->written);
    unit_succeeds(lxm_output_open(&s.output, f->path, &f->a.functions, &f->error), &f->error);
    unit_succeeds(lxm_writer_new(&s.writer, s.output, &s.options, &f->a.functions, &f->error),
                  &f->error);
    return s;
}

static void tokens(stream *s, const uint8_t *text, const lxm_span *spans, size_t count,
                   const uint64_t *offsets)
{
    lxm_tokens t = {text, spans, count, s->options.offsets ? offsets : NULL};
    unit_succeeds(lxm_writer_tokens(s->writer, &t, &s->f->error), &s->f->error);
    unit_collect_tokens(&s->f->written, &t);
}

/* Words of a string, cut at spaces; where they stand in it are their offsets. */
static void words(stream *s, const char *text, size_t length)
{
    lxm_span spans[64];
    uint64_t offsets[128];
    size_t count = 0;
    for (size_t i = 0; i < length;) {
        const char *space = memchr(text + i, ' ', length - i);
        size_t end = space ? (size_t)(space - text) : length;
        if (end > i) {
            spans[count] = (lxm_span){(uint32_t)i, (uint32_t)end};
            offsets[2 * count] = i;
            offsets[2 * count + 1] = end;
            count++;
        }
        i = end + 1;
    }
    tokens(s, (const uint8_t *)text, spans, count, offsets);
}

static void ids(stream *s, const uint32_t *list, size_t count)
{
    uint64_t *offsets = malloc(2 * count * sizeof *offsets + 1);
    assert_non_null(offsets);
    for (size_t i = 0; i < 2 * count; i++)
        offsets[i] = 5 * i + (i & 1);
    lxm_ids block = {list, count, s->options.offsets ? offsets : NULL};
    unit_succeeds(lxm_writer_ids(s->writer, &block, &s->f->error), &s->f->error);
    unit_collect_ids(&s->f->written, &block);
    free(offsets);
}

static void end_document(stream *s)
{
    unit_succeeds(lxm_writer_end_document(s->writer, &s->f->error), &s->f->error);
    unit_collect_end(&s->f->written);
}

static void finish(stream *s)
{
    unit_succeeds(lxm_writer_finish(s->writer, &s->f->error), &s->f->error);
    lxm_writer_free(s->writer);
    unit_succeeds(lxm_output_commit(s->output, &s->f->error), &s->f->error);
}

/* ---- reading ---- */

static lxm_status read_blocks(fixture *f, lxm_reader *reader)
{
    lxm_block block;
    for (bool more = true;;) {
        lxm_status status = lxm_reader_next(reader, &block, &more, &f->error);
        if (status || !more)
            return status;
        unit_collect_tokens(&f->read, &block.tokens);
        unit_collect_ids(&f->read, &block.ids);
        if (block.end_document)
            unit_collect_end(&f->read);
    }
}

static lxm_status read_stream(fixture *f, const char *path, lxm_kind kind)
{
    lxm_input *input;
    lxm_reader *reader = NULL;
    unit_collector_clear(&f->read);
    memset(&f->error, 0, sizeof f->error);
    unit_succeeds(lxm_input_open(&input, path, &f->a.functions, &f->error), &f->error);
    lxm_status status = lxm_reader_new(&reader, input, kind, &f->a.functions, &f->error);
    if (!status)
        status = read_blocks(f, reader);
    lxm_reader_free(reader);
    lxm_input_close(input);
    return status;
}

static lxm_status read_bytes(fixture *f, const void *bytes, size_t length, lxm_kind kind)
{
    unit_file_write(f->path, bytes, length);
    return read_stream(f, f->path, kind);
}

static lxm_status read_text(fixture *f, const char *text, lxm_kind kind)
{
    return read_bytes(f, text, strlen(text), kind);
}

static void reads_as(fixture *f, const char *text, lxm_kind kind, const char *expected)
{
    unit_succeeds(read_text(f, text, kind), &f->error);
    assert_string_equal(unit_collected(&f->read), expected);
}

static void same(fixture *f)
{
    assert_int_equal(f->read.tokens, f->written.tokens);
    assert_int_equal(f->read.documents, f->written.documents);
    assert_int_equal(f->read.text.length, f->written.text.length);
    assert_memory_equal(f->read.text.data, f->written.text.data, f->read.text.length);
}

static void comes_back(fixture *f, lxm_kind kind)
{
    unit_succeeds(read_stream(f, f->path, kind), &f->error);
    same(f);
}

/* ---- tests ---- */

static const char hard[] = "one two \\ \n \r \t caf\xC3\xA9 \xFF \xE2\x82 \\x41 \xF0\x9F\x90\xA6 "
                           "\xEF\xBB\xBF \x01 \x7F \" end\0nul";

static void small_tokens(stream *s)
{
    end_document(s);
    words(s, hard, sizeof hard - 1);
    end_document(s);
    words(s, "goose", 5);
    words(s, "", 0);
    words(s, "robin eagle", 11);
    end_document(s);
    end_document(s);
    end_document(s);
    words(s, "last", 4);
    end_document(s);
}

static void tokens_come_back(void **state)
{
    fixture *f = *state;
    for (int format = LXM_STREAM_TEXT; format <= LXM_STREAM_BINARY; format++)
        for (int offsets = 0; offsets < 2; offsets++) {
            stream s = begin(f, LXM_KIND_TOKENS, (lxm_stream_format)format, offsets);
            small_tokens(&s);
            finish(&s);
            comes_back(f, LXM_KIND_TOKENS);
        }
}

static void small_ids(stream *s)
{
    end_document(s);
    ids(s, (const uint32_t[]){0, 1, 4294967295u, 9, 10, 99, 100, 4294967294u}, 8);
    ids(s, NULL, 0);
    ids(s, (const uint32_t[]){7}, 1);
    end_document(s);
    end_document(s);
    ids(s, (const uint32_t[]){3, 2}, 2);
    end_document(s);
}

static void ids_come_back(void **state)
{
    fixture *f = *state;
    for (int format = LXM_STREAM_TEXT; format <= LXM_STREAM_BINARY; format++)
        for (int offsets = 0; offsets <= format; offsets++) {
            stream s = begin(f, LXM_KIND_IDS, (lxm_stream_format)format, offsets);
            small_ids(&s);
            finish(&s);
            comes_back(f, LXM_KIND_IDS);
        }
}

static void an_empty_stream_comes_back_empty(void **state)
{
    fixture *f = *state;
    for (int kind = LXM_KIND_TOKENS; kind <= LXM_KIND_IDS; kind++)
        for (int format = LXM_STREAM_TEXT; format <= LXM_STREAM_BINARY; format++) {
            stream s = begin(f, (lxm_kind)kind, (lxm_stream_format)format, false);
            finish(&s);
            comes_back(f, (lxm_kind)kind);
            assert_int_equal(f->read.documents, 0);
        }
}

/* Tokens of all lengths, the longest far over what a frame or a read holds. */
static void write_big(stream *s)
{
    static const size_t lengths[] = {1, 3, 17, 200, 5000, 262143, 262144, 262145, 1500000};
    uint8_t *text = malloc(1500000);
    assert_non_null(text);
    for (size_t i = 0; i < 1500000; i++)
        text[i] = (uint8_t)('a' + i % 26);
    for (size_t i = 0; i < unit_count(lengths); i++) {
        lxm_span span = {0, (uint32_t)lengths[i]};
        tokens(s, text, &span, 1, (const uint64_t[]){i, i + lengths[i]});
        if (i % 2)
            end_document(s);
    }
    lxm_span *spans = malloc(50000 * sizeof *spans);
    uint64_t *offsets = malloc(100000 * sizeof *offsets);
    assert_non_null(spans);
    assert_non_null(offsets);
    for (uint32_t i = 0; i < 50000; i++) {
        spans[i] = (lxm_span){i, i + 1 + i % 30};
        offsets[2 * i] = i;
        offsets[2 * i + 1] = i + 1 + i % 30;
    }
    tokens(s, text, spans, 50000, offsets);
    end_document(s);
    for (int i = 0; i < 40000; i++)
        end_document(s);
    free(spans);
    free(offsets);
    free(text);
}

static void long_tokens_and_many_of_them_come_back(void **state)
{
    fixture *f = *state;
    for (int format = LXM_STREAM_TEXT; format <= LXM_STREAM_BINARY; format++)
        for (int offsets = 0; offsets < 2; offsets++) {
            stream s = begin(f, LXM_KIND_TOKENS, (lxm_stream_format)format, offsets);
            write_big(&s);
            finish(&s);
            comes_back(f, LXM_KIND_TOKENS);
        }
}

static void many_ids_come_back(void **state)
{
    fixture *f = *state;
    enum { count = 100000 };
    uint32_t *list = malloc(count * sizeof *list);
    uint64_t seed = 3;
    assert_non_null(list);
    for (size_t i = 0; i < count; i++)
        list[i] = (uint32_t)(unit_random(&seed) >> (32 + i % 32));
    for (int format = LXM_STREAM_TEXT; format <= LXM_STREAM_BINARY; format++) {
        stream s = begin(f, LXM_KIND_IDS, (lxm_stream_format)format, false);
        for (size_t i = 0, n; i < count; i += n) {
            n = 1 + unit_random(&seed) % 30000;
            n = n < count - i ? n : count - i;
            ids(&s, list + i, n);
            if (n % 3 == 0)
                end_document(&s);
        }
        end_document(&s);
        finish(&s);
        comes_back(f, LXM_KIND_IDS);
    }
    free(list);
}

static void a_document_needs_no_end_in_text(void **state)
{
    fixture *f = *state;
    reads_as(f, "one\ntwo", LXM_KIND_TOKENS, "one|two|/");
    reads_as(f, "one\ntwo\n", LXM_KIND_TOKENS, "one|two|/");
    reads_as(f, "one\n\ntwo\n", LXM_KIND_TOKENS, "one|/two|/");
    reads_as(f, "", LXM_KIND_TOKENS, "");
    reads_as(f, "1 2", LXM_KIND_IDS, "1|2|/");
    reads_as(f, "1 2\n", LXM_KIND_IDS, "1|2|/");
    reads_as(f, "1 2\n\n3\n", LXM_KIND_IDS, "1|2|//3|/");
    reads_as(f, " 1\t2  3\r\n", LXM_KIND_IDS, "1|2|3|/");
    reads_as(f, "\n", LXM_KIND_IDS, "/");
    reads_as(f, "", LXM_KIND_IDS, "");
    reads_as(f, "0004294967295\n", LXM_KIND_IDS, "4294967295|/");
}

static void text_offsets_stand_behind_tabs(void **state)
{
    fixture *f = *state;
    reads_as(f, "one\t0\t3\ntwo\t4\t7\n", LXM_KIND_TOKENS, "one@0-3|two@4-7|/");
    reads_as(f, "a\\tb\t18446744073709551615\t0\n", LXM_KIND_TOKENS,
             "a\\tb@18446744073709551615-0|/");
}

typedef struct bad_text {
    const char *text;
    lxm_status status;
    uint64_t line, offset;
} bad_text;

static void are_errors(fixture *f, lxm_kind kind, const bad_text *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (read_text(f, rows[i].text, kind) != rows[i].status)
            fail_msg("%s: %s", rows[i].text, f->error.message);
        assert_int_equal(f->error.code, rows[i].status);
        assert_int_equal(f->error.line, rows[i].line);
        assert_int_equal(f->error.offset, rows[i].offset);
        assert_null(strchr(f->error.message, '\n'));
    }
}

static void bad_tokens_are_errors_with_their_place(void **state)
{
    static const bad_text rows[] = {
        {"one\nt\\wo\n", LXM_ERROR_FORMAT, 2, 5},
        {"one\n\ntwo\n\\", LXM_ERROR_FORMAT, 4, 9},
        {"one\ta\tb\n", LXM_ERROR_FORMAT, 1, 3},
        {"one\t1\n", LXM_ERROR_FORMAT, 1, 3},
        {"one\t1\t2\t3\n", LXM_ERROR_FORMAT, 1, 3},
        {"one\t1\t18446744073709551616\n", LXM_ERROR_FORMAT, 1, 3},
        {"one\t1\t2\ntwo\n", LXM_ERROR_FORMAT, 2, 8},
        {"one\ntwo\t1\t2\n", LXM_ERROR_FORMAT, 2, 4},
        {"\t1\t2\n", LXM_ERROR_FORMAT, 1, 0},
    };
    are_errors(*state, LXM_KIND_TOKENS, rows, unit_count(rows));
}

static void bad_ids_are_errors_with_their_place(void **state)
{
    static const bad_text rows[] = {
        {"1 x 2\n", LXM_ERROR_FORMAT, 1, 2},
        {"1\n2 3\n4 -5\n", LXM_ERROR_FORMAT, 3, 8},
        {"1 4294967296\n", LXM_ERROR_ID, 1, 2},
        {"99999999999999999999999999999999\n", LXM_ERROR_ID, 1, 0},
        {"1.5\n", LXM_ERROR_FORMAT, 1, 0},
        {"1 2x\n", LXM_ERROR_FORMAT, 1, 2},
        {"+1\n", LXM_ERROR_FORMAT, 1, 0},
        {"\n\n \xC3\xA9\n", LXM_ERROR_FORMAT, 3, 3},
        {"0x10", LXM_ERROR_FORMAT, 1, 0},
        {"1 \x01 2\n", LXM_ERROR_FORMAT, 1, 2},
        {"1\v2\n", LXM_ERROR_FORMAT, 1, 1},
    };
    are_errors(*state, LXM_KIND_IDS, rows, unit_count(rows));
}

static uint8_t *small_binary(fixture *f, lxm_kind kind, bool offsets, size_t *length)
{
    stream s = begin(f, kind, LXM_STREAM_BINARY, offsets);
    if (kind == LXM_KIND_TOKENS)
        small_tokens(&s);
    else
        small_ids(&s);
    finish(&s);
    return unit_file_read(f->path, length);
}

static void every_prefix_of_a_binary_stream_is_an_error(void **state)
{
    fixture *f = *state;
    for (int kind = LXM_KIND_TOKENS; kind <= LXM_KIND_IDS; kind++)
        for (int offsets = 0; offsets < 2; offsets++) {
            size_t length;
            uint8_t *bytes = small_binary(f, (lxm_kind)kind, offsets, &length);
            for (size_t n = 1; n < length; n++) {
                if (read_bytes(f, bytes, n, (lxm_kind)kind) != LXM_ERROR_FORMAT)
                    fail_msg("%zu of %zu bytes", n, length);
                assert_true(f->error.offset <= n);
            }
            unit_succeeds(read_bytes(f, bytes, length, (lxm_kind)kind), &f->error);
            same(f);
            free(bytes);
        }
}

static void every_flipped_bit_of_a_binary_stream_is_an_error(void **state)
{
    fixture *f = *state;
    for (int kind = LXM_KIND_TOKENS; kind <= LXM_KIND_IDS; kind++) {
        size_t length;
        uint8_t *bytes = small_binary(f, (lxm_kind)kind, true, &length);
        for (size_t i = 0; i < 8 * length; i++) {
            bytes[i / 8] ^= (uint8_t)(1 << i % 8);
            lxm_status status = read_bytes(f, bytes, length, (lxm_kind)kind);
            if (status != LXM_ERROR_FORMAT && status != LXM_ERROR_UNSUPPORTED)
                fail_msg("bit %zu of byte %zu: %s", i % 8, i / 8, lxm_status_name(status));
            bytes[i / 8] ^= (uint8_t)(1 << i % 8);
        }
        free(bytes);
    }
}

static void bytes_behind_a_binary_stream_are_an_error(void **state)
{
    fixture *f = *state;
    size_t length;
    uint8_t *bytes = small_binary(f, LXM_KIND_TOKENS, false, &length);
    uint8_t *twice = malloc(2 * length);
    assert_non_null(twice);
    memcpy(twice, bytes, length);
    memcpy(twice + length, bytes, length);
    assert_int_equal(read_bytes(f, twice, length + 1, LXM_KIND_TOKENS), LXM_ERROR_FORMAT);
    assert_int_equal(f->error.offset, length);
    assert_int_equal(read_bytes(f, twice, 2 * length, LXM_KIND_TOKENS), LXM_ERROR_FORMAT);
    free(twice);
    free(bytes);
}

static void a_stream_of_the_other_kind_is_refused(void **state)
{
    fixture *f = *state;
    size_t length;
    free(small_binary(f, LXM_KIND_TOKENS, false, &length));
    assert_int_equal(read_stream(f, f->path, LXM_KIND_IDS), LXM_ERROR_FORMAT);
    assert_non_null(strstr(f->error.message, "tokens"));
    free(small_binary(f, LXM_KIND_IDS, false, &length));
    assert_int_equal(read_stream(f, f->path, LXM_KIND_TOKENS), LXM_ERROR_FORMAT);
}

static void the_header_says_where_a_stream_comes_from(void **state)
{
    fixture *f = *state;
    for (int format = LXM_STREAM_TEXT; format <= LXM_STREAM_BINARY; format++) {
        bool binary = format == LXM_STREAM_BINARY;
        stream s = begin(f, LXM_KIND_IDS, (lxm_stream_format)format, binary);
        small_ids(&s);
        finish(&s);
        lxm_input *input;
        lxm_reader *reader;
        unit_succeeds(lxm_input_open(&input, f->path, &f->a.functions, &f->error), &f->error);
        unit_succeeds(lxm_reader_new(&reader, input, LXM_KIND_IDS, &f->a.functions, &f->error),
                      &f->error);
        assert_int_equal(lxm_reader_is_binary(reader), binary);
        assert_int_equal(lxm_reader_has_offsets(reader), binary);
        assert_true(lxm_reader_fingerprint(reader) == (binary ? 0x1234567890ABCDEF : 0));
        assert_string_equal(lxm_reader_settings(reader),
                            binary ? "normalize=nfc preset=words" : "");
        lxm_reader_free(reader);
        lxm_input_close(input);
    }
}

/* The layout in binary.h, byte by byte: a change of it must be a new version. */
static void the_layout_is_pinned(void **state)
{
    fixture *f = *state;
    stream s = begin(f, LXM_KIND_TOKENS, LXM_STREAM_BINARY, false);
    words(&s, "one three", 9);
    end_document(&s);
    finish(&s);
    size_t length;
    uint8_t *p = unit_file_read(f->path, &length);
    assert_int_equal(length, 40 + 32 + 40 + 24 + 40 + 40);
    assert_memory_equal(p, "\x89LXM\r\n\x1A\n\2\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\x1A\0\0\0\0\0\0\0",
                        32);
    assert_memory_equal(p + 40, "normalize=nfc preset=words\0\0\0\0\0\0", 32);
    assert_memory_equal(p + 72, "FRAM\2\0\0\0\1\0\0\0\0\0\0\0\x18\0\0\0\0\0\0\0", 24);
    assert_memory_equal(p + 112, "onethree\3\0\0\0\10\0\0\0\2\0\0\0\0\0\0\0", 24);
    assert_memory_equal(p + 136, "TAIL\0\0\0\0\0\0\0\0\0\0\0\0\x28\0\0\0\0\0\0\0", 24);
    assert_memory_equal(p + 176,
                        "\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\x18\0\0\0\0\0\0\0", 32);
    free(p);
}

static void json_lines_are_one_object_a_document(void **state)
{
    fixture *f = *state;
    static const struct {
        lxm_kind kind;
        bool offsets;
        const char *want;
    } rows[] = {
        {LXM_KIND_TOKENS, false,
         "{\"tokens\":[]}\n{\"tokens\":[\"a\\\"\\\\\",\"\\n\",\"\\udcff\",\"\xC3\xA9\"]}\n"},
        {LXM_KIND_TOKENS, true,
         "{\"tokens\":[],\"offsets\":[]}\n{\"tokens\":[\"a\\\"\\\\\",\"\\n\",\"\\udcff\","
         "\"\xC3\xA9\"],\"offsets\":[[0,3],[4,5],[6,7],[8,10]]}\n"},
        {LXM_KIND_IDS, false, "{\"ids\":[]}\n{\"ids\":[1,4294967295]}\n"},
        {LXM_KIND_IDS, true,
         "{\"ids\":[],\"offsets\":[]}\n{\"ids\":[1,4294967295],\"offsets\":[[0,6],[10,16]]}\n"},
    };
    for (size_t i = 0; i < unit_count(rows); i++) {
        stream s = begin(f, rows[i].kind, LXM_STREAM_JSONL, rows[i].offsets);
        end_document(&s);
        if (rows[i].kind == LXM_KIND_TOKENS)
            words(&s, "a\"\\ \n \xFF \xC3\xA9", 10);
        else
            ids(&s, (const uint32_t[]){1, 4294967295u}, 2);
        end_document(&s);
        finish(&s);
        size_t length;
        uint8_t *text = unit_file_read(f->path, &length);
        assert_string_equal((char *)text, rows[i].want);
        free(text);
    }
}

/* A size that a header claims is never allocated before the bytes are there. */
static void a_frame_that_claims_gigabytes_is_cut_short(void **state)
{
    fixture *f = *state;
    size_t length;
    uint8_t *bytes = small_binary(f, LXM_KIND_IDS, false, &length);
    uint8_t *frame = bytes + lxm_part_header + lxm_padded(26);
    assert_memory_equal(frame, "FRAM", 4);
    lxm_put_u64(frame + 16, UINT32_MAX / 2);
    assert_int_equal(read_bytes(f, bytes, length, LXM_KIND_IDS), LXM_ERROR_FORMAT);
    assert_non_null(strstr(f->error.message, "cut short"));
    lxm_put_u64(frame + 16, UINT64_MAX);
    assert_int_equal(read_bytes(f, bytes, length, LXM_KIND_IDS), LXM_ERROR_FORMAT);
    free(bytes);
}

static void options_that_make_no_sense_are_refused(void **state)
{
    fixture *f = *state;
    lxm_output *output;
    lxm_writer *writer;
    unit_succeeds(lxm_output_open(&output, f->path, &f->a.functions, &f->error), &f->error);
    lxm_stream_options options = {.kind = (lxm_kind)0};
    assert_int_equal(lxm_writer_new(&writer, output, &options, &f->a.functions, &f->error),
                     LXM_ERROR_ARGUMENT);
    options = (lxm_stream_options){.kind = LXM_KIND_IDS, .format = (lxm_stream_format)3};
    assert_int_equal(lxm_writer_new(&writer, output, &options, &f->a.functions, &f->error),
                     LXM_ERROR_ARGUMENT);
    lxm_output_discard(output);
    assert_int_equal(unit_folder_count(f->folder), 0);
}

/* ---- through a pipe, a byte at a time ---- */

typedef struct pipe_job {
    const char *path;
    const uint8_t *bytes;
    size_t length;
} pipe_job;

static void *trickle(void *pointer)
{
    const pipe_job *job = pointer;
    FILE *file = fopen(job->path, "wb");
    assert_non_null(file);
    setvbuf(file, NULL, _IONBF, 0);
    for (size_t i = 0; i < job->length; i++)
        fwrite(job->bytes + i, 1, 1, file);
    fclose(file);
    return NULL;
}

static void a_byte_at_a_time_reads_the_same(void **state)
{
    fixture *f = *state;
    char *fifo = unit_path(f->folder, "fifo");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    for (int format = LXM_STREAM_TEXT; format <= LXM_STREAM_BINARY; format++)
        for (int kind = LXM_KIND_TOKENS; kind <= LXM_KIND_IDS; kind++) {
            pthread_t thread;
            stream s = begin(f, (lxm_kind)kind, (lxm_stream_format)format, false);
            if (kind == LXM_KIND_TOKENS)
                small_tokens(&s);
            else
                small_ids(&s);
            finish(&s);
            pipe_job job = {.path = fifo};
            uint8_t *bytes = unit_file_read(f->path, &job.length);
            job.bytes = bytes;
            assert_int_equal(pthread_create(&thread, NULL, trickle, &job), 0);
            unit_succeeds(read_stream(f, fifo, (lxm_kind)kind), &f->error);
            assert_int_equal(pthread_join(thread, NULL), 0);
            same(f);
            free(bytes);
        }
    free(fifo);
}

/* A token that begins or ends inside a character is bytes, wherever it stands in its text. */
static void tokens_that_cut_a_character_are_escaped(void **state)
{
    static const char text[] = "a\xC3\xA9z and enough text behind it";
    static const lxm_span spans[] = {{1, 3}, {5, 8}, {9, 29}};
    static const char expected[] = "a\\xC3\n\\xA9z\nenough text behind i\n"
                                   "\xC3\xA9\nand\nenough text behind i\n";
    fixture *f = *state;
    size_t length;
    stream s = begin(f, LXM_KIND_TOKENS, LXM_STREAM_TEXT, false);
    static const lxm_span cut[] = {{0, 2}, {2, 4}, {9, 29}};
    tokens(&s, (const uint8_t *)text, cut, 3, NULL);
    tokens(&s, (const uint8_t *)text, spans, 3, NULL);
    finish(&s);
    uint8_t *bytes = unit_file_read(f->path, &length);
    assert_int_equal(length, sizeof expected - 1);
    assert_memory_equal(bytes, expected, length);
    free(bytes);
}

#define with_folder(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_folder(tokens_come_back),
        with_folder(ids_come_back),
        with_folder(an_empty_stream_comes_back_empty),
        with_folder(long_tokens_and_many_of_them_come_back),
        with_folder(many_ids_come_back),
        with_folder(a_document_needs_no_end_in_text),
        with_folder(tokens_that_cut_a_character_are_escaped),
        with_folder(text_offsets_stand_behind_tabs),
        with_folder(bad_tokens_are_errors_with_their_place),
        with_folder(bad_ids_are_errors_with_their_place),
        with_folder(every_prefix_of_a_binary_stream_is_an_error),
        with_folder(every_flipped_bit_of_a_binary_stream_is_an_error),
        with_folder(bytes_behind_a_binary_stream_are_an_error),
        with_folder(a_stream_of_the_other_kind_is_refused),
        with_folder(the_header_says_where_a_stream_comes_from),
        with_folder(the_layout_is_pinned),
        with_folder(json_lines_are_one_object_a_document),
        with_folder(a_frame_that_claims_gigabytes_is_cut_short),
        with_folder(options_that_make_no_sense_are_refused),
        with_folder(a_byte_at_a_time_reads_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
