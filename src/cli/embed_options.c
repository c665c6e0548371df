/* The options of programs that write vectors, and what they come to. */
#define _POSIX_C_SOURCE 200809L
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "embed.h"

const char *const embed_inits[] = {"normal", "uniform", "zeros", "one-hot", "torch", NULL};
static const char *const dtypes[] = {"f32", "f16", "bf16", "i8", NULL};
static const char *const pools[] = {"mean", "max", "sum", "first", "last", NULL};
static const char *const sides[] = {"right", "left", NULL};
static const char *const orders[] = {"torch", NULL};
static const char *const positions[] = {"none", "learned", "sinusoidal", NULL};

enum { positions_none, positions_learned, positions_sinusoidal };

static bool set_table_option(embed_settings *s, int option)
{
    switch (option) {
    case 't':
        s->table = optarg;
        return true;
    case embed_option_tensor:
        s->tensor = optarg;
        return true;
    case embed_option_rows:
        s->generated.rows = cli_number("rows", optarg, 1, (uint64_t)UINT32_MAX + 1);
        break;
    case embed_option_dim:
        s->generated.dim = (size_t)cli_number("dim", optarg, 1, (uint64_t)1 << 32);
        break;
    case embed_option_init:
        s->generated.init = (lxm_init)cli_choice("init", optarg, embed_inits);
        break;
    case embed_option_seed:
        s->generated.seed = cli_number("seed", optarg, 0, UINT64_MAX);
        s->seeded = true;
        return true;
    case embed_option_dtype:
        s->embed.dtype = (lxm_dtype)cli_choice("dtype", optarg, dtypes);
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
    case embed_option_context:
        window->context = (size_t)cli_number("context", optarg, 1, (uint64_t)1 << 40);
        return true;
    case embed_option_stride:
        window->stride = (size_t)cli_number("stride", optarg, 1, (uint64_t)1 << 40);
        break;
    case embed_option_targets:
        window->targets = true;
        break;
    case embed_option_pad:
        window->pad = true;
        window->pad_id = (uint32_t)cli_number("pad", optarg, 0, UINT32_MAX);
        break;
    case embed_option_pad_side:
        window->pad_left = cli_choice("pad-side", optarg, sides) == 1;
        break;
    case embed_option_pack:
        window->pack = true;
        break;
    case embed_option_eot:
        window->has_eot = true;
        window->eot_id = (uint32_t)cli_number("eot", optarg, 0, UINT32_MAX);
        break;
    case embed_option_shuffle:
        s->embed.shuffle = s->embed.shuffle ? s->embed.shuffle : LXM_SHUFFLE_SEEDED;
        s->embed.shuffle_seed = cli_number("shuffle", optarg, 0, UINT64_MAX);
        s->shuffles = true;
        break;
    case embed_option_shuffle_like:
        (void)cli_choice("shuffle-like", optarg, orders);
        s->embed.shuffle = LXM_SHUFFLE_TORCH;
        break;
    case embed_option_ids_only:
        s->embed.ids_only = true;
        break;
    case embed_option_positions:
        s->positions = cli_choice("positions", optarg, positions);
        s->needs_windows = s->needs_windows || s->positions;
        return true;
    default:
        return false;
    }
    s->needs_windows = true;
    return true;
}

/* A number above 0. */
static double read_constant(const char *text)
{
    char *end;
    double number = strtod(text, &end);
    if (end == text || *end || !(number > 0) || number > 1e6)
        cli_usage("--sif: '%s' is not a number above 0, such as 0.001", text);
    return number;
}

static bool set_output_option(embed_settings *s, int option)
{
    switch (option) {
    case embed_option_batch:
        s->embed.batch = (size_t)cli_number("batch", optarg, 1, (uint64_t)1 << 40);
        break;
    case embed_option_drop_last:
        s->embed.drop_last = true;
        break;
    case embed_option_shard_size:
        s->embed.shard_size = cli_size("shard-size", optarg, 1, INT64_MAX);
        break;
    case embed_option_pool:
        s->embed.pool.kind = (lxm_pool_kind)(cli_choice("pool", optarg, pools) + LXM_POOL_MEAN);
        break;
    case embed_option_sif:
        s->sif = read_constant(optarg);
        break;
    case embed_option_max_length:
        s->embed.pool.most_ids = strcmp(optarg, "all")
                                     ? (size_t)cli_number("max-length", optarg, 1, SIZE_MAX - 1)
                                     : LXM_NO_MAX_LENGTH;
        break;
    case embed_option_resume:
        s->embed.resume = true;
        break;
    case embed_option_force:
        s->embed.replace = s->embed.any_vocabulary = true;
        break;
    default:
        return false;
    }
    return true;
}

bool embed_option(embed_settings *s, int option)
{
    if (set_table_option(s, option))
        return true;
    bool known = set_window_option(s, option) || set_output_option(s, option);
    s->projects = s->projects || known;
    s->other = s->other || (known && option != embed_option_force);
    return known;
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

/* Whether a name has an ending, as vectors.csv has. */
static bool looks_like_file(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && dot > name && dot[-1] != '/' && dot[1] && !strpbrk(dot + 1, "/0123456789");
}

void embed_tell_folder(const cli_common *common, lxm_vector_format format)
{
    if (format == LXM_VECTORS_SHARDS && !common->format && !common->quiet &&
        looks_like_file(common->output))
        cli_note("%s becomes a folder of shards: files end in .txt, .npy or .safetensors",
                 common->output);
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
    if (s->embed.pool.kind)
        fprintf(stream, " --pool %s%s", pools[s->embed.pool.kind - LXM_POOL_MEAN],
                s->embed.pool.normalize ? " --normalize" : "");
    if (s->sif > 0)
        fprintf(stream, " --sif %.17g", s->sif);
    if (s->embed.pool.most_ids && s->embed.pool.most_ids != LXM_NO_MAX_LENGTH)
        fprintf(stream, " --max-length %zu", s->embed.pool.most_ids);
    if (s->embed.dtype)
        fprintf(stream, " --dtype %s", dtypes[s->embed.dtype]);
    bool good = !ferror(stream);
    if (fclose(stream) || !good || !text)
        cli_out_of_memory();
    return text;
}

void embed_check(const embed_settings *s)
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
    if (s->embed.pool.kind && w->context)
        cli_usage("--pool makes one vector of a document: leave --context out");
    if ((s->embed.pool.normalize || s->embed.pool.most_ids || s->sif > 0) && !s->embed.pool.kind)
        cli_usage("--normalize, --max-length and --sif are for what --pool makes: give both");
    if (s->sif > 0 && s->embed.pool.kind != LXM_POOL_MEAN && s->embed.pool.kind != LXM_POOL_SUM)
        cli_usage("--sif weighs what is added up: --pool mean or sum");
    if (w->pad_left && !w->pad)
        cli_usage("--pad-side needs --pad");
    if (w->has_eot && !w->pack)
        cli_usage("--eot stands between documents that follow one another: give --pack too");
    if (s->embed.shuffle && !s->shuffles)
        cli_usage("--shuffle-like needs a seed: give --shuffle too");
    if (w->targets && s->embed.format < LXM_VECTORS_SAFETENSORS && !s->common.quiet)
        cli_note("text and .npy have no place for targets: a folder and .safetensors (-o) have");
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

static lxm_status make_weights(embed_settings *s, const lxm_vocab *vocab, float **weights,
                               lxm_error *error)
{
    size_t size = lxm_vocab_size(vocab);
    *weights = calloc(size + 1, sizeof **weights);
    if (!*weights)
        cli_out_of_memory();
    s->embed.pool.weights = *weights;
    s->embed.pool.weight_count = size;
    return lxm_sif_weights(vocab, s->sif, *weights, error);
}

lxm_status embed_open(embed_settings *s, const lxm_vocab *vocab, embed_parts *parts,
                      lxm_error *error)
{
    lxm_status status = LXM_OK;
    if (!s->embed.table)
        status = embed_open_table(s, &parts->table, error);
    if (!status && parts->table)
        s->embed.table = parts->table;
    if (!status)
        status = open_positions(s, s->embed.table, &parts->positions, error);
    if (!status && s->sif > 0)
        status = make_weights(s, vocab, &parts->weights, error);
    s->embed.positions = parts->positions;
    return status;
}

void embed_close(embed_parts *parts)
{
    lxm_table_free(parts->table);
    lxm_table_free(parts->positions);
    free(parts->weights);
}

void embed_tell(const embed_settings *s, const lxm_embed_result *result)
{
    const char *what = s->embed.window.context ? "windows" : "rows";
    cli_note("%" PRIu64 " %s written, %" PRIu64 " %s of an incomplete batch dropped, %" PRIu64
             " ids in no window",
             result->rows, what, result->dropped, what, result->unused);
}
