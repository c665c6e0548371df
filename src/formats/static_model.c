/*
 * Folders that hold all it takes to make a vector of a text: those of Model2Vec, and of
 * sentence-transformers where its first module is a StaticEmbedding. What comes out is what those
 * two programs make of them.
 */
#define _POSIX_C_SOURCE 200809L
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "base/utf8.h"
#include "lexmill/pipeline.h"

enum { standard_max_length = 512 }; /* Model2Vec's */

/* The files of a folder; the first layout that is there whole counts. */
typedef struct layout {
    const char *config, *tokenizer, *table, *tensor;
    bool model2vec;
} layout;

static const layout layouts[] = {
    {"config.json", "tokenizer.json", "model.safetensors", "embeddings", true},
    {"modules.json", "tokenizer.json", "model.safetensors", "embedding.weight", false},
    {"modules.json", "0_StaticEmbedding/tokenizer.json", "0_StaticEmbedding/model.safetensors",
     "embedding.weight", false},
};

struct lxm_static_model {
    lxm_allocator allocator;
    lxm_tokenizer *tokenizer;
    lxm_vocab *vocab;
    lxm_table *table;
    lxm_pool_options pool;
};

typedef struct opener {
    lxm_static_model *model;
    const lxm_static_model_options *options;
    const char *folder, *file; /* the latter is being read */
    const layout *layout;
    size_t max_length; /* 0: none */
    lxm_error *error;
} opener;

static char *join(const opener *o, const char *name)
{
    size_t size = strlen(o->folder) + strlen(name) + 2;
    char *path = lxm_allocate(&o->model->allocator, size, 1);
    if (path)
        snprintf(path, size, "%s/%s", o->folder, name);
    return path;
}

static lxm_status bad(const opener *o, const char *what)
{
    return lxm_fail(o->error, LXM_ERROR_FORMAT, "%s", what);
}

/* ---- files ---- */

static lxm_status is_there(const opener *o, const char *name, bool *there)
{
    struct stat about;
    char *path = join(o, name);
    if (!path)
        return lxm_fail_memory(o->error);
    *there = *there && stat(path, &about) == 0;
    lxm_release(&o->model->allocator, path);
    return LXM_OK;
}

static lxm_status find_layout(opener *o)
{
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        const layout *l = &layouts[i];
        bool there = true;
        lxm_status status = is_there(o, l->config, &there);
        if (!status)
            status = is_there(o, l->tokenizer, &there);
        if (!status)
            status = is_there(o, l->table, &there);
        if (status)
            return status;
        if (there) {
            o->layout = l;
            return LXM_OK;
        }
    }
    return lxm_fail(o->error, LXM_ERROR_FORMAT,
                    "this is no folder of a model: config.json, tokenizer.json and "
                    "model.safetensors (Model2Vec), or modules.json and the others "
                    "(sentence-transformers)");
}

static lxm_status read_json(opener *o, const char *name, json_t **root)
{
    lxm_map map;
    json_error_t problem;
    char *path = join(o, name);
    o->file = name;
    *root = NULL;
    if (!path)
        return lxm_fail_memory(o->error);
    lxm_status status = lxm_map_open(&map, path, o->error);
    lxm_release(&o->model->allocator, path);
    if (status)
        return status;
    *root = json_loadb((const char *)map.data, map.length, JSON_REJECT_DUPLICATES, &problem);
    lxm_map_close(&map);
    if (*root)
        return LXM_OK;
    if (json_error_code(&problem) == json_error_out_of_memory)
        return lxm_fail_memory(o->error);
    return lxm_fail(o->error, LXM_ERROR_FORMAT, "line %d: not JSON: %.150s", problem.line,
                    problem.text);
}

/* ---- how rows are pooled ---- */

static lxm_status read_length(const opener *o, const json_t *value, size_t *length)
{
    *length = 0;
    if (json_is_null(value))
        return LXM_OK;
    if (!json_is_integer(value) || json_integer_value(value) < 1)
        return bad(o, "max_length is not a whole number above 0");
    *length = (size_t)json_integer_value(value);
    return LXM_OK;
}

static lxm_status read_config(opener *o, const json_t *root)
{
    const json_t *normalize = json_object_get(root, "normalize");
    const json_t *length = json_object_get(root, "max_length");
    if (!json_is_object(root))
        return bad(o, "not a JSON object");
    if (normalize && !json_is_null(normalize) && !json_is_boolean(normalize))
        return bad(o, "normalize is neither true nor false");
    o->model->pool.normalize = json_is_true(normalize);
    o->max_length = standard_max_length;
    return length ? read_length(o, length, &o->max_length) : LXM_OK;
}

/* A type is the dotted name of a class. */
static bool is_class(const json_t *module, const char *name)
{
    const char *type = json_string_value(json_object_get(module, "type"));
    const char *dot = type ? strrchr(type, '.') : NULL;
    return type && strcmp(dot ? dot + 1 : type, name) == 0;
}

static lxm_status read_modules(opener *o, const json_t *root)
{
    if (!is_class(json_array_get(root, 0), "StaticEmbedding"))
        return lxm_fail(o->error, LXM_ERROR_UNSUPPORTED, "its first module is no StaticEmbedding");
    for (size_t i = 1; i < json_array_size(root); i++) {
        const char *type = json_string_value(json_object_get(json_array_get(root, i), "type"));
        if (!is_class(json_array_get(root, i), "Normalize"))
            return lxm_fail(o->error, LXM_ERROR_UNSUPPORTED, "the module %.100s can't be done",
                            type ? type : "without a type");
        o->model->pool.normalize = true;
    }
    return LXM_OK;
}

/* sentence-transformers keeps what a tokenizer.json says of its length. */
static lxm_status read_truncation(opener *o, const json_t *root)
{
    const json_t *truncation = json_object_get(root, "truncation");
    const char *direction = json_string_value(json_object_get(truncation, "direction"));
    if (o->layout->model2vec || !json_is_object(truncation))
        return LXM_OK;
    if (direction && strcmp(direction, "Right") != 0)
        return lxm_fail(o->error, LXM_ERROR_UNSUPPORTED, "truncation on the left can't be done");
    return read_length(o, json_object_get(truncation, "max_length"), &o->max_length);
}

/* ---- characters ---- */

static uint32_t characters(const json_t *string)
{
    return (uint32_t)lxm_utf8_count((const uint8_t *)json_string_value(string),
                                    json_string_length(string));
}

static bool is_in_model(const json_t *tokens, const char *text)
{
    for (size_t i = 0; i < json_array_size(tokens); i++) {
        const char *token = json_string_value(json_array_get(json_array_get(tokens, i), 0));
        if (token && strcmp(token, text) == 0)
            return true;
    }
    return json_object_get(tokens, text) != NULL;
}

static int compare(const void *left, const void *right)
{
    const uint32_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

/* The median of the tokens' lengths in characters, cut to a whole number. */
static lxm_status find_median(const opener *o, const json_t *root, size_t *median)
{
    const json_t *tokens = json_object_get(json_object_get(root, "model"), "vocab");
    const json_t *added = json_object_get(root, "added_tokens");
    json_t *object = (json_t *)(uintptr_t)tokens; /* iterating doesn't change it */
    size_t most = json_object_size(tokens) + json_array_size(tokens) + json_array_size(added);
    size_t n = 0;
    uint32_t *lengths = lxm_allocate(&o->model->allocator, most + 1, sizeof *lengths);
    if (!lengths)
        return lxm_fail_memory(o->error);
    for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i)) {
        const char *key = json_object_iter_key(i);
        lengths[n++] = (uint32_t)lxm_utf8_count((const uint8_t *)key, strlen(key));
    }
    for (size_t i = 0; i < json_array_size(tokens); i++)
        lengths[n++] = characters(json_array_get(json_array_get(tokens, i), 0));
    for (size_t i = 0; i < json_array_size(added); i++) {
        const json_t *content = json_object_get(json_array_get(added, i), "content");
        if (!is_in_model(tokens, json_string_value(content)))
            lengths[n++] = characters(content);
    }
    qsort(lengths, n, sizeof *lengths, compare);
    *median = n ? ((size_t)lengths[(n - 1) / 2] + lengths[n / 2]) / 2 : 0;
    lxm_release(&o->model->allocator, lengths);
    return LXM_OK;
}

/* ---- the tokenizer ---- */

/* The added tokens, which are found wherever a text spells them. */
static lxm_status list_added(const opener *o, const json_t *root, const char ***names,
                             size_t *count)
{
    const json_t *added = json_object_get(root, "added_tokens");
    size_t size = json_array_size(added);
    *count = 0;
    *names = lxm_allocate(&o->model->allocator, size + 1, sizeof **names);
    if (!*names)
        return lxm_fail_memory(o->error);
    for (size_t i = 0; i < size; i++) {
        const json_t *token = json_array_get(added, i);
        const char *content = json_string_value(json_object_get(token, "content"));
        if (!content)
            return bad(o, "an added token has no content");
        if (*content)
            (*names)[(*count)++] = content;
    }
    return LXM_OK;
}

static lxm_status make_tokenizer(opener *o, const char *path, const json_t *root)
{
    static const lxm_tokenizer_options standard;
    lxm_tokenizer_options options = o->options->tokenizer ? *o->options->tokenizer : standard;
    const char **names = NULL;
    size_t median = 0;
    lxm_status status = list_added(o, root, &names, &options.special_count);
    options.specials = names;
    if (!status && o->layout->model2vec && o->max_length)
        status = find_median(o, root, &median);
    if (!lxm_multiply(o->max_length, median, &options.max_characters))
        options.max_characters = 0; /* no text is so long */
    if (!status)
        status = lxm_tokenizer_open(&o->model->tokenizer, path, &options, &o->model->allocator,
                                    o->error);
    lxm_release(&o->model->allocator, (void *)names);
    return status;
}

static void choose_length(opener *o)
{
    if (o->options->max_length)
        o->max_length = o->options->max_length;
    if (o->max_length == LXM_NO_MAX_LENGTH)
        o->max_length = 0;
    o->model->pool.most_ids = o->max_length;
}

static lxm_status read_tokenizer(opener *o)
{
    json_t *root;
    lxm_status status = read_json(o, o->layout->tokenizer, &root);
    char *path = status ? NULL : join(o, o->layout->tokenizer);
    if (!status && !path)
        status = lxm_fail_memory(o->error);
    if (!status)
        status = read_truncation(o, root);
    if (!status) {
        choose_length(o);
        status = make_tokenizer(o, path, root);
    }
    json_decref(root);
    if (!status)
        status = lxm_vocab_open(&o->model->vocab, path, &o->model->allocator, o->error);
    lxm_release(&o->model->allocator, path);
    return status;
}

/* ---- all ---- */

static lxm_status read_table(opener *o)
{
    lxm_static_model *m = o->model;
    char *path = join(o, o->layout->table);
    o->file = o->layout->table;
    if (!path)
        return lxm_fail_memory(o->error);
    lxm_status status = lxm_table_open(&m->table, path, o->layout->tensor, &m->allocator, o->error);
    lxm_release(&m->allocator, path);
    if (!status && lxm_table_rows(m->table) < lxm_vocab_size(m->vocab))
        status = lxm_fail(o->error, LXM_ERROR_MISMATCH,
                          "it has %llu rows for the %zu tokens of tokenizer.json",
                          (unsigned long long)lxm_table_rows(m->table), lxm_vocab_size(m->vocab));
    return status;
}

static lxm_status read_folder(opener *o)
{
    json_t *root = NULL;
    lxm_static_model *m = o->model;
    m->pool.kind = LXM_POOL_MEAN;
    lxm_status status = find_layout(o);
    if (!status)
        status = read_json(o, o->layout->config, &root);
    if (!status)
        status = o->layout->model2vec ? read_config(o, root) : read_modules(o, root);
    json_decref(root);
    if (!status)
        status = read_tokenizer(o);
    if (!status)
        status = read_table(o);
    if (!status && o->layout->model2vec) {
        m->pool.dropped_id = lxm_vocab_unk(m->vocab);
        m->pool.drops = m->pool.dropped_id != LXM_NO_ID;
    }
    return status;
}

/* The error names the file; its path is the folder. */
static void blame(const opener *o)
{
    lxm_error *error = o->error;
    char message[sizeof error->message];
    if (!error)
        return;
    error->path = o->folder;
    if (!o->file || error->code == LXM_ERROR_MEMORY)
        return;
    memcpy(message, error->message, sizeof message);
    message[sizeof message - 1] = '\0';
    if (snprintf(error->message, sizeof error->message, "%s: %s", o->file, message) < 0)
        error->message[0] = '\0';
}

lxm_status lxm_static_model_open(lxm_static_model **model, const char *folder,
                                 const lxm_static_model_options *options,
                                 const lxm_allocator *allocator, lxm_error *error)
{
    static const lxm_static_model_options standard;
    *model = NULL;
    lxm_allocator a = lxm_allocator_or_default(allocator);
    lxm_static_model *m = lxm_new(&a, sizeof *m);
    if (!m)
        return lxm_fail_memory(error);
    m->allocator = a;
    opener o = {
        .model = m, .options = options ? options : &standard, .folder = folder, .error = error};
    lxm_status status = read_folder(&o);
    if (status) {
        blame(&o);
        lxm_static_model_free(m);
        return status;
    }
    *model = m;
    return LXM_OK;
}

void lxm_static_model_free(lxm_static_model *model)
{
    if (!model)
        return;
    lxm_tokenizer_free(model->tokenizer);
    lxm_vocab_free(model->vocab);
    lxm_table_free(model->table);
    lxm_allocator a = model->allocator;
    lxm_release(&a, model);
}

const lxm_tokenizer *lxm_static_model_tokenizer(const lxm_static_model *model)
{
    return model->tokenizer;
}

const lxm_vocab *lxm_static_model_vocab(const lxm_static_model *model)
{
    return model->vocab;
}

const lxm_table *lxm_static_model_table(const lxm_static_model *model)
{
    return model->table;
}

const lxm_pool_options *lxm_static_model_pool(const lxm_static_model *model)
{
    return &model->pool;
}
