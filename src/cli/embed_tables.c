/* embed init, info, verify and convert: what has to do with tables, not with ids. */
#define _POSIX_C_SOURCE 200809L
#include "embed.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int embed_init(embed_settings *s, int argc, char **argv)
{
    (void)argv;
    lxm_error error = {0};
    lxm_table *table = NULL;
    cli_progress progress;
    cli_paths none = {NULL, 0};
    if (optind < argc)
        cli_usage("init reads no file: what is made is said by options");
    if (s->projects || s->table || s->tensor)
        cli_usage("init has no use for windows, batches or a table: --rows, --dim, --init, --seed");
    if (!s->generated.rows)
        cli_usage("init needs --rows");
    lxm_vector_format format = embed_vector_format(&s->common);
    if (format == LXM_VECTORS_SHARDS)
        cli_usage("a table's name ends in .npy or .safetensors, or -f says its format");
    char *made_by = embed_describe(s);
    lxm_job job = cli_job(&s->common, &none, &progress);
    lxm_status status = lxm_table_generate(&table, &s->generated, NULL, &error);
    if (!status)
        status = lxm_run_write_table(table, s->fingerprint, format, s->embed.dtype, made_by,
                                     s->common.output, &job, &error);
    cli_progress_end(&progress);
    lxm_table_free(table);
    free(made_by);
    return status ? cli_failure(&error) : exit_done;
}

static lxm_status print_info(const embed_settings *s, const char *path, lxm_error *error)
{
    lxm_output *output;
    lxm_status status = lxm_output_open(&output, s->common.output, NULL, error);
    if (status)
        return status;
    status = lxm_run_info(path, s->tensor, output, NULL, error);
    if (!status)
        return lxm_output_commit(output, error);
    lxm_output_discard(output);
    return status;
}

int embed_info(embed_settings *s, int argc, char **argv)
{
    lxm_error error = {0};
    if (argc - optind != 1)
        cli_usage("info wants one file or folder");
    return print_info(s, argv[optind], &error) ? cli_failure(&error) : exit_done;
}

int embed_verify(embed_settings *s, int argc, char **argv)
{
    lxm_error error = {0};
    lxm_verify_result result;
    cli_progress progress;
    cli_paths none = {NULL, 0};
    if (s->tensor || strcmp(s->common.output, "-") != 0)
        cli_usage("verify writes nothing, and knows the tensors: leave --tensor and -o out");
    if (argc - optind != 1)
        cli_usage("verify wants one folder of shards");
    lxm_job job = cli_job(&s->common, &none, &progress);
    lxm_status status = lxm_run_verify(argv[optind], &job, &result, &error);
    cli_progress_end(&progress);
    if (status)
        return cli_failure(&error);
    if (!s->common.quiet)
        cli_note("%" PRIu64 " shards, %" PRIu64 " %s, %" PRIu64 " bytes: as the manifest says",
                 result.shards, result.rows, result.ids ? "ids" : "rows", result.bytes);
    return exit_done;
}

static lxm_table_file convert_format(const cli_common *common)
{
    static const char *const formats[] = {"npy", "safetensors", "word2vec", "vec", "glove", NULL};
    static const char *const endings[] = {".npy", ".safetensors", ".bin", ".vec", ".txt"};
    if (common->format)
        return (lxm_table_file)(cli_choice("format", common->format, formats) + LXM_TABLE_NPY);
    for (int i = 0; i < 5; i++)
        if (embed_ends_with(common->output, endings[i]))
            return (lxm_table_file)(i + LXM_TABLE_NPY);
    cli_usage("-o names no format by .npy, .safetensors, .bin, .vec or .txt: give one with -f");
}

int embed_convert(embed_settings *s, int argc, char **argv)
{
    lxm_error error = {0};
    lxm_table *table;
    lxm_convert_result result = {0};
    cli_progress progress;
    cli_paths none = {NULL, 0};
    if (s->projects || s->generates || s->seeded || s->table)
        cli_usage("convert has no use for windows, batches or generated rows");
    if (argc - optind != 1)
        cli_usage("convert wants one table: a file or the folder of a model");
    lxm_convert_options options = {
        .format = convert_format(&s->common),
        .dtype = s->embed.dtype,
        .words = s->words,
        .save_vocab = s->save_vocab,
        .fingerprint = s->fingerprint,
    };
    if (options.format < LXM_TABLE_VEC)
        cli_refuse_terminal(s->common.output, "name a file with -o");
    lxm_job job = cli_job(&s->common, &none, &progress);
    lxm_status status = lxm_table_open(&table, argv[optind], s->tensor, NULL, &error);
    if (!status)
        status = lxm_run_convert(table, &options, s->common.output, &job, &result, &error);
    cli_progress_end(&progress);
    lxm_table_free(table);
    if (status)
        return cli_failure(&error);
    if (result.duplicates && !s->common.quiet)
        cli_note("%" PRIu64 " rows left out: their words stand before other rows",
                 result.duplicates);
    embed_tell_not_finite(&s->common, result.not_finite, options.dtype);
    return exit_done;
}
