#include "tokenize/sentences.h"

#include "base/utf8.h"

/* How far behind a terminator: SATerm, Close*, Sp*. */
enum { plain = 0, terminated, closed, spaced };

typedef enum verdict { goes_on, ends, depends, undecided } verdict;

/* The class of the character at `at`; bytes that aren't UTF-8 are others, one by one. *size 0: it
 * is cut off by the end, behind which there is more. */
static inline lxm_sentence_class class_at(const uint8_t *bytes, size_t length, size_t at,
                                          bool final, size_t *size)
{
    uint32_t c = bytes[at];
    *size = 1;
    if (c >= 0x80) {
        *size = lxm_utf8_sequence(bytes + at, length - at);
        if (*size == 0) {
            bool cut = !final && lxm_utf8_ill_formed(bytes + at, length - at) == 0;
            *size = cut ? 0 : 1;
            return LXM_SENTENCE_OTHER;
        }
        c = lxm_utf8_decode(bytes + at, size);
    }
    return (lxm_sentence_class)lxm_sentence_rows[lxm_sentence_row[c >> 6]][c & 63];
}

/* SB6 to SB11: whether a sentence goes on with a character. */
static verdict judge(const lxm_sentence_state *s, lxm_sentence_class class)
{
    if (s->phase == plain)
        return goes_on;
    switch (class) {
    case LXM_SENTENCE_SCONTINUE: /* SB8a */
    case LXM_SENTENCE_ATERM:
    case LXM_SENTENCE_STERM:
    case LXM_SENTENCE_SP: /* SB9, SB10 */
    case LXM_SENTENCE_SEP:
        return goes_on;
    case LXM_SENTENCE_CLOSE: /* SB9 */
        return s->phase != spaced ? goes_on : s->aterm ? depends : ends;
    case LXM_SENTENCE_LOWER: /* SB8 */
        return s->aterm ? goes_on : ends;
    case LXM_SENTENCE_UPPER: /* SB7 */
        return s->aterm && s->phase == terminated && s->after_letter ? goes_on : ends;
    case LXM_SENTENCE_NUMERIC: /* SB6 */
        if (s->aterm && s->phase == terminated)
            return goes_on;
        return s->aterm ? depends : ends;
    case LXM_SENTENCE_OLETTER:
        return ends;
    default:
        return s->aterm ? depends : ends;
    }
}

/* SB8: whether the first of the characters that it looks for is a small letter. */
static verdict look_ahead(const uint8_t *bytes, size_t length, size_t at, bool final)
{
    for (size_t from = at, size; at < length && at - from < lxm_sentence_held; at += size) {
        switch (class_at(bytes, length, at, final, &size)) {
        case LXM_SENTENCE_LOWER:
            return goes_on;
        case LXM_SENTENCE_OLETTER:
        case LXM_SENTENCE_UPPER:
        case LXM_SENTENCE_SEP:
        case LXM_SENTENCE_ATERM:
        case LXM_SENTENCE_STERM:
            return ends;
        default:
            if (size == 0)
                return undecided;
        }
    }
    return at == length && !final ? undecided : ends;
}

static void advance(lxm_sentence_state *s, lxm_sentence_class class)
{
    bool terminator = class == LXM_SENTENCE_ATERM || class == LXM_SENTENCE_STERM;
    if (terminator) {
        s->after_letter = s->letter;
        s->aterm = class == LXM_SENTENCE_ATERM;
        s->phase = terminated;
    } else if (class == LXM_SENTENCE_CLOSE && s->phase != plain && s->phase != spaced) {
        s->phase = closed;
    } else if (class == LXM_SENTENCE_SP && s->phase != plain) {
        s->phase = spaced;
    } else {
        s->phase = plain;
    }
    s->letter = class == LXM_SENTENCE_LOWER || class == LXM_SENTENCE_UPPER;
}

/* End of the white space at the start. */
static size_t skip_white(const uint8_t *bytes, size_t length, bool final)
{
    size_t at = 0, size = 1;
    for (; at < length; at += size) {
        lxm_sentence_class class = class_at(bytes, length, at, final, &size);
        if (class != LXM_SENTENCE_SP && class != LXM_SENTENCE_SEP)
            break;
    }
    return at;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\v' || c == '\f';
}

static bool is_cased(uint8_t c)
{
    return (uint8_t)((c | 0x20) - 'a') < 26;
}

/* ASCII that no rule says anything of outside of a terminator's reach. */
static bool is_quiet(uint8_t c)
{
    return c < 0x80 && c != '.' && c != '!' && c != '?' && c != '\n' && c != '\r';
}

/* White space that has been held back for too long is part of the sentence. */
static size_t bound(size_t solid, size_t at)
{
    enum { step = lxm_sentence_held + 1 };
    return solid + (at - solid) / step * step;
}

/* Goes past quiet characters from `at`; *solid is behind the last that isn't blank. */
static size_t skip_quiet(lxm_sentence_state *s, lxm_sentence_state *saved, const uint8_t *bytes,
                         size_t length, size_t at, size_t *solid)
{
    size_t end = at, text;
    while (end < length && is_quiet(bytes[end]))
        end++;
    if (end == at)
        return at;
    for (text = end; text > at && is_blank(bytes[text - 1]);)
        text--;
    size_t reached = bound(text > at ? text : *solid, end);
    s->letter = is_cased(bytes[end - 1]);
    if (reached > *solid) {
        *saved = *s;
        saved->letter = reached == text && is_cased(bytes[text - 1]);
        *solid = reached;
    }
    return end;
}

size_t lxm_sentence_next(lxm_sentence_state *state, bool inside, const uint8_t *bytes,
                         size_t length, bool final, lxm_sentence *sentence)
{
    lxm_sentence_state s = *state;
    size_t at = inside ? 0 : skip_white(bytes, length, final), solid = at, size;
    *sentence = (lxm_sentence){at, at, false};
    for (;;) {
        if (s.phase == plain)
            at = skip_quiet(&s, state, bytes, length, at, &solid);
        if (at == length)
            break;
        lxm_sentence_class class = class_at(bytes, length, at, final, &size);
        verdict v = class == LXM_SENTENCE_EXTEND ? goes_on : judge(&s, class);
        if (v == depends) {
            v = look_ahead(bytes, length, at, final);
            s.phase = v == goes_on ? plain : s.phase;
        }
        if (size == 0 || v == undecided)
            break;
        if (v == ends) {
            *sentence = (lxm_sentence){sentence->begin, solid, true};
            return at;
        }
        if (class != LXM_SENTENCE_EXTEND)
            advance(&s, class);
        at += size;
        if (class == LXM_SENTENCE_SEP) { /* SB4 */
            *sentence = (lxm_sentence){sentence->begin, solid, true};
            return at;
        }
        size_t reached = class == LXM_SENTENCE_SP ? bound(solid, at) : at;
        if (reached > solid) {
            solid = reached;
            *state = s;
        }
    }
    sentence->end = solid;
    sentence->last = final && (inside || solid > sentence->begin);
    return final ? length : solid;
}
