/* Writing vocabularies in any form. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "formats/vocab.h"

/* A form is a file or a folder of files. */
static const struct {
    const lxm_vocab_format *file;
    const lxm_vocab_folder *folder;
} forms[] = {
    [LXM_VOCAB_TEXT] = {&lxm_vocab_format_lexmill, NULL},
    [LXM_VOCAB_COMPILED] = {&lxm_vocab_format_compiled, NULL},
    [LXM_VOCAB_TOKENIZER_JSON] = {&lxm_vocab_format_tokenizer_json, NULL},
    [LXM_VOCAB_TIKTOKEN] = {&lxm_vocab_format_tiktoken, NULL},
    [LXM_VOCAB_MERGES] = {NULL, &lxm_vocab_folder_gpt2},
    [LXM_VOCAB_OPENAI] = {NULL, &lxm_vocab_folder_openai},
    [LXM_VOCAB_WORDPIECE] = {&lxm_vocab_format_wordpiece, NULL},
};

static bool is_folder(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

static bool ends_with(const char *path, const char *end)
{
    size_t length = strlen(path), size = strlen(end);
    return length > size && strcmp(path + length - size, end) == 0;
}

bool lxm_vocab_form_of(const char *path, lxm_vocab_form *form)
{
    static const struct {
        const char *end;
        lxm_vocab_form form;
    } names[] = {
        {".compiled", LXM_VOCAB_COMPILED},   {".json", LXM_VOCAB_TOKENIZER_JSON},
        {".tiktoken", LXM_VOCAB_TIKTOKEN},   {".vocab", LXM_VOCAB_TEXT},
        {"/vocab.txt", LXM_VOCAB_WORDPIECE}, {"/", LXM_VOCAB_MERGES},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (ends_with(path, names[i].end)) {
            *form = names[i].form;
            return true;
        }
    bool wordpiece = strcmp(path, "vocab.txt") == 0;
    *form = wordpiece ? LXM_VOCAB_WORDPIECE : LXM_VOCAB_MERGES;
    return wordpiece || is_folder(path);
}

lxm_status lxm_vocab_refuse_token(const lxm_vocab *vocab, uint32_t id, const char *why,
                                  lxm_error *error)
{
    char text[96];
    size_t length;
    const uint8_t *token = lxm_vocab_token(vocab, id, &length);
    return lxm_fail(error, LXM_ERROR_UNSUPPORTED, "id %" PRIu32 ", '%s', %s", id,
                    lxm_printable(text, sizeof text, token ? token : (const uint8_t *)"", length),
                    why);
}

static lxm_status write_file(const lxm_vocab *vocab, const char *path,
                             const lxm_vocab_write_options *options, lxm_error *error)
{
    lxm_output *output;
    lxm_status status = lxm_output_open(&output, path, &vocab->allocator, error);
    if (status)
        return status;
    status = forms[options->form].file->write(vocab, options, output, error);
    if (status)
        lxm_output_discard(output);
    else
        status = lxm_output_commit(output, error);
    return status;
}

/* ---- folders ---- */

typedef struct folder_output {
    char *paths[lxm_vocab_files];
    lxm_output *outputs[lxm_vocab_files];
    bool made; /* the folder wasn't there */
} folder_output;

static lxm_status open_folder(folder_output *f, const lxm_vocab *vocab, const char *path,
                              const lxm_vocab_folder *folder, lxm_error *error)
{
    lxm_status status = LXM_OK;
    f->made = mkdir(path, 0777) == 0;
    if (!f->made && (errno != EEXIST || !is_folder(path)))
        return lxm_fail_io(error, errno, "can't make the folder");
    for (size_t i = 0; !status && i < folder->count; i++) {
        f->paths[i] = lxm_vocab_file_path(&vocab->allocator, path, folder->names[i]);
        if (!f->paths[i])
            return lxm_fail_memory(error);
        status = lxm_output_open(&f->outputs[i], f->paths[i], &vocab->allocator, error);
    }
    return status;
}

/* All are whole before the first takes its place. */
static lxm_status write_folder(const lxm_vocab *vocab, const char *path,
                               const lxm_vocab_write_options *options, lxm_error *error)
{
    const lxm_vocab_folder *folder = forms[options->form].folder;
    folder_output f = {.made = false};
    lxm_status status = open_folder(&f, vocab, path, folder, error);
    if (!status)
        status = folder->write(vocab, options, f.outputs, error);
    for (size_t i = 0; !status && i < folder->count; i++)
        status = lxm_output_flush(f.outputs[i], error);
    for (size_t i = 0; i < folder->count; i++) {
        if (status)
            lxm_output_discard(f.outputs[i]);
        else
            status = lxm_output_commit(f.outputs[i], error);
        lxm_release(&vocab->allocator, f.paths[i]);
    }
    if (status && f.made)
        rmdir(path); /* which fails where something is in it */
    return status;
}

lxm_status lxm_vocab_write(const lxm_vocab *vocab, const char *path,
                           const lxm_vocab_write_options *options, lxm_error *error)
{
    static const lxm_vocab_write_options standard = {.form = LXM_VOCAB_TEXT};
    options = options ? options : &standard;
    bool names = options->form == LXM_VOCAB_COMPILED || options->form == LXM_VOCAB_TOKENIZER_JSON;
    if ((unsigned)options->form >= sizeof forms / sizeof *forms)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "unknown form of a vocabulary");
    if (options->preset && !names)
        return lxm_fail(error, LXM_ERROR_ARGUMENT,
                        "how text is cut has a place in a tokenizer.json and in a compiled "
                        "vocabulary alone: leave the preset out");
    bool folder = forms[options->form].folder != NULL;
    if (folder && strcmp(path, "-") == 0)
        return lxm_fail(error, LXM_ERROR_ARGUMENT,
                        "this form is a folder of files: name the folder to write");
    lxm_status status = folder ? write_folder(vocab, path, options, error)
                               : write_file(vocab, path, options, error);
    if (status && error)
        error->path = strcmp(path, "-") ? path : "standard output";
    return status;
}

lxm_status lxm_vocab_save(const lxm_vocab *vocab, const char *path, lxm_error *error)
{
    return lxm_vocab_write(vocab, path, NULL, error);
}
