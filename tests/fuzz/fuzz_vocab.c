/* A vocabulary file of any bytes: refused, or each of its tokens is found under its id. */
#include "fuzz.h"

/* A token is found under its id, or, in models that have it twice, under another's. */
static void check_token(const lxm_vocab *vocab, const uint8_t *token, size_t length)
{
    size_t found_length = 0;
    uint32_t found = lxm_vocab_find(vocab, token, length);
    const uint8_t *same = lxm_vocab_token(vocab, found, &found_length);
    fuzz_demand(same && found_length == length && memcmp(same, token, length) == 0);
}

static void check(const lxm_vocab *vocab)
{
    size_t size = lxm_vocab_size(vocab), length;
    for (uint32_t id = 0; id < size; id++) {
        const uint8_t *token = lxm_vocab_token(vocab, id, &length);
        /* models have ids without a token */
        if (token && length > 0)
            check_token(vocab, token, length);
        (void)lxm_vocab_count(vocab, id);
        (void)lxm_vocab_is_special(vocab, id);
    }
    fuzz_demand(!lxm_vocab_token(vocab, (uint32_t)size, &length));
    fuzz_demand(lxm_vocab_unk(vocab) == LXM_NO_ID || lxm_vocab_unk(vocab) < size);
    (void)lxm_vocab_fingerprint(vocab);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    lxm_vocab *vocab;
    lxm_error error;
    lxm_status status = lxm_vocab_open(&vocab, fuzz_file(data, size), NULL, &error);
    fuzz_check_error(status, &error);
    if (status)
        fuzz_demand(!vocab);
    else
        check(vocab);
    lxm_vocab_free(vocab);
    return 0;
}
