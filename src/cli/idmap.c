/* idmap: tokens -> ids, and back. */
#define _POSIX_C_SOURCE 200809L
#include "id_shards.h"
#include "idmap_convert.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char help[] =
    "usage: idmap [encode] [OPTION]... [FILE]...          tokens -> ids\n"
    "       idmap build [OPTION]... [FILE]...             tokens -> a vocabulary\n"
    "       idmap decode -V VOCAB [OPTION]... [FILE]...   ids -> text\n"
    "       idmap info VOCAB                              what a vocabulary holds\n"
    "       idmap convert VOCAB -o FILE                   VOCAB in another form\n"
    "Without FILE, or where it is -, reads standard input: a token or id stream.\n"
    "\n"
    "  -V, --vocab VOCAB    encode, decode: the vocabulary. Without it encode grows\n"
    "                       one: a token takes the next id when it first appears\n"
    "      --unk TOKEN      encode: what unknown tokens become: a token of VOCAB, or\n"
    "                       id 0 of one that grows; build: add it, behind the words\n"
    "      --save FILE      encode: keep the vocabulary that grew\n"
    "      --to LAYOUT      encode: shards of ids in the folder that -o names, as\n"
    "                       nanogpt, llmc, megatron, npy or safetensors read them;\n"
    "                       --width 16|32 bits; --shard-size N ids (100,000,000);\n"
    "                       --eot TOKEN or id between documents, or --no-eot; --force\n"
    "                       replaces, --resume goes on with a run that was stopped\n"
    "      --ids            encode --to: the input is ids already, and text; binary\n"
    "                       ids are known by their header\n"
    "      --max-size N     encode, build: at most N tokens; build keeps the frequent\n"
    "      --min-count N    build: leave out what is seen less often\n"
    "      --order HOW      build: frequency (default), bytes or appearance\n"
    "      --special TOKEN  build: add TOKEN behind the words; may be repeated\n"
    "      --special-first  build: special tokens and unk get the first ids\n"
    "      --memory SIZE    build: past it, counts go to temporary files (1G)\n"
    "      --join HOW       decode: space, book, clean or none (default: suits VOCAB)\n"
    "      --skip-special   decode: special tokens leave nothing behind\n"
    "      --template       encode: put around documents what VOCAB states for that\n"
    "  -d, --documents HOW  decode: told apart as file (default), line, blank or nul\n"
    "  -f, --format FORMAT  encode: text (default), binary (-b, --binary), jsonl\n"
    "                       convert: text, compiled, tokenizer.json, tiktoken,\n"
    "                       merges.txt, vocab.bpe, vocab.txt (default: by -o)\n"
    "  -p, --preset NAME    convert: how text is cut; --lowercase, --drop-special\n"
    "  -o, --output FILE    write FILE, whole or not at all;  -j, --threads N\n"
    "      --[no-]progress, -q, --quiet, -v, --verbose, -h, --help, --version\n"
    "\n"
    "examples:\n"
    "  tokenize book.txt | idmap build --min-count 2 --unk '<unk>' -o book.vocab\n"
    "  tokenize book.txt | idmap -V book.vocab | idmap decode -V book.vocab\n";

enum {
    option_unk = cli_option_own,
    option_save,
    option_max_size,
    option_min_count,
    option_order,
    option_special,
    option_special_first,
    option_memory,
    option_join,
    option_ids,
    option_skip_special,
    option_template,
};

static const struct option long_options[] = {
    CLI_COMMON_LONG,
    CLI_IDS_LONG,
    {"ids", no_argument, NULL, option_ids},
    IDMAP_FORMS_LONG,
    {"vocab", required_argument, NULL, 'V'},
    {"unk", required_argument, NULL, option_unk},
    {"save", required_argument, NULL, option_save},
    {"max-size", required_argument, NULL, option_max_size},
    {"min-count", required_argument, NULL, option_min_count},
    {"order", required_argument, NULL, option_order},
    {"special", required_argument, NULL, option_special},
    {"special-first", no_argument, NULL, option_special_first},
    {"memory", required_argument, NULL, option_memory},
    {"join", required_argument, NULL, option_join},
    {"skip-special", no_argument, NULL, option_skip_special},
    {"template", no_argument, NULL, option_template},
    {"documents", required_argument, NULL, 'd'},
    {NULL, 0, NULL, 0},
};

static const char *const commands[] = {"encode", "build", "decode", "info", "convert", NULL};

enum { encode = 1, build = 2, decode = 4, info = 8, convert = 16 };

/* Which commands an option belongs to. */
static const struct {
    int option;
    const char *name;
    int commands;
} owners[] = {
    {'V', "-V", encode | decode | info | convert},
    {option_unk, "--unk", encode | build},
    {option_save, "--save", encode},
    {option_max_size, "--max-size", encode | build},
    {option_min_count, "--min-count", build},
    {option_order, "--order", build},
    {option_special, "--special", build},
    {option_special_first, "--special-first", build},
    {option_memory, "--memory", build},
    {option_join, "--join", decode},
    {option_ids, "--ids", encode},
    {cli_ids_to, "--to", encode},
    {cli_ids_width, "--width", encode},
    {cli_ids_eot, "--eot", encode},
    {cli_ids_no_eot, "--no-eot", encode},
    {cli_ids_shard_size, "--shard-size", encode},
    {cli_ids_force, "--force", encode},
    {cli_ids_resume, "--resume", encode},
    {option_skip_special, "--skip-special", decode},
    {option_template, "--template", encode},
    {'d', "-d", decode},
    {'f', "-f", encode | convert},
    {'p', "-p", convert},
    {idmap_forms_lowercase, "--lowercase", convert},
    {idmap_forms_drop_special, "--drop-special", convert},
    {'b', "-b", encode},
};

typedef struct settings {
    cli_common common;
    cli_ids ids;
    bool ids_in; /* --ids */
    int command; /* its index */
    const char *vocab, *save;
    lxm_build_options build;
    const char **specials;
    size_t memory;
    lxm_join join;
    bool join_given, skip_special, use_template;
    lxm_documents documents;
    idmap_forms forms;
} settings;

static void check_owner(const settings *s, int option)
{
    for (size_t i = 0; i < sizeof owners / sizeof *owners; i++)
        if (owners[i].option == option && !(owners[i].commands >> s->command & 1))
            cli_usage("%s has no option %s: see idmap --help", commands[s->command],
                      owners[i].name);
}

static const char *not_empty(const char *name, const char *token)
{
    if (!*token)
        cli_usage("--%s: a token can't be empty", name);
    return token;
}

static void set_build_option(settings *s, int option)
{
    static const char *const orders[] = {"frequency", "bytes", "appearance", NULL};
    lxm_build_options *b = &s->build;
    switch (option) {
    case option_min_count:
        b->min_count = cli_number("min-count", optarg, 1, UINT64_MAX);
        break;
    case option_order:
        b->order = (lxm_order)cli_choice("order", optarg, orders);
        break;
    case option_special:
        s->specials[b->special_count++] = not_empty("special", optarg);
        break;
    case option_special_first:
        b->special_first = true;
        break;
    case option_memory:
        s->memory = (size_t)cli_size("memory", optarg, 1 << 16, SIZE_MAX / 4);
        break;
    default:
        cli_try_help();
    }
}

static void set_option(settings *s, int option)
{
    static const char *const joins[] = {"none", "space", "book", "clean", NULL};
    static const char *const documents[] = {"file", "line", "blank", "nul", NULL};
    switch (option) {
    case 'V':
        s->vocab = optarg;
        break;
    case option_unk:
        s->build.unk = not_empty("unk", optarg);
        break;
    case option_save:
        s->save = optarg;
        break;
    case option_max_size:
        s->build.max_size = cli_number("max-size", optarg, 1, LXM_NO_ID);
        break;
    case option_ids:
        s->ids_in = true;
        break;
    case option_join:
        s->join = (lxm_join)cli_choice("join", optarg, joins);
        s->join_given = true;
        break;
    case option_skip_special:
        s->skip_special = true;
        break;
    case option_template:
        s->use_template = true;
        break;
    case 'd':
        s->documents = (lxm_documents)cli_choice("documents", optarg, documents);
        break;
    default:
        set_build_option(s, option);
    }
}

static lxm_status fail(lxm_error *error, lxm_status code, const char *path, const char *before,
                       const char *text, const char *after)
{
    *error = (lxm_error){.code = code, .offset = LXM_NO_OFFSET, .path = path};
    snprintf(error->message, sizeof error->message, "%s%.128s%s", before, text, after);
    return error->code;
}

/* A name that can't be written is better known before the work than behind it. */
static lxm_status try_output(const char *path, lxm_error *error)
{
    struct stat status;
    lxm_output *output;
    if (strcmp(path, "-") == 0 || (stat(path, &status) == 0 && !S_ISREG(status.st_mode)))
        return LXM_OK;
    lxm_status result = lxm_output_open(&output, path, NULL, error);
    lxm_output_discard(output);
    return result;
}

/* ---- encode ---- */

static lxm_status open_vocab(const settings *s, lxm_vocab **vocab, lxm_error *error)
{
    const char *unk = s->build.unk;
    lxm_status status = lxm_vocab_open(vocab, s->vocab, NULL, error);
    if (!status && s->use_template && (status = lxm_vocab_use_template(*vocab, error)))
        error->path = s->vocab;
    if (status || !unk)
        return status;
    uint32_t id = lxm_vocab_find(*vocab, unk, strlen(unk));
    if (id == LXM_NO_ID)
        return fail(error, LXM_ERROR_TOKEN, s->vocab, "--unk: '", unk,
                    "' is not in the vocabulary: name one of its tokens, or build it anew with "
                    "--unk");
    return lxm_vocab_set_unk(*vocab, id, error);
}

/* The unknown token is there from the start: its id doesn't depend on the input. */
static lxm_status begin_vocab(const settings *s, lxm_vocab **vocab, lxm_error *error)
{
    const char *unk = s->build.unk;
    uint32_t id;
    lxm_status status = lxm_vocab_new(vocab, NULL, error);
    if (status || !unk)
        return status;
    status = lxm_vocab_add(*vocab, unk, strlen(unk), 0, &id, error);
    return status ? status : lxm_vocab_set_unk(*vocab, id, error);
}

static lxm_status encode_files(const settings *s, const cli_paths *inputs, lxm_vocab *vocab,
                               const lxm_id_sink *sink, lxm_output *output, lxm_error *error)
{
    cli_progress progress;
    lxm_stream_options stream = {.sink = sink};
    lxm_job job = cli_job(&s->common, inputs, &progress);
    lxm_status status;
    if (!sink)
        stream.format = cli_stream_format(&s->common);
    if (s->ids_in) {
        status = lxm_run_ids(inputs->paths, inputs->count, sink, &job, error);
    } else if (s->vocab) {
        stream.fingerprint = lxm_vocab_fingerprint(vocab);
        status = lxm_run_encode(vocab, inputs->paths, inputs->count, &stream, output, &job, error);
    } else {
        status = lxm_run_encode_growing(vocab, s->build.max_size, inputs->paths, inputs->count,
                                        &stream, output, &job, error);
    }
    cli_progress_end(&progress);
    return status;
}

static void check_encode(const settings *s)
{
    if (s->vocab && s->save)
        cli_usage("--save keeps a vocabulary that grew, and one that -V names doesn't");
    if (s->vocab && s->build.max_size)
        cli_usage("--max-size is for a vocabulary that grows, and one that -V names doesn't");
    if (!s->vocab && s->use_template)
        cli_usage("--template puts what a tokenizer.json states around documents: name it with -V");
    if (s->save && strcmp(s->save, "-") == 0 && strcmp(s->common.output, "-") == 0)
        cli_usage("--save - and the ids both go to standard output: name a file for one");
    if (s->ids_in && (!s->ids.wanted || s->save || s->build.max_size || s->build.unk))
        cli_usage("--ids is for --to alone: ids that are given don't change");
    cli_ids_check(&s->ids, &s->common);
    if (!s->ids.wanted)
        cli_stream_format(&s->common); /* before any work */
}

/* The vocabulary is saved before the ids are in place: ids never stand there without it. */
static lxm_status write_stream(const settings *s, const cli_paths *inputs, lxm_vocab *vocab,
                               lxm_error *error)
{
    lxm_output *output = NULL;
    lxm_status status = lxm_output_open(&output, s->common.output, NULL, error);
    if (!status)
        status = encode_files(s, inputs, vocab, NULL, output, error);
    if (!status && s->save)
        status = idmap_save(vocab, s->save, error);
    if (!status)
        return lxm_output_commit(output, error);
    lxm_output_discard(output);
    return status;
}

static lxm_status write_shards(const settings *s, const cli_paths *inputs, lxm_vocab *vocab,
                               lxm_error *error)
{
    lxm_id_shards *shards;
    cli_ids ids = s->ids;
    lxm_status status = cli_ids_open(&ids, &s->common, s->vocab ? vocab : NULL, &shards, error);
    if (status)
        return status;
    lxm_id_sink sink = lxm_id_shards_sink(shards);
    status = encode_files(s, inputs, vocab, &sink, NULL, error);
    if (!status && s->save)
        status = idmap_save(vocab, s->save, error);
    return cli_ids_close(shards, &s->common, status, error);
}

static lxm_status run_encode(const settings *s, const cli_paths *inputs, lxm_error *error)
{
    lxm_vocab *vocab = NULL;
    check_encode(s);
    lxm_status status = s->vocab ? open_vocab(s, &vocab, error) : begin_vocab(s, &vocab, error);
    if (!status && s->save)
        status = try_output(s->save, error);
    if (!status)
        status = s->ids.wanted ? write_shards(s, inputs, vocab, error)
                               : write_stream(s, inputs, vocab, error);
    if (!status && s->common.verbose)
        cli_note("the vocabulary has %zu tokens", lxm_vocab_size(vocab));
    lxm_vocab_free(vocab);
    return status;
}

/* ---- build ---- */

static lxm_status run_build(const settings *s, const cli_paths *inputs, lxm_error *error)
{
    lxm_counter *counter;
    lxm_vocab *vocab = NULL;
    cli_progress progress;
    lxm_job job = cli_job(&s->common, inputs, &progress);
    lxm_status status = try_output(s->common.output, error);
    if (status)
        return status;
    status = lxm_counter_new(&counter, s->memory, NULL, NULL, error);
    if (!status)
        status = lxm_run_count(counter, inputs->paths, inputs->count, &job, error);
    cli_progress_end(&progress);
    if (!status)
        status = lxm_counter_build(counter, &s->build, &vocab, error);
    lxm_counter_free(counter);
    if (!status)
        status = idmap_save(vocab, s->common.output, error);
    if (!status && s->common.verbose)
        cli_note("the vocabulary has %zu tokens", lxm_vocab_size(vocab));
    lxm_vocab_free(vocab);
    return status;
}

/* ---- decode ---- */

static lxm_status run_decode(const settings *s, const cli_paths *inputs, lxm_error *error)
{
    lxm_vocab *vocab;
    lxm_output *output = NULL;
    cli_progress progress;
    if (!s->vocab)
        cli_usage("decode needs the vocabulary that made the ids: name it with -V");
    lxm_job job = cli_job(&s->common, inputs, &progress);
    lxm_decode_options how = {.documents = s->documents, .skip_special = s->skip_special};
    lxm_status status = lxm_vocab_open(&vocab, s->vocab, NULL, error);
    if (!status) {
        how.join = s->join_given ? s->join : lxm_vocab_join(vocab);
        status = lxm_output_open(&output, s->common.output, NULL, error);
    }
    if (!status)
        status = lxm_run_decode(vocab, inputs->paths, inputs->count, &how, output, &job, error);
    cli_progress_end(&progress);
    if (status)
        lxm_output_discard(output);
    else
        status = lxm_output_commit(output, error);
    lxm_vocab_free(vocab);
    return status;
}

/* ---- info ---- */

/* Control characters could do harm on a terminal. */
static void print_token(FILE *stream, const char *name, const lxm_vocab *vocab, uint32_t id)
{
    size_t length;
    const uint8_t *token = lxm_vocab_token(vocab, id, &length);
    fprintf(stream, "%s: %" PRIu32 " ", name, id);
    for (size_t i = 0; i < length; i++)
        if (token[i] < 0x20 || token[i] == 0x7F || token[i] == '\\')
            fprintf(stream, "\\x%02X", token[i]);
        else
            fputc(token[i], stream);
    fputc('\n', stream);
}

static void print_info(FILE *stream, const lxm_vocab *vocab)
{
    size_t size = lxm_vocab_size(vocab), length, most = 0;
    uint64_t total = 0;
    uint32_t longest = 0;
    for (uint32_t id = 0; id < size; id++) {
        if (__builtin_add_overflow(total, lxm_vocab_count(vocab, id), &total))
            total = UINT64_MAX;
        lxm_vocab_token(vocab, id, &length);
        if (length > most) {
            most = length;
            longest = id;
        }
    }
    fprintf(stream, "format: %s\nmodel: %s\nsize: %zu\n", lxm_vocab_origin(vocab),
            lxm_vocab_model(vocab), size);
    fprintf(stream, "fingerprint: %016" PRIx64 "\n", lxm_vocab_fingerprint(vocab));
    fprintf(stream, "total count: %" PRIu64 "\nlongest token: %zu bytes\n", total, most);
    if (size)
        print_token(stream, "longest", vocab, longest);
    if (lxm_vocab_unk(vocab) == LXM_NO_ID)
        fputs("unk: none\n", stream);
    else
        print_token(stream, "unk", vocab, lxm_vocab_unk(vocab));
    for (uint32_t id = 0; id < size; id++)
        if (lxm_vocab_is_special(vocab, id))
            print_token(stream, "special", vocab, id);
}

/* All of it as text; the caller's to free. */
static char *describe(const lxm_vocab *vocab, size_t *length)
{
    char *text = NULL;
    FILE *stream = open_memstream(&text, length);
    if (!stream)
        return NULL;
    print_info(stream, vocab);
    bool good = !ferror(stream);
    if (fclose(stream) == 0 && good)
        return text;
    free(text);
    return NULL;
}

/* The vocabulary that is named, as -V or as it is. */
static const char *one_vocab(const settings *s, const cli_paths *inputs)
{
    bool named = strcmp(inputs->paths[0], "-") != 0;
    if (inputs->count > 1 || named == (s->vocab != NULL))
        cli_usage("%s wants one vocabulary", commands[s->command]);
    return named ? inputs->paths[0] : s->vocab;
}

static lxm_status run_info(const settings *s, const cli_paths *inputs, lxm_error *error)
{
    lxm_vocab *vocab;
    lxm_output *output = NULL;
    char *text = NULL;
    size_t length = 0;
    lxm_status status = lxm_vocab_open(&vocab, one_vocab(s, inputs), NULL, error);
    if (!status)
        status = lxm_output_open(&output, s->common.output, NULL, error);
    if (!status && !(text = describe(vocab, &length)))
        status = fail(error, LXM_ERROR_MEMORY, NULL, "out of memory", "", "");
    if (!status)
        status = lxm_output_write(output, text, length, error);
    if (status)
        lxm_output_discard(output);
    else
        status = lxm_output_commit(output, error);
    free(text);
    lxm_vocab_free(vocab);
    return status;
}

static lxm_status run_convert(const settings *s, const cli_paths *inputs, lxm_error *error)
{
    return idmap_convert(&s->common, &s->forms, one_vocab(s, inputs), error);
}

int main(int argc, char **argv)
{
    static lxm_status (*const runs[])(const settings *, const cli_paths *, lxm_error *) = {
        run_encode, run_build, run_decode, run_info, run_convert};
    cli_start("idmap");
    settings s = {.common = CLI_COMMON_DEFAULT, .join = LXM_JOIN_SPACE};
    for (int i = 0; argc > 1 && commands[i]; i++)
        if (strcmp(argv[1], commands[i]) == 0) {
            s.command = i;
            argv[1] = argv[0];
            argc--, argv++;
            break;
        }
    s.specials = calloc((size_t)argc + 1, sizeof *s.specials);
    if (!s.specials)
        cli_out_of_memory();
    s.build.specials = s.specials;
    for (int option; (option = getopt_long(argc, argv, CLI_COMMON_SHORT IDMAP_FORMS_SHORT "V:d:",
                                           long_options, NULL)) != -1;) {
        check_owner(&s, option);
        if (!cli_common_option(&s.common, option, help) && !idmap_forms_option(&s.forms, option) &&
            !cli_ids_option(&s.ids, option))
            set_option(&s, option);
    }
    cli_paths inputs = cli_inputs(argc, argv, optind);
    lxm_error error = {0};
    lxm_status status = runs[s.command](&s, &inputs, &error);
    free(s.specials);
    return status ? cli_failure(&error) : exit_done;
}
