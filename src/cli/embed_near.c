/* embed near and analogy: the rows of a table that are nearest to queries. */
#define _POSIX_C_SOURCE 200809L
#include "embed.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const char embed_near_help[] =
    "usage: embed near -t TABLE [OPTION]... [WORD]...    the nearest rows of a table\n"
    "       embed analogy -t TABLE [OPTION]... [A B C]...   A is to B as C is to what\n"
    "A query is a word of the table, or an id where rows have no words. Without any,\n"
    "standard input: words one a line, ids, or the .npy arrays that embed writes.\n"
    "\n"
    "  -t, --table FILE    any that embed reads; --tensor NAME\n"
    "  -V, --vocab FILE    a vocabulary with a word for each row, where it has none\n"
    "  -k N                rows for each query (10)\n"
    "      --metric M      cosine or dot\n"
    "      --queries FILE  vectors, one a query: any file that -t reads\n"
    "      --exclude-self  not the query's own row\n"
    "      --texts FILE    a line for each row, to show with it\n"
    "  -f, --format F      text: query, rank, word or id, score and text, with tabs\n"
    "                      between; jsonl: an object a query; safetensors: arrays\n"
    "  -o, --output FILE   whole or not at all; default: standard output\n"
    "  -j, --threads N, --[no-]progress, -q, --quiet, -h, --help, --version\n"
    "\n"
    "examples:\n"
    "  embed near -t glove.6B.50d.txt -k 5 frog\n"
    "  embed analogy -t glove.6B.50d.txt man king woman\n"
    "  embed near -t passages.npy --texts passages.txt < question.npy\n";

bool embed_near_option(embed_settings *s, int option)
{
    static const char *const metrics[] = {"cosine", "dot", NULL};
    switch (option) {
    case 'k':
        s->near.k = (size_t)cli_number("k", optarg, 1, UINT32_MAX);
        break;
    case embed_option_metric:
        s->near.metric = (lxm_metric)cli_choice("metric", optarg, metrics);
        break;
    case embed_option_queries:
        s->queries = optarg;
        break;
    case embed_option_texts:
        s->near.texts = optarg;
        break;
    case embed_option_exclude_self:
        s->near.exclude_self = true;
        break;
    default:
        return false;
    }
    s->finds = true;
    return true;
}

static lxm_near_format near_format(const cli_common *common)
{
    static const char *const formats[] = {"text", "jsonl", "safetensors", NULL};
    lxm_near_format format = LXM_NEAR_TEXT;
    if (common->format)
        format = (lxm_near_format)cli_choice("format", common->format, formats);
    else if (embed_ends_with(common->output, ".jsonl"))
        format = LXM_NEAR_JSONL;
    else if (common->binary || embed_ends_with(common->output, ".safetensors"))
        format = LXM_NEAR_SAFETENSORS;
    if (common->binary && format != LXM_NEAR_SAFETENSORS)
        cli_usage("what is found is binary as safetensors alone: leave -b or -f out");
    if (format == LXM_NEAR_SAFETENSORS)
        cli_refuse_terminal(common->output, "name a file with -o, or say -f text");
    return format;
}

static void check_near(const embed_settings *s, const char *name, int names)
{
    if (!s->table || s->generates || s->seeded)
        cli_usage("%s needs a table: name one with -t", name);
    if (s->projects || s->embed.dtype || s->fingerprint)
        cli_usage("%s has no use for windows, batches, pooling or --dtype", name);
    if (s->queries && names)
        cli_usage("queries are the rows of --queries, or words: give one or the other");
}

static void tell(const embed_settings *s, const lxm_near_result *result)
{
    if (s->common.quiet)
        return;
    if (result->bad_rows)
        cli_note("%s: %" PRIu64 " rows are never found: they are not finite%s", s->table,
                 result->bad_rows,
                 s->near.metric == LXM_METRIC_COSINE ? ", or zeros, which have no direction" : "");
    if (result->bad_queries)
        cli_note("%" PRIu64 " queries found nothing: they are zeros, or not finite",
                 result->bad_queries);
}

static int find(embed_settings *s, const char *name, int argc, char **argv)
{
    lxm_error error = {0};
    lxm_near_result result = {0};
    lxm_table *table = NULL, *queries = NULL;
    cli_progress progress;
    cli_paths none = {NULL, 0};
    /* each thread computes on its own: OpenBLAS needn't start any */
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    if (lxm_nearest_ready(&error))
        cli_usage("%s: %s", name, error.message);
    check_near(s, name, argc - optind);
    s->near.k = s->near.k ? s->near.k : 10;
    s->near.vocab = s->words;
    s->near.names = (const char *const *)argv + optind;
    s->near.name_count = (size_t)(argc - optind);
    s->near.format = near_format(&s->common);
    lxm_job job = cli_job(&s->common, &none, &progress);
    lxm_status status = lxm_table_open(&table, s->table, s->tensor, NULL, &error);
    if (!status && s->queries)
        status = lxm_table_open(&queries, s->queries, NULL, NULL, &error);
    s->near.table = table;
    s->near.queries = queries;
    if (!status)
        status = lxm_run_near(&s->near, s->common.output, &job, &result, &error);
    cli_progress_end(&progress);
    lxm_table_free(table);
    lxm_table_free(queries);
    if (status)
        return cli_failure(&error);
    tell(s, &result);
    return exit_done;
}

int embed_near(embed_settings *s, int argc, char **argv)
{
    return find(s, "near", argc, argv);
}

int embed_analogy(embed_settings *s, int argc, char **argv)
{
    s->near.analogy = true;
    if (s->queries || s->near.metric || s->near.exclude_self)
        cli_usage("analogy has no use for --queries, --metric or --exclude-self: it is made of "
                  "words, compared by the cosine, and finds none of them");
    if ((argc - optind) % 3)
        cli_usage("an analogy is made of three words: a is to b as c is to what?");
    return find(s, "analogy", argc, argv);
}
