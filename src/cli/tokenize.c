/* tokenize: text -> tokens. */
#include "text.h"

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
    "  -d, --documents HOW    documents: file (default), line, blank, nul,\n"
    "                         sentence, or jsonl[:FIELD], a string (text) in each\n"
    "                         line's object\n"
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

enum { option_list = cli_text_own };

static const struct option long_options[] = {
    CLI_COMMON_LONG,
    CLI_TEXT_LONG,
    {"list", no_argument, NULL, option_list},
    {NULL, 0, NULL, 0},
};

typedef struct settings {
    cli_common common;
    cli_text text;
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

static void set_option(settings *s, int option)
{
    if (option == option_list)
        s->list = true;
    else if (!cli_text_option(&s->text, option))
        cli_try_help();
}

static lxm_status tokenize(const settings *s, const cli_paths *inputs, lxm_error *error)
{
    lxm_tokenizer *tokenizer = NULL;
    lxm_output *output = NULL;
    lxm_stream_options stream = {.format = cli_stream_format(&s->common),
                                 .offsets = s->text.tokenizer.offsets};
    cli_progress progress;
    lxm_tokenize_run_result result = {0};
    lxm_job job = cli_job(&s->common, inputs, &progress);
    lxm_status status = cli_text_tokenizer(&s->text, &tokenizer, error);
    if (!status)
        status = lxm_output_open(&output, s->common.output, NULL, error);
    if (!status)
        status = lxm_run_tokenize(tokenizer, inputs->paths, inputs->count, &s->text.run, &stream,
                                  output, &job, &result, error);
    cli_progress_end(&progress);
    if (status)
        lxm_output_discard(output);
    else
        status = lxm_output_commit(output, error);
    if (!status && !s->common.quiet)
        cli_text_skipped(&result);
    if (!status && s->common.verbose)
        cli_text_tell(&result, "tokens");
    lxm_tokenizer_free(tokenizer);
    return status;
}

int main(int argc, char **argv)
{
    cli_start("tokenize");
    settings s = {.common = CLI_COMMON_DEFAULT};
    cli_text_begin(&s.text, argc);
    for (int option; (option = getopt_long(argc, argv, CLI_COMMON_SHORT CLI_TEXT_SHORT,
                                           long_options, NULL)) != -1;)
        if (!cli_common_option(&s.common, option, help))
            set_option(&s, option);
    if (s.list) {
        cli_text_end(&s.text);
        return list_presets();
    }
    cli_paths inputs = cli_inputs(argc, argv, optind);
    cli_list list = {0};
    lxm_error error = {0};
    lxm_status status = LXM_OK;
    if (s.text.files_from) {
        status = cli_list_read(&list, argc, argv, optind, s.text.files_from, &error);
        inputs = (cli_paths){list.paths, list.count};
    }
    if (!status)
        status = tokenize(&s, &inputs, &error);
    int result = status ? cli_failure(&error) : exit_done;
    cli_list_free(&list); /* the error may name one of its paths */
    cli_text_end(&s.text);
    return result;
}
