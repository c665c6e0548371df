/*
 * Promise 4: text made to be hard takes no longer a byte than four times English, in every preset,
 * in every normal form and with patterns of the user's, in text and in binary form. Time is the
 * processor's, for a whole job of one thread, the least of several runs, in turns with English;
 * what is over is measured anew before it fails.
 */
#define _POSIX_C_SOURCE 200809L
#include <time.h>

#include "unit.h"

enum { size = 1 << 20, runs = 3, tries = 6, bound = 4 };

#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
enum { slower = 4 }; /* a sanitizer's time is not the program's */
#else
enum { slower = 1 };
#endif

static const char *const pieces[] = {"a", " ", "\n", "^", "\xCC\x81", "'s"};
static char *folder, *english, *hostile[unit_count(pieces)];

static char *write_run(const char *name, const char *piece, size_t n)
{
    char *path = unit_path(folder, name), *text = malloc(size);
    assert_non_null(text);
    size_t length = 0;
    for (; length + n <= size; length += n)
        memcpy(text + length, piece, n);
    unit_file_write(path, text, length);
    free(text);
    return path;
}

static int set_up(void **state)
{
    (void)state;
    size_t n;
    uint8_t *birds = unit_file_read(TESTDATA "/birds.txt", &n);
    folder = unit_folder_make();
    english = write_run("english", (const char *)birds, n);
    for (size_t i = 0; i < unit_count(pieces); i++)
        hostile[i] = write_run((const char[]){(char)('0' + i), '\0'}, pieces[i], strlen(pieces[i]));
    free(birds);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unit_folder_remove(folder);
    free(english);
    for (size_t i = 0; i < unit_count(pieces); i++)
        free(hostile[i]);
    return 0;
}

/* Seconds of processor time; both texts are of one size, but for a few bytes. */
static double cost(const lxm_tokenizer *tokenizer, const char *path, lxm_stream_format format)
{
    struct timespec begin, end;
    lxm_stream_options stream = {.format = format};
    lxm_job job = {.threads = 1};
    lxm_output *output;
    lxm_error error;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
    unit_succeeds(lxm_output_open(&output, "/dev/null", NULL, &error), &error);
    unit_succeeds(lxm_run_tokenize(tokenizer, &path, 1, NULL, &stream, output, &job, NULL, &error),
                  &error);
    unit_succeeds(lxm_output_commit(output, &error), &error);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    return (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec);
}

static double ratio(const lxm_tokenizer *tokenizer, const char *path, lxm_stream_format format)
{
    double usual = 1e9, hard = 1e9;
    for (int i = 0; i < runs; i++) {
        double a = cost(tokenizer, english, format), b = cost(tokenizer, path, format);
        usual = a < usual ? a : usual;
        hard = b < hard ? b : hard;
    }
    return hard / usual;
}

static void within_in_form(lxm_stream_format format, const lxm_tokenizer_options *options)
{
    lxm_tokenizer *tokenizer;
    lxm_error error;
    unit_succeeds(lxm_tokenizer_new(&tokenizer, options, NULL, &error), &error);
    for (size_t i = 0; i < unit_count(pieces); i++) {
        double least = 1e9;
        for (int t = 0; t < tries && least > bound * slower; t++) {
            double r = ratio(tokenizer, hostile[i], format);
            least = r < least ? r : least;
        }
        if (least > bound * slower)
            fail_msg("%s: a run of '%s' takes %.1f times as long as English in %s form",
                     lxm_tokenizer_settings(tokenizer), pieces[i], least,
                     format == LXM_STREAM_TEXT ? "text" : "binary");
    }
    lxm_tokenizer_free(tokenizer);
}

static void stay_within_bound(const lxm_tokenizer_options *options)
{
    within_in_form(LXM_STREAM_TEXT, options);
    within_in_form(LXM_STREAM_BINARY, options);
}

static void every_preset_takes_four_times_englishs_time_at_most(void **state)
{
    (void)state;
    for (size_t i = 0; lxm_preset_at(i); i++)
        stay_within_bound(&(lxm_tokenizer_options){.preset = lxm_preset_at(i)->name});
}

static void every_normal_form_takes_four_times_englishs_time_at_most(void **state)
{
    (void)state;
    static const char *const presets[] = {"words", "bert", "gpt2", "cl100k", "o200k"};
    for (size_t i = 0; i < unit_count(presets); i++)
        for (int form = LXM_NORMAL_NFC; form <= LXM_NORMAL_NFKD; form++)
            stay_within_bound(&(lxm_tokenizer_options){.preset = presets[i],
                                                       .normal_form = (lxm_normal_form)form});
    stay_within_bound(
        &(lxm_tokenizer_options){.preset = "bert", .lowercase = true, .strip_marks = true});
    stay_within_bound(&(lxm_tokenizer_options){.casefold = true});
}

/* Those of tokenizer.json files that PCRE2 runs, and a user's. */
static void patterns_take_four_times_englishs_time_at_most(void **state)
{
    (void)state;
    static const char *const patterns[] = {
        "\\p{N}{1,3}",
        "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+"
        "|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*"
        "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
        "\\w+|[^\\w\\s]+",
        "\\w+",
        "\\S+",
        "[a-z]+|'s",
    };
    for (size_t i = 0; i < unit_count(patterns); i++) {
        stay_within_bound(&(lxm_tokenizer_options){.pattern = patterns[i]});
        stay_within_bound(&(lxm_tokenizer_options){.pattern = patterns[i], .split = true});
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_preset_takes_four_times_englishs_time_at_most),
        cmocka_unit_test(every_normal_form_takes_four_times_englishs_time_at_most),
        cmocka_unit_test(patterns_take_four_times_englishs_time_at_most),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
