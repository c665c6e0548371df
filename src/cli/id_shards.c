#include "id_shards.h"

#include <inttypes.h>
#include <string.h>

static const char *const layouts[] = {"nanogpt", "llmc", "megatron", "npy", "safetensors", NULL};

/* What vocabularies call the end of a text. */
static const char *const end_tokens[] = {"<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>",
                                         "[EOS]"};

bool cli_ids_option(cli_ids *ids, int option)
{
    static const char *const widths[] = {"16", "32", NULL};
    lxm_id_shards_options *o = &ids->options;
    switch (option) {
    case cli_ids_to:
        o->layout = (lxm_id_layout)cli_choice("to", optarg, layouts);
        ids->wanted = true;
        return true;
    case cli_ids_width:
        o->width = cli_choice("width", optarg, widths) ? 32 : 16;
        break;
    case cli_ids_eot:
        ids->eot = optarg;
        break;
    case cli_ids_no_eot:
        ids->no_eot = true;
        break;
    case cli_ids_shard_size:
        o->shard_size = cli_size("shard-size", optarg, 1, INT32_MAX);
        break;
    case cli_ids_force:
        o->replace = true;
        break;
    case cli_ids_resume:
        o->resume = true;
        break;
    default:
        return false;
    }
    ids->given = true;
    return true;
}

void cli_ids_check(const cli_ids *ids, const cli_common *common)
{
    if (!ids->wanted && ids->given)
        cli_usage("--width, --eot, --no-eot, --shard-size, --force and --resume are for a folder "
                  "of ids: say with --to which");
    if (!ids->wanted)
        return;
    if (common->format || common->binary)
        cli_usage("--to says the format: leave -f and -b out");
    if (strcmp(common->output, "-") == 0)
        cli_usage("--to writes a folder: name one with -o");
    if (ids->eot && ids->no_eot)
        cli_usage("--eot and --no-eot: give one or the other");
    if (ids->options.resume && ids->options.replace)
        cli_usage("--resume goes on with what is there, --force begins anew: give one or the "
                  "other");
}

/* Digits are an id, all else is a token. */
static void name_eot(cli_ids *ids, const lxm_vocab *vocab)
{
    lxm_id_shards_options *o = &ids->options;
    o->has_eot = true;
    if (ids->eot[strspn(ids->eot, "0123456789")] == '\0') {
        o->eot_id = (uint32_t)cli_number("eot", ids->eot, 0, UINT32_MAX);
        return;
    }
    if (!vocab || lxm_vocab_size(vocab) == 0)
        cli_usage("--eot: without -V '%.128s' has no id yet: give the id", ids->eot);
    o->eot_id = lxm_vocab_find(vocab, ids->eot, strlen(ids->eot));
    if (o->eot_id == LXM_NO_ID)
        cli_usage("--eot: '%.128s' is not in the vocabulary: name one of its tokens, or an id",
                  ids->eot);
}

static void find_eot(cli_ids *ids, const lxm_vocab *vocab)
{
    lxm_id_shards_options *o = &ids->options;
    const char *found = NULL;
    for (size_t i = 0; i < sizeof end_tokens / sizeof *end_tokens; i++) {
        uint32_t id = lxm_vocab_find(vocab, end_tokens[i], strlen(end_tokens[i]));
        if (id == LXM_NO_ID)
            continue;
        if (found)
            cli_usage("the vocabulary has %s and %s: say with --eot which ends a text, or --no-eot",
                      found, end_tokens[i]);
        found = end_tokens[i];
        o->has_eot = true;
        o->eot_id = id;
    }
}

lxm_status cli_ids_open(cli_ids *ids, const cli_common *common, const lxm_vocab *vocab,
                        lxm_id_shards **shards, lxm_error *error)
{
    lxm_id_shards_options *o = &ids->options;
    if (vocab && lxm_vocab_size(vocab)) {
        o->vocab_size = lxm_vocab_size(vocab);
        o->fingerprint = lxm_vocab_fingerprint(vocab);
    }
    if (ids->eot)
        name_eot(ids, vocab);
    else if (vocab && !ids->no_eot)
        find_eot(ids, vocab);
    lxm_status status = lxm_id_shards_new(shards, o, common->output, NULL, error);
    bool apart = o->has_eot || o->layout == LXM_IDS_MEGATRON || o->layout == LXM_IDS_SAFETENSORS;
    if (!status && !apart && !ids->no_eot && !common->quiet)
        cli_note("no end-of-text token is known: documents follow one another without one (--eot "
                 "names one, --no-eot says that this is meant)");
    return status;
}

lxm_status cli_ids_close(lxm_id_shards *shards, const cli_common *common, lxm_status status,
                         lxm_error *error)
{
    lxm_id_shards_result result = {0};
    if (!status)
        status = lxm_id_shards_commit(shards, &result, error);
    if (!status && common->verbose && result.shards)
        cli_note("%" PRIu64 " ids of %" PRIu64 " documents in %" PRIu64 " shards", result.tokens,
                 result.documents, result.shards);
    else if (!status && common->verbose)
        cli_note("%" PRIu64 " ids of %" PRIu64 " documents: a run before had written all",
                 result.tokens, result.documents);
    lxm_id_shards_free(shards);
    return status;
}
