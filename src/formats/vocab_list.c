#include "formats/vocab_list.h"

#include "base/error.h"
#include "formats/byte_level.h"

void lxm_vocab_list_init(lxm_vocab_list *list, size_t file_length, const lxm_allocator *allocator)
{
    *list = (lxm_vocab_list){.allocator = *allocator};
    /* a token takes some bytes of the file, so that only ids with gaps come near */
    list->most = file_length < LXM_NO_ID - 1024 ? file_length + 1024 : LXM_NO_ID;
}

void lxm_vocab_list_free(lxm_vocab_list *list)
{
    lxm_release(&list->allocator, list->tokens);
}

static lxm_status reserve(lxm_vocab_list *list, size_t size, lxm_error *error)
{
    if (size > list->capacity) {
        size_t capacity = size + size / 2;
        lxm_listed *tokens =
            lxm_resize(&list->allocator, list->tokens, capacity, sizeof *list->tokens);
        if (!tokens)
            return lxm_fail_memory(error);
        list->tokens = tokens;
        list->capacity = capacity;
    }
    for (; list->size < size; list->size++)
        list->tokens[list->size] = (lxm_listed){0};
    return LXM_OK;
}

static bool equal(const lxm_listed *a, const lxm_listed *b)
{
    return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

lxm_status lxm_vocab_list_set(lxm_vocab_list *list, json_int_t id, const lxm_listed *token,
                              lxm_error *error)
{
    char text[64], other[64];
    if (id < 0 || (uint64_t)id >= list->most)
        return lxm_fail(error, LXM_ERROR_FORMAT,
                        "the id of '%s', %lld, is negative, or far beyond the number of tokens",
                        lxm_printable(text, sizeof text, token->text, token->length),
                        (long long)id);
    lxm_status status = reserve(list, (size_t)id + 1, error);
    if (status)
        return status;
    lxm_listed *old = &list->tokens[id];
    if (old->text && !equal(old, token))
        return lxm_fail(error, LXM_ERROR_FORMAT, "'%s' and '%s' have both the id %lld",
                        lxm_printable(other, sizeof other, old->text, old->length),
                        lxm_printable(text, sizeof text, token->text, token->length),
                        (long long)id);
    bool inside = old->text && !old->outside; /* the model sees it as well */
    *old = *token;
    old->outside = token->added && (!inside || token->hidden);
    return LXM_OK;
}

lxm_status lxm_vocab_list_take(lxm_vocab_list *list, const json_t *tokens, lxm_error *error)
{
    /* iterating doesn't change it */
    json_t *object = (json_t *)(uintptr_t)tokens;
    lxm_status status = LXM_OK;
    for (void *i = json_object_iter(object); !status && i; i = json_object_iter_next(object, i)) {
        lxm_listed token = {.text = json_object_iter_key(i)};
        token.length = strlen(token.text);
        const json_t *id = json_object_iter_value(i);
        char text[64];
        if (!json_is_integer(id))
            return lxm_fail(error, LXM_ERROR_FORMAT, "the id of '%s' is not a whole number",
                            lxm_printable(text, sizeof text, token.text, token.length));
        status = lxm_vocab_list_set(list, json_integer_value(id), &token, error);
    }
    return status;
}

static lxm_status store(const lxm_listed *token, lxm_vocab *vocab, bool byte_level,
                        lxm_buffer *bytes, lxm_error *error)
{
    uint32_t id, expected = (uint32_t)vocab->table.size;
    bytes->length = 0;
    bool literal = token->outside || token->length == 0;
    if (!literal && byte_level) {
        lxm_byte_level_result result = lxm_byte_level_decode(bytes, token->text, token->length);
        if (result == LXM_BYTE_LEVEL_MEMORY)
            return lxm_fail_memory(error);
        literal = result == LXM_BYTE_LEVEL_LITERAL; /* no pre-token comes to it */
    }
    if (literal)
        return lxm_vocab_append(vocab, token->text, token->length, error);
    const void *text = byte_level ? (const void *)bytes->data : token->text;
    size_t length = byte_level ? bytes->length : token->length;
    lxm_status status = lxm_vocab_add(vocab, text, length, 0, &id, error);
    if (!status && id != expected)
        return lxm_fail(error, LXM_ERROR_FORMAT, "the ids %u and %u have the same token", id,
                        expected);
    return status;
}

lxm_status lxm_vocab_list_store(const lxm_vocab_list *list, lxm_vocab *vocab, bool byte_level,
                                lxm_error *error)
{
    lxm_status status = LXM_OK;
    lxm_buffer bytes;
    lxm_buffer_init(&bytes, &list->allocator);
    for (size_t id = 0; !status && id < list->size; id++)
        status = store(&list->tokens[id], vocab, byte_level, &bytes, error);
    for (size_t id = 0; !status && id < list->size; id++) {
        const lxm_listed *token = &list->tokens[id];
        if (token->special)
            status = lxm_vocab_set_special(vocab, (uint32_t)id, error);
        if (!status && token->added && token->length)
            status = lxm_vocab_add_outside(vocab, token->text, token->length, (uint32_t)id, error);
    }
    lxm_buffer_free(&bytes);
    return status;
}

lxm_status lxm_vocab_json(json_t **json, const uint8_t *bytes, size_t length, lxm_error *error)
{
    json_error_t problem;
    *json = json_loadb((const char *)bytes, length, JSON_REJECT_DUPLICATES, &problem);
    if (*json && json_is_object(*json))
        return LXM_OK;
    if (*json) {
        json_decref(*json);
        *json = NULL;
        return lxm_fail_at(error, LXM_ERROR_FORMAT, 0, "this JSON is not an object");
    }
    if (json_error_code(&problem) == json_error_out_of_memory)
        return lxm_fail_memory(error);
    lxm_fail_at(error, LXM_ERROR_FORMAT, (uint64_t)problem.position, "not JSON: %s", problem.text);
    if (error)
        error->line = problem.line > 0 ? (uint64_t)problem.line : 0;
    return LXM_ERROR_FORMAT;
}
