#include "formats/template_json.h"

#include <stdio.h>
#include <string.h>

static const char *string_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static void refuse(lxm_template *t, const char *what, const char *name)
{
    if (!t->refused[0])
        snprintf(t->refused, sizeof t->refused, "%s%.48s", what, name);
}

static void add(lxm_template *t, const json_t *id, bool behind)
{
    size_t *count = behind ? &t->after_count : &t->before_count;
    json_int_t value = json_integer_value(id);
    if (!json_is_integer(id) || value < 0 || value >= (json_int_t)LXM_NO_ID)
        refuse(t, "an id is no id", "");
    else if (*count == lxm_template_most)
        refuse(t, "it has too many tokens", "");
    else
        (behind ? t->after : t->before)[(*count)++] = (uint32_t)value;
}

/* "single": special tokens, and once the document, which is sequence A. */
static void read_pieces(lxm_template *t, const json_t *part)
{
    const json_t *pieces = json_object_get(part, "single");
    bool behind = false;
    for (size_t i = 0; i < json_array_size(pieces); i++) {
        const json_t *piece = json_array_get(pieces, i);
        const json_t *sequence = json_object_get(piece, "Sequence");
        const char *name = string_of(json_object_get(piece, "SpecialToken"), "id");
        const json_t *token = json_object_get(json_object_get(part, "special_tokens"), name);
        const json_t *ids = json_object_get(token, "ids");
        if (sequence && (behind || strcmp(string_of(sequence, "id"), "A") != 0))
            refuse(t, "it holds another sequence than the document, or that twice", "");
        if (!sequence && !json_is_array(ids))
            refuse(t, "it has no ids for ", name);
        for (size_t k = 0; !sequence && k < json_array_size(ids); k++)
            add(t, json_array_get(ids, k), behind);
        behind |= sequence != NULL;
    }
    if (!behind)
        refuse(t, "the document isn't in it", "");
}

/* BERT's and RoBERTa's: "cls" and "sep" are ["token", id]. */
static void read_pair(lxm_template *t, const json_t *part)
{
    add(t, json_array_get(json_object_get(part, "cls"), 1), false);
    add(t, json_array_get(json_object_get(part, "sep"), 1), true);
}

static void read_one(lxm_template *t, const json_t *part)
{
    const char *type = string_of(part, "type");
    /* that changes offsets alone */
    if (strcmp(type, "ByteLevel") == 0 || !part || json_is_null(part))
        return;
    /* the reference gives what the first made to the second as several texts */
    if (t->stated)
        refuse(t, "two of its parts put tokens around a text", "");
    else if (strcmp(type, "TemplateProcessing") == 0)
        read_pieces(t, part);
    else if (strcmp(type, "BertProcessing") == 0 || strcmp(type, "RobertaProcessing") == 0)
        read_pair(t, part);
    else
        refuse(t, "", *type ? type : "it has no type");
    t->stated = true;
}

void lxm_template_read(lxm_template *template, const json_t *post_processor)
{
    const json_t *parts = json_object_get(post_processor, "processors");
    if (strcmp(string_of(post_processor, "type"), "Sequence") != 0)
        read_one(template, post_processor);
    for (size_t i = 0; i < json_array_size(parts); i++)
        read_one(template, json_array_get(parts, i));
}
