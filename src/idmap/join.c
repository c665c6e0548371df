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

/* What Hugging Face's WordPiece decoder does with its clean-up, as far as single tokens go
 * (tokenizers/src/decoders/wordpiece.rs). */
static bool is_cleaned_up(const uint8_t *token, size_t length)
{
    static const char *const starts[] = {".", "?", "!", ",", "n't", "'m", "'s", "'ve", "'re"};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (length >= strlen(starts[i]) && memcmp(token, starts[i], strlen(starts[i])) == 0)
            return true;
    return false;
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

/* Appends a token in which a mark stands for a space, or for nothing; there is room. */
static void append_spaces(lxm_buffer *text, const uint8_t *token, size_t length,
                          const lxm_affix *mark, bool strip)
{
    for (size_t i = 0; i < length;) {
        bool is_mark = begins_with(token + i, length - i, mark);
        if (!is_mark)
            lxm_buffer_append(text, token + i, 1);
        else if (!strip)
            lxm_buffer_append(text, " ", 1);
        i += is_mark ? mark->length : 1;
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
    else if (d->space.length)
        append_spaces(text, token, length, &d->space, d->strip_first && !joiner->inside);
    else
        lxm_buffer_append(text, token, length);
}

/* Drops spaces that the document begins with from what stands behind `from`. */
static void strip(lxm_joiner *joiner, const lxm_decoding *d, lxm_buffer *text, size_t from)
{
    size_t at = from;
    while (at < text->length && text->data[at] == ' ' && joiner->stripped < d->strip) {
        joiner->stripped++;
        at++;
    }
    joiner->settled = at < text->length || joiner->stripped == d->strip;
    text->length -= at - from;
    memmove(text->data + from, text->data + at, text->length - from);
}

bool lxm_joiner_append(lxm_joiner *joiner, lxm_buffer *text, const uint8_t *token, size_t length)
{
    static const lxm_decoding plain;
    const lxm_decoding *d = joiner->vocab ? &joiner->vocab->decoding : &plain;
    bool space = joiner->inside && joiner->join != LXM_JOIN_NONE &&
                 !(joiner->join == LXM_JOIN_BOOK && closes_up(token, length)) &&
                 !(joiner->join == LXM_JOIN_CLEAN && is_cleaned_up(token, length));
    size_t room, from = text->length;
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
    if (d->strip && !joiner->settled)
        strip(joiner, d, text, from);
    joiner->inside = true;
    return true;
}

void lxm_joiner_end_document(lxm_joiner *joiner)
{
    *joiner = (lxm_joiner){.join = joiner->join, .vocab = joiner->vocab};
}
