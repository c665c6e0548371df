/* lexmill: text -> ids, or vectors, in one process. */
#include "text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "embed.h"
#include "id_shards.h"

static const char help[] =
    "usage: lexmill -V VOCAB [OPTION]... [FILE]...           text -> ids\n"
    "       lexmill -V VOCAB -t TABLE [OPTION]... [FILE]...  text -> vectors\n"
    "       lexmill -m FOLDER [OPTION]... [FILE]...          a vector a document\n"
    "tokenize | idmap | embed in one process, with their options. Reads standard\n"
    "input where there is no FILE, or where it is -.\n"
    "\n"
    "  -V, --vocab VOCAB      a vocabulary of idmap, a tokenizer.json, a .tiktoken, a\n"
    "                         vocab.txt, or a folder with such or with GPT-2's files\n"
    "      --unk TOKEN        what unknown tokens become: a token of VOCAB\n"
    "      --template         put [CLS] and [SEP] or the like around documents, as\n"
    "                         VOCAB, a tokenizer.json, states\n"
    "  -m, --model FOLDER     a model of Model2Vec, or of sentence-transformers with\n"
    "                         a StaticEmbedding: vocabulary, table and all\n"
    "  -p, --preset NAME      how text is cut: words, bert, gpt2, cl100k, ...;\n"
    "                         see tokenize --list; needed where VOCAB has a model\n"
    "      --from FILE        pattern and normalisation of a tokenizer.json; taken\n"
    "                         where VOCAB is one and nothing else is named\n"
    "  -d, --documents HOW    file, line, blank, nul, sentence or jsonl[:FIELD]\n"
    "  -e, --pattern, --split, -n, --normalize FORM, --casefold, --lowercase,\n"
    "  --strip-marks, --clean, --special, --invalid, --offsets, --max-token,\n"
    "  --match-limit, --skip-bad, --files-from               as in tokenize\n"
    "  -t, --table FILE, or --rows, --dim, --init, --seed    as in embed, and so:\n"
    "  --tensor, --context, --stride, --targets, --pad, --pad-side, --pack, --eot,\n"
    "  --positions, --shuffle, --shuffle-like, --ids-only, --batch, --drop-last,\n"
    "  --dtype, --shard-size, --force, --resume\n"
    "      --pool HOW         a vector a document: mean, max, sum, first, last\n"
    "      --normalize        (without FORM) each of length 1; --max-length N: of a\n"
    "                         document's first N ids; --sif A: rows weighed by counts\n"
    "  -f, --format FORMAT    ids: text (default), binary (-b, --binary) or jsonl;\n"
    "                         vectors: text, npy, safetensors or shards\n"
    "  -o, --output NAME      a file or folder, whole or not at all\n"
    "      --to LAYOUT        shards of ids in that folder: nanogpt, llmc, megatron,\n"
    "                         npy, safetensors; with --width, --no-eot as in idmap\n"
    "  -j, --threads N        default: all processors; the output is the same\n"
    "      --[no-]progress, -q, --quiet, -v, --verbose, -h, --help, --version\n"
    "\n"
    "examples:\n"
    "  lexmill -V gpt2/ -p gpt2 book.txt                     a document a line\n"
    "  lexmill -V gpt2/ -p gpt2 -t wte.npy --context 256 -o shards *.txt\n"
    "  lexmill -m potion-base-8M -d line -o vectors.npy sentences.txt\n";

enum {
    option_unk = cli_text_own,
    option_template,
    option_normalize,
    option_eot,
    option_shard_size,
    option_force,
    option_resume
};

/* --normalize is an option of tokenize with a form, and of embed without; those behind it are of
 * shards, of ids or of vectors. The first of a name counts. */
static const struct option long_options[] = {
    {"normalize", optional_argument, NULL, option_normalize},
    {"eot", required_argument, NULL, option_eot},
    {"shard-size", required_argument, NULL, option_shard_size},
    {"force", no_argument, NULL, option_force},
    {"resume", no_argument, NULL, option_resume},
    CLI_COMMON_LONG,
    CLI_TEXT_LONG,
    EMBED_LONG,
    CLI_IDS_LONG,
    {"vocab", required_argument, NULL, 'V'},
    {"unk", required_argument, NULL, option_unk},
    {"model", required_argument, NULL, 'm'},
    {"template", no_argument, NULL, option_template},
    {NULL, 0, NULL, 0},
};

typedef struct settings {
    cli_common common;
    cli_text text;
    embed_settings vectors;
    bool wants_vectors;
    cli_ids ids;
    const char *eot, *shard_size; /* of either shards */
    bool force, resume;
    const char *vocab, *unk, *model;
    bool use_template;
} settings;

/* The way from text to ids, and to vectors where they are wanted. */
typedef struct parts {
    lxm_static_model *model; /* which has the next two, or NULL */
    const lxm_vocab *vocab;
    const lxm_tokenizer *tokenizer;
    lxm_vocab *own_vocab;
    lxm_tokenizer *own_tokenizer;
    embed_parts embed;
    char *made_by;
    lxm_tokenize_run_result result;
    lxm_embed_result embed_result;
} parts;

/* With a form behind it, as `=FORM` or as the next word, it is the text that is normalised. */
static void set_normalize(settings *s, int argc, char **argv)
{
    static const char *const forms[] = {"none", "nfc", "nfd", "nfkc", "nfkd"};
    for (size_t i = 0; !optarg && optind < argc && i < sizeof forms / sizeof *forms; i++)
        if (strcmp(argv[optind], forms[i]) == 0)
            optarg = argv[optind];
    if (!optarg) {
        s->vectors.embed.pool.normalize = s->wants_vectors = true;
        return;
    }
    optind += optind < argc && optarg == argv[optind];
    cli_text_option(&s->text, 'n');
}

/* Options of shards, before it is known what they hold. */
static bool set_shard_option(settings *s, int option)
{
    if (option == option_eot)
        s->eot = optarg;
    else if (option == option_shard_size)
        s->shard_size = optarg;
    else if (option == option_force)
        s->force = true;
    else if (option == option_resume)
        s->resume = true;
    else
        return false;
    return true;
}

static void set_option(settings *s, int option, int argc, char **argv)
{
    switch (option) {
    case 'V':
        s->vocab = optarg;
        break;
    case 'm':
        s->model = optarg;
        s->wants_vectors = true;
        break;
    case option_unk:
        s->unk = optarg;
        break;
    case option_template:
        s->use_template = true;
        break;
    case option_normalize:
        set_normalize(s, argc, argv);
        break;
    default:
        if (set_shard_option(s, option) || cli_ids_option(&s->ids, option) ||
            cli_text_option(&s->text, option))
            break;
        if (!embed_option(&s->vectors, option))
            cli_try_help();
        s->wants_vectors = true;
    }
}

/* Options of shards, now that it is known. */
static void settle_shard_options(settings *s)
{
    const struct {
        bool given;
        const char *argument;
        int of_ids, of_vectors;
    } options[] = {
        {s->eot != NULL, s->eot, cli_ids_eot, embed_option_eot},
        {s->shard_size != NULL, s->shard_size, cli_ids_shard_size, embed_option_shard_size},
        {s->force, NULL, cli_ids_force, embed_option_force},
        {s->resume, NULL, cli_ids_resume, embed_option_resume},
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        optarg = (char *)(uintptr_t)options[i].argument;
        if (options[i].given && s->wants_vectors)
            embed_option(&s->vectors, options[i].of_vectors);
        else if (options[i].given)
            cli_ids_option(&s->ids, options[i].of_ids);
    }
}

static void check_model(const settings *s)
{
    const lxm_tokenizer_options *t = &s->text.tokenizer;
    const embed_settings *v = &s->vectors;
    if (s->vocab || s->unk || s->use_template || s->text.from || t->preset || t->pattern ||
        t->normal_form || t->special_count || t->casefold || t->lowercase || t->strip_marks ||
        t->clean)
        cli_usage("-m brings the vocabulary and the way to cut text: leave out the options that "
                  "state them as well");
    if (v->table || v->generates || v->seeded || v->sif > 0 || v->needs_windows ||
        v->embed.window.context)
        cli_usage("-m makes one vector of each document, by its own table: leave out tables, "
                  "windows and --sif");
}

static void check(settings *s)
{
    if (s->model)
        check_model(s);
    else if (!s->vocab)
        cli_usage("a vocabulary is needed: name it with -V, or a model's folder with -m");
    settle_shard_options(s);
    if (s->ids.wanted && s->wants_vectors)
        cli_usage("--to writes ids: leave out what makes vectors of them");
    cli_ids_check(&s->ids, &s->common);
    if (!s->wants_vectors && !s->ids.wanted)
        cli_stream_format(&s->common); /* before any work */
    if (!s->wants_vectors)
        return;
    if (s->text.tokenizer.offsets)
        cli_usage("--offsets go with ids, vectors have none: leave it out");
    s->vectors.common = s->common;
    s->vectors.embed.format = embed_vector_format(&s->common);
    embed_tell_folder(&s->common, s->vectors.embed.format);
    if (!s->model)
        embed_check(&s->vectors);
}

/* A model makes sense of the pre-tokens of one pattern alone: a tokenizer.json states its own, for
 * other vocabularies none is taken for granted. */
static void choose_pattern(settings *s, const lxm_vocab *vocab)
{
    const char *model = lxm_vocab_model(vocab);
    const lxm_tokenizer_options *tokenizer = &s->text.tokenizer;
    if (tokenizer->preset || tokenizer->pattern || s->text.from)
        return;
    if (lxm_vocab_states_pattern(vocab)) {
        s->text.from = s->vocab;
        return;
    }
    if (strcmp(model, "word") != 0)
        cli_usage("the model of the vocabulary (%s) goes with one way to cut text: name it with "
                  "-p, such as -p gpt2, cl100k, bert, or with --from",
                  model);
}

static lxm_status open_vocab(settings *s, parts *p, lxm_error *error)
{
    lxm_status status = lxm_vocab_open(&p->own_vocab, s->vocab, NULL, error);
    p->vocab = p->own_vocab;
    if (status)
        return status;
    choose_pattern(s, p->vocab);
    if (s->use_template && (status = lxm_vocab_use_template(p->own_vocab, error))) {
        error->path = s->vocab;
        return status;
    }
    if (!s->unk)
        return LXM_OK;
    uint32_t id = lxm_vocab_find(p->vocab, s->unk, strlen(s->unk));
    if (id == LXM_NO_ID)
        cli_usage("--unk: '%.128s' is not in the vocabulary: name one of its tokens", s->unk);
    return lxm_vocab_set_unk(p->own_vocab, id, error);
}

/* A model pools as it says, unless another way is named. */
static lxm_status open_model(settings *s, parts *p, lxm_error *error)
{
    lxm_pool_options *pool = &s->vectors.embed.pool, wanted = *pool;
    lxm_static_model_options options = {&s->text.tokenizer, wanted.most_ids};
    lxm_status status = lxm_static_model_open(&p->model, s->model, &options, NULL, error);
    if (status)
        return status;
    *pool = *lxm_static_model_pool(p->model);
    if (wanted.kind)
        pool->kind = wanted.kind;
    pool->normalize |= wanted.normalize;
    p->vocab = lxm_static_model_vocab(p->model);
    p->tokenizer = lxm_static_model_tokenizer(p->model);
    s->vectors.table = s->model;
    s->vectors.embed.table = lxm_static_model_table(p->model);
    return LXM_OK;
}

/* Better known now than when the first id without a row comes, hours later. */
static void compare_sizes(const settings *s, const parts *p)
{
    uint64_t rows = lxm_table_rows(s->vectors.embed.table);
    size_t size = lxm_vocab_size(p->vocab);
    if (rows < size && !s->common.quiet)
        cli_note("the table has %" PRIu64
                 " rows, but the vocabulary %zu tokens: an id from %" PRIu64 " on will be an error",
                 rows, size, rows);
}

static lxm_status open_parts(settings *s, parts *p, lxm_error *error)
{
    if (s->model)
        return open_model(s, p, error);
    lxm_status status = open_vocab(s, p, error);
    if (!status)
        status = cli_text_tokenizer(&s->text, &p->own_tokenizer, error);
    p->tokenizer = p->own_tokenizer;
    if (!status && s->wants_vectors)
        status = embed_open(&s->vectors, p->vocab, &p->embed, error);
    if (!status && s->wants_vectors)
        compare_sizes(s, p);
    return status;
}

static void close_parts(parts *p)
{
    embed_close(&p->embed);
    lxm_vocab_free(p->own_vocab);
    lxm_tokenizer_free(p->own_tokenizer);
    lxm_static_model_free(p->model);
    free(p->made_by);
}

static lxm_status encode(const settings *s, const cli_paths *inputs, parts *p,
                         const lxm_stream_options *stream, lxm_output *output, const lxm_job *job,
                         lxm_error *error)
{
    return lxm_run_tokenize_encode(p->tokenizer, p->vocab, inputs->paths, inputs->count,
                                   &s->text.run, stream, output, job, &p->result, error);
}

static lxm_status write_id_shards(const settings *s, const cli_paths *inputs, parts *p,
                                  const lxm_job *job, lxm_error *error)
{
    lxm_id_shards *shards;
    cli_ids ids = s->ids;
    lxm_status status = cli_ids_open(&ids, &s->common, p->vocab, &shards, error);
    if (status)
        return status;
    lxm_id_sink sink = lxm_id_shards_sink(shards);
    lxm_stream_options stream = {.offsets = s->text.tokenizer.offsets,
                                 .fingerprint = lxm_vocab_fingerprint(p->vocab),
                                 .sink = &sink};
    status = encode(s, inputs, p, &stream, NULL, job, error);
    return cli_ids_close(shards, &s->common, status, error);
}

static lxm_status write_ids(const settings *s, const cli_paths *inputs, parts *p,
                            const lxm_job *job, lxm_error *error)
{
    lxm_output *output = NULL;
    if (s->ids.wanted)
        return write_id_shards(s, inputs, p, job, error);
    lxm_stream_options stream = {.format = cli_stream_format(&s->common),
                                 .offsets = s->text.tokenizer.offsets,
                                 .fingerprint = lxm_vocab_fingerprint(p->vocab)};
    lxm_status status = lxm_output_open(&output, s->common.output, NULL, error);
    if (!status)
        status = encode(s, inputs, p, &stream, output, job, error);
    if (!status)
        return lxm_output_commit(output, error);
    lxm_output_discard(output);
    return status;
}

/* What made the vectors: the options of both stages. */
static char *describe(const settings *s, const parts *p)
{
    char *vectors = embed_describe(&s->vectors);
    const char *text = lxm_tokenizer_settings(p->tokenizer);
    size_t size = strlen(vectors) + strlen(text) + 2;
    char *both = malloc(size);
    if (!both)
        cli_out_of_memory();
    snprintf(both, size, "%s\t%s", vectors, text);
    free(vectors);
    return both;
}

static lxm_status write_vectors(settings *s, const cli_paths *inputs, parts *p, const lxm_job *job,
                                lxm_error *error)
{
    lxm_embed_options *options = &s->vectors.embed;
    options->settings = p->made_by = describe(s, p);
    return lxm_run_tokenize_embed(p->tokenizer, p->vocab, options, inputs->paths, inputs->count,
                                  &s->text.run, s->common.output, job, &p->result, &p->embed_result,
                                  error);
}

static lxm_status run(settings *s, const cli_paths *inputs, parts *p, lxm_error *error)
{
    cli_progress progress;
    lxm_status status = open_parts(s, p, error);
    if (status)
        return status;
    lxm_job job = cli_job(&s->common, inputs, &progress);
    status = s->wants_vectors ? write_vectors(s, inputs, p, &job, error)
                              : write_ids(s, inputs, p, &job, error);
    cli_progress_end(&progress);
    return status;
}

static void tell(const settings *s, const parts *p)
{
    if (!s->common.quiet)
        cli_text_skipped(&p->result);
    if (s->common.verbose && s->wants_vectors)
        embed_tell(&s->vectors, &p->embed_result);
    else if (s->common.verbose && !s->ids.wanted)
        cli_text_tell(&p->result, "ids");
}

int main(int argc, char **argv)
{
    cli_start("lexmill");
    settings s = {.common = CLI_COMMON_DEFAULT};
    cli_text_begin(&s.text, argc);
    for (int option; (option = getopt_long(argc, argv, CLI_COMMON_SHORT CLI_TEXT_SHORT "V:t:m:",
                                           long_options, NULL)) != -1;)
        if (!cli_common_option(&s.common, option, help))
            set_option(&s, option, argc, argv);
    check(&s);
    cli_paths inputs = cli_inputs(argc, argv, optind);
    cli_list list = {0};
    parts p = {0};
    lxm_error error = {0};
    lxm_status status = LXM_OK;
    if (s.text.files_from) {
        status = cli_list_read(&list, argc, argv, optind, s.text.files_from, &error);
        inputs = (cli_paths){list.paths, list.count};
    }
    if (!status)
        status = run(&s, &inputs, &p, &error);
    if (!status)
        tell(&s, &p);
    int code = status ? cli_failure(&error) : exit_done;
    close_parts(&p);
    cli_list_free(&list); /* the error may name one of its paths */
    cli_text_end(&s.text);
    return code;
}
