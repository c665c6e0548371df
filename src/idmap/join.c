#include "idmap/join.h"

/* LXM_JOIN_BOOK is what the book does to words joined by spaces, re.sub(r'\s+([,.:;?!"()\'])',
 * r'\1', text), as far as the spaces between tokens go: white space inside a token stays. */
static bool closes_up(const uint8_t *token, size_t length)
{
    return length > 0 && token[0] != '\0' && strchr(",.:;?!\"()'", token[0]);
}

static bool begins_with(const uint8_t *token, size_t length, const lxm_affix *affix)
{
    return affix->length && length >= affix->length &&
           memcmp(token, affix->bytes, affix->length) == 0;
}

static int hexadecimal(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte that <0xHH> stands for, or -1. */
static int byte_of(const uint8_t *token, size_t length)
{
    if (length != 6 || memcmp(token, "<0x", 3) != 0 || token[5] != '>')
        return -1;
    int high = hexadecimal(token[3]), low = hexadecimal(token[4]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* Appends a token in which U+2581 stands for a space; there is room. */
static void append_spaces(lxm_buffer *text, const uint8_t *token, size_t length, bool strip)
{
    static const uint8_t mark[] = {0xE2, 0x96, 0x81};
    for (size_t i = 0; i < length; i++) {
        bool is_mark = length - i >= sizeof mark && memcmp(token + i, mark, sizeof mark) == 0;
        if (!is_mark || !strip || i > 0)
            lxm_buffer_append(text, is_mark ? (const uint8_t *)" " : token + i, 1);
        i += is_mark ? sizeof mark - 1 : 0;
    }
}

/* The text of a token alone; there is room. */
static void append_token(lxm_joiner *joiner, const lxm_decoding *d, lxm_buffer *text,
                         const uint8_t *token, size_t length)
{
    int byte = d->bytes ? byte_of(token, length) : -1;
    const lxm_affix *end = &d->word_end;
    bool ends_word =
        length >= end->length && begins_with(token + length - end->length, end->length, end);
    uint8_t bytes[1] = {(uint8_t)byte};
    length -= ends_word ? end->length : 0;
    joiner->space = ends_word;
    if (byte >= 0)
        lxm_buffer_append(text, bytes, 1);
    else if (d->spaces)
        append_spaces(text, token, length, d->strip && !joiner->inside);
    else
        lxm_buffer_append(text, token, length);
}

bool lxm_joiner_append(lxm_joiner *joiner, lxm_buffer *text, const uint8_t *token, size_t length)
{
    static const lxm_decoding plain;
    const lxm_decoding *d = joiner->vocab ? &joiner->vocab->decoding : &plain;
    bool space = joiner->inside && joiner->join != LXM_JOIN_NONE &&
                 !(joiner->join == LXM_JOIN_BOOK && closes_up(token, length));
    size_t room;
    if (!lxm_add(length, 1, &room) || !lxm_buffer_reserve(text, room))
        return false;
    if (space && begins_with(token, length, &d->continuation)) {
        space = false;
        token += d->continuation.length;
        length -= d->continuation.length;
    }
    if (space || joiner->space)
        lxm_buffer_append(text, " ", 1);
    append_token(joiner, d, text, token, length);
    joiner->inside = true;
    return true;
}

void lxm_joiner_end_document(lxm_joiner *joiner)
{
    joiner->inside = joiner->space = false;
}
