/*
 * The scanners against a bare PCRE2 JIT loop over the same pattern, and against `wc -w`:
 *
 *   bench_scan [-p PRESET] [-r ROUNDS] FILE...
 *
 * All runs of a file are interleaved and medians are printed. Before timing, the number and a hash
 * of the spans of each variant are compared with PCRE2's.
 */
#define _GNU_SOURCE
#define PCRE2_CODE_UNIT_WIDTH 8
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <pcre2.h>

#include "base/hash.h"
#include "base/utf8.h"
#include "tokenize/scan/scan.h"

enum { VARIANTS = 3, RUNS = VARIANTS + 2, MOST_ROUNDS = 99, SPANS = 4096 };

static lxm_span spans[SPANS];
static pcre2_match_context *match_context;

typedef struct outcome {
    uint64_t hash;
    size_t count;
} outcome;

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void add_hash(outcome *o, size_t count, bool hash)
{
    o->count += count;
    if (hash)
        o->hash = lxm_hash(spans, count * sizeof *spans, o->hash);
}

static outcome run_scanner(const lxm_scanner *scanner, const uint8_t *text, size_t length,
                           bool hash)
{
    outcome o = {0};
    lxm_scan scan = {.text = text,
                     .length = length,
                     .first = true,
                     .final = true,
                     .spans = spans,
                     .capacity = SPANS};
    do {
        scan.count = 0;
        scanner->scan(scanner, NULL, &scan, NULL);
        add_hash(&o, scan.count, hash);
    } while (scan.count == SPANS);
    return o;
}

static outcome run_pcre2(const pcre2_code *code, pcre2_match_data *match, const uint8_t *text,
                         size_t length, bool hash)
{
    outcome o = {0};
    const PCRE2_SIZE *ovector = pcre2_get_ovector_pointer(match);
    size_t count = 0;
    for (size_t at = 0; at < length; at = ovector[1]) {
        if (pcre2_jit_match(code, text, length, at, PCRE2_NOTEMPTY, match, match_context) <= 0)
            break;
        spans[count++] = (lxm_span){(uint32_t)ovector[0], (uint32_t)ovector[1]};
        if (count == SPANS) {
            add_hash(&o, count, hash);
            count = 0;
        }
    }
    add_hash(&o, count, hash);
    return o;
}

static void run_wc(const char *path)
{
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY);
        if (null >= 0 && dup2(null, 1) == 1)
            execlp("wc", "wc", "-w", path, (char *)NULL);
        _exit(127);
    }
    int status;
    waitpid(child, &status, 0);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, by_value);
    return values[count / 2];
}

typedef struct contest {
    const char *path;
    uint8_t *text;
    size_t length;
    const lxm_preset *preset;
    pcre2_code *code;
    pcre2_match_data *match;
    const lxm_scanner *scanners[VARIANTS];
    const char *names[VARIANTS];
    int count, rounds;
} contest;

static bool equal_outcomes(const contest *c)
{
    outcome want = run_pcre2(c->code, c->match, c->text, c->length, true);
    for (int v = 0; v < c->count; v++) {
        outcome have = run_scanner(c->scanners[v], c->text, c->length, true);
        if (have.count != want.count || have.hash != want.hash) {
            printf("%s %s: %s differs from PCRE2: %zu tokens, %zu\n", c->path, c->preset->name,
                   c->names[v], have.count, want.count);
            return false;
        }
    }
    return true;
}

static void compete(const contest *c)
{
    static double times[RUNS][MOST_ROUNDS];
    for (int r = 0; r < c->rounds; r++)
        for (int k = 0; k < c->count + 2; k++) {
            double start = seconds();
            if (k < c->count)
                run_scanner(c->scanners[k], c->text, c->length, false);
            else if (k == c->count)
                run_pcre2(c->code, c->match, c->text, c->length, false);
            else
                run_wc(c->path);
            times[k][r] = seconds() - start;
        }
    double megabytes = (double)c->length / 1e6,
           pcre2 = megabytes / median(times[c->count], c->rounds);
    printf("%-12s %-10s pcre2 %6.0f  wc %5.0f",
           strrchr(c->path, '/') ? strrchr(c->path, '/') + 1 : c->path, c->preset->name, pcre2,
           megabytes / median(times[c->count + 1], c->rounds));
    for (int v = 0; v < c->count; v++) {
        double rate = megabytes / median(times[v], c->rounds);
        printf("  %s %6.0f (%5.1fx)", c->names[v], rate, rate / pcre2);
    }
    printf("\n");
    fflush(stdout);
}

static bool bench_preset(contest *c)
{
    static const char *const limits[VARIANTS] = {"scalar", "avx2", NULL};
    static const char *const names[VARIANTS] = {"scalar", "avx2", "best"};
    int error;
    PCRE2_SIZE offset;
    c->code = pcre2_compile((PCRE2_SPTR)c->preset->pattern, PCRE2_ZERO_TERMINATED,
                            PCRE2_UTF | PCRE2_UCP, &error, &offset, NULL);
    if (!c->code || pcre2_jit_compile(c->code, PCRE2_JIT_COMPLETE) != 0)
        return false;
    c->match = pcre2_match_data_create_from_pattern(c->code, NULL);
    c->count = 0;
    for (int v = 0; v < VARIANTS; v++) {
        const lxm_scanner *s =
            lxm_scanner_for_preset(c->preset->name, lxm_cpu_features_up_to(limits[v]));
        if (s && (c->count == 0 || s != c->scanners[c->count - 1])) {
            c->names[c->count] = names[v];
            c->scanners[c->count++] = s;
        }
    }
    bool equal = equal_outcomes(c);
    if (equal)
        compete(c);
    pcre2_match_data_free(c->match);
    pcre2_code_free(c->code);
    return equal;
}

/* Bytes that aren't UTF-8 become question marks: neither side takes them. */
static void make_valid(uint8_t *text, size_t length)
{
    for (size_t at = 0; (at += lxm_utf8_valid(text + at, length - at)) < length;)
        text[at] = '?';
}

static bool bench_file(contest *c, const char *only)
{
    struct stat info;
    int file = open(c->path, O_RDONLY);
    if (file < 0 || fstat(file, &info) != 0 || info.st_size <= 0)
        return false;
    c->length = (size_t)info.st_size;
    c->text = mmap(NULL, c->length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_POPULATE, file, 0);
    close(file);
    if (c->text == MAP_FAILED)
        return false;
    make_valid(c->text, c->length);
    bool good = true;
    for (size_t i = 0; lxm_preset_at(i); i++) {
        c->preset = lxm_preset_at(i);
        if ((!only || strcmp(only, c->preset->name) == 0) &&
            lxm_scanner_for_preset(c->preset->name, 0))
            good = bench_preset(c) && good;
    }
    munmap(c->text, c->length);
    return good;
}

int main(int argc, char **argv)
{
    contest c = {.rounds = 5};
    const char *only = NULL;
    for (int option; (option = getopt(argc, argv, "p:r:")) != -1;) {
        if (option == 'p')
            only = optarg;
        else if (option == 'r')
            c.rounds = (int)strtol(optarg, NULL, 10);
        else
            return 2;
    }
    if (c.rounds < 1 || c.rounds > MOST_ROUNDS)
        return 2;
    match_context = pcre2_match_context_create(NULL);
    pcre2_jit_stack *stack = pcre2_jit_stack_create(32 * 1024, 64 * 1024 * 1024, NULL);
    pcre2_jit_stack_assign(match_context, NULL, stack);
    bool good = true;
    printf("MB/s, median of %d\n", c.rounds);
    for (int i = optind; i < argc; i++) {
        c.path = argv[i];
        if (!bench_file(&c, only)) {
            printf("%s: failed\n", c.path);
            good = false;
        }
    }
    pcre2_jit_stack_free(stack);
    pcre2_match_context_free(match_context);
    return good ? 0 : 1;
}
