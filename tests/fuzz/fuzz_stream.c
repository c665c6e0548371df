/* A stream of any bytes: read to its end or its error; what was read is written and read again. */
#define _POSIX_C_SOURCE 200809L
#include "fuzz.h"

#include <unistd.h>

static lxm_status next(lxm_reader *reader, lxm_block *block, bool *more, uint64_t *hash,
                       lxm_error *error)
{
    lxm_status status = lxm_reader_next(reader, block, more, error);
    if (status || !*more)
        return status;
    for (size_t i = 0; i < block->tokens.count; i++) {
        lxm_span span = block->tokens.spans[i];
        fuzz_demand(span.begin < span.end);
        uint32_t length = span.end - span.begin;
        *hash = fuzz_hash(*hash, &length, sizeof length);
        *hash = fuzz_hash(*hash, block->tokens.text + span.begin, length);
    }
    for (size_t i = 0; i < block->ids.count; i++)
        *hash = fuzz_hash(*hash, &block->ids.ids[i], sizeof *block->ids.ids);
    if (block->end_document)
        *hash = fuzz_hash(*hash, "end", 3);
    return LXM_OK;
}

static lxm_status read_all(const char *path, lxm_kind kind, lxm_writer *writer, uint64_t *hash,
                           lxm_error *error)
{
    lxm_input *input;
    lxm_reader *reader = NULL;
    lxm_block block;
    fuzz_demand(!lxm_input_open(&input, path, NULL, error));
    lxm_status status = lxm_reader_new(&reader, input, kind, NULL, error);
    for (bool more = true; !status && more;) {
        status = next(reader, &block, &more, hash, error);
        if (status || !more || !writer)
            continue;
        if (kind == LXM_KIND_TOKENS)
            fuzz_demand(!lxm_writer_tokens(writer, &block.tokens, error));
        else
            fuzz_demand(!lxm_writer_ids(writer, &block.ids, error));
        if (block.end_document)
            fuzz_demand(!lxm_writer_end_document(writer, error));
    }
    lxm_reader_free(reader);
    lxm_input_close(input);
    return status;
}

/* Writes the stream in a form and demands the same of that. */
static void write_again(const char *path, lxm_kind kind, lxm_stream_format format, uint64_t hash)
{
    static char copy[64];
    lxm_error error;
    lxm_output *output;
    lxm_writer *writer;
    uint64_t first = 0, again = 0;
    lxm_stream_options options = {.kind = kind, .format = format};
    snprintf(copy, sizeof copy, "%s/lexmill-fuzz.%ld",
             access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm", (long)getpid());
    fuzz_demand(!lxm_output_open(&output, copy, NULL, &error));
    fuzz_demand(!lxm_writer_new(&writer, output, &options, NULL, &error));
    fuzz_demand(!read_all(path, kind, writer, &first, &error));
    fuzz_demand(!lxm_writer_finish(writer, &error));
    lxm_writer_free(writer);
    fuzz_demand(!lxm_output_commit(output, &error));
    fuzz_demand(!read_all(copy, kind, NULL, &again, &error));
    remove(copy);
    fuzz_demand(first == hash && again == hash);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lxm_error error;
    uint64_t hash = 0;
    if (size < 1)
        return 0;
    lxm_kind kind = data[0] & 1 ? LXM_KIND_IDS : LXM_KIND_TOKENS;
    const char *path = fuzz_file(data + 1, size - 1);
    lxm_status status = read_all(path, kind, NULL, &hash, &error);
    fuzz_check_error(status, &error);
    if (!status && data[0] & 2)
        write_again(path, kind, data[0] & 4 ? LXM_STREAM_BINARY : LXM_STREAM_TEXT, hash);
    return 0;
}
