#include "formats/decoder_json.h"

#include <stdio.h>
#include <string.h>

enum { most_stripped = 1 << 20 };

static const char *string_of(const json_t *object, const char *name, const char *missing)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : missing;
}

static void refuse(lxm_decoding *d, const char *what)
{
    if (!d->refused[0])
        snprintf(d->refused, sizeof d->refused, "%.60s", what);
}

static void set(lxm_decoding *d, lxm_affix *affix, const char *text)
{
    if (!lxm_affix_set(affix, text, strlen(text)))
        refuse(d, "a string over 32 bytes");
}

/* Only marks become spaces. */
static void replace(lxm_decoding *d, const json_t *part)
{
    const char *pattern = string_of(json_object_get(part, "pattern"), "String", "");
    if (!*pattern || strcmp(string_of(part, "content", ""), " ") != 0 || d->space.length)
        refuse(d, "Replace of another kind than a string by a space");
    else
        set(d, &d->space, pattern);
}

static void metaspace(lxm_decoding *d, const json_t *part)
{
    const char *missing =
        json_is_false(json_object_get(part, "add_prefix_space")) ? "never" : "always";
    set(d, &d->space, string_of(part, "replacement", "\xE2\x96\x81"));
    d->strip_first = strcmp(string_of(part, "prepend_scheme", missing), "never") != 0;
}

/* Spaces at the start of a document. */
static void strip(lxm_decoding *d, const json_t *part, bool fused)
{
    json_int_t start = json_integer_value(json_object_get(part, "start"));
    json_int_t stop = json_integer_value(json_object_get(part, "stop"));
    if (!fused || stop != 0 || start < 0 || start > most_stripped ||
        strcmp(string_of(part, "content", ""), " ") != 0)
        refuse(d, "Strip of anything but spaces at the start of a document");
    else
        d->strip = (size_t)start;
}

static void wordpiece(lxm_decoding *d, const json_t *part)
{
    bool cleanup = !json_is_false(json_object_get(part, "cleanup"));
    set(d, &d->continuation, string_of(part, "prefix", "##"));
    if (d->continuation.length) /* every token begins with "" */
        d->join = cleanup ? LXM_JOIN_CLEAN : LXM_JOIN_SPACE;
}

static void read_one(lxm_decoding *d, const json_t *part, bool *fused)
{
    const char *type = string_of(part, "type", "");
    if (strcmp(type, "Replace") == 0)
        replace(d, part);
    else if (strcmp(type, "Metaspace") == 0)
        metaspace(d, part);
    else if (strcmp(type, "Strip") == 0)
        strip(d, part, *fused);
    else if (strcmp(type, "WordPiece") == 0)
        wordpiece(d, part);
    else if (strcmp(type, "BPEDecoder") == 0)
        set(d, &d->word_end, string_of(part, "suffix", "</w>"));
    else if (strcmp(type, "ByteFallback") == 0)
        d->bytes = true;
    else if (strcmp(type, "Fuse") == 0)
        *fused = true;
    else if (strcmp(type, "ByteLevel") != 0)
        refuse(d, *type ? type : "without a type");
}

void lxm_decoder_read(lxm_decoding *decoding, const json_t *decoder)
{
    const json_t *parts = json_object_get(decoder, "decoders");
    bool fused = false;
    if (!decoder || json_is_null(decoder))
        return;
    decoding->join = LXM_JOIN_NONE; /* only WordPiece's puts spaces between tokens */
    if (strcmp(string_of(decoder, "type", ""), "Sequence") != 0)
        read_one(decoding, decoder, &fused);
    for (size_t i = 0; i < json_array_size(parts); i++)
        read_one(decoding, json_array_get(parts, i), &fused);
}
