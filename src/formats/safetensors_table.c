/* A table in a .safetensors file, with what goes along with it. */
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "embed/table.h"
#include "formats/safetensors.h"
#include "formats/table_reader.h"

/* The tensor that holds the table where none was named. */
static const lxm_tensor *guess(const lxm_safetensors *c)
{
    static const char *const usual[] = {"embeddings",
                                        "embedding.weight",
                                        "weight",
                                        "wte.weight",
                                        "transformer.wte.weight",
                                        "model.embed_tokens.weight",
                                        "embeddings.word_embeddings.weight",
                                        "bert.embeddings.word_embeddings.weight"};
    const lxm_tensor *only = NULL;
    size_t tables = 0;
    for (size_t i = 0; i < c->count; i++)
        if (lxm_safetensors_tensors(c)[i].dimensions == 2) {
            only = &lxm_safetensors_tensors(c)[i];
            tables++;
        }
    if (tables == 1)
        return only;
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if ((only = lxm_safetensors_find(c, usual[i])))
            return only;
    return NULL;
}

static bool find_dtype(const char *name, lxm_dtype *dtype)
{
    static const char *const names[] = {"F32", "F16", "BF16", "I8"};
    for (int i = 0; i < 4; i++)
        if (strcmp(name, names[i]) == 0) {
            *dtype = (lxm_dtype)i;
            return true;
        }
    return false;
}

static lxm_status choose(const lxm_safetensors *c, const char *name, const lxm_tensor **chosen,
                         lxm_dtype *dtype, lxm_error *error)
{
    const lxm_tensor *t = *chosen = name ? lxm_safetensors_find(c, name) : guess(c);
    char shown[80];
    if (!t && name)
        return lxm_fail(error, LXM_ERROR_FORMAT, "it holds no tensor '%.64s'", name);
    if (!t)
        return lxm_fail(error, LXM_ERROR_FORMAT,
                        "which of its %zu tensors is the table? Name it (--tensor)", c->count);
    lxm_printable(shown, sizeof shown, t->name, strlen(t->name));
    if (!find_dtype(t->dtype, dtype))
        return lxm_fail(error, LXM_ERROR_UNSUPPORTED,
                        "tensor '%s' has the dtype %.16s, not F32, F16, BF16 or I8: convert it "
                        "first",
                        shown, t->dtype);
    if (t->dimensions != 2)
        return lxm_fail(error, LXM_ERROR_FORMAT,
                        "tensor '%s' has %zu dimensions: a table has 2 (rows, columns)", shown,
                        t->dimensions);
    if (t->shape[1] == 0 || t->shape[1] > SIZE_MAX / sizeof(float))
        return lxm_fail(error, LXM_ERROR_FORMAT, "tensor '%s' has no columns", shown);
    return LXM_OK;
}

/* __metadata__'s "lexmill.fingerprint": 16 hexadecimal digits; 0 where there is none. */
static lxm_status read_fingerprint(const lxm_safetensors *c, uint64_t *fingerprint,
                                   lxm_error *error)
{
    const json_t *value =
        json_object_get(json_object_get(c->root, "__metadata__"), "lexmill.fingerprint");
    *fingerprint = 0;
    if (!value)
        return LXM_OK;
    const char *text = json_string_value(value);
    size_t digits = text ? strspn(text, "0123456789abcdef") : 0;
    if (digits != 16 || text[digits])
        return lxm_fail(error, LXM_ERROR_FORMAT,
                        "lexmill.fingerprint in its metadata is not 16 hexadecimal digits");
    *fingerprint = strtoull(text, NULL, 16);
    return LXM_OK;
}

/* One of Model2Vec's tensors that go along with `embeddings`: a number for each row. */
static lxm_status find_companion(const lxm_safetensors *c, const char *name, const char *dtypes,
                                 const lxm_tensor **found, lxm_error *error)
{
    const lxm_tensor *t = *found = lxm_safetensors_find(c, name);
    if (!t)
        return LXM_OK;
    char wanted[24];
    snprintf(wanted, sizeof wanted, " %.16s ", t->dtype);
    if (!strstr(dtypes, wanted))
        return lxm_fail(error, LXM_ERROR_UNSUPPORTED,
                        "tensor '%s' has the dtype %.16s, not one of%s", name, t->dtype, dtypes);
    if (t->dimensions == 0 || t->dimensions > 2 || (t->dimensions == 2 && t->shape[1] != 1))
        return lxm_fail(error, LXM_ERROR_FORMAT, "tensor '%s' is no list of numbers", name);
    return LXM_OK;
}

static uint64_t load_integer(const uint8_t *bytes, bool wide)
{
    uint64_t value = 0;
    memcpy(&value, bytes, wide ? 8 : 4);
    return value;
}

/* Which row each id has: ids may be more than rows. */
static lxm_status read_mapping(lxm_table *table, const lxm_tensor *t, const uint8_t *bytes,
                               uint32_t *mapping, lxm_error *error)
{
    bool wide = strcmp(t->dtype, "I64") == 0 || strcmp(t->dtype, "U64") == 0;
    for (uint64_t i = 0; i < t->shape[0]; i++) {
        uint64_t row = load_integer(bytes + i * (wide ? 8 : 4), wide);
        if (row >= table->rows || row > UINT32_MAX)
            return lxm_fail(error, LXM_ERROR_FORMAT,
                            "mapping gives id %llu the row %lld, but there are %llu rows",
                            (unsigned long long)i, (long long)row, (unsigned long long)table->rows);
        mapping[i] = (uint32_t)row;
    }
    return LXM_OK;
}

static void read_weights(const lxm_tensor *t, const uint8_t *bytes, float *weights)
{
    size_t count = (size_t)t->shape[0];
    if (strcmp(t->dtype, "F16") == 0)
        lxm_dtype_widen(LXM_DTYPE_F16)(bytes, count, weights);
    else if (strcmp(t->dtype, "F32") == 0)
        memcpy(weights, bytes, count * sizeof *weights);
    else
        for (size_t i = 0; i < count; i++) {
            double value;
            memcpy(&value, bytes + i * sizeof value, sizeof value);
            weights[i] = (float)value;
        }
}

/* `scales` of whole numbers; Model2Vec's `mapping` and `weights`. */
static lxm_status add_companions(lxm_table *table, const lxm_safetensors *c, lxm_error *error)
{
    const uint8_t *data = table->map.data + c->data;
    const lxm_tensor *scales = NULL, *mapped = NULL, *weighed = NULL;
    lxm_status status = LXM_OK;
    if (table->dtype == LXM_DTYPE_I8)
        status = find_companion(c, "scales", " F32 ", &scales, error);
    if (!status)
        status = find_companion(c, "mapping", " I32 I64 U32 U64 ", &mapped, error);
    if (!status)
        status = find_companion(c, "weights", " F16 F32 F64 ", &weighed, error);
    uint64_t rows = mapped ? mapped->shape[0] : table->rows;
    if (!status &&
        ((scales && scales->shape[0] != table->rows) || (weighed && weighed->shape[0] != rows)))
        status = lxm_fail(error, LXM_ERROR_FORMAT, "%s has not one number for each of its rows",
                          scales && scales->shape[0] != table->rows ? "scales" : "weights");
    if (status)
        return status;
    table->scales = scales ? data + scales->start : NULL;
    uint32_t *mapping =
        mapped ? lxm_allocate(&table->allocator, (size_t)rows, sizeof *mapping) : NULL;
    float *weights =
        weighed ? lxm_allocate(&table->allocator, (size_t)rows, sizeof *weights) : NULL;
    lxm_table_weigh(table, mapping, weights);
    if ((mapped && !mapping) || (weighed && !weights))
        return lxm_fail_memory(error);
    if (mapped)
        status = read_mapping(table, mapped, data + mapped->start, mapping, error);
    if (weighed)
        read_weights(weighed, data + weighed->start, weights);
    table->rows = rows;
    return status;
}

static lxm_status open_table(lxm_table **table, lxm_map map, const char *name,
                             const lxm_allocator *allocator, lxm_error *error)
{
    lxm_safetensors c = {0};
    const lxm_tensor *t;
    lxm_dtype dtype = LXM_DTYPE_F32;
    uint64_t fingerprint = 0;
    lxm_status status = lxm_safetensors_read(&c, map, allocator, error);
    if (!status)
        status = choose(&c, name, &t, &dtype, error);
    if (!status)
        status = read_fingerprint(&c, &fingerprint, error);
    if (!status)
        status = lxm_table_from_map(table, map, c.data + (size_t)t->start, t->shape[0],
                                    (size_t)t->shape[1], dtype, allocator, error);
    if (!status)
        lxm_table_describe(*table, "safetensors", fingerprint);
    if (!status && (strcmp(t->name, "embeddings") == 0 || strcmp(t->name, "embedding.weight") == 0))
        status = add_companions(*table, &c, error);
    lxm_safetensors_free(&c);
    return status;
}

const lxm_table_reader lxm_safetensors_table = {"safetensors", lxm_safetensors_probe, open_table};
