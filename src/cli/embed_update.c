/* embed update: a table after some steps of training. */
#define _POSIX_C_SOURCE 200809L
#include "embed.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

const char embed_update_help[] =
    "usage: embed update -t TABLE [OPTION]... GRADIENTS... -o FILE\n"
    "Moves the rows of a table against gradients that a training program saved, a\n"
    "step a file, as PyTorch's optimizers do on torch.nn.Embedding(sparse=True).\n"
    "GRADIENTS: .safetensors with `ids` [n] and `gradients` [n, dim], or .npy.\n"
    "\n"
    "  -t, --table FILE    the table, or --rows N, --dim D, --init KIND, --seed S:\n"
    "                      see embed --help\n"
    "      --optimizer O   sgd (default), adagrad or adam; with PyTorch's names:\n"
    "      --lr X          learning rate (0.01; adam: 0.001)\n"
    "      --momentum X    sgd (0)\n"
    "      --lr-decay X, --initial-accumulator-value X\n"
    "                      adagrad (0)\n"
    "      --betas A,B     adam (0.9,0.999)\n"
    "      --eps X         adagrad (1e-10), adam (1e-8)\n"
    "      --padding-idx ID  drop the gradients of this id\n"
    "      --state FILE    what the optimizer keeps: read, where there, and written\n"
    "      --ids FILE      the ids of .npy gradients: .npy, or an id stream\n"
    "      --force         take a state of other rows, and ids of another vocabulary\n"
    "  -o, --output FILE   the table that comes of it, .npy or .safetensors (-f says\n"
    "                      which), as 32-bit floats\n"
    "\n"
    "examples:\n"
    "  embed update -t t.npy --optimizer adam --state adam g.safetensors -o t.npy\n";

static const char *const optimizers[] = {"sgd", "adagrad", "adam", NULL};

enum { sgd = 1 << LXM_OPTIMIZER_SGD, adagrad = 1 << LXM_OPTIMIZER_ADAGRAD };
enum { adam = 1 << LXM_OPTIMIZER_ADAM };

/* Options that are a number, by their place behind embed_option_lr. */
static const struct {
    const char *name;
    size_t member;
    unsigned optimizers; /* that have it */
} numbers[] = {
    {"lr", offsetof(lxm_layer_options, learning_rate), sgd | adagrad | adam},
    {"lr-decay", offsetof(lxm_layer_options, learning_rate_decay), adagrad},
    {"momentum", offsetof(lxm_layer_options, momentum), sgd},
    {"eps", offsetof(lxm_layer_options, eps), adagrad | adam},
    {"initial-accumulator-value", offsetof(lxm_layer_options, initial_accumulator), adagrad},
};

enum { number_count = sizeof numbers / sizeof *numbers };

static void read_betas(embed_update_settings *u)
{
    char *end;
    u->betas[0] = strtod(optarg, &end);
    bool good = end != optarg && *end == ',';
    const char *second = end + good;
    u->betas[1] = strtod(second, &end);
    if (!good || end == second || *end || !(u->betas[0] >= 0 && u->betas[0] < 1) ||
        !(u->betas[1] >= 0 && u->betas[1] < 1))
        cli_usage("--betas: '%s' is not two numbers from 0 to below 1, such as 0.9,0.999", optarg);
    u->has_betas = true;
}

bool embed_update_option(embed_update_settings *u, int option)
{
    int number = option - embed_option_lr;
    switch (option) {
    case embed_option_optimizer:
        u->optimizer = (lxm_optimizer)cli_choice("optimizer", optarg, optimizers);
        break;
    case embed_option_betas:
        read_betas(u);
        break;
    case embed_option_padding_idx:
        u->padding_id = (uint32_t)cli_number("padding-idx", optarg, 0, UINT32_MAX);
        u->has_padding = true;
        break;
    case embed_option_state:
        u->state = optarg;
        break;
    case embed_option_ids:
        u->ids = optarg;
        break;
    default:
        if (number < 0 || number >= number_count)
            return false;
        u->numbers[number] = cli_real(numbers[number].name, optarg);
        u->given |= 1U << number;
    }
    u->used = true;
    return true;
}

/* PyTorch's defaults, and over them what was given. */
static lxm_layer_options layer_options(const embed_settings *s)
{
    const embed_update_settings *u = &s->update;
    lxm_layer_options options;
    lxm_layer_defaults(&options, u->optimizer);
    for (int i = 0; i < number_count; i++) {
        if (!(u->given >> i & 1))
            continue;
        if (!(numbers[i].optimizers >> u->optimizer & 1))
            cli_usage("--%s has no meaning for %s", numbers[i].name, optimizers[u->optimizer]);
        memcpy((char *)&options + numbers[i].member, &u->numbers[i], sizeof(double));
    }
    if (u->has_betas && u->optimizer != LXM_OPTIMIZER_ADAM)
        cli_usage("--betas has no meaning for %s", optimizers[u->optimizer]);
    if (u->has_betas) {
        options.beta1 = u->betas[0];
        options.beta2 = u->betas[1];
    }
    options.has_padding = u->has_padding;
    options.padding_id = u->padding_id;
    options.threads = s->common.threads;
    return options;
}

static void check_options(const embed_settings *s, int argc)
{
    const embed_update_settings *u = &s->update;
    if (s->other || s->embed.dtype)
        cli_usage("update has no use for windows, batches or --dtype: it writes 32-bit floats");
    if (!s->table && !s->generated.rows)
        cli_usage("update needs a table: name one with -t, or make one with --rows");
    if (s->table && (s->generates || s->seeded))
        cli_usage("--rows, --dim, --init and --seed make a table, -t reads one: give one or the "
                  "other");
    if (s->tensor && !s->table)
        cli_usage("--tensor names a tensor of the file that -t names: give both");
    if (optind == argc)
        cli_usage("update wants files of gradients, one a step");
    if (u->ids && argc - optind != 1)
        cli_usage("--ids goes with one file of gradients");
    if (u->state && (strcmp(u->state, s->common.output) == 0 || strcmp(u->state, "-") == 0))
        cli_usage("--state needs a file of its own");
}

static void tell(const embed_settings *s, const lxm_layer *layer)
{
    uint64_t bad = lxm_layer_not_finite(layer);
    if (bad && !s->common.quiet)
        cli_note("%" PRIu64 " rows hold numbers that aren't finite: a lower --lr, or look at the "
                 "gradients",
                 bad);
    if (s->common.verbose)
        cli_note("step %" PRIu64 ", %" PRIu64 " rows used so far", lxm_layer_steps(layer),
                 lxm_layer_moved_rows(layer));
}

int embed_update(embed_settings *s, int argc, char **argv)
{
    lxm_error error = {0};
    lxm_table *table = NULL;
    lxm_layer *layer = NULL;
    cli_progress progress;
    check_options(s, argc);
    lxm_layer_options how = layer_options(s);
    lxm_vector_format format = embed_vector_format(&s->common);
    if (format != LXM_VECTORS_NPY && format != LXM_VECTORS_SAFETENSORS)
        cli_usage("update writes .npy or .safetensors; embed convert makes the others");
    cli_paths inputs = cli_inputs(argc, argv, optind);
    lxm_job job = cli_job(&s->common, &inputs, &progress);
    lxm_update_options options = {.ids = s->update.ids,
                                  .state = s->update.state,
                                  .any_rows = s->embed.replace,
                                  .format = format};
    lxm_status status = embed_open_table(s, &table, &error);
    if (!status)
        status = lxm_layer_new(&layer, table, &how, NULL, &error);
    if (!status)
        status = lxm_run_update(layer, &options, inputs.paths, inputs.count, s->common.output, &job,
                                &error);
    cli_progress_end(&progress);
    if (!status)
        tell(s, layer);
    lxm_layer_free(layer);
    lxm_table_free(table);
    return status ? cli_failure(&error) : exit_done;
}
