#define _GNU_SOURCE /* memrchr */
#include "tokenize/documents.h"

#include <string.h>

/* A line of more blanks than this is text: what is held back must have a bound. */
enum { most_blanks = 65536 };

static size_t give(lxm_splitter *splitter, lxm_piece *piece, size_t begin, size_t end, bool last,
                   size_t used)
{
    if (begin == end && !last)
        return begin; /* nothing that is certain */
    *piece = (lxm_piece){begin, end, last, false};
    splitter->in_document = !last;
    return used;
}

static size_t next_file(lxm_splitter *splitter, size_t length, bool final, lxm_piece *piece)
{
    return give(splitter, piece, 0, length, final, length);
}

/* Documents that a byte ends; \r before \n belongs to the end. */
static size_t next_ended(lxm_splitter *splitter, const uint8_t *bytes, size_t length, bool final,
                         uint8_t mark, lxm_piece *piece)
{
    const uint8_t *found = length ? memchr(bytes, mark, length) : NULL;
    size_t end = found ? (size_t)(found - bytes) : length;
    size_t text = end;
    if (mark == '\n' && text > 0 && bytes[text - 1] == '\r' && (found || !final))
        text--;
    if (found)
        return give(splitter, piece, 0, text, true, end + 1);
    if (final && (length > 0 || splitter->in_document))
        return give(splitter, piece, 0, end, true, end);
    return give(splitter, piece, 0, text, false, text);
}

/* End of the blanks that begin at `at`. */
static size_t skip_blanks(const uint8_t *bytes, size_t length, size_t at)
{
    while (at < length && (bytes[at] == ' ' || bytes[at] == '\t' || bytes[at] == '\r' ||
                           bytes[at] == '\v' || bytes[at] == '\f'))
        at++;
    return at;
}

/* Between paragraphs: where the next begins, or `length` where none does; *undecided: from there
 * on more must be seen. */
static size_t paragraph_start(const uint8_t *bytes, size_t length, bool final, bool *undecided)
{
    size_t line = 0;
    *undecided = false;
    for (;;) {
        size_t at = skip_blanks(bytes, length, line);
        if (at == length && at - line <= most_blanks) {
            *undecided = !final;
            return final ? length : line;
        }
        if (at == length || bytes[at] != '\n' || at - line > most_blanks)
            return line;
        line = at + 1;
    }
}

/* In a paragraph: its end in this text, or of what is certain of it. */
static size_t inside_paragraph(lxm_splitter *splitter, const uint8_t *bytes, size_t begin,
                               size_t length, bool final, lxm_piece *piece)
{
    size_t from = begin;
    for (;;) {
        const uint8_t *found = from < length ? memchr(bytes + from, '\n', length - from) : NULL;
        size_t end = found ? (size_t)(found - bytes) : length;
        size_t text = end > begin && bytes[end - 1] == '\r' ? end - 1 : end;
        if (!found && final)
            return give(splitter, piece, begin, end, true, end);
        if (!found)
            return give(splitter, piece, begin, text, false, text);
        size_t at = skip_blanks(bytes, length, end + 1);
        if (at - end <= most_blanks) {
            if (at == length && final)
                return give(splitter, piece, begin, text, true, length);
            if (at == length)
                return give(splitter, piece, begin, text, false, text);
            if (bytes[at] == '\n')
                return give(splitter, piece, begin, text, true, at + 1);
        }
        from = at;
    }
}

static size_t next_blank(lxm_splitter *splitter, const uint8_t *bytes, size_t length, bool final,
                         lxm_piece *piece)
{
    size_t begin = 0;
    if (!splitter->in_document) {
        bool undecided;
        begin = paragraph_start(bytes, length, final, &undecided);
        if (undecided || begin == length)
            return begin;
    }
    return inside_paragraph(splitter, bytes, begin, length, final, piece);
}

static size_t next_sentence(lxm_splitter *splitter, const uint8_t *bytes, size_t length, bool final,
                            lxm_piece *piece)
{
    lxm_sentence sentence;
    if (!splitter->in_document)
        splitter->sentence = (lxm_sentence_state){0};
    size_t used = lxm_sentence_next(&splitter->sentence, splitter->in_document, bytes, length,
                                    final, &sentence);
    if (sentence.begin == sentence.end && !sentence.last)
        return used;
    return give(splitter, piece, sentence.begin, sentence.end, sentence.last, used);
}

size_t lxm_splitter_next(lxm_splitter *splitter, const uint8_t *bytes, size_t length, bool final,
                         lxm_piece *piece)
{
    *piece = (lxm_piece){.nothing = true};
    switch (splitter->how) {
    case LXM_SPLIT_LINE:
        return next_ended(splitter, bytes, length, final, '\n', piece);
    case LXM_SPLIT_BLANK:
        return next_blank(splitter, bytes, length, final, piece);
    case LXM_SPLIT_NUL:
        return next_ended(splitter, bytes, length, final, '\0', piece);
    case LXM_SPLIT_SENTENCE:
        return next_sentence(splitter, bytes, length, final, piece);
    default:
        return next_file(splitter, length, final, piece);
    }
}

size_t lxm_splitter_whole(const lxm_splitter *splitter, const uint8_t *bytes, size_t length,
                          bool final)
{
    bool ended = splitter->how == LXM_SPLIT_LINE || splitter->how == LXM_SPLIT_NUL;
    if (!ended || splitter->in_document || length == 0)
        return 0;
    const uint8_t *last = memrchr(bytes, splitter->how == LXM_SPLIT_LINE ? '\n' : '\0', length);
    return final ? length : last ? (size_t)(last - bytes) + 1 : 0;
}
