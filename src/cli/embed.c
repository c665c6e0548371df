/* embed: token ids -> vectors. */
#define _POSIX_C_SOURCE 200809L
#include "embed.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: embed [project] [OPTION]... [FILE]...    ids -> vectors\n"
    "       embed init --rows N [OPTION]... -o FILE  writes a table\n"
    "       embed info FILE|FOLDER                   what a table or shards hold\n"
    "       embed verify FOLDER                      shards against their manifest\n"
    "       embed convert TABLE [OPTION]... -o FILE  a table in another format\n"
    "       embed update ...                         steps of training: its --help\n"
    "       embed near, embed analogy                the nearest rows: near --help\n"
    "Reads id streams: standard input where there is no FILE, or where it is -.\n"
    "\n"
    "  -t, --table FILE    rows of an .npy or .safetensors file (--tensor NAME), of\n"
    "                      word2vec, GloVe or fastText, or of a model's folder\n"
    "      --rows N, --dim D, --init KIND, --seed S\n"
    "                      or rows made from a seed (any number, 256, normal, 0);\n"
    "                      KIND: normal, uniform, zeros, one-hot, torch\n"
    "      --context L     windows of L ids (otherwise each id is a row of its own)\n"
    "      --stride S      ids from one window to the next (default L)\n"
    "      --targets       beside each window the one that begins an id later\n"
    "      --pad ID        fill up windows that a document's end makes too short\n"
    "      --pad-side S    right or left\n"
    "      --pack          windows go on over documents' ends (--eot ID between)\n"
    "      --shuffle SEED  windows in another order; --shuffle-like torch: its order\n"
    "      --ids-only      no vectors, but inputs and what goes along\n"
    "      --pool HOW      a vector a document: mean, max, sum, first, last; with\n"
    "                      --max-length N of its first N ids, with --sif A of rows\n"
    "                      weighed by the counts of -V VOCAB, --normalize: length 1\n"
    "      --positions P   add to each window: none, learned or sinusoidal\n"
    "      --batch B       rows (windows) a batch (1024); --drop-last: no part of one\n"
    "  -f, --format F      text, npy, safetensors or shards; default: by name's end,\n"
    "                      otherwise a folder of shards\n"
    "      --dtype T       numbers are f32, f16 or bf16 (a table's may be i8)\n"
    "      --save-vocab F  convert: the words, for idmap -V; -V, --vocab F: a table's\n"
    "      --shard-size N  most bytes a shard (1G); --force replaces what is there,\n"
    "                      --resume goes on with a run that was stopped\n"
    "  -o, --output NAME   a file or folder; default: standard output, .npy arrays\n"
    "      --fingerprint F init: of the vocabulary that the table is made for\n"
    "  -j, --threads N, -b, --binary (anything but text), --[no-]progress,\n"
    "  -q, --quiet, -v, --verbose, -h, --help, --version\n"
    "\n"
    "examples:\n"
    "  embed -t glove.npy --context 256 --targets --batch 4 -o shards ids.txt\n";

enum { option_fingerprint = embed_option_own, option_save_vocab, option_normalize };

static const struct option long_options[] = {
    CLI_COMMON_LONG,
    EMBED_LONG,
    {"normalize", no_argument, NULL, option_normalize},
    {"fingerprint", required_argument, NULL, option_fingerprint},
    {"vocab", required_argument, NULL, 'V'},
    {"save-vocab", required_argument, NULL, option_save_vocab},
    EMBED_UPDATE_LONG,
    EMBED_NEAR_LONG,
    {NULL, 0, NULL, 0},
};

/* 16 hexadecimal digits. */
static uint64_t read_fingerprint(const char *text)
{
    if (strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16)
        cli_usage("--fingerprint: '%s' is not 16 hexadecimal digits", text);
    return strtoull(text, NULL, 16);
}

static void set_option(embed_settings *s, int option)
{
    switch (option) {
    case option_normalize:
        s->embed.pool.normalize = s->projects = s->other = true;
        break;
    case 'V':
        s->words = optarg;
        break;
    case option_save_vocab:
        s->save_vocab = optarg;
        break;
    case option_fingerprint:
        s->fingerprint = read_fingerprint(optarg);
        break;
    default:
        cli_try_help();
    }
}

static lxm_status run(embed_settings *s, const cli_paths *inputs, lxm_embed_result *result,
                      lxm_error *error)
{
    cli_progress progress;
    embed_parts parts = {0};
    lxm_vocab *vocab = NULL;
    char *made_by = embed_describe(s);
    lxm_job job = cli_job(&s->common, inputs, &progress);
    lxm_status status = LXM_OK;
    if (s->words)
        status = lxm_vocab_open(&vocab, s->words, NULL, error);
    if (!status)
        status = embed_open(s, vocab, &parts, error);
    s->embed.settings = made_by;
    if (!status)
        status = lxm_run_embed(&s->embed, inputs->paths, inputs->count, s->common.output, &job,
                               result, error);
    cli_progress_end(&progress);
    embed_close(&parts);
    lxm_vocab_free(vocab);
    free(made_by);
    return status;
}

static int project(embed_settings *s, int argc, char **argv)
{
    lxm_error error = {0};
    lxm_embed_result result = {0};
    s->embed.format = embed_vector_format(&s->common);
    embed_check(s);
    embed_tell_folder(&s->common, s->embed.format);
    if (s->sif > 0 && !s->words)
        cli_usage("--sif weighs rows by the counts of a vocabulary: name it with --vocab");
    if (s->save_vocab || (s->words && !(s->sif > 0)))
        cli_usage("--vocab belongs to convert and to --sif, which weighs rows by its counts; "
                  "--save-vocab to convert");
    cli_paths inputs = cli_inputs(argc, argv, optind);
    if (run(s, &inputs, &result, &error))
        return cli_failure(&error);
    if (s->common.verbose)
        embed_tell(s, &result);
    return exit_done;
}

static const struct {
    const char *name;
    int (*run)(embed_settings *s, int argc, char **argv);
    const char *help;
} commands[] = {
    {"project", project, help},
    {"init", embed_init, help},
    {"info", embed_info, help},
    {"convert", embed_convert, help},
    {"verify", embed_verify, help},
    {"update", embed_update, embed_update_help},
    {"near", embed_near, embed_near_help},
    {"analogy", embed_analogy, embed_near_help},
};

int main(int argc, char **argv)
{
    int command = 0;
    cli_start("embed");
    embed_settings s = {.common = CLI_COMMON_DEFAULT};
    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++)
        if (strcmp(argv[1], commands[i].name) == 0) {
            command = (int)i;
            argv[1] = argv[0];
            argc--, argv++;
            break;
        }
    for (int option; (option = getopt_long(argc, argv, CLI_COMMON_SHORT EMBED_NEAR_SHORT "t:V:",
                                           long_options, NULL)) != -1;)
        if (!cli_common_option(&s.common, option, commands[command].help) &&
            !embed_option(&s, option) && !embed_near_option(&s, option) &&
            !embed_update_option(&s.update, option))
            set_option(&s, option);
    if (s.fingerprint && commands[command].run != embed_init &&
        commands[command].run != embed_convert)
        cli_usage("--fingerprint belongs to init and convert");
    if (s.update.used && commands[command].run != embed_update)
        cli_usage("--optimizer, --lr, --state and what goes with them belong to update");
    bool finds = commands[command].run == embed_near || commands[command].run == embed_analogy;
    if (s.finds && !finds)
        cli_usage("-k, --metric, --queries, --texts and --exclude-self belong to near");
    if ((s.save_vocab || (s.words && !finds)) && commands[command].run != embed_convert &&
        commands[command].run != project)
        cli_usage("--vocab and --save-vocab belong to convert");
    if ((s.projects || s.generates || s.seeded || s.table) &&
        (commands[command].run == embed_info || commands[command].run == embed_verify))
        cli_usage("%s makes nothing: leave out what says how vectors or tables are made",
                  commands[command].name);
    return commands[command].run(&s, argc, argv);
}
