/* embed: token ids -> vectors. */
#define _POSIX_C_SOURCE 200809L
#include "embed.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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
    "      --pool HOW      a vector a document: mean, max, sum, first, last\n"
    "      --normalize     and each of length 1\n"
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
    "  tokenize book.txt | idmap | embed > vectors.npy\n"
    "  embed -t glove.npy --context 256 --targets --batch 4 -o shards ids.txt\n";

enum {
    option_tensor = cli_option_own,
    option_rows,
    option_dim,
    option_init,
    option_seed,
    option_context,
    option_stride,
    option_targets,
    option_pad,
    option_positions,
    option_batch,
    option_drop_last,
    option_shard_size,
    option_force,
    option_fingerprint,
    option_dtype,
    option_save_vocab,
    option_pad_side,
    option_pack,
    option_eot,
    option_shuffle,
    option_shuffle_like,
    option_ids_only,
    option_resume,
    option_pool,
    option_normalize,
};

static const struct option long_options[] = {
    CLI_COMMON_LONG,
    {"table", required_argument, NULL, 't'},
    {"tensor", required_argument, NULL, option_tensor},
    {"rows", required_argument, NULL, option_rows},
    {"dim", required_argument, NULL, option_dim},
    {"init", required_argument, NULL, option_init},
    {"seed", required_argument, NULL, option_seed},
    {"context", required_argument, NULL, option_context},
    {"stride", required_argument, NULL, option_stride},
    {"targets", no_argument, NULL, option_targets},
    {"pad", required_argument, NULL, option_pad},
    {"positions", required_argument, NULL, option_positions},
    {"batch", required_argument, NULL, option_batch},
    {"drop-last", no_argument, NULL, option_drop_last},
    {"shard-size", required_argument, NULL, option_shard_size},
    {"force", no_argument, NULL, option_force},
    {"fingerprint", required_argument, NULL, option_fingerprint},
    {"dtype", required_argument, NULL, option_dtype},
    {"vocab", required_argument, NULL, 'V'},
    {"save-vocab", required_argument, NULL, option_save_vocab},
    {"pad-side", required_argument, NULL, option_pad_side},
    {"pack", no_argument, NULL, option_pack},
    {"eot", required_argument, NULL, option_eot},
    {"shuffle", required_argument, NULL, option_shuffle},
    {"shuffle-like", required_argument, NULL, option_shuffle_like},
    {"pool", required_argument, NULL, option_pool},
    {"normalize", no_argument, NULL, option_normalize},
    {"resume", no_argument, NULL, option_resume},
    {"ids-only", no_argument, NULL, option_ids_only},
    EMBED_UPDATE_LONG,
    EMBED_NEAR_LONG,
    {NULL, 0, NULL, 0},
};

const char *const embed_inits[] = {"normal", "uniform", "zeros", "one-hot", "torch", NULL};
static const char *const dtypes[] = {"f32", "f16", "bf16", "i8", NULL};
static const char *const pools[] = {"mean", "max", "sum", "first", "last", NULL};
static const char *const sides[] = {"right", "left", NULL};
static const char *const orders[] = {"torch", NULL};
static const char *const positions[] = {"none", "learned", "sinusoidal", NULL};

enum { positions_none, positions_learned, positions_sinusoidal };

/* 16 hexadecimal digits. */
static uint64_t read_fingerprint(const char *text)
{
    if (strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16)
        cli_usage("--fingerprint: '%s' is not 16 hexadecimal digits", text);
    return strtoull(text, NULL, 16);
}

static bool set_table_option(embed_settings *s, int option)
{
    switch (option) {
    case 't':
        s->table = optarg;
        return true;
    case option_tensor:
        s->tensor = optarg;
        return true;
    case option_rows:
        s->generated.rows = cli_number("rows", optarg, 1, (uint64_t)UINT32_MAX + 1);
        break;
    case option_dim:
        s->generated.dim = (size_t)cli_number("dim", optarg, 1, (uint64_t)1 << 32);
        break;
    case option_init:
        s->generated.init = (lxm_init)cli_choice("init", optarg, embed_inits);
        break;
    case option_seed:
        s->generated.seed = cli_number("seed", optarg, 0, UINT64_MAX);
        s->seeded = true;
        return true;
    case option_dtype:
        s->embed.dtype = (lxm_dtype)cli_choice("dtype", optarg, dtypes);
        return true;
    case 'V':
        s->words = optarg;
        return true;
    case option_save_vocab:
        s->save_vocab = optarg;
        return true;
    case option_fingerprint:
        s->fingerprint = read_fingerprint(optarg);
        return true;
    default:
        return false;
    }
    s->generates = true;
    return true;
}

static bool set_window_option(embed_settings *s, int option)
{
    lxm_window_options *window = &s->embed.window;
    switch (option) {
    case option_context:
        window->context = (size_t)cli_number("context", optarg, 1, (uint64_t)1 << 40);
        return true;
    case option_stride:
        window->stride = (size_t)cli_number("stride", optarg, 1, (uint64_t)1 << 40);
        break;
    case option_targets:
        window->targets = true;
        break;
    case option_pad:
        window->pad = true;
        window->pad_id = (uint32_t)cli_number("pad", optarg, 0, UINT32_MAX);
        break;
    case option_pad_side:
        window->pad_left = cli_choice("pad-side", optarg, sides) == 1;
        break;
    case option_pack:
        window->pack = true;
        break;
    case option_eot:
        window->has_eot = true;
        window->eot_id = (uint32_t)cli_number("eot", optarg, 0, UINT32_MAX);
        break;
    case option_shuffle:
        s->embed.shuffle = s->embed.shuffle ? s->embed.shuffle : LXM_SHUFFLE_SEEDED;
        s->embed.shuffle_seed = cli_number("shuffle", optarg, 0, UINT64_MAX);
        s->shuffles = true;
        break;
    case option_shuffle_like:
        (void)cli_choice("shuffle-like", optarg, orders);
        s->embed.shuffle = LXM_SHUFFLE_TORCH;
        break;
    case option_ids_only:
        s->embed.ids_only = true;
        break;
    case option_positions:
        s->positions = cli_choice("positions", optarg, positions);
        s->needs_windows = s->needs_windows || s->positions;
        return true;
    default:
        return false;
    }
    s->needs_windows = true;
    return true;
}

static void set_option(embed_settings *s, int option)
{
    s->projects = true;
    s->other = s->other || option != option_force;
    if (set_window_option(s, option))
        return;
    switch (option) {
    case option_batch:
        s->embed.batch = (size_t)cli_number("batch", optarg, 1, (uint64_t)1 << 40);
        break;
    case option_drop_last:
        s->embed.drop_last = true;
        break;
    case option_shard_size:
        s->embed.shard_size = cli_size("shard-size", optarg, 1, INT64_MAX);
        break;
    case option_pool:
        s->embed.pool = (lxm_pool_kind)(cli_choice("pool", optarg, pools) + LXM_POOL_MEAN);
        break;
    case option_normalize:
        s->embed.normalize = true;
        break;
    case option_resume:
        s->embed.resume = true;
        break;
    case option_force:
        s->embed.replace = s->embed.any_vocabulary = true;
        break;
    default:
        cli_try_help();
    }
}

bool embed_ends_with(const char *name, const char *ending)
{
    size_t length = strlen(name), size = strlen(ending);
    return length > size && strcmp(name + length - size, ending) == 0;
}

/* By -f, otherwise by the name; what is neither a file nor a folder is a stream. */
static lxm_vector_format find_format(const cli_common *common)
{
    static const char *const formats[] = {"text", "npy", "safetensors", "shards", NULL};
    static const char *const endings[] = {".txt", ".npy", ".safetensors"};
    struct stat status;
    if (common->format)
        return (lxm_vector_format)cli_choice("format", common->format, formats);
    if (strcmp(common->output, "-") == 0)
        return LXM_VECTORS_NPY;
    for (int i = 0; i < 3; i++)
        if (embed_ends_with(common->output, endings[i]))
            return (lxm_vector_format)i;
    if (stat(common->output, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
        return LXM_VECTORS_NPY;
    return LXM_VECTORS_SHARDS;
}

lxm_vector_format embed_vector_format(const cli_common *common)
{
    lxm_vector_format format = find_format(common);
    bool standard = strcmp(common->output, "-") == 0;
    if (format == LXM_VECTORS_SHARDS && standard)
        cli_usage("shards need a folder: name one with -o");
    if (format == LXM_VECTORS_TEXT && common->binary)
        cli_usage("-f text is not binary: leave -b out");
    if (format != LXM_VECTORS_TEXT)
        cli_refuse_terminal(common->output, "name a file with -o, or say -f text");
    return format;
}

char *embed_describe(const embed_settings *s)
{
    const lxm_window_options *w = &s->embed.window;
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        cli_out_of_memory();
    if (s->table)
        fprintf(stream, "--table %s%s%s", s->table, s->tensor ? " --tensor " : "",
                s->tensor ? s->tensor : "");
    else
        fprintf(stream, "--init %s --seed %" PRIu64, embed_inits[s->generated.init],
                s->generated.seed);
    if (w->context)
        fprintf(stream, " --context %zu --stride %zu%s --positions %s", w->context,
                w->stride ? w->stride : w->context, w->targets ? " --targets" : "",
                positions[s->positions]);
    if (w->pad)
        fprintf(stream, " --pad %" PRIu32 "%s", w->pad_id, w->pad_left ? " --pad-side left" : "");
    if (w->pack)
        fputs(" --pack", stream);
    if (w->has_eot)
        fprintf(stream, " --eot %" PRIu32, w->eot_id);
    if (s->embed.shuffle)
        fprintf(stream, " --shuffle %" PRIu64 "%s", s->embed.shuffle_seed,
                s->embed.shuffle == LXM_SHUFFLE_TORCH ? " --shuffle-like torch" : "");
    if (s->embed.ids_only)
        fputs(" --ids-only", stream);
    if (s->embed.pool)
        fprintf(stream, " --pool %s%s", pools[s->embed.pool - LXM_POOL_MEAN],
                s->embed.normalize ? " --normalize" : "");
    if (s->embed.dtype)
        fprintf(stream, " --dtype %s", dtypes[s->embed.dtype]);
    bool good = !ferror(stream);
    if (fclose(stream) || !good || !text)
        cli_out_of_memory();
    return text;
}

static void check_options(const embed_settings *s)
{
    const lxm_window_options *w = &s->embed.window;
    if (s->table && s->generates)
        cli_usage("--rows, --dim and --init make a table, -t reads one: give one or the other");
    if (s->table && s->seeded && s->positions != positions_learned)
        cli_usage("--seed makes a table, -t reads one: give one or the other");
    if (s->tensor && !s->table)
        cli_usage("--tensor names a tensor of the file that -t names: give both");
    if (!w->context && s->needs_windows)
        cli_usage("--stride, --targets, --pad, --pack, --shuffle, --ids-only and --positions need "
                  "--context");
    if (s->embed.resume && (s->embed.replace || s->embed.format != LXM_VECTORS_SHARDS))
        cli_usage("--resume goes on with shards: give a folder with -o, and not --force");
    if (s->embed.pool && w->context)
        cli_usage("--pool makes one vector of a document: leave --context out");
    if (s->embed.normalize && !s->embed.pool)
        cli_usage("--normalize is for what --pool makes: give both");
    if (w->pad_left && !w->pad)
        cli_usage("--pad-side needs --pad");
    if (w->has_eot && !w->pack)
        cli_usage("--eot stands between documents that follow one another: give --pack too");
    if (s->embed.shuffle && !s->shuffles)
        cli_usage("--shuffle-like needs a seed: give --shuffle too");
}

lxm_status embed_open_table(const embed_settings *s, lxm_table **table, lxm_error *error)
{
    return s->table ? lxm_table_open(table, s->table, s->tensor, NULL, error)
                    : lxm_table_generate(table, &s->generated, NULL, error);
}

/* Learned positions come from the seed as the table does, but are other numbers: PyTorch's
 * generator goes on after the table, the others get another seed. */
static lxm_status open_positions(const embed_settings *s, const lxm_table *table, lxm_table **added,
                                 lxm_error *error)
{
    static const uint64_t other_seed = 0x706F736974696F6E; /* "position" */
    uint64_t rows = s->embed.window.context;
    size_t dim = lxm_table_dim(table);
    if (s->positions == positions_none)
        return LXM_OK;
    if (s->positions == positions_sinusoidal)
        return lxm_table_sinusoidal(added, rows, dim, NULL, error);
    lxm_table_options options = s->generated;
    options.rows = rows;
    options.dim = dim;
    if (options.init == LXM_INIT_TORCH) {
        options.torch_rows_before = lxm_table_rows(table);
        options.torch_dim_before = dim;
    } else {
        options.seed ^= other_seed;
    }
    return lxm_table_generate(added, &options, NULL, error);
}

static void tell(const embed_settings *s, const lxm_embed_result *result)
{
    const char *what = s->embed.window.context ? "windows" : "rows";
    if (s->common.verbose)
        cli_note("%" PRIu64 " %s written, %" PRIu64 " %s of an incomplete batch dropped, %" PRIu64
                 " ids in no window",
                 result->rows, what, result->dropped, what, result->unused);
}

static int project(embed_settings *s, int argc, char **argv)
{
    lxm_error error = {0};
    lxm_embed_result result = {0};
    lxm_table *table = NULL, *added = NULL;
    cli_progress progress;
    s->embed.format = embed_vector_format(&s->common);
    check_options(s);
    char *made_by = embed_describe(s);
    cli_paths inputs = cli_inputs(argc, argv, optind);
    lxm_job job = cli_job(&s->common, &inputs, &progress);
    lxm_status status = embed_open_table(s, &table, &error);
    if (!status)
        status = open_positions(s, table, &added, &error);
    s->embed.table = table;
    s->embed.positions = added;
    s->embed.settings = made_by;
    if (!status)
        status = lxm_run_embed(&s->embed, inputs.paths, inputs.count, s->common.output, &job,
                               &result, &error);
    cli_progress_end(&progress);
    lxm_table_free(table);
    lxm_table_free(added);
    free(made_by);
    if (status)
        return cli_failure(&error);
    tell(s, &result);
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
            !set_table_option(&s, option) && !embed_near_option(&s, option) &&
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
    if ((s.save_vocab || (s.words && !finds)) && commands[command].run != embed_convert)
        cli_usage("--vocab and --save-vocab belong to convert");
    return commands[command].run(&s, argc, argv);
}
