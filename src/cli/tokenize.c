/* tokenize: text -> tokens. */
#include "cli.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: tokenize [OPTION]... [FILE]...\n"
    "Cuts text into tokens, one a line. Without FILE, or where it is -, reads\n"
    "standard input.\n"
    "\n"
    "  -p, --preset NAME      words (default), book, gpt2, ...; see --list\n"
    "      --list             show the presets and their patterns\n"
    "  -e, --pattern REGEX    each match of a PCRE2 pattern is a token\n"
    "      --split REGEX      what lies between matches is a token\n"
    "      --from FILE        the pattern and normalisation of a tokenizer.json\n"
    "  -n, --normalize FORM   nfc, nfd, nfkc or nfkd\n"
    "      --casefold, --lowercase, --strip-marks, --clean (BERT's)\n"
    "  -d, --documents HOW    documents: file (default), line, blank, nul, or\n"
    "                         jsonl[:FIELD], a string (text) in each line's object\n"
    "      --skip-bad         jsonl: skip bad lines, and say how many\n"
    "      --files-from FILE  read the files that FILE names, one a line, as well\n"
    "      --special TOKEN    keep TOKEN whole; may be repeated\n"
    "      --invalid HOW      bad UTF-8: error (default), replace, bytes\n"
    "      --offsets          add where a token stands in its document\n"
    "      --max-token SIZE   longest token allowed (default 16M)\n"
    "      --match-limit N    PCRE2 steps for one match (default 10000000)\n"
    "  -f, --format FORMAT    text (default), binary (-b, --binary) or jsonl\n"
    "  -o, --output FILE      write FILE, whole or not at all\n"
    "  -j, --threads N        default: all processors; the output is the same\n"
    "      --[no-]progress, -q, --quiet, -v, --verbose, -h, --help, --version\n"
    "\n"
    "examples:\n"
    "  tokenize book.txt | sort | uniq -c | sort -rn | head    count words\n"
    "  tokenize -p gpt2 -d line -f jsonl --offsets a.txt       tokens and offsets\n"
    "  tokenize book.txt | idmap | embed > vectors.npy         the whole chain\n";

enum {
    option_list = cli_option_own,
    option_split,
    option_casefold,
    option_lowercase,
    option_strip_marks,
    option_special,
    option_invalid,
    option_offsets,
    option_max_token,
    option_match_limit,
    option_clean,
    option_skip_bad,
    option_files_from,
    option_from,
};

static const struct option long_options[] = {
    CLI_COMMON_LONG,
    {"preset", required_argument, NULL, 'p'},
    {"list", no_argument, NULL, option_list},
    {"pattern", required_argument, NULL, 'e'},
    {"split", required_argument, NULL, option_split},
    {"normalize", required_argument, NULL, 'n'},
    {"casefold", no_argument, NULL, option_casefold},
    {"lowercase", no_argument, NULL, option_lowercase},
    {"strip-marks", no_argument, NULL, option_strip_marks},
    {"documents", required_argument, NULL, 'd'},
    {"special", required_argument, NULL, option_special},
    {"invalid", required_argument, NULL, option_invalid},
    {"offsets", no_argument, NULL, option_offsets},
    {"max-token", required_argument, NULL, option_max_token},
    {"match-limit", required_argument, NULL, option_match_limit},
    {"clean", no_argument, NULL, option_clean},
    {"skip-bad", no_argument, NULL, option_skip_bad},
    {"from", required_argument, NULL, option_from},
    {"files-from", required_argument, NULL, option_files_from},
    {NULL, 0, NULL, 0},
};

typedef struct settings {
    cli_common common;
    lxm_tokenizer_options tokenizer;
    lxm_tokenize_run_options run;
    const char *files_from;
    const char *from;
    const char **specials;
    bool list;
} settings;

static int list_presets(void)
{
    const lxm_preset *preset;
    for (size_t i = 0; (preset = lxm_preset_at(i)); i++)
        printf("%s\n  %s\n  from: %s\n  pattern: %s\n\n", preset->name, preset->summary,
               preset->origin, preset->pattern);
    if (fflush(stdout) == EOF || fclose(stdout) == EOF) {
        cli_note("standard output: write failed");
        return exit_failed;
    }
    return exit_done;
}

static void set_documents(lxm_tokenize_run_options *run, const char *how)
{
    static const char *const ways[] = {"file", "line", "blank", "nul", "jsonl", NULL};
    static const char json_field[] = "jsonl:";
    bool field = strncmp(how, json_field, strlen(json_field)) == 0;
    run->field = field ? how + strlen(json_field) : NULL;
    run->documents = (lxm_documents)cli_choice("documents", field ? "jsonl" : how, ways);
    if (field && !*run->field)
        cli_usage("--documents: '%s' names no field", how);
}

static void set_option(settings *s, int option)
{
    static const char *const forms[] = {"none", "nfc", "nfd", "nfkc", "nfkd", NULL};
    static const char *const invalid[] = {"error", "replace", "bytes", NULL};
    lxm_tokenizer_options *t = &s->tokenizer;
    switch (option) {
    case 'p':
        t->preset = optarg;
        break;
    case option_list:
        s->list = true;
        break;
    case 'e':
    case option_split:
        t->pattern = optarg;
        t->split = option == option_split;
        break;
    case 'n':
        t->normal_form = (lxm_normal_form)cli_choice("normalize", optarg, forms);
        break;
    case option_casefold:
        t->casefold = true;
        break;
    case option_lowercase:
        t->lowercase = true;
        break;
    case option_clean:
        t->clean = true;
        break;
    case option_strip_marks:
        t->strip_marks = true;
        break;
    case 'd':
        set_documents(&s->run, optarg);
        break;
    case option_special:
        s->specials[t->special_count++] = optarg;
        break;
    case option_invalid:
        t->invalid = (lxm_invalid)cli_choice("invalid", optarg, invalid);
        break;
    case option_offsets:
        t->offsets = true;
        break;
    case option_max_token:
        t->max_token = cli_size("max-token", optarg, 1, 1 << 30);
        break;
    case option_match_limit:
        t->match_limit = (uint32_t)cli_number("match-limit", optarg, 1, UINT32_MAX);
        break;
    case option_skip_bad:
        s->run.skip_bad = true;
        break;
    case option_from:
        s->from = optarg;
        break;
    case option_files_from:
        s->files_from = optarg;
        break;
    default:
        cli_try_help();
    }
}

static void say_skipped(const lxm_tokenize_run_result *result)
{
    const char *path = result->bad_path;
    if (path)
        cli_note("skipped %" PRIu64 " bad lines of %" PRIu64 ", the first at %s:%" PRIu64,
                 result->bad_lines, result->lines, strcmp(path, "-") ? path : "standard input",
                 result->bad_line);
}

static lxm_status tokenize(const settings *s, const cli_paths *inputs, lxm_error *error)
{
    lxm_tokenizer *tokenizer = NULL;
    lxm_output *output = NULL;
    lxm_stream_options stream = {.format = cli_stream_format(&s->common),
                                 .offsets = s->tokenizer.offsets};
    cli_progress progress;
    lxm_tokenize_run_result result = {0};
    lxm_job job = cli_job(&s->common, inputs, &progress);
    lxm_status status = s->from
                            ? lxm_tokenizer_open(&tokenizer, s->from, &s->tokenizer, NULL, error)
                            : lxm_tokenizer_new(&tokenizer, &s->tokenizer, NULL, error);
    if (!status)
        status = lxm_output_open(&output, s->common.output, NULL, error);
    if (!status)
        status = lxm_run_tokenize(tokenizer, inputs->paths, inputs->count, &s->run, &stream, output,
                                  &job, &result, error);
    cli_progress_end(&progress);
    if (status)
        lxm_output_discard(output);
    else
        status = lxm_output_commit(output, error);
    if (!status && !s->common.quiet)
        say_skipped(&result);
    lxm_tokenizer_free(tokenizer);
    return status;
}

int main(int argc, char **argv)
{
    cli_start("tokenize");
    settings s = {.common = CLI_COMMON_DEFAULT};
    s.specials = calloc((size_t)argc + 1, sizeof *s.specials);
    if (!s.specials)
        cli_usage("out of memory");
    s.tokenizer.specials = s.specials;
    for (int option;
         (option = getopt_long(argc, argv, CLI_COMMON_SHORT "p:e:n:d:", long_options, NULL)) != -1;)
        if (!cli_common_option(&s.common, option, help))
            set_option(&s, option);
    if (s.list) {
        free(s.specials);
        return list_presets();
    }
    cli_paths inputs = cli_inputs(argc, argv, optind);
    cli_list list = {0};
    lxm_error error = {0};
    lxm_status status = LXM_OK;
    if (s.files_from) {
        status = cli_list_read(&list, argc, argv, optind, s.files_from, &error);
        inputs = (cli_paths){list.paths, list.count};
    }
    if (!status)
        status = tokenize(&s, &inputs, &error);
    int result = status ? cli_failure(&error) : exit_done;
    cli_list_free(&list); /* the error may name one of its paths */
    free(s.specials);
    return result;
}
