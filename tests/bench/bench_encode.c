/* Times lxm_encoder on a file in memory: bench_encode VOCAB PRESET FILE BYTES IDS-FILE|-
 * Prints two numbers, MB/s of the first pass and of the second. Run by encode.py. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lexmill/lexmill.h"

static double seconds(void)
{
    struct timespec t;
    clock_gettime(getenv("BENCH_CPU") ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void check(lxm_status status, const lxm_error *error)
{
    if (!status)
        return;
    fprintf(stderr, "bench_encode: %s: %s\n", error->path ? error->path : "", error->message);
    exit(1);
}

static uint8_t *read_file(const char *path, size_t most, size_t *length)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = malloc(most);
    if (!file || !bytes) {
        fprintf(stderr, "bench_encode: can't read %s\n", path);
        exit(1);
    }
    *length = fread(bytes, 1, most, file);
    fclose(file);
    return bytes;
}

static void keep(const char *path, const lxm_ids *ids)
{
    FILE *file = strcmp(path, "-") ? fopen(path, "wb") : NULL;
    if (!file)
        return;
    if (fwrite(ids->ids, sizeof *ids->ids, ids->count, file) != ids->count || fclose(file)) {
        fprintf(stderr, "bench_encode: can't write %s\n", path);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    lxm_vocab *vocab;
    lxm_tokenizer *tokenizer;
    lxm_encoder *encoder;
    lxm_error error;
    lxm_ids ids;
    size_t length;
    if (argc != 6) {
        fprintf(stderr, "usage: bench_encode VOCAB PRESET FILE BYTES IDS-FILE|-\n");
        return 2;
    }
    uint8_t *text = read_file(argv[3], strtoull(argv[4], NULL, 10), &length);
    lxm_tokenizer_options options = {.preset = argv[2]};
    check(lxm_vocab_open(&vocab, argv[1], NULL, &error), &error);
    check(lxm_tokenizer_new(&tokenizer, &options, NULL, &error), &error);
    check(lxm_encoder_new(&encoder, tokenizer, vocab, NULL, NULL, &error), &error);
    for (int pass = 0; pass < 2; pass++) {
        double begin = seconds();
        check(lxm_encoder_encode(encoder, text, length, &ids, &error), &error);
        printf("%.1f%s", (double)length / (seconds() - begin) / 1e6, pass ? "\n" : " ");
    }
    keep(argv[5], &ids);
    lxm_encoder_free(encoder);
    lxm_tokenizer_free(tokenizer);
    lxm_vocab_free(vocab);
    free(text);
    return 0;
}
