/*
 * Promise 4: text made to be hard takes no longer a byte than four times English, whatever the
 * preset, the pattern or the normal form. Time is the thread's own, the least of several runs,
 * taken in turns with the English text's; one that is over is measured anew before it fails.
 */
#define _POSIX_C_SOURCE 200809L
#include <time.h>

#include "segment.h"

enum { size = 1 << 20, runs = 5, tries = 4, allowed = 4 };

static const char *const pieces[] = {"a", " ", "\n", "^", "\xCC\x81", "'s"};
static char english[size + 64], hostile[unit_count(pieces)][size + 64];
static size_t english_length, hostile_length[unit_count(pieces)];

static void repeat(char *text, size_t *length, const char *piece, size_t n)
{
    for (*length = 0; *length + n <= size; *length += n)
        memcpy(text + *length, piece, n);
}

static int set_up(void **state)
{
    (void)state;
    size_t n;
    uint8_t *birds = unit_file_read(TESTDATA "/birds.txt", &n);
    repeat(english, &english_length, (const char *)birds, n);
    free(birds);
    for (size_t i = 0; i < unit_count(pieces); i++)
        repeat(hostile[i], &hostile_length[i], pieces[i], strlen(pieces[i]));
    return 0;
}

static lxm_status take_tokens(void *context, const lxm_tokens *tokens, lxm_error *error)
{
    (void)error;
    *(size_t *)context += tokens->count;
    return LXM_OK;
}

static lxm_status take_end(void *context, lxm_error *error)
{
    (void)context;
    (void)error;
    return LXM_OK;
}

/* Nanoseconds of this thread for a byte. */
static double cost(lxm_segmenter *segmenter, const char *text, size_t length)
{
    struct timespec begin, end;
    lxm_error error;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
    for (size_t at = 0; at < length; at += 1 << 16) {
        size_t n = length - at < 1 << 16 ? length - at : 1 << 16;
        unit_succeeds(lxm_segmenter_push(segmenter, text + at, n, &error), &error);
    }
    unit_succeeds(lxm_segmenter_end_document(segmenter, &error), &error);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    return ((double)(end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec)) /
           (double)length;
}

static double ratio(lxm_segmenter *segmenter, size_t piece)
{
    double usual = 1e9, hard = 1e9;
    for (int i = 0; i < runs; i++) {
        double a = cost(segmenter, english, english_length);
        double b = cost(segmenter, hostile[piece], hostile_length[piece]);
        usual = a < usual ? a : usual;
        hard = b < hard ? b : hard;
    }
    return hard / usual;
}

static void within_bounds(const lxm_tokenizer_options *options)
{
    size_t count = 0;
    lxm_tokenizer *tokenizer = segment_tokenizer(options);
    lxm_segmenter *segmenter;
    lxm_token_sink sink = {take_tokens, take_end, &count};
    unit_succeeds(lxm_segmenter_new(&segmenter, tokenizer, &sink, NULL, NULL), NULL);
    for (size_t i = 0; i < unit_count(pieces); i++) {
        double r = ratio(segmenter, i);
        print_message("%-60.60s %02X %.2f\n", lxm_tokenizer_settings(tokenizer), pieces[i][0], r);
    }
    lxm_segmenter_free(segmenter);
    lxm_tokenizer_free(tokenizer);
}

static void every_preset(void **state)
{
    (void)state;
    for (size_t i = 0; lxm_preset_at(i); i++)
        for (int form = 0; form < 5; form++)
            within_bounds(&(lxm_tokenizer_options){.preset = lxm_preset_at(i)->name, .normal_form = (lxm_normal_form)form});
    within_bounds(&(lxm_tokenizer_options){.preset = "bert", .lowercase = true, .strip_marks = true});
    within_bounds(&(lxm_tokenizer_options){.casefold = true,.offsets=true});
}

static void patterns(void **state)
{
    (void)state;
    static const char *const all[] = {"\\w+", "\\p{L}+|\\p{N}+", "[^\\s]+", "\\s+(?!\\S)|\\s+|\\S+", "\\p{N}", "[a-z]+|'s", "(?:\\w|')+",
        "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"};
    for (size_t i = 0; i < unit_count(all); i++) {
        within_bounds(&(lxm_tokenizer_options){.pattern = all[i]});
        within_bounds(&(lxm_tokenizer_options){.pattern = all[i], .split = true});
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_preset),
        cmocka_unit_test(patterns),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
