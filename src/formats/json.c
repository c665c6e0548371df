#include "formats/json.h"

#include "base/escape.h"

typedef struct target {
    lxm_buffer *buffer;
    bool failed;
} target;

static int append(const char *text, size_t length, void *pointer)
{
    target *t = pointer;
    t->failed |= !lxm_buffer_append(t->buffer, text, length);
    return t->failed ? -1 : 0;
}

bool lxm_json_append(lxm_buffer *buffer, const json_t *json, size_t flags)
{
    /* Jansson doesn't look at what writing an object's key comes to */
    target t = {.buffer = buffer};
    return json && json_dump_callback(json, append, &t, flags) == 0 && !t.failed;
}

json_t *lxm_json_text(const char *text, const lxm_allocator *allocator)
{
    lxm_buffer escaped;
    json_t *string = json_string(text);
    if (string)
        return string;
    lxm_buffer_init(&escaped, allocator);
    if (lxm_escape(&escaped, (const uint8_t *)text, strlen(text)))
        string = json_stringn((const char *)escaped.data, escaped.length);
    lxm_buffer_free(&escaped);
    return string;
}
