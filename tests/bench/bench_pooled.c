/* Times lxm_embedder on the lines of a file in memory: bench_pooled MODEL FILE PASSES VECTORS|-
 * Prints the seconds of processor time of each pass; an embedder that has met no text makes the
 * first. Run by pooled.py. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lexmill/lexmill.h"

typedef struct lines {
    char *bytes;
    lxm_text *texts;
    size_t count;
} lines;

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "bench_pooled: %s: %s\n", what, why);
    exit(1);
}

static void check(lxm_status status, const lxm_error *error)
{
    if (status)
        fail(error->path ? error->path : "text", error->message);
}

static lines read_lines(const char *path)
{
    FILE *file = fopen(path, "rb");
    lines l = {NULL, NULL, 0};
    size_t length = 0;
    if (!file || fseek(file, 0, SEEK_END) || (length = (size_t)ftell(file)) == 0)
        fail(path, "can't be read, or is empty");
    rewind(file);
    l.bytes = malloc(length);
    l.texts = calloc(length, sizeof *l.texts);
    if (!l.bytes || !l.texts || fread(l.bytes, 1, length, file) != length)
        fail(path, "can't be read");
    fclose(file);
    const char *line = l.bytes, *end = l.bytes + length;
    for (const char *next; (next = memchr(line, '\n', (size_t)(end - line))); line = next + 1)
        l.texts[l.count++] = (lxm_text){line, (size_t)(next - line)};
    return l;
}

static void pass(lxm_embedder *embedder, const lines *l, float *vectors)
{
    lxm_error error = {0};
    size_t done;
    check(lxm_embedder_embed_all(embedder, l->texts, l->count, vectors, &done, &error), &error);
}

static void keep(const char *path, const float *vectors, size_t count)
{
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(vectors, sizeof *vectors, count, file) != count || fclose(file))
        fail(path, "can't be written");
}

int main(int argc, char **argv)
{
    lxm_static_model *model;
    lxm_embedder *embedder;
    lxm_error error = {0};
    if (argc != 5)
        fail("usage", "bench_pooled MODEL FILE PASSES VECTORS|-");
    lines l = read_lines(argv[2]);
    check(lxm_static_model_open(&model, argv[1], NULL, NULL, &error), &error);
    size_t dim = lxm_table_dim(lxm_static_model_table(model));
    float *vectors = calloc(l.count * dim + 1, sizeof *vectors);
    if (!vectors)
        fail(argv[2], "no memory for the vectors");
    check(lxm_embedder_new(&embedder, lxm_static_model_tokenizer(model),
                           lxm_static_model_vocab(model), lxm_static_model_table(model),
                           lxm_static_model_pool(model), NULL, &error),
          &error);
    double begin = seconds();
    for (long i = 0; i < strtol(argv[3], NULL, 10); i++) {
        pass(embedder, &l, vectors);
        double end = seconds();
        printf("%s%.6f", i ? " " : "", end - begin);
        begin = seconds();
    }
    putchar('\n');
    if (strcmp(argv[4], "-") != 0)
        keep(argv[4], vectors, l.count * dim);
    lxm_embedder_free(embedder);
    lxm_static_model_free(model);
    free(vectors);
    free(l.texts);
    free(l.bytes);
    return 0;
}
