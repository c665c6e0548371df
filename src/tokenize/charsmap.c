#include "tokenize/charsmap.h"

#include "base/error.h"
#include "base/utf8.h"

static uint32_t number_at(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

static void find_plain(lxm_charsmap *map)
{
    size_t found;
    for (uint8_t c = 0; c < 128; c++)
        /* a line end may have what follows it in its cluster */
        map->plain[c] = c != '\r' && !lxm_charsmap_find(map, &c, 1, &found);
}

lxm_status lxm_charsmap_init(lxm_charsmap *map, const uint8_t *bytes, size_t length,
                             const lxm_allocator *allocator, lxm_error *error)
{
    *map = (lxm_charsmap){.units = NULL};
    size_t size = length >= 4 ? number_at(bytes) : 0;
    if (size == 0 || size % 4 || size > length - 4)
        return lxm_fail(error, LXM_ERROR_FORMAT,
                        "the table of characters (precompiled_charsmap) is cut off or damaged");
    map->unit_count = size / 4;
    map->text_length = length - 4 - size;
    if (lxm_utf8_valid(bytes + 4 + size, map->text_length) != map->text_length)
        return lxm_fail(error, LXM_ERROR_FORMAT,
                        "the table of characters (precompiled_charsmap) is not UTF-8");
    map->units = lxm_allocate(allocator, map->unit_count, sizeof *map->units);
    map->text = lxm_allocate(allocator, map->text_length + 1, 1);
    if (!map->units || !map->text) {
        lxm_charsmap_free(map, allocator);
        return lxm_fail_memory(error);
    }
    for (size_t i = 0; i < map->unit_count; i++)
        map->units[i] = number_at(bytes + 4 + 4 * i);
    memcpy(map->text, bytes + 4 + size, map->text_length);
    map->text[map->text_length] = '\0';
    find_plain(map);
    return LXM_OK;
}

void lxm_charsmap_free(lxm_charsmap *map, const lxm_allocator *allocator)
{
    lxm_release(allocator, map->units);
    lxm_release(allocator, map->text);
    *map = (lxm_charsmap){.units = NULL};
}

/* How far a unit's children lie from it. */
static size_t offset_of(uint32_t unit)
{
    return (size_t)(unit >> 10) << ((unit & 1u << 9) >> 6);
}

/* The replacement at a place of the text, which no file is trusted to name rightly. */
static const uint8_t *replacement(const lxm_charsmap *map, size_t at, size_t *length)
{
    if (at >= map->text_length || (map->text[at] & 0xC0) == 0x80)
        return NULL;
    *length = strlen((const char *)map->text + at);
    return map->text + at;
}

const uint8_t *lxm_charsmap_find(const lxm_charsmap *map, const uint8_t *text, size_t length,
                                 size_t *found)
{
    size_t at = offset_of(map->units[0]);
    for (size_t i = 0; i < length && text[i]; i++) {
        at ^= text[i];
        if (at >= map->unit_count)
            return NULL;
        uint32_t unit = map->units[at];
        if ((unit & (1u << 31 | 0xFF)) != text[i])
            return NULL;
        at ^= offset_of(unit);
        if (at >= map->unit_count)
            return NULL;
        if (unit >> 8 & 1)
            return replacement(map, map->units[at] & ~(1u << 31), found);
    }
    return NULL;
}
