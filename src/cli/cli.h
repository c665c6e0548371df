/* What the programs share: messages, numbers, standard streams, progress. */
#ifndef LXM_CLI_H
#define LXM_CLI_H

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

#include "lexmill/lexmill.h"

enum { exit_done = 0, exit_failed = 1, exit_usage = 2 };

/* Options that every program has; see cli_common_option. */
typedef struct cli_common {
    const char *output; /* "-": standard output */
    const char *format; /* NULL: the default */
    bool binary;
    unsigned threads; /* 0: all */
    int progress;     /* -1: where it suits */
    bool quiet, verbose;
} cli_common;

#define CLI_COMMON_SHORT "o:f:bj:qvh"
#define CLI_COMMON_LONG                                                                            \
    {"output", required_argument, NULL, 'o'}, {"format", required_argument, NULL, 'f'},            \
        {"binary", no_argument, NULL, 'b'}, {"threads", required_argument, NULL, 'j'},             \
        {"progress", no_argument, NULL, cli_option_progress},                                      \
        {"no-progress", no_argument, NULL, cli_option_no_progress},                                \
        {"quiet", no_argument, NULL, 'q'}, {"verbose", no_argument, NULL, 'v'},                    \
        {"help", no_argument, NULL, 'h'},                                                          \
    {                                                                                              \
        "version", no_argument, NULL, cli_option_version                                           \
    }

/* Long options without a letter start here; a program's own start at cli_option_own. */
enum { cli_option_progress = 256, cli_option_no_progress, cli_option_version, cli_option_own };

/* Call first: names the program and makes sure that descriptors 0 to 2 are taken, so that no file
 * is opened in the place of a closed standard stream. */
void cli_start(const char *program);

#define CLI_COMMON_DEFAULT                                                                         \
    {                                                                                              \
        .output = "-", .progress = -1                                                              \
    }

/* Handles a common option; false where `option` is none. --help and --version end the program. */
bool cli_common_option(cli_common *common, int option, const char *help);

/* What getopt_long's '?' and ':' come to: it has printed its line; adds a hint, exits with 2. */
_Noreturn void cli_try_help(void);

/* "PROGRAM: ..." on standard error; exits with 2. */
_Noreturn void cli_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same for memory; exits with 1. */
_Noreturn void cli_out_of_memory(void);

/* "PROGRAM: PATH:LINE: byte N: MESSAGE"; returns exit_failed, or exit_usage for a bad argument. */
int cli_failure(const lxm_error *error);
void cli_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Numbers in decimal, in a range; --NAME is said in the message, which ends the program. */
uint64_t cli_number(const char *name, const char *text, uint64_t least, uint64_t most);

/* The same with an optional suffix K, M, G or T (powers of 1024). */
uint64_t cli_size(const char *name, const char *text, uint64_t least, uint64_t most);

/* A finite decimal from 0 on. */
double cli_real(const char *name, const char *text);

/* The index of `text` in a NULL-ended list of words; ends the program with the list otherwise. */
int cli_choice(const char *name, const char *text, const char *const *words);

/* The rest of the command line as input paths: "-" where there are none. */
typedef struct cli_paths {
    const char *const *paths;
    size_t count;
} cli_paths;
cli_paths cli_inputs(int argc, char **argv, int first);

/* The rest of the command line, then the lines of a file ("-": standard input) that aren't empty:
 * each is a path, as it stands. */
typedef struct cli_list {
    const char **paths;
    size_t count, capacity;
    char *text;
} cli_list;
lxm_status cli_list_read(cli_list *list, int argc, char **argv, int first, const char *path,
                         lxm_error *error);
void cli_list_free(cli_list *list);

/* The format of a token or id stream; ends the program where -f names another, or where binary
 * would go to a terminal. */
lxm_stream_format cli_stream_format(const cli_common *common);

/* Refuses to write binary to a terminal: exits with 2 and says what to do. */
void cli_refuse_terminal(const char *path, const char *hint);

/* A job with the common options and, where wanted, progress on standard error after a second:
 * bytes, rate and, if all inputs are regular files, time left. */
typedef struct cli_progress {
    uint64_t total; /* 0: unknown */
    double started, printed;
    bool shown;
} cli_progress;
lxm_job cli_job(const cli_common *common, const cli_paths *inputs, cli_progress *progress);

/* Wipes the progress line. */
void cli_progress_end(cli_progress *progress);

#endif
