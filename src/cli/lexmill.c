/* lexmill: text -> ids, tokenize and idmap in one process. */
#include "id_shards.h"
#include "text.h"

#include <string.h>

static const char help[] =
    "usage: lexmill -V VOCAB [OPTION]... [FILE]...\n"
    "Turns text into token ids: tokenize | idmap in one process. Without FILE, or\n"
    "where it is -, reads standard input.\n"
    "\n"
    "  -V, --vocab VOCAB      a vocabulary of idmap, a tokenizer.json, a .tiktoken, a\n"
    "                         vocab.txt, or a folder with such or with GPT-2's files\n"
    "      --unk TOKEN        what unknown tokens become: a token of VOCAB\n"
    "  -p, --preset NAME      how text is cut: words, bert, gpt2, cl100k, ...;\n"
    "                         see tokenize --list; needed where VOCAB has a model\n"
    "      --from FILE        pattern and normalisation of a tokenizer.json; taken\n"
    "                         where VOCAB is one and nothing else is named\n"
    "  -e, --pattern REGEX    each match of a PCRE2 pattern is a token\n"
    "      --split REGEX      what lies between matches is a token\n"
    "  -n, --normalize FORM   nfc, nfd, nfkc or nfkd\n"
    "      --casefold, --lowercase, --strip-marks, --clean\n"
    "  -d, --documents HOW    documents: file (default), line, blank, nul, or\n"
    "                         jsonl[:FIELD], a string (text) in each line's object\n"
    "      --skip-bad         jsonl: skip bad lines, and say how many\n"
    "      --files-from FILE  read the files that FILE names, one a line, as well\n"
    "      --special TOKEN    keep TOKEN whole; may be repeated\n"
    "      --invalid HOW      bad UTF-8: error (default), replace, bytes\n"
    "      --template         put around documents what VOCAB, a tokenizer.json,\n"
    "                         states: [CLS] and [SEP], or the like\n"
    "      --offsets          add where an id's bytes stand in the document\n"
    "      --max-token SIZE, --match-limit N    as in tokenize\n"
    "  -f, --format FORMAT    text (default), binary (-b, --binary) or jsonl\n"
    "  -o, --output FILE      write FILE, whole or not at all\n"
    "      --to LAYOUT        shards of ids in the folder that -o names: nanogpt,\n"
    "                         llmc, megatron, npy, safetensors; with --width, --eot,\n"
    "                         --no-eot, --shard-size, --force, --resume as in idmap\n"
    "  -j, --threads N        default: all processors; the output is the same\n"
    "      --[no-]progress, -q, --quiet, -v, --verbose, -h, --help, --version\n"
    "\n"
    "examples:\n"
    "  lexmill -V gpt2/ -p gpt2 book.txt                     a document a line\n"
    "  lexmill -V cl100k_base.tiktoken -p cl100k -b *.txt | embed -t t.npy > v.npy\n";

enum { option_unk = cli_text_own, option_template };

static const struct option long_options[] = {
    CLI_COMMON_LONG,
    CLI_TEXT_LONG,
    CLI_IDS_LONG,
    {"vocab", required_argument, NULL, 'V'},
    {"unk", required_argument, NULL, option_unk},
    {"template", no_argument, NULL, option_template},
    {NULL, 0, NULL, 0},
};

typedef struct settings {
    cli_common common;
    cli_text text;
    cli_ids ids;
    const char *vocab, *unk;
    bool use_template;
} settings;

static void set_option(settings *s, int option)
{
    if (option == 'V')
        s->vocab = optarg;
    else if (option == option_unk)
        s->unk = optarg;
    else if (option == option_template)
        s->use_template = true;
    else if (!cli_ids_option(&s->ids, option) && !cli_text_option(&s->text, option))
        cli_try_help();
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

static lxm_status open_vocab(settings *s, lxm_vocab **vocab, lxm_error *error)
{
    lxm_status status = lxm_vocab_open(vocab, s->vocab, NULL, error);
    if (status)
        return status;
    choose_pattern(s, *vocab);
    if (s->use_template && (status = lxm_vocab_use_template(*vocab, error))) {
        error->path = s->vocab;
        return status;
    }
    if (!s->unk)
        return LXM_OK;
    uint32_t id = lxm_vocab_find(*vocab, s->unk, strlen(s->unk));
    if (id == LXM_NO_ID)
        cli_usage("--unk: '%.128s' is not in the vocabulary: name one of its tokens", s->unk);
    return lxm_vocab_set_unk(*vocab, id, error);
}

static lxm_status encode_files(const settings *s, const cli_paths *inputs, const lxm_vocab *vocab,
                               const lxm_id_sink *sink, lxm_output *output,
                               lxm_tokenize_run_result *result, lxm_error *error)
{
    lxm_tokenizer *tokenizer = NULL;
    cli_progress progress;
    lxm_stream_options stream = {.offsets = s->text.tokenizer.offsets,
                                 .fingerprint = lxm_vocab_fingerprint(vocab),
                                 .sink = sink};
    if (!sink)
        stream.format = cli_stream_format(&s->common);
    lxm_job job = cli_job(&s->common, inputs, &progress);
    lxm_status status = cli_text_tokenizer(&s->text, &tokenizer, error);
    if (!status)
        status = lxm_run_tokenize_encode(tokenizer, vocab, inputs->paths, inputs->count,
                                         &s->text.run, &stream, output, &job, result, error);
    cli_progress_end(&progress);
    lxm_tokenizer_free(tokenizer);
    return status;
}

static lxm_status write_shards(const settings *s, const cli_paths *inputs, const lxm_vocab *vocab,
                               lxm_tokenize_run_result *result, lxm_error *error)
{
    lxm_id_shards *shards;
    cli_ids ids = s->ids;
    lxm_status status = cli_ids_open(&ids, &s->common, vocab, &shards, error);
    if (status)
        return status;
    lxm_id_sink sink = lxm_id_shards_sink(shards);
    status = encode_files(s, inputs, vocab, &sink, NULL, result, error);
    return cli_ids_close(shards, &s->common, status, error);
}

static lxm_status encode(const settings *s, const cli_paths *inputs, const lxm_vocab *vocab,
                         lxm_tokenize_run_result *result, lxm_error *error)
{
    lxm_output *output;
    if (s->ids.wanted)
        return write_shards(s, inputs, vocab, result, error);
    lxm_status status = lxm_output_open(&output, s->common.output, NULL, error);
    if (!status)
        status = encode_files(s, inputs, vocab, NULL, output, result, error);
    if (!status)
        return lxm_output_commit(output, error);
    lxm_output_discard(output);
    return status;
}

int main(int argc, char **argv)
{
    cli_start("lexmill");
    settings s = {.common = CLI_COMMON_DEFAULT};
    cli_text_begin(&s.text, argc);
    for (int option; (option = getopt_long(argc, argv, CLI_COMMON_SHORT CLI_TEXT_SHORT "V:",
                                           long_options, NULL)) != -1;)
        if (!cli_common_option(&s.common, option, help))
            set_option(&s, option);
    if (!s.vocab)
        cli_usage("a vocabulary is needed: name it with -V");
    cli_ids_check(&s.ids, &s.common);
    if (!s.ids.wanted)
        cli_stream_format(&s.common); /* before any work */
    cli_paths inputs = cli_inputs(argc, argv, optind);
    cli_list list = {0};
    lxm_vocab *vocab = NULL;
    lxm_error error = {0};
    lxm_tokenize_run_result result = {0};
    lxm_status status = LXM_OK;
    if (s.text.files_from) {
        status = cli_list_read(&list, argc, argv, optind, s.text.files_from, &error);
        inputs = (cli_paths){list.paths, list.count};
    }
    if (!status)
        status = open_vocab(&s, &vocab, &error);
    if (!status)
        status = encode(&s, &inputs, vocab, &result, &error);
    if (!status && !s.common.quiet)
        cli_text_skipped(&result);
    int code = status ? cli_failure(&error) : exit_done;
    lxm_vocab_free(vocab);
    cli_list_free(&list); /* the error may name one of its paths */
    cli_text_end(&s.text);
    return code;
}
