/*
 * Oniguruma (its Ruby syntax) and PCRE2 agree on literals, classes, groups, lookaround, alternation
 * and simple repeats: these pass. White space is written out, as the two differ on U+180E. What
 * they read differently doesn't pass: \w \b \h \v \X, . ^ and $, options, {n}+ and {n}?, sets in
 * sets, and letters that fold to more than one letter.
 */
#include "formats/oniguruma.h"

#include <stdio.h>

#include "base/error.h"

typedef struct translator {
    lxm_buffer *out;
    const char *pattern, *p;
    size_t depth;    /* of groups */
    size_t caseless; /* depth of the outermost group without regard to case; 0: none */
    lxm_error *error;
} translator;

static lxm_status refuse(const translator *t, const char *what)
{
    return lxm_fail_at(t->error, LXM_ERROR_UNSUPPORTED, (uint64_t)(t->p - t->pattern),
                       "the pattern has %s, which isn't taken over from tokenizer.json: state a "
                       "pattern for PCRE2 with -e or --split",
                       what);
}

static lxm_status put(const translator *t, const char *text, size_t length)
{
    return lxm_buffer_append(t->out, text, length) ? LXM_OK : lxm_fail_memory(t->error);
}

static lxm_status put_string(const translator *t, const char *text)
{
    return put(t, text, strlen(text));
}

/* Copies the next bytes of the pattern. */
static lxm_status copy(translator *t, size_t length)
{
    lxm_status status = put(t, t->p, length);
    t->p += length;
    return status;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* \p{NAME}: general categories, and scripts of which no two engines think differently. */
static lxm_status property(translator *t)
{
    static const char *const names[] = {
        "L",  "Lu", "Ll", "Lt", "Lm", "Lo", "M",  "Mn", "Mc",  "Me",       "N",        "Nd",
        "Nl", "No", "P",  "Pc", "Pd", "Ps", "Pe", "Pi", "Pf",  "Po",       "S",        "Sm",
        "Sc", "Sk", "So", "Z",  "Zs", "Zl", "Zp", "Cc", "Han", "Hiragana", "Katakana", "Hangul"};
    const char *name = t->p + 3, *end = t->p[2] == '{' ? strchr(name, '}') : NULL;
    for (size_t i = 0; end && i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) == (size_t)(end - name) &&
            memcmp(names[i], name, (size_t)(end - name)) == 0)
            return copy(t, (size_t)(end + 1 - t->p));
    return refuse(t, "a property that isn't known here");
}

static lxm_status escape(translator *t)
{
    char code[16];
    char c = t->p[1];
    switch (c) {
    case 's':
    case 'S':
        t->p += 2;
        return put_string(t, c == 's' ? "\\p{White_Space}" : "\\P{White_Space}");
    case 'p':
    case 'P':
        return property(t);
    case 'd':
        t->p += 2;
        return put_string(t, "\\p{Nd}");
    case 'D':
        t->p += 2;
        return put_string(t, "\\P{Nd}");
    case 'r':
    case 'n':
    case 't':
    case 'f':
        return copy(t, 2);
    case 'u':
        for (int i = 2; i < 6; i++)
            if (!is_hex(t->p[i]))
                return refuse(t, "a \\u without four digits");
        snprintf(code, sizeof code, "\\x{%.4s}", t->p + 2);
        t->p += 6;
        return put_string(t, code);
    default:
        if (c > ' ' && c < 0x7F && !is_letter(c) && (c < '0' || c > '9'))
            return copy(t, 2);
        return refuse(t, "an escape sequence that engines read differently");
    }
}

/* A set of characters, from its bracket on. */
static lxm_status character_class(translator *t)
{
    lxm_status status = copy(t, t->p[1] == '^' ? 2 : 1);
    if (*t->p == ']')
        return refuse(t, "an empty set");
    while (!status && *t->p != ']') {
        if (!*t->p)
            return refuse(t, "a set without an end");
        if (*t->p == '[' || (t->p[0] == '&' && t->p[1] == '&'))
            return refuse(t, "a set inside a set");
        if (t->caseless && !is_letter(*t->p))
            return refuse(t, "a set without regard to case");
        status = *t->p == '\\' ? escape(t) : copy(t, 1);
    }
    return status ? status : copy(t, 1);
}

/* Groups that capture nothing, lookaround, and (?i: */
static lxm_status open_group(translator *t)
{
    static const char *const kinds[] = {"(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?i:"};
    t->depth++;
    if (t->p[1] != '?') {
        /* what it captures is never asked for */
        t->p++;
        return put_string(t, "(?:");
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strncmp(t->p, kinds[i], strlen(kinds[i])) == 0) {
            if (kinds[i][2] == 'i' && !t->caseless)
                t->caseless = t->depth;
            return copy(t, strlen(kinds[i]));
        }
    return refuse(t, "a group of a kind that isn't known here");
}

static lxm_status close_group(translator *t)
{
    if (t->depth == 0)
        return refuse(t, "a ')' too many");
    if (t->caseless == t->depth)
        t->caseless = 0;
    t->depth--;
    return copy(t, 1);
}

/* {n}, {n,} or {n,m}, with no mark behind it: there the engines differ. */
static lxm_status repeat(translator *t)
{
    const char *p = t->p + 1;
    size_t digits = strspn(p, "0123456789");
    p += digits;
    if (*p == ',')
        p += 1 + strspn(p + 1, "0123456789");
    if (digits == 0 || *p != '}')
        return refuse(t, "a brace that is no repeat");
    if (p[1] == '+' || p[1] == '?' || p[1] == '*' || p[1] == '{')
        return refuse(t, "a repeat of a repeat");
    return copy(t, (size_t)(p + 1 - t->p));
}

/* What stands next in a group without regard to case; that it is in a group of its own, or behind
 * the end of one, makes no difference. */
static char next_letter(const translator *t)
{
    size_t depth = t->depth;
    for (const char *p = t->p + 1;; p++) {
        bool opens = strncmp(p, "(?:", 3) == 0 || strncmp(p, "(?>", 3) == 0;
        bool closes = *p == ')' && depth > t->caseless;
        if (!opens && !closes && (*p != '(' || p[1] == '?'))
            return (char)(*p | 0x20);
        depth = closes ? depth - 1 : depth + 1;
        p += opens ? 2 : 0;
    }
}

/* Case folds ss, st, ff, fi and fl to single letters in one engine, and not in the other. */
static lxm_status caseless_letter(translator *t)
{
    char c = (char)(*t->p | 0x20), next = next_letter(t);
    if ((c == 's' && (next == 's' || next == 't')) ||
        (c == 'f' && (next == 'f' || next == 'i' || next == 'l')))
        return refuse(t, "letters without regard to case that are one letter as well");
    return copy(t, 1);
}

static lxm_status next(translator *t)
{
    switch (*t->p) {
    case '\\':
        return escape(t);
    case '[':
        return character_class(t);
    case '(':
        return open_group(t);
    case ')':
        return close_group(t);
    case '{':
        return repeat(t);
    case '.':
    case '^':
    case '$':
        return refuse(t, "'.', '^' or '$'");
    default:
        if (t->caseless && (uint8_t)*t->p >= 0x80)
            return refuse(t, "letters beyond ASCII without regard to case");
        return t->caseless && is_letter(*t->p) ? caseless_letter(t) : copy(t, 1);
    }
}

lxm_status lxm_oniguruma_translate(lxm_buffer *out, const char *pattern, lxm_error *error)
{
    translator t = {.out = out, .pattern = pattern, .p = pattern, .error = error};
    lxm_status status = LXM_OK;
    while (!status && *t.p)
        status = next(&t);
    if (!status && t.depth)
        status = refuse(&t, "a group without an end");
    return status;
}

lxm_status lxm_oniguruma_quote(lxm_buffer *out, const char *text, size_t length, lxm_error *error)
{
    for (size_t i = 0; i < length; i++) {
        uint8_t c = (uint8_t)text[i];
        bool plain = c >= 0x80 || is_letter(text[i]) || (c >= '0' && c <= '9');
        if (c < ' ' || c == 0x7F) {
            char code[16];
            snprintf(code, sizeof code, "\\x{%02X}", c);
            if (!lxm_buffer_append(out, code, strlen(code)))
                return lxm_fail_memory(error);
        } else if ((!plain && !lxm_buffer_append(out, "\\", 1)) ||
                   !lxm_buffer_append(out, text + i, 1)) {
            return lxm_fail_memory(error);
        }
    }
    return LXM_OK;
}
