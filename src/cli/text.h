/* The options of programs that read text: what becomes of it on the way to tokens. */
#ifndef LXM_CLI_TEXT_H
#define LXM_CLI_TEXT_H

#include "cli.h"

typedef struct cli_text {
    lxm_tokenizer_options tokenizer;
    lxm_tokenize_run_options run;
    const char *from; /* a tokenizer.json, or NULL */
    const char *files_from;
    const char **specials; /* as many as fit the command line */
} cli_text;

enum {
    cli_text_split = cli_option_own,
    cli_text_casefold,
    cli_text_lowercase,
    cli_text_strip_marks,
    cli_text_clean,
    cli_text_special,
    cli_text_invalid,
    cli_text_offsets,
    cli_text_max_token,
    cli_text_match_limit,
    cli_text_skip_bad,
    cli_text_from,
    cli_text_files_from,
    cli_text_own, /* a program's own start here */
};

#define CLI_TEXT_SHORT "p:e:n:d:"
#define CLI_TEXT_LONG                                                                              \
    {"preset", required_argument, NULL, 'p'}, {"pattern", required_argument, NULL, 'e'},           \
        {"split", required_argument, NULL, cli_text_split},                                        \
        {"normalize", required_argument, NULL, 'n'},                                               \
        {"casefold", no_argument, NULL, cli_text_casefold},                                        \
        {"lowercase", no_argument, NULL, cli_text_lowercase},                                      \
        {"strip-marks", no_argument, NULL, cli_text_strip_marks},                                  \
        {"clean", no_argument, NULL, cli_text_clean}, {"documents", required_argument, NULL, 'd'}, \
        {"special", required_argument, NULL, cli_text_special},                                    \
        {"invalid", required_argument, NULL, cli_text_invalid},                                    \
        {"offsets", no_argument, NULL, cli_text_offsets},                                          \
        {"max-token", required_argument, NULL, cli_text_max_token},                                \
        {"match-limit", required_argument, NULL, cli_text_match_limit},                            \
        {"skip-bad", no_argument, NULL, cli_text_skip_bad},                                        \
        {"from", required_argument, NULL, cli_text_from},                                          \
    {                                                                                              \
        "files-from", required_argument, NULL, cli_text_files_from                                 \
    }

/* Room for the options of a command line; ends the program where there is none. */
void cli_text_begin(cli_text *text, int argc);
void cli_text_end(cli_text *text);

/* Handles one of the options above; false where `option` is none. */
bool cli_text_option(cli_text *text, int option);

/* Makes the tokenizer that the options ask for. */
lxm_status cli_text_tokenizer(const cli_text *text, lxm_tokenizer **tokenizer, lxm_error *error);

/* Says how many lines of JSON were skipped, if any. */
void cli_text_skipped(const lxm_tokenize_run_result *result);

/* Says how many tokens or ids were written. */
void cli_text_tell(const lxm_tokenize_run_result *result, const char *items);

#endif
