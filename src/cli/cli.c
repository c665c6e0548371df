#define _POSIX_C_SOURCE 200809L
#include "cli.h"

#include <errno.h>
#include <float.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *program_name = "lexmill";

void cli_start(const char *program)
{
    program_name = program;
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) == -1 && errno == EBADF)
            /* the wrong direction, so that using the stream still fails */
            if (open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
                exit(exit_failed);
}

static _Noreturn void print_and_exit(const char *text)
{
    if (fputs(text, stdout) == EOF || fflush(stdout) == EOF || fclose(stdout) == EOF) {
        fprintf(stderr, "%s: standard output: %s\n", program_name, strerror(errno));
        exit(exit_failed);
    }
    exit(exit_done);
}

bool cli_common_option(cli_common *common, int option, const char *help)
{
    char version[96];
    switch (option) {
    case 'o':
        common->output = optarg;
        return true;
    case 'f':
        common->format = optarg;
        return true;
    case 'b':
        common->binary = true;
        return true;
    case 'j':
        common->threads = (unsigned)cli_number("threads", optarg, 1, 1024);
        return true;
    case 'q':
        common->quiet = true;
        return true;
    case 'v':
        common->verbose = true;
        return true;
    case cli_option_progress:
        common->progress = 1;
        return true;
    case cli_option_no_progress:
        common->progress = 0;
        return true;
    case 'h':
        print_and_exit(help);
    case cli_option_version:
        snprintf(version, sizeof version, "%s (lexmill) %s\n", program_name, lxm_version());
        print_and_exit(version);
    case '?':
    case ':':
        cli_try_help();
    default:
        return false;
    }
}

void cli_try_help(void)
{
    fprintf(stderr, "%s: try '%s --help'\n", program_name, program_name);
    exit(exit_usage);
}

static void say(const char *format, va_list arguments)
{
    fprintf(stderr, "%s: ", program_name);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

void cli_usage(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
    exit(exit_usage);
}

void cli_out_of_memory(void)
{
    fprintf(stderr, "%s: out of memory\n", program_name);
    exit(exit_failed);
}

void cli_note(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
}

/* A name as it may stand in a line: a list of files made on Windows gives names that end in \r. */
static void print_name(const char *name)
{
    for (; *name; name++)
        if ((unsigned char)*name < 0x20 || *name == 0x7F)
            fprintf(stderr, "\\x%02X", (unsigned)*name);
        else
            fputc(*name, stderr);
}

int cli_failure(const lxm_error *error)
{
    char place[64] = "";
    size_t used = 0;
    if (error->line)
        used += (size_t)snprintf(place, sizeof place, ":%" PRIu64, error->line);
    if (error->path)
        used += (size_t)snprintf(place + used, sizeof place - used, ": ");
    if (error->offset != LXM_NO_OFFSET)
        snprintf(place + used, sizeof place - used, "byte %" PRIu64 ": ", error->offset);
    const char *path = error->path ? error->path : "";
    if (strcmp(path, "-") == 0)
        path = "standard input";
    fprintf(stderr, "%s: ", program_name);
    print_name(path);
    fprintf(stderr, "%s%s\n", place,
            error->message[0] ? error->message : lxm_status_name(error->code));
    return error->code == LXM_ERROR_ARGUMENT ? exit_usage : exit_failed;
}

static bool parse_number(const char *text, uint64_t *number, char **end)
{
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    *number = strtoull(text, end, 10);
    return errno == 0;
}

static uint64_t in_range(const char *name, const char *text, bool good, uint64_t number,
                         uint64_t least, uint64_t most)
{
    if (!good || number < least || number > most)
        cli_usage("%s%s: '%s' is not a whole number from %" PRIu64 " to %" PRIu64,
                  name[1] ? "--" : "-", name, text, least, most);
    return number;
}

uint64_t cli_number(const char *name, const char *text, uint64_t least, uint64_t most)
{
    uint64_t number = 0;
    char *end = NULL;
    bool good = parse_number(text, &number, &end) && *end == '\0';
    return in_range(name, text, good, number, least, most);
}

uint64_t cli_size(const char *name, const char *text, uint64_t least, uint64_t most)
{
    static const char suffixes[] = "KMGT";
    uint64_t number = 0;
    char *end = NULL;
    bool good = parse_number(text, &number, &end);
    const char *suffix = good && *end ? strchr(suffixes, *end) : NULL;
    if (suffix) {
        uint64_t factor = (uint64_t)1 << 10 * (suffix - suffixes + 1);
        good = !__builtin_mul_overflow(number, factor, &number);
        end++;
    }
    return in_range(name, text, good && *end == '\0', number, least, most);
}

double cli_real(const char *name, const char *text)
{
    char *end;
    double number = strtod(text, &end);
    if (end == text || *end || !(number >= 0 && number <= DBL_MAX))
        cli_usage("--%s: '%s' is not a number from 0 on", name, text);
    return number;
}

int cli_choice(const char *name, const char *text, const char *const *words)
{
    char list[256] = "";
    size_t used = 0;
    for (int i = 0; words[i]; i++) {
        if (strcmp(text, words[i]) == 0)
            return i;
        if (used < sizeof list)
            used +=
                (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", words[i]);
    }
    cli_usage("--%s: '%s' is not one of: %s", name, text, list);
}

cli_paths cli_inputs(int argc, char **argv, int first)
{
    static const char *const standard_input[] = {"-"};
    if (first >= argc)
        return (cli_paths){standard_input, 1};
    return (cli_paths){(const char *const *)argv + first, (size_t)(argc - first)};
}

/* A whole text, with a NUL behind it. */
static lxm_status read_text(lxm_input *input, char **text, size_t *length, lxm_error *error)
{
    size_t capacity = 0, n = 1;
    *length = 0;
    while (n > 0) {
        if (capacity - *length < 2) {
            capacity = capacity ? 2 * capacity : 65536;
            char *bigger = realloc(*text, capacity);
            if (!bigger)
                cli_out_of_memory();
            *text = bigger;
        }
        lxm_status status =
            lxm_input_read(input, *text + *length, capacity - *length - 1, &n, error);
        if (status)
            return status;
        *length += n;
    }
    (*text)[*length] = '\0';
    return LXM_OK;
}

static void add_path(cli_list *list, const char *path)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? 2 * list->capacity : 64;
        const char **bigger = realloc(list->paths, list->capacity * sizeof *bigger);
        if (!bigger)
            cli_out_of_memory();
        list->paths = bigger;
    }
    list->paths[list->count++] = path;
}

lxm_status cli_list_read(cli_list *list, int argc, char **argv, int first, const char *path,
                         lxm_error *error)
{
    lxm_input *input;
    size_t length = 0;
    *list = (cli_list){0};
    for (int i = first; i < argc; i++)
        add_path(list, argv[i]);
    lxm_status status = lxm_input_open(&input, path, NULL, error);
    if (!status)
        status = read_text(input, &list->text, &length, error);
    lxm_input_close(input);
    if (status) {
        error->path = path;
        return status;
    }
    if (memchr(list->text, '\0', length))
        cli_usage("--files-from: '%s' holds a NUL byte: put one name on each line", path);
    for (char *line = list->text, *end; *line; line = end) {
        end = line + strcspn(line, "\n");
        if (*end)
            *end++ = '\0';
        if (*line)
            add_path(list, line);
    }
    for (size_t i = 0; strcmp(path, "-") == 0 && i < list->count; i++)
        if (strcmp(list->paths[i], "-") == 0)
            cli_usage("standard input can't be the list of files and one of them as well");
    return LXM_OK;
}

void cli_list_free(cli_list *list)
{
    free(list->paths);
    free(list->text);
}

void cli_refuse_terminal(const char *path, const char *hint)
{
    if (strcmp(path, "-") == 0 && isatty(STDOUT_FILENO))
        cli_usage("binary output is not for a terminal: %s", hint);
}

lxm_stream_format cli_stream_format(const cli_common *common)
{
    static const char *const formats[] = {"text", "binary", "jsonl", NULL};
    lxm_stream_format format = LXM_STREAM_TEXT;
    if (common->format)
        format = (lxm_stream_format)cli_choice("format", common->format, formats);
    if (common->binary && common->format && format != LXM_STREAM_BINARY)
        cli_usage("-f %s is not binary: leave -b out", common->format);
    if (common->binary)
        format = LXM_STREAM_BINARY;
    if (format == LXM_STREAM_BINARY)
        cli_refuse_terminal(common->output, "use -o FILE, a pipe, or -f text");
    return format;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void report(void *context, uint64_t bytes)
{
    cli_progress *p = context;
    double now = seconds();
    if (now - p->started < 1 || now - p->printed < 0.25)
        return;
    p->printed = now;
    p->shown = true;
    double rate = (double)bytes / (now - p->started);
    bool giga = bytes >= 1000000000;
    fprintf(stderr, "\r%s: %.1f %s, %.1f MB/s", program_name, (giga ? 1e-9 : 1e-6) * (double)bytes,
            giga ? "GB" : "MB", 1e-6 * rate);
    if (p->total && rate > 0 && bytes <= p->total) {
        uint64_t left = (uint64_t)((double)(p->total - bytes) / rate);
        if (left < 60)
            fprintf(stderr, ", %" PRIu64 " s left", left);
        else
            fprintf(stderr, ", %" PRIu64 ":%02" PRIu64 " h left", left / 3600, left / 60 % 60);
    }
    fputs("\033[K", stderr);
}

/* Where nothing is said: on a terminal that the output doesn't go to, and not behind a pipe, whose
 * writer shows its own. */
static bool shows_progress(const cli_common *common, const cli_paths *inputs)
{
    struct stat status;
    if (common->progress >= 0)
        return common->progress;
    if (common->quiet || !isatty(STDERR_FILENO) ||
        (strcmp(common->output, "-") == 0 && isatty(STDOUT_FILENO)))
        return false;
    for (size_t i = 0; i < inputs->count; i++)
        if (strcmp(inputs->paths[i], "-") == 0 && fstat(STDIN_FILENO, &status) == 0 &&
            S_ISFIFO(status.st_mode))
            return false;
    return true;
}

lxm_job cli_job(const cli_common *common, const cli_paths *inputs, cli_progress *progress)
{
    *progress = (cli_progress){.started = seconds()};
    struct stat status;
    for (size_t i = 0; i < inputs->count; i++) {
        const char *path = inputs->paths[i];
        int failed = strcmp(path, "-") ? stat(path, &status) : fstat(STDIN_FILENO, &status);
        if (failed || !S_ISREG(status.st_mode)) {
            progress->total = 0;
            break;
        }
        progress->total += (uint64_t)status.st_size;
    }
    return (lxm_job){.threads = common->threads,
                     .progress = shows_progress(common, inputs) ? report : NULL,
                     .progress_context = progress};
}

void cli_progress_end(cli_progress *progress)
{
    if (progress->shown)
        fputs("\r\033[K", stderr);
}
