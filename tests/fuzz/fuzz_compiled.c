/*
 * A compiled vocabulary of any bytes: refused, or used without harm. What every change would be
 * stopped by, magic, version, byte order, length and checksum, is made good first.
 */
#include "fuzz.h"

#include <xxhash.h>

enum { header = 40, checksum_at = 16, length_at = 24, most = 1 << 20 };

static void make_good(uint8_t *bytes, size_t size)
{
    static const uint8_t start[] = {0x89, 'L', 'X', 'V', '\r', '\n', 0x1A, '\n', 1, 0, 0, 0};
    const uint32_t order = 0x01020304;
    uint64_t length = size;
    memcpy(bytes, start, sizeof start);
    memcpy(bytes + sizeof start, &order, sizeof order);
    memcpy(bytes + length_at, &length, sizeof length);
    uint64_t checksum = XXH3_64bits(bytes + length_at, size - length_at);
    memcpy(bytes + checksum_at, &checksum, sizeof checksum);
}

static void map(const lxm_vocab *vocab)
{
    static const char text[] =
        "a ab abc the bird\xE9\xB3\xA5\xFFs##ing[UNK] aaaaaaaaaaaaaaaaaaaaaaa"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const lxm_span spans[] = {{0, 1}, {2, 4}, {5, 8}, {9, 12}, {13, 20}, {20, sizeof text - 1}};
    const uint64_t offsets[] = {0, 1, 2, 4, 5, 8, 9, 12, 13, 20, 20, sizeof text - 1};
    lxm_tokens tokens = {(const uint8_t *)text, spans, 6, NULL};
    const lxm_mapper_options options = {4096};
    lxm_mapper *mapper;
    lxm_error error;
    lxm_ids ids;
    fuzz_demand(!lxm_mapper_new(&mapper, vocab, &options, NULL, &error));
    for (int i = 0; i < 2; i++) {
        lxm_status status = lxm_mapper_map(mapper, &tokens, &ids, &error);
        fuzz_check_error(status, &error);
        for (size_t k = 0; !status && k < ids.count; k++)
            fuzz_demand(ids.ids[k] < lxm_vocab_size(vocab));
        tokens.offsets = offsets;
    }
    lxm_mapper_free(mapper);
}

static void look(const lxm_vocab *vocab)
{
    size_t size = lxm_vocab_size(vocab), length;
    for (uint32_t id = 0; id < size; id++) {
        const uint8_t *token = lxm_vocab_token(vocab, id, &length);
        if (token)
            fuzz_demand(lxm_vocab_find(vocab, token, length) < size ||
                        lxm_vocab_find(vocab, token, length) == LXM_NO_ID);
        (void)lxm_vocab_count(vocab, id);
        (void)lxm_vocab_is_special(vocab, id);
    }
    fuzz_demand(lxm_vocab_unk(vocab) == LXM_NO_ID || lxm_vocab_unk(vocab) < size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t bytes[most];
    lxm_vocab *vocab;
    lxm_tokenizer *tokenizer;
    lxm_error error;
    if (size < header || size > most)
        return 0;
    memcpy(bytes, data, size);
    make_good(bytes, size);
    const char *path = fuzz_file(bytes, size);
    lxm_status status = lxm_vocab_open(&vocab, path, NULL, &error);
    fuzz_check_error(status, &error);
    if (status) {
        fuzz_demand(!vocab);
        return 0;
    }
    look(vocab);
    map(vocab);
    if (strcmp(lxm_vocab_model(vocab), "word") == 0) {
        status = lxm_vocab_add(vocab, "new", 3, 1, NULL, &error);
        fuzz_check_error(status, &error);
    }
    lxm_vocab_free(vocab);
    fuzz_check_error(lxm_tokenizer_open(&tokenizer, path, NULL, NULL, &error), &error);
    lxm_tokenizer_free(tokenizer);
    return 0;
}
