#include "idmap_convert.h"

#include <string.h>

/* In the order of lxm_vocab_form. */
static const char *const names[] = {"text",       "compiled",  "tokenizer.json", "tiktoken",
                                    "merges.txt", "vocab.bpe", "vocab.txt",      NULL};

bool idmap_forms_option(idmap_forms *forms, int option)
{
    switch (option) {
    case 'p':
        forms->preset = optarg;
        return true;
    case idmap_forms_lowercase:
        forms->lowercase = true;
        return true;
    case idmap_forms_drop_special:
        forms->drop_special = true;
        return true;
    default:
        return false;
    }
}

lxm_status idmap_save(const lxm_vocab *vocab, const char *path, lxm_error *error)
{
    lxm_vocab_write_options options = {.form = LXM_VOCAB_TEXT};
    /* a folder or vocab.txt could only be refused: these are of models */
    if (!lxm_vocab_form_of(path, &options.form) || options.form > LXM_VOCAB_TIKTOKEN)
        options.form = LXM_VOCAB_TEXT;
    return lxm_vocab_write(vocab, path, &options, error);
}

static lxm_vocab_form form_of(const cli_common *common)
{
    lxm_vocab_form form;
    if (common->format)
        return (lxm_vocab_form)cli_choice("format", common->format, names);
    if (!lxm_vocab_form_of(common->output, &form))
        cli_usage("-o names no form by .compiled, .json, .tiktoken, .vocab, vocab.txt or a folder: "
                  "give one with -f");
    return form;
}

static void note_what_is_left_out(const lxm_vocab *vocab, const lxm_vocab_write_options *options,
                                  const char *from)
{
    bool keeps = options->form == LXM_VOCAB_COMPILED || options->form == LXM_VOCAB_TOKENIZER_JSON;
    if (!keeps && lxm_vocab_states_pattern(vocab))
        cli_note("this form doesn't say how text is cut: tokenize takes that from --from %s", from);
}

lxm_status idmap_convert(const cli_common *common, const idmap_forms *forms, const char *from,
                         lxm_error *error)
{
    lxm_vocab *vocab;
    lxm_vocab_write_options options = {.form = form_of(common),
                                       .preset = forms->preset,
                                       .lowercase = forms->lowercase,
                                       .drop_special = forms->drop_special};
    if (forms->lowercase && !forms->preset)
        cli_usage("--lowercase goes with -p bert");
    if (options.form == LXM_VOCAB_COMPILED)
        cli_refuse_terminal(common->output, "name a file with -o");
    lxm_status status = lxm_vocab_open(&vocab, from, NULL, error);
    if (!status)
        status = lxm_vocab_write(vocab, common->output, &options, error);
    if (!status && !common->quiet)
        note_what_is_left_out(vocab, &options, from);
    lxm_vocab_free(vocab);
    return status;
}
