/* Times lxm_encoder on a file in memory: bench_encode VOCAB PRESET FILE BYTES IDS-FILE|- THREADS
 * Prints three numbers: the milliseconds that loading the vocabulary took, MB/s of the first pass
 * and of the second. One thread takes the file as one document; more take it in parts of 64 KiB,
 * each cut behind a line, with an encoder each. Run by encode.py. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lexmill/lexmill.h"

enum { most_threads = 64, part_size = 1 << 16 };

/* What threads share: the text that no one has taken yet. */
typedef struct work {
    const uint8_t *text;
    size_t length, at;
    pthread_mutex_t lock;
} work;

typedef struct worker {
    pthread_t thread;
    work *work;
    lxm_encoder *encoder;
    uint32_t *ids;
    size_t count, capacity;
} worker;

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

static size_t take_part(work *w, const uint8_t **part)
{
    pthread_mutex_lock(&w->lock);
    size_t length = w->length - w->at < part_size ? w->length - w->at : part_size;
    *part = w->text + w->at;
    while (w->at + length < w->length && (*part)[length - 1] != '\n')
        length++;
    w->at += length;
    pthread_mutex_unlock(&w->lock);
    return length;
}

/* Encodes parts and keeps their ids, as the peers do. */
static void *encode_parts(void *pointer)
{
    worker *w = pointer;
    const uint8_t *part;
    lxm_error error;
    lxm_ids ids;
    w->count = 0;
    for (size_t length; (length = take_part(w->work, &part)) > 0; w->count += ids.count) {
        check(lxm_encoder_encode(w->encoder, part, length, &ids, &error), &error);
        if (ids.count > w->capacity - w->count) {
            w->capacity = 2 * w->capacity + ids.count;
            w->ids = realloc(w->ids, w->capacity * sizeof *w->ids);
            if (!w->ids)
                exit(1);
        }
        memcpy(w->ids + w->count, ids.ids, ids.count * sizeof *w->ids);
    }
    return NULL;
}

static void encode_side_by_side(worker *workers, size_t threads, work *all)
{
    all->at = 0;
    for (size_t i = 0; i < threads; i++)
        if (pthread_create(&workers[i].thread, NULL, encode_parts, &workers[i]))
            exit(1);
    for (size_t i = 0; i < threads; i++)
        pthread_join(workers[i].thread, NULL);
}

int main(int argc, char **argv)
{
    worker workers[most_threads] = {{.count = 0}};
    work all = {.lock = PTHREAD_MUTEX_INITIALIZER};
    lxm_vocab *vocab;
    lxm_tokenizer *tokenizer;
    lxm_error error;
    lxm_ids ids;
    size_t threads = argc == 7 ? strtoull(argv[6], NULL, 10) : 0;
    if (threads < 1 || threads > most_threads) {
        fprintf(stderr, "usage: bench_encode VOCAB PRESET FILE BYTES IDS-FILE|- THREADS\n");
        return 2;
    }
    uint8_t *text = read_file(argv[3], strtoull(argv[4], NULL, 10), &all.length);
    lxm_tokenizer_options options = {.preset = argv[2]};
    all.text = text;
    double begin = seconds();
    check(lxm_vocab_open(&vocab, argv[1], NULL, &error), &error);
    printf("%.2f ", (seconds() - begin) * 1e3);
    check(lxm_tokenizer_new(&tokenizer, &options, NULL, &error), &error);
    for (size_t i = 0; i < threads; i++) {
        lxm_encoder **encoder = &workers[i].encoder;
        workers[i].work = &all;
        check(lxm_encoder_new(encoder, tokenizer, vocab, NULL, NULL, &error), &error);
        check(lxm_encoder_encode(*encoder, "a", 1, &ids, &error), &error);
    }
    for (int pass = 0; pass < 2; pass++) {
        begin = seconds();
        if (threads > 1)
            encode_side_by_side(workers, threads, &all);
        else
            check(lxm_encoder_encode(workers[0].encoder, text, all.length, &ids, &error), &error);
        printf("%.1f%s", (double)all.length / (seconds() - begin) / 1e6, pass ? "\n" : " ");
    }
    if (threads == 1)
        keep(argv[5], &ids);
    for (size_t i = 0; i < threads; i++) {
        lxm_encoder_free(workers[i].encoder);
        free(workers[i].ids);
    }
    lxm_tokenizer_free(tokenizer);
    lxm_vocab_free(vocab);
    free(text);
    return 0;
}
