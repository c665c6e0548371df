/* Promise 7: every allocation failed in turn through every public call. The call says so or
 * succeeds, nothing leaks, no output appears, and what is left of the object can be used or freed.
 */
#include "unit.h"

static const char text[] =
    "The robin sang in Paris. A goose flew over Berlin, and the eagle over "
    "Germany: caf\xC3\xA9 <s> 1,000 \\ \"end\"\nThe e\xCC\x81nd\n\n\xFF goose\n";

typedef struct fixture {
    char *folder, *input, *tokens, *ids, *vocab, *table, *output;
    unit_allocator a;
    lxm_error error;
} fixture;

static fixture fix;

/* A call that may fail: leaves the scenario with its status. */
#define try(call)                                                                                  \
    do {                                                                                           \
        status = (call);                                                                           \
        if (status)                                                                                \
            goto done;                                                                             \
    } while (0)

static const lxm_allocator *allocator(void)
{
    return &fix.a.functions;
}

static const char *const specials[] = {"<s>", "<end>"};

static lxm_tokenizer_options tokenizer_options(void)
{
    return (lxm_tokenizer_options){.normal_form = LXM_NORMAL_NFC,
                                   .casefold = true,
                                   .invalid = LXM_INVALID_REPLACE,
                                   .offsets = true,
                                   .specials = specials,
                                   .special_count = 2};
}

/* ---- scenarios: each frees all it made, whatever happened ---- */

static lxm_status use_tokenizer(void)
{
    lxm_tokenizer_options options = tokenizer_options();
    lxm_tokenizer *tokenizer = NULL;
    lxm_status status = LXM_OK;
    for (size_t i = 0; !status && i <= 8; i++) {
        options.preset = i < 8 && lxm_preset_at(i) ? lxm_preset_at(i)->name : NULL;
        options.pattern = i == 8 ? "(?:a|(b))+c|\\w+" : NULL;
        status = lxm_tokenizer_new(&tokenizer, &options, allocator(), &fix.error);
        if (!status)
            assert_non_null(lxm_tokenizer_settings(tokenizer));
        else
            assert_null(tokenizer);
        lxm_tokenizer_free(tokenizer);
    }
    return status;
}

static lxm_status segment_text(lxm_segmenter *segmenter)
{
    lxm_status status = LXM_OK;
    for (size_t at = 0; !status && at < sizeof text - 1; at += 7)
        status = lxm_segmenter_push(
            segmenter, text + at, sizeof text - 1 - at < 7 ? sizeof text - 1 - at : 7, &fix.error);
    return status ? status : lxm_segmenter_end_document(segmenter, &fix.error);
}

/* After a failure a reset makes the segmenter fit for another document. */
static lxm_status use_segmenter(void)
{
    lxm_tokenizer_options options = tokenizer_options();
    lxm_tokenizer *tokenizer = NULL;
    lxm_segmenter *segmenter = NULL;
    unit_collector first, second;
    unit_collector_init(&first);
    unit_collector_init(&second);
    lxm_token_sink sink = unit_collector_sink(&first);
    lxm_status status = lxm_tokenizer_new(&tokenizer, &options, allocator(), &fix.error);
    if (!status)
        status = lxm_segmenter_new(&segmenter, tokenizer, &sink, allocator(), &fix.error);
    if (!status && (status = segment_text(segmenter)) && !fix.a.fail_after) {
        lxm_segmenter_reset(segmenter);
        unit_collector_clear(&first);
        unit_succeeds(segment_text(segmenter), &fix.error);
    }
    if (segmenter && !fix.a.fail_after) {
        assert_non_null(strstr(unit_collected(&first), "caf\xC3\xA9@"));
        assert_int_equal(first.documents, 1);
    }
    lxm_segmenter_free(segmenter);
    lxm_tokenizer_free(tokenizer);
    unit_collector_free(&first);
    unit_collector_free(&second);
    return status;
}

static lxm_status write_stream(lxm_writer *writer, lxm_kind kind)
{
    static const lxm_span spans[] = {{0, 3}, {4, 9}, {10, 14}};
    static const uint64_t offsets[] = {0, 3, 4, 9, 10, 14};
    static const uint32_t numbers[] = {1, 22, 4294967295u};
    lxm_tokens tokens = {(const uint8_t *)text, spans, 3, offsets};
    lxm_ids ids = {numbers, 3, offsets};
    lxm_status status = LXM_OK;
    for (int i = 0; !status && i < 3000; i++) {
        status = kind == LXM_KIND_TOKENS ? lxm_writer_tokens(writer, &tokens, &fix.error)
                                         : lxm_writer_ids(writer, &ids, &fix.error);
        if (!status && i % 5 == 0)
            status = lxm_writer_end_document(writer, &fix.error);
    }
    return status ? status : lxm_writer_finish(writer, &fix.error);
}

static lxm_status use_writer(lxm_kind kind, lxm_stream_format format)
{
    lxm_stream_options options = {.kind = kind, .format = format, .offsets = true};
    lxm_output *output = NULL;
    lxm_writer *writer = NULL;
    lxm_status status = lxm_output_open(&output, fix.output, allocator(), &fix.error);
    if (!status)
        status = lxm_writer_new(&writer, output, &options, allocator(), &fix.error);
    if (!status)
        status = write_stream(writer, kind);
    lxm_writer_free(writer);
    if (status)
        lxm_output_discard(output);
    else
        status = lxm_output_commit(output, &fix.error);
    return status;
}

static lxm_status use_writers(void)
{
    lxm_status status = LXM_OK;
    for (int kind = LXM_KIND_TOKENS; !status && kind <= LXM_KIND_IDS; kind++)
        for (int format = LXM_STREAM_TEXT; !status && format <= LXM_STREAM_JSONL; format++)
            status = use_writer((lxm_kind)kind, (lxm_stream_format)format);
    return status;
}

static lxm_status read_stream(const char *path, lxm_kind kind)
{
    lxm_input *input = NULL;
    lxm_reader *reader = NULL;
    lxm_block block;
    lxm_status status = lxm_input_open(&input, path, allocator(), &fix.error);
    if (!status)
        status = lxm_reader_new(&reader, input, kind, allocator(), &fix.error);
    for (bool more = true; !status && more;)
        status = lxm_reader_next(reader, &block, &more, &fix.error);
    lxm_reader_free(reader);
    lxm_input_close(input);
    return status;
}

static lxm_status use_readers(void)
{
    char *binary = unit_path(fix.folder, "tokens.bin");
    lxm_status status = read_stream(fix.tokens, LXM_KIND_TOKENS);
    if (!status)
        status = read_stream(binary, LXM_KIND_TOKENS);
    if (!status)
        status = read_stream(fix.ids, LXM_KIND_IDS);
    free(binary);
    return status;
}

/* What failed is tried again: a vocabulary is as it was before. */
static lxm_status fill_vocab(lxm_vocab *vocab, lxm_status *failed)
{
    char token[16];
    for (int i = 0; i < 600; i++) {
        uint32_t id;
        size_t length = (size_t)snprintf(token, sizeof token, "t%d", i * 7919 % 600);
        lxm_status status = lxm_vocab_add(vocab, token, length, 2, &id, &fix.error);
        if (status) {
            *failed = status;
            if (fix.a.fail_after)
                return status;
            assert_int_equal(lxm_vocab_size(vocab), i);
            assert_true(lxm_vocab_find(vocab, token, length) == LXM_NO_ID);
            unit_succeeds(lxm_vocab_add(vocab, token, length, 2, &id, &fix.error), &fix.error);
        }
        assert_int_equal(id, i);
    }
    for (uint32_t i = 0; i < 600; i++)
        assert_int_equal(lxm_vocab_count(vocab, i), 2);
    return LXM_OK;
}

static lxm_status use_vocab(void)
{
    lxm_vocab *vocab = NULL, *again = NULL;
    lxm_status failed = LXM_OK, status = lxm_vocab_new(&vocab, allocator(), &fix.error);
    if (status)
        return status;
    try(fill_vocab(vocab, &failed));
    try(lxm_vocab_set_special(vocab, 599, &fix.error));
    try(lxm_vocab_set_unk(vocab, 3, &fix.error));
    try(lxm_vocab_save(vocab, fix.output, &fix.error));
    try(lxm_vocab_open(&again, fix.output, allocator(), &fix.error));
    assert_true(lxm_vocab_fingerprint(vocab) == lxm_vocab_fingerprint(again));
    assert_int_equal(lxm_vocab_unk(again), 3);
    assert_true(lxm_vocab_is_special(again, 599));
done:
    lxm_vocab_free(vocab);
    lxm_vocab_free(again);
    return status ? status : failed;
}

static lxm_status count_words(lxm_counter *counter)
{
    uint8_t bytes[8 * 400];
    lxm_span spans[400];
    lxm_status status = LXM_OK;
    uint64_t seed = 1;
    for (int round = 0; !status && round < 8; round++) {
        for (uint32_t i = 0; i < 400; i++) {
            snprintf((char *)bytes + 8 * i, 8, "%07u", (unsigned)(unit_random(&seed) % 3000));
            spans[i] = (lxm_span){8 * i, 8 * i + 7};
        }
        lxm_tokens tokens = {bytes, spans, 400, NULL};
        status = lxm_counter_add(counter, &tokens, &fix.error);
    }
    return status;
}

/* So little memory that it spills, and so much that it doesn't. */
static lxm_status use_counter(void)
{
    lxm_status status = LXM_OK;
    for (int order = LXM_ORDER_FREQUENCY; !status && order <= LXM_ORDER_APPEARANCE; order++)
        for (size_t memory = 16384; !status && memory <= 1 << 24; memory <<= 10) {
            lxm_counter *counter = NULL;
            lxm_vocab *vocab = NULL;
            lxm_build_options options = {.order = (lxm_order)order,
                                         .max_size = 1000,
                                         .specials = specials,
                                         .special_count = 2,
                                         .unk = "<unk>"};
            try(lxm_counter_new(&counter, memory, fix.folder, allocator(), &fix.error));
            status = count_words(counter);
            if (!status)
                status = lxm_counter_build(counter, &options, &vocab, &fix.error);
            if (!status)
                assert_int_equal(lxm_vocab_size(vocab), 1000);
            else
                assert_null(vocab);
            lxm_counter_free(counter);
            lxm_vocab_free(vocab);
        }
done:
    return status;
}

static lxm_status gather(lxm_table *table)
{
    static const uint32_t ids[] = {0, 5, 3, 3};
    float vectors[4 * 8];
    assert_int_equal(lxm_table_dim(table), 8);
    return lxm_table_gather(table, ids, 4, vectors, &fix.error);
}

static lxm_status use_tables(void)
{
    lxm_status status = LXM_OK;
    lxm_table *table = NULL;
    for (int init = LXM_INIT_NORMAL; !status && init <= LXM_INIT_TORCH; init++) {
        lxm_table_options options = {.rows = 600, .dim = 8, .init = (lxm_init)init, .seed = 1};
        try(lxm_table_generate(&table, &options, allocator(), &fix.error));
        status = gather(table);
        lxm_table_free(table);
    }
    if (status)
        return status;
    try(lxm_table_sinusoidal(&table, 10, 8, allocator(), &fix.error));
    status = gather(table);
    lxm_table_free(table);
    if (status)
        return status;
    try(lxm_table_open(&table, fix.table, NULL, allocator(), &fix.error));
    status = gather(table);
    lxm_table_free(table);
done:
    return status;
}

/* Gradients that couldn't be added are forgotten; what is added moves its rows at the next step. */
static lxm_status use_layer(void)
{
    static const float gradients[64 * 8];
    uint32_t ids[64];
    float vectors[64 * 8];
    lxm_table_options how = {.dim = 8};
    lxm_layer_options options;
    lxm_table *table = NULL;
    lxm_layer *layer = NULL;
    lxm_status status = LXM_OK;
    lxm_layer_defaults(&options, LXM_OPTIMIZER_ADAGRAD);
    options.threads = 2;
    try(lxm_table_generate(&table, &how, allocator(), &fix.error));
    try(lxm_layer_new(&layer, table, &options, allocator(), &fix.error));
    for (uint32_t step = 0; step < 5; step++) {
        for (uint32_t i = 0; i < 64; i++)
            ids[i] = step * 50 + i;
        try(lxm_layer_forward(layer, ids, 64, vectors, &fix.error));
        try(lxm_layer_backward(layer, ids, 64, gradients, &fix.error));
        try(lxm_layer_step(layer, &fix.error));
    }
done:
    if (status && layer && !fix.a.fail_after) {
        lxm_error error = {0};
        lxm_layer_zero_gradients(layer);
        unit_succeeds(lxm_layer_backward(layer, ids, 64, gradients, &error), &error);
        unit_succeeds(lxm_layer_step(layer, &error), &error);
    }
    lxm_layer_free(layer);
    lxm_table_free(table);
    return status;
}

static lxm_status ignore_windows(void *context, const lxm_window_batch *batch, lxm_error *error)
{
    (void)context;
    (void)error;
    assert_true(batch->count > 0);
    return LXM_OK;
}

static lxm_status use_windows(void)
{
    static const uint32_t ids[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    lxm_window_options options = {.context = 4, .stride = 2, .targets = true, .pad = true};
    lxm_window_sink sink = {ignore_windows, NULL};
    lxm_windows *windows = NULL;
    lxm_status status = LXM_OK;
    try(lxm_windows_new(&windows, &options, 3, &sink, allocator(), &fix.error));
    for (int i = 0; i < 20; i++) {
        try(lxm_windows_push(windows, ids, 10, &fix.error));
        try(lxm_windows_end_document(windows, &fix.error));
    }
    try(lxm_windows_finish(windows, &fix.error));
done:
    lxm_windows_free(windows);
    return status;
}

/* ---- jobs ---- */

static unsigned job_threads;

static lxm_job job(void)
{
    return (lxm_job){.threads = job_threads, .allocator = allocator()};
}

/* Each time from where the last run left off. */
static lxm_status run_update(void)
{
    static const char *const paths[] = {TESTDATA "/layer/gradients-0.safetensors",
                                        TESTDATA "/layer/gradients-1.safetensors"};
    lxm_table_options how = {.rows = 11, .dim = 17};
    lxm_layer_options options;
    lxm_table *table = NULL;
    lxm_layer *layer = NULL;
    lxm_status status = LXM_OK;
    char *saved = unit_path(fix.folder, "state");
    lxm_update_options update = {
        .state = saved, .any_rows = true, .format = LXM_VECTORS_SAFETENSORS};
    lxm_job j = job();
    lxm_layer_defaults(&options, LXM_OPTIMIZER_ADAM);
    options.threads = job_threads;
    try(lxm_table_generate(&table, &how, allocator(), &fix.error));
    try(lxm_layer_new(&layer, table, &options, allocator(), &fix.error));
    try(lxm_run_update(layer, &update, paths, 2, fix.output, &j, &fix.error));
done:
    lxm_layer_free(layer);
    lxm_table_free(table);
    free(saved);
    return status;
}

/* Commits or discards what a job wrote. */
static lxm_status settle(lxm_output *output, lxm_status status)
{
    if (!status)
        return lxm_output_commit(output, &fix.error);
    lxm_output_discard(output);
    return status;
}

static lxm_status run_tokenize(void)
{
    lxm_tokenizer_options options = tokenizer_options();
    const char *paths[] = {fix.input, fix.input};
    lxm_job j = job();
    lxm_status status = LXM_OK;
    for (int i = 0; !status && i <= LXM_DOCUMENTS_SENTENCE; i++) {
        lxm_stream_options stream = {.format = (lxm_stream_format)(i % 3), .offsets = true};
        lxm_tokenize_run_options run = {.documents = (lxm_documents)i};
        run.skip_bad = i == LXM_DOCUMENTS_JSONL;
        lxm_tokenizer *tokenizer = NULL;
        lxm_output *output = NULL;
        status = lxm_tokenizer_new(&tokenizer, &options, allocator(), &fix.error);
        if (!status)
            status = lxm_output_open(&output, fix.output, allocator(), &fix.error);
        if (!status)
            status =
                lxm_run_tokenize(tokenizer, paths, 2, &run, &stream, output, &j, NULL, &fix.error);
        status = settle(output, status);
        lxm_tokenizer_free(tokenizer);
    }
    return status;
}

static lxm_status run_count(void)
{
    const char *paths[] = {fix.tokens};
    lxm_counter *counter = NULL;
    lxm_job j = job();
    lxm_status status = lxm_counter_new(&counter, 0, NULL, allocator(), &fix.error);
    if (!status)
        status = lxm_run_count(counter, paths, 1, &j, &fix.error);
    lxm_counter_free(counter);
    return status;
}

static lxm_status encode(bool growing, lxm_stream_format format)
{
    lxm_stream_options stream = {.format = format};
    const char *paths[] = {fix.tokens, fix.tokens};
    lxm_vocab *vocab = NULL;
    lxm_output *output = NULL;
    lxm_job j = job();
    lxm_status status = growing ? lxm_vocab_new(&vocab, allocator(), &fix.error)
                                : lxm_vocab_open(&vocab, fix.vocab, allocator(), &fix.error);
    if (!status)
        status = lxm_output_open(&output, fix.output, allocator(), &fix.error);
    if (!status && growing)
        status = lxm_run_encode_growing(vocab, 0, paths, 2, &stream, output, &j, &fix.error);
    else if (!status)
        status = lxm_run_encode(vocab, paths, 2, &stream, output, &j, &fix.error);
    status = settle(output, status);
    lxm_vocab_free(vocab);
    return status;
}

static lxm_status run_encode(void)
{
    lxm_status status = LXM_OK;
    for (int format = LXM_STREAM_TEXT; !status && format <= LXM_STREAM_JSONL; format++) {
        status = encode(false, (lxm_stream_format)format);
        if (!status)
            status = encode(true, (lxm_stream_format)format);
    }
    return status;
}

static lxm_status run_decode(void)
{
    const char *paths[] = {fix.ids};
    const lxm_decode_options how = {.join = LXM_JOIN_BOOK, .documents = LXM_DOCUMENTS_LINE};
    lxm_vocab *vocab = NULL;
    lxm_output *output = NULL;
    lxm_job j = job();
    lxm_status status = lxm_vocab_open(&vocab, fix.vocab, allocator(), &fix.error);
    if (!status)
        status = lxm_output_open(&output, fix.output, allocator(), &fix.error);
    if (!status)
        status = lxm_run_decode(vocab, paths, 1, &how, output, &j, &fix.error);
    status = settle(output, status);
    lxm_vocab_free(vocab);
    return status;
}

static lxm_status embed(lxm_vector_format format, size_t context)
{
    const char *paths[] = {fix.ids};
    lxm_table *table = NULL, *positions = NULL;
    lxm_job j = job();
    lxm_embed_result result;
    lxm_embed_options options = {.window = {.context = context, .targets = context, .pad = context},
                                 .batch = 3,
                                 .format = format,
                                 .shard_size = 200,
                                 .replace = true};
    char *shards = unit_path(fix.folder, "shards");
    lxm_status status = LXM_OK;
    try(lxm_table_open(&table, fix.table, NULL, allocator(), &fix.error));
    if (context)
        try(lxm_table_sinusoidal(&positions, context, 8, allocator(), &fix.error));
    options.table = table;
    options.positions = positions;
    status = lxm_run_embed(&options, paths, 1, format == LXM_VECTORS_SHARDS ? shards : fix.output,
                           &j, &result, &fix.error);
done:
    lxm_table_free(table);
    lxm_table_free(positions);
    free(shards);
    return status;
}

static lxm_status run_embed(void)
{
    lxm_status status = LXM_OK;
    for (int format = LXM_VECTORS_TEXT; !status && format <= LXM_VECTORS_SAFETENSORS; format++) {
        status = embed((lxm_vector_format)format, 0);
        if (!status)
            status = embed((lxm_vector_format)format, 4);
    }
    return status;
}

static lxm_status run_embed_shards(void)
{
    return embed(LXM_VECTORS_SHARDS, 4);
}

static lxm_status run_write_table(void)
{
    lxm_table_options options = {.rows = 40, .dim = 8, .seed = 1};
    lxm_table *table = NULL;
    lxm_job j = job();
    lxm_status status = LXM_OK;
    try(lxm_table_generate(&table, &options, allocator(), &fix.error));
    for (int format = LXM_VECTORS_TEXT; format <= LXM_VECTORS_SAFETENSORS; format++)
        try(lxm_run_write_table(table, 7, (lxm_vector_format)format, LXM_DTYPE_F32, "", fix.output,
                                &j, &fix.error));
done:
    lxm_table_free(table);
    return status;
}

/* ---- failing each allocation in turn ---- */

static void old_output_is_there(const char *name)
{
    size_t length;
    uint8_t *bytes = unit_file_read(fix.output, &length);
    if (length != 3 || memcmp(bytes, "old", 3) != 0)
        fail_msg("%s: a failed call replaced the output", name);
    free(bytes);
}

static void fail_each(const char *name, lxm_status (*scenario)(void), bool after, bool keeps_output,
                      size_t step)
{
    size_t total;
    unit_allocator_init(&fix.a);
    unit_succeeds(scenario(), &fix.error);
    assert_int_equal(fix.a.live, 0);
    total = fix.a.calls;
    for (size_t n = 1; n <= total; n += n < 200 ? 1 : step) {
        unit_file_write(fix.output, "old", 3);
        size_t names = unit_folder_count(fix.folder);
        unit_allocator_init(&fix.a);
        fix.a.fail_at = n;
        fix.a.fail_after = after;
        lxm_status status = scenario();
        if (status && status != LXM_ERROR_MEMORY)
            fail_msg("%s, allocation %zu: %s: %s", name, n, lxm_status_name(status),
                     fix.error.message);
        if (fix.a.live)
            fail_msg("%s, allocation %zu: %zu blocks leaked", name, n, fix.a.live);
        if (status)
            assert_int_equal(fix.error.code, status);
        if (status && keeps_output)
            old_output_is_there(name);
        if (status && unit_folder_count(fix.folder) > names)
            fail_msg("%s, allocation %zu: litter", name, n);
    }
}

static void in_turn(const char *name, lxm_status (*scenario)(void), bool keeps_output)
{
    fail_each(name, scenario, false, keeps_output, 13);
    fail_each(name, scenario, true, keeps_output, 37);
}

static void on_threads(const char *name, lxm_status (*scenario)(void))
{
    job_threads = 1;
    in_turn(name, scenario, false);
    job_threads = 2;
    fail_each(name, scenario, false, false, 31);
}

#define plain(function)                                                                            \
    static void memory_runs_out_in_##function(void **state)                                        \
    {                                                                                              \
        (void)state;                                                                               \
        in_turn(#function, function, false);                                                       \
    }
#define threaded(function)                                                                         \
    static void memory_runs_out_in_##function(void **state)                                        \
    {                                                                                              \
        (void)state;                                                                               \
        on_threads(#function, function);                                                           \
    }

plain(use_tokenizer) plain(use_segmenter) plain(use_writers) plain(use_readers) plain(use_vocab)
    plain(use_counter) plain(use_tables) plain(use_layer) plain(use_windows) threaded(run_tokenize)
        threaded(run_count) threaded(run_encode) threaded(run_decode) threaded(run_embed)
            threaded(run_embed_shards) threaded(run_write_table) threaded(run_update)

                static void an_output_is_kept_when_memory_runs_out(void **state)
{
    (void)state;
    job_threads = 2;
    in_turn("run_decode", run_decode, true);
}

/* Files for the scenarios, made by the library itself. */
static int set_up(void **state)
{
    (void)state;
    fix.folder = unit_folder_make();
    fix.input = unit_path(fix.folder, "input");
    fix.tokens = unit_path(fix.folder, "tokens");
    fix.ids = unit_path(fix.folder, "ids");
    fix.vocab = unit_path(fix.folder, "vocab");
    fix.table = unit_path(fix.folder, "table.safetensors");
    fix.output = unit_path(fix.folder, "output");
    unit_file_write(fix.input, text, sizeof text - 1);
    unit_allocator_init(&fix.a);
    lxm_tokenizer_options options = tokenizer_options();
    lxm_stream_options stream = {.format = LXM_STREAM_TEXT};
    lxm_table_options table_options = {.rows = 600, .dim = 8};
    const char *paths[] = {fix.input}, *token_paths[] = {fix.tokens};
    lxm_tokenize_run_options run = {.documents = LXM_DOCUMENTS_LINE};
    char *binary = unit_path(fix.folder, "tokens.bin");
    lxm_tokenizer *tokenizer;
    lxm_output *output;
    lxm_vocab *vocab;
    lxm_table *table;
    lxm_job j = {0};
    unit_succeeds(lxm_tokenizer_new(&tokenizer, &options, NULL, &fix.error), &fix.error);
    for (int i = 0; i < 2; i++) {
        stream.format = i ? LXM_STREAM_BINARY : LXM_STREAM_TEXT;
        unit_succeeds(lxm_output_open(&output, i ? binary : fix.tokens, NULL, &fix.error),
                      &fix.error);
        unit_succeeds(
            lxm_run_tokenize(tokenizer, paths, 1, &run, &stream, output, &j, NULL, &fix.error),
            &fix.error);
        unit_succeeds(lxm_output_commit(output, &fix.error), &fix.error);
    }
    lxm_tokenizer_free(tokenizer);
    stream.format = LXM_STREAM_TEXT;
    unit_succeeds(lxm_vocab_new(&vocab, NULL, &fix.error), &fix.error);
    unit_succeeds(lxm_output_open(&output, fix.ids, NULL, &fix.error), &fix.error);
    unit_succeeds(lxm_run_encode_growing(vocab, 0, token_paths, 1, &stream, output, &j, &fix.error),
                  &fix.error);
    unit_succeeds(lxm_output_commit(output, &fix.error), &fix.error);
    unit_succeeds(lxm_vocab_save(vocab, fix.vocab, &fix.error), &fix.error);
    lxm_vocab_free(vocab);
    unit_succeeds(lxm_table_generate(&table, &table_options, NULL, &fix.error), &fix.error);
    unit_succeeds(lxm_run_write_table(table, 0, LXM_VECTORS_SAFETENSORS, LXM_DTYPE_F32, "",
                                      fix.table, &j, &fix.error),
                  &fix.error);
    lxm_table_free(table);
    free(binary);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char *all[] = {fix.input, fix.tokens, fix.ids, fix.vocab, fix.table, fix.output};
    for (size_t i = 0; i < unit_count(all); i++)
        free(all[i]);
    unit_folder_remove(fix.folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_runs_out_in_use_tokenizer),
        cmocka_unit_test(memory_runs_out_in_use_segmenter),
        cmocka_unit_test(memory_runs_out_in_use_writers),
        cmocka_unit_test(memory_runs_out_in_use_readers),
        cmocka_unit_test(memory_runs_out_in_use_vocab),
        cmocka_unit_test(memory_runs_out_in_use_counter),
        cmocka_unit_test(memory_runs_out_in_use_tables),
        cmocka_unit_test(memory_runs_out_in_use_layer),
        cmocka_unit_test(memory_runs_out_in_use_windows),
        cmocka_unit_test(memory_runs_out_in_run_tokenize),
        cmocka_unit_test(memory_runs_out_in_run_count),
        cmocka_unit_test(memory_runs_out_in_run_encode),
        cmocka_unit_test(memory_runs_out_in_run_decode),
        cmocka_unit_test(memory_runs_out_in_run_embed),
        cmocka_unit_test(memory_runs_out_in_run_embed_shards),
        cmocka_unit_test(memory_runs_out_in_run_write_table),
        cmocka_unit_test(memory_runs_out_in_run_update),
        cmocka_unit_test(an_output_is_kept_when_memory_runs_out),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
