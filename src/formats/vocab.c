/* Opening and saving vocabularies: a file is known by its content. */
#include "formats/vocab.h"

#include "base/error.h"
#include "base/file.h"

static const lxm_vocab_format *const formats[] = {
    &lxm_vocab_format_lexmill,
};

static const lxm_vocab_format *recognise(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
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
    return format->read(vocab, map->data, map->length, error);
}

lxm_status lxm_vocab_open(lxm_vocab **out, const char *path, const lxm_allocator *allocator,
                          lxm_error *error)
{
    lxm_map map;
    *out = NULL;
    lxm_status status = lxm_map_open(&map, path, error);
    if (status)
        return status;
    lxm_vocab *vocab;
    status = lxm_vocab_new(&vocab, allocator, error);
    if (!status)
        status = read_map(vocab, &map, error);
    lxm_map_close(&map);
    if (status) {
        lxm_vocab_free(vocab);
        if (error)
            error->path = path;
        return status;
    }
    *out = vocab;
    return LXM_OK;
}

lxm_status lxm_vocab_save(const lxm_vocab *vocab, const char *path, lxm_error *error)
{
    lxm_output *output;
    lxm_status status = lxm_output_open(&output, path, &vocab->allocator, error);
    if (status)
        return status;
    status = lxm_vocab_format_lexmill.write(vocab, output, error);
    if (status)
        lxm_output_discard(output);
    else
        status = lxm_output_commit(output, error);
    if (status && error)
        error->path = strcmp(path, "-") ? path : "standard output";
    return status;
}
