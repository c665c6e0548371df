/* Opening vocabularies: a file is known by its content. */
#define _POSIX_C_SOURCE 200809L
#include "formats/vocab.h"

#include <stdio.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"

static const lxm_vocab_format *const formats[] = {
    &lxm_vocab_format_compiled, &lxm_vocab_format_lexmill,   &lxm_vocab_format_tokenizer_json,
    &lxm_vocab_format_tiktoken, &lxm_vocab_format_wordpiece, /* last: it looks at all of the file */
};

static const lxm_vocab_folder *const folders[] = {
    &lxm_vocab_folder_tokenizer_json,
    &lxm_vocab_folder_gpt2,
    &lxm_vocab_folder_openai,
    &lxm_vocab_folder_wordpiece,
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const lxm_vocab_format *recognise(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < COUNT(formats); i++)
        if (formats[i]->probe(bytes, length))
            return formats[i];
    return NULL;
}

static lxm_status read_map(lxm_vocab *vocab, const lxm_map *map, lxm_error *error)
{
    if (map->length == 0)
        return lxm_fail(error, LXM_ERROR_FORMAT,
                        "the file is empty: a vocabulary is what idmap build writes");
    const lxm_vocab_format *format = recognise(map->data, map->length);
    if (!format)
        return lxm_fail_at(error, LXM_ERROR_FORMAT, 0,
                           "this is no vocabulary file: make one with idmap build");
    vocab->origin = format->name;
    if (format->mapped)
        vocab->map = *map;
    return format->read(vocab, map->data, map->length, error);
}

static lxm_status read_file(lxm_vocab *vocab, const char *path, lxm_error *error)
{
    lxm_map map;
    lxm_status status = lxm_map_open(&map, path, error);
    if (status)
        return status;
    status = read_map(vocab, &map, error);
    if (!vocab->map.data) /* it is the vocabulary's otherwise */
        lxm_map_close(&map);
    return status;
}

/* ---- folders ---- */

char *lxm_vocab_file_path(const lxm_allocator *a, const char *folder, const char *name)
{
    size_t length = strlen(folder), size = length + strlen(name) + 2;
    char *path = lxm_allocate(a, size, 1);
    if (path)
        snprintf(path, size, "%s%s%s", folder, length && folder[length - 1] == '/' ? "" : "/",
                 name);
    return path;
}

/* The error names the file; its path is the folder. */
static void blame(lxm_error *error, const char *name)
{
    char message[sizeof error->message];
    if (!error || error->code == LXM_ERROR_MEMORY)
        return;
    memcpy(message, error->message, sizeof message);
    message[sizeof message - 1] = '\0';
    if (snprintf(error->message, sizeof error->message, "%s: %s", name, message) < 0)
        error->message[0] = '\0';
}

static lxm_status open_file(const lxm_allocator *a, const char *folder, const char *name,
                            lxm_map *map, lxm_error *error)
{
    char *path = lxm_vocab_file_path(a, folder, name);
    if (!path)
        return lxm_fail_memory(error);
    lxm_status status = lxm_map_open(map, path, error);
    lxm_release(a, path);
    if (status && error)
        error->path = NULL; /* it is gone */
    return status;
}

static lxm_status read_folder(lxm_vocab *vocab, const lxm_vocab_folder *folder, const char *path,
                              lxm_error *error)
{
    lxm_map maps[lxm_vocab_files] = {{0}};
    lxm_vocab_file files[lxm_vocab_files] = {{0}};
    lxm_status status = LXM_OK;
    size_t at_fault = 0;
    vocab->origin = folder->format;
    for (size_t i = 0; !status && i < folder->count; i++) {
        status = open_file(&vocab->allocator, path, folder->names[i], &maps[i], error);
        files[i] = (lxm_vocab_file){maps[i].data, maps[i].length};
        at_fault = i;
    }
    if (!status)
        status = folder->read(vocab, files, &at_fault, error);
    if (status)
        blame(error, folder->names[at_fault]);
    for (size_t i = 0; i < folder->count; i++)
        lxm_map_close(&maps[i]);
    return status;
}

static lxm_status has_files(const lxm_vocab *vocab, const lxm_vocab_folder *folder,
                            const char *path, bool *has, lxm_error *error)
{
    *has = true;
    for (size_t i = 0; *has && i < folder->count; i++) {
        struct stat about;
        char *name = lxm_vocab_file_path(&vocab->allocator, path, folder->names[i]);
        if (!name)
            return lxm_fail_memory(error);
        *has = stat(name, &about) == 0;
        lxm_release(&vocab->allocator, name);
    }
    return LXM_OK;
}

static lxm_status read_any_folder(lxm_vocab *vocab, const char *path, lxm_error *error)
{
    for (size_t i = 0; i < COUNT(folders); i++) {
        bool has;
        lxm_status status = has_files(vocab, folders[i], path, &has, error);
        if (!status && has)
            status = read_folder(vocab, folders[i], path, error);
        if (status || has)
            return status;
    }
    return lxm_fail(error, LXM_ERROR_FORMAT,
                    "no vocabulary is in the folder: tokenizer.json, vocab.json and merges.txt, "
                    "encoder.json and vocab.bpe, or vocab.txt");
}

lxm_status lxm_vocab_open(lxm_vocab **out, const char *path, const lxm_allocator *allocator,
                          lxm_error *error)
{
    struct stat about;
    lxm_vocab *vocab;
    *out = NULL;
    lxm_status status = lxm_vocab_new(&vocab, allocator, error);
    if (status)
        return status;
    if (stat(path, &about) == 0 && S_ISDIR(about.st_mode))
        status = read_any_folder(vocab, path, error);
    else
        status = read_file(vocab, path, error);
    if (status) {
        lxm_vocab_free(vocab);
        if (error)
            error->path = path;
        return status;
    }
    *out = vocab;
    return LXM_OK;
}
