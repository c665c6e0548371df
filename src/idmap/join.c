#include "idmap/join.h"

/* LXM_JOIN_BOOK is what the book does to words joined by spaces, re.sub(r'\s+([,.:;?!"()\'])',
 * r'\1', text), as far as the spaces between tokens go: white space inside a token stays. */
static bool closes_up(const uint8_t *token, size_t length)
{
    return length > 0 && token[0] != '\0' && strchr(",.:;?!\"()'", token[0]);
}

bool lxm_joiner_append(lxm_joiner *joiner, lxm_buffer *text, const uint8_t *token, size_t length)
{
    bool space = joiner->inside && joiner->join != LXM_JOIN_NONE &&
                 !(joiner->join == LXM_JOIN_BOOK && closes_up(token, length));
    size_t room;
    if (!lxm_add(length, space, &room) || !lxm_buffer_reserve(text, room))
        return false;
    if (space)
        lxm_buffer_append(text, " ", 1);
    lxm_buffer_append(text, token, length);
    joiner->inside = true;
    return true;
}

void lxm_joiner_end_document(lxm_joiner *joiner)
{
    joiner->inside = false;
}
