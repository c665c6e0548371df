#include "tokenize/normalize.h"

#include "base/error.h"
#include "base/utf8.h"

void lxm_normalizer_init(lxm_normalizer *normalizer, const lxm_tokenizer_options *options,
                         size_t most, const lxm_allocator *allocator)
{
    *normalizer = (lxm_normalizer){
        .form = options->normal_form,
        .strip_marks = options->strip_marks || options->strip_all_marks,
        .strip_all_marks = options->strip_all_marks,
        .lowercase = options->lowercase,
        .casefold = options->casefold,
        .clean = options->clean,
        .clusters = options->normal_form != LXM_NORMAL_NONE || options->strip_marks ||
                    options->strip_all_marks,
        .most = most,
        .allocator = *allocator,
    };
    lxm_buffer_init(&normalizer->held, allocator);
    lxm_buffer_init(&normalizer->alone, allocator);
    lxm_buffer_init(&normalizer->text, allocator);
    lxm_alignment_init(&normalizer->alignment, allocator);
}

void lxm_normalizer_free(lxm_normalizer *normalizer)
{
    lxm_buffer_free(&normalizer->held);
    lxm_buffer_free(&normalizer->text);
    lxm_alignment_free(&normalizer->alignment);
    lxm_release(&normalizer->allocator, normalizer->work);
    lxm_release(&normalizer->allocator, normalizer->scratch);
    normalizer->work = normalizer->scratch = NULL;
    lxm_normalizer_free_characters(normalizer);
}

bool lxm_normalizer_wanted(const lxm_tokenizer_options *options)
{
    return options->normal_form != LXM_NORMAL_NONE || options->strip_marks ||
           options->strip_all_marks || options->lowercase || options->casefold || options->clean;
}

void lxm_normalizer_reset(lxm_normalizer *normalizer)
{
    normalizer->pending = (lxm_pending){.length = 0};
    normalizer->held.length = 0;
    normalizer->text.length = 0;
    lxm_alignment_clear(&normalizer->alignment);
}

/* ---- one cluster ---- */

/* What a character becomes; false when memory runs out. */
static inline bool look_up(lxm_normalizer *z, uint32_t c, uint32_t *mapped)
{
    const lxm_character_page *page = z->pages[c >> 8];
    if (!page && !(page = lxm_normalizer_page(z, c >> 8)))
        return false;
    *mapped = page->mapped[c & 0xFF];
    return true;
}

/* What becomes of a character that becomes several, into `list`; returns how many. */
static size_t expand(const lxm_normalizer *z, uint32_t c, uint32_t point, lxm_classed *list)
{
    if (point == lxm_mapped_syllable)
        return lxm_hangul_decompose(c, list);
    const uint32_t *known = z->lists + (point - lxm_mapped_list);
    memcpy(list, known + 1, known[0] * sizeof *list);
    return known[0];
}

/* Maps characters into `work`, of which none leaves nothing; false when memory runs out. */
static bool decompose(lxm_normalizer *z, const uint8_t *text, size_t length, size_t *count,
                      bool *ordered)
{
    size_t n = 0, size;
    uint32_t last = 0;
    *ordered = true;
    for (size_t i = 0; i < length; i += size) {
        uint32_t c = lxm_utf8_decode(text + i, &size), mapped;
        if (!look_up(z, c, &mapped) ||
            (z->work_capacity - n < lxm_mapped_most &&
             !lxm_normalizer_reserve(z, &z->work, &z->work_capacity, n + lxm_mapped_most)))
            return false;
        uint32_t point = lxm_classed_point(mapped);
        size_t before = n;
        if (point < lxm_mapped_list)
            z->work[n++] = mapped & ~(uint32_t)lxm_mapped_flags;
        else
            n += expand(z, c, point, z->work + n);
        for (; before < n; before++) {
            uint32_t class = lxm_classed_class(z->work[before]);
            *ordered &= !((class != 0) & (class < last));
            last = class;
        }
    }
    *count = n;
    return true;
}

/* Appends what becomes of a cluster to the text; false when memory runs out. */
static bool transform(lxm_normalizer *z, const uint8_t *text, size_t length)
{
    size_t count, most;
    bool ordered;
    if (!decompose(z, text, length, &count, &ordered))
        return false;
    if (z->clusters && !ordered) {
        if (count > lxm_order_few &&
            !lxm_normalizer_reserve(z, &z->scratch, &z->scratch_capacity, count))
            return false;
        lxm_canonical_order(z->work, count, z->scratch);
    }
    if (lxm_normalizer_composes(z) && count > 1)
        count = lxm_canonical_compose(z->work, count);
    if (!lxm_multiply(4, count, &most) || !lxm_buffer_reserve(&z->text, most))
        return false;
    uint8_t *out = z->text.data + z->text.length;
    for (size_t i = 0; i < count; i++)
        out += lxm_utf8_encode(lxm_classed_point(z->work[i]), out);
    z->text.length = (size_t)(out - z->text.data);
    return true;
}

/* Whether a cluster came out as it stood, but for the case of ASCII letters: as the quick check
 * lets it pass. */
static bool is_same(const lxm_normalizer *z, const uint8_t *result, size_t result_length,
                    const uint8_t *text, size_t length)
{
    if (result_length != length)
        return false;
    bool upper = (uint8_t)(text[0] - 'A') < 26 && (z->lowercase || z->casefold);
    return result[0] == (upper ? text[0] | 0x20 : text[0]) &&
           memcmp(result + 1, text + 1, length - 1) == 0;
}

/* Normalises what is pending, which ends with `text`, and empties it; *same: nothing changed. */
static lxm_status settle(lxm_normalizer *z, const uint8_t *text, size_t length, bool *same,
                         lxm_error *error)
{
    const lxm_pending cluster = z->pending;
    bool alone = cluster.length == 1;
    *same = true;
    if (cluster.length == 0)
        return LXM_OK;
    z->pending = (lxm_pending){.length = 0};
    if (z->held.length) {
        if (!lxm_buffer_append(&z->held, text, length))
            return lxm_fail_memory(error);
        text = z->held.data;
        length = z->held.length;
        z->held.length = 0;
    }
    size_t begin = z->text.length;
    bool as_it_is = alone ? cluster.passes || !cluster.changes
                          : !cluster.changes && !(cluster.starter && lxm_normalizer_composes(z));
    if (!(as_it_is ? lxm_buffer_append(&z->text, text, length) : transform(z, text, length)))
        return lxm_fail_memory(error);
    *same = !cluster.lost && cluster.source_end - cluster.source == length &&
            is_same(z, z->text.data + begin, z->text.length - begin, text, length);
    if (!lxm_alignment_add(&z->alignment, begin, cluster.source, cluster.source_end, !*same))
        return lxm_fail_memory(error);
    return LXM_OK;
}

/* ---- text ---- */

/* What a call was given. */
typedef struct part {
    const uint8_t *text;
    size_t length;
    uint64_t source, source_end;
    bool whole; /* each character came from all of the source */
} part;

/* Text that passes as it is, but for the case of ASCII letters and for white space. */
static lxm_status push_run(lxm_normalizer *z, const uint8_t *text, size_t length, uint64_t source,
                           lxm_error *error)
{
    bool same;
    lxm_status status = settle(z, text, 0, &same, error);
    if (status)
        return status;
    size_t begin = z->text.length;
    if (!lxm_buffer_append(&z->text, text, length) ||
        !lxm_alignment_add(&z->alignment, begin, source, source + length, false))
        return lxm_fail_memory(error);
    uint8_t *p = z->text.data + begin;
    if (z->lowercase || z->casefold)
        for (size_t i = 0; i < length; i++)
            p[i] = (uint8_t)(p[i] | ((uint8_t)(p[i] - 'A') < 26) << 5);
    if (z->clean) /* what is left below it are tabs and line ends */
        for (size_t i = 0; i < length; i++)
            p[i] = p[i] < ' ' ? ' ' : p[i];
    return LXM_OK;
}

typedef struct character {
    uint32_t c, mapped;
    size_t size; /* 0: the text ends */
} character;

/* The character at text[at]; false when memory runs out. */
static inline bool read_character(lxm_normalizer *z, const part *p, size_t at, character *next)
{
    *next = (character){.size = 0};
    if (at >= p->length)
        return true;
    next->c = lxm_utf8_decode(p->text + at, &next->size);
    return look_up(z, next->c, &next->mapped);
}

/* Puts out text[begin, end), which passes as it is. */
static inline bool put_passing(lxm_normalizer *z, const part *p, size_t begin, size_t end)
{
    size_t at = z->text.length;
    return begin == end ||
           (lxm_buffer_append(&z->text, p->text + begin, end - begin) &&
            lxm_alignment_add(&z->alignment, at, p->source + begin, p->source + end, false));
}

/* Puts out what becomes of a cluster of one character, at text[at]. */
static inline bool put_alone(lxm_normalizer *z, const part *p, size_t at, const character *one)
{
    enum { usual = 16 }; /* so many bytes can be read behind any, and are copied at once */
    const uint8_t *known = z->alone.data + z->pages[one->c >> 8]->alone[one->c & 0xFF];
    size_t begin = z->text.length;
    if (!lxm_buffer_reserve(&z->text, 4 * lxm_mapped_most))
        return false;
    memcpy(z->text.data + begin, known + 1, usual);
    if (known[0] > usual)
        memcpy(z->text.data + begin + usual, known + 1 + usual, known[0] - usual);
    z->text.length += known[0];
    /* the case of ASCII letters, and what clean-up does to ASCII, counts as nothing */
    bool same = one->c < 0x80;
    return lxm_alignment_add(&z->alignment, begin, p->source + at, p->source + at + one->size,
                             !same);
}

enum { short_cluster = 8 };

/* What becomes of the cluster at text[*at], which begins with `one` and *next, if it is short and
 * ends in the text at hand, each character becomes one or nothing, and none has to be moved: `list`
 * holds *count code points, and *next stands behind it, at *at. Otherwise *count is 0. False when
 * memory runs out. */
static inline bool short_result(lxm_normalizer *z, const part *p, size_t *at, character one,
                                character *next, lxm_classed list[short_cluster], size_t *count)
{
    size_t n = 0, end = *at;
    uint32_t last = 0;
    *count = 0;
    for (size_t length = 0; length < short_cluster && length < z->most; length++) {
        uint32_t class = lxm_classed_class(one.mapped), point = lxm_classed_point(one.mapped);
        bool nothing = point == lxm_mapped_nothing, moves = (class != 0) & (class < last);
        if (moves || (point >= lxm_mapped_list && !nothing))
            break;
        list[n] = one.mapped & ~(uint32_t)lxm_mapped_flags;
        n += !nothing;
        last = nothing ? last : class;
        end += one.size;
        if (length > 0 && !read_character(z, p, end, next))
            return false;
        if (next->mapped & lxm_mapped_starts && n > 0) {
            *at = end;
            *count = lxm_normalizer_composes(z) ? lxm_canonical_compose(list, n) : n;
        }
        if (next->mapped & lxm_mapped_starts || next->size == 0)
            break;
        one = *next;
    }
    return true;
}

/* Puts out such a cluster, which ends at *end; where it isn't one, *end is `at`. */
static inline bool put_short(lxm_normalizer *z, const part *p, size_t at, const character *one,
                             character *next, size_t *end, bool *same)
{
    lxm_classed list[short_cluster];
    size_t count, begin = z->text.length;
    *end = at;
    if (!short_result(z, p, end, *one, next, list, &count) ||
        !lxm_buffer_reserve(&z->text, 4 * short_cluster))
        return false;
    if (count == 0)
        return true;
    uint8_t *out = z->text.data + begin;
    for (size_t i = 0; i < count; i++)
        out += lxm_utf8_encode(lxm_classed_point(list[i]), out);
    z->text.length = (size_t)(out - z->text.data);
    *same = is_same(z, z->text.data + begin, z->text.length - begin, p->text + at, *end - at);
    return lxm_alignment_add(&z->alignment, begin, p->source + at, p->source + *end, !*same);
}

enum { enough = 8 }; /* clusters that don't change, one behind another: the quick check is of use */

/* Takes simple clusters from *at on, where nothing is pending: to the end, to one that isn't
 * simple, or to where *calm, which counts those that don't change, is enough. */
static bool push_simple(lxm_normalizer *z, const part *p, size_t *at, size_t *calm)
{
    size_t i = *at, passing = i, end; /* text[passing, i) passes */
    character now;
    if (!read_character(z, p, i, &now))
        return false;
    for (character next; now.mapped & lxm_mapped_starts && *calm < enough; now = next, i = end) {
        bool same = false;
        end = i + now.size;
        if (!read_character(z, p, end, &next))
            return false;
        bool alone = next.mapped & lxm_mapped_starts;
        if (alone && now.mapped & lxm_mapped_passes) {
            ++*calm;
            continue;
        }
        if (!put_passing(z, p, passing, i) || (alone && !put_alone(z, p, i, &now)))
            return false;
        passing = i;
        if (!alone) {
            if (!put_short(z, p, i, &now, &next, &end, &same))
                return false;
            if (end == i)
                break;
        }
        passing = end;
        *calm = same ? *calm + 1 : 0;
    }
    *at = i;
    return put_passing(z, p, passing, i);
}

/* Adds a character at text[at] to the cluster; [*begin, *end) is what of its text isn't held. */
static inline bool take(lxm_normalizer *z, const part *p, const character *one, size_t at,
                        lxm_pending *cluster, size_t *begin, size_t *end)
{
    uint32_t point = lxm_classed_point(one->mapped), class = lxm_classed_class(one->mapped);
    if (cluster->length == 0) {
        cluster->source = p->whole ? p->source : p->source + at;
        cluster->passes = one->mapped & lxm_mapped_passes;
    }
    cluster->source_end = p->whole ? p->source_end : p->source + at + one->size;
    cluster->length++;
    if (point == lxm_mapped_nothing) {
        cluster->lost = true;
        return true;
    }
    if (*end != at) {
        if (!lxm_buffer_append(&z->held, p->text + *begin, *end - *begin))
            return false;
        *begin = at;
    }
    *end = at + one->size;
    if (point == lxm_mapped_space) {
        *begin = *end;
        point = one->c;
        if (!lxm_buffer_append(&z->held, " ", 1))
            return false;
    }
    cluster->changes |= (point != one->c) | ((class != 0) & (class < cluster->class));
    cluster->starter |= class == 0;
    cluster->class = class;
    return true;
}

/* How many bytes, in whole characters of `size`, are those of the one before them again. */
static inline size_t repeated(const uint8_t *text, size_t length, size_t size)
{
    size_t n = 0;
    while (length - n >= 8 && memcmp(text + n, text + n - size, 8) == 0)
        n += 8;
    return n - n % size;
}

/* Adds the characters from *at on that stay as they are to a cluster that has begun. False when
 * memory runs out. */
static inline bool take_unchanged(lxm_normalizer *z, const part *p, size_t *at,
                                  lxm_pending *cluster)
{
    enum { compared = lxm_mapped_starts | 0x1FFFFF };
    size_t i = *at, size, count = 0, most = z->most - cluster->length;
    uint32_t last = cluster->class, number = UINT32_MAX;
    const lxm_character_page *page = NULL;
    bool moves = false, starter = false;
    for (; i < p->length && count < most; i += size, count++) {
        uint32_t c = lxm_utf8_decode(p->text + i, &size);
        if (c >> 8 != number) {
            number = c >> 8;
            if (!(page = z->pages[number]) && !(page = lxm_normalizer_page(z, number)))
                return false;
        }
        uint32_t mapped = page->mapped[c & 0xFF];
        if ((mapped & compared) != c)
            break;
        uint32_t class = lxm_classed_class(mapped);
        moves |= (class != 0) & (class < last);
        starter |= class == 0;
        last = class;
        size_t more = repeated(p->text + i + size, p->length - i - size, size);
        if (more && more / size < most - count) {
            count += more / size;
            i += more;
        }
    }
    if (!p->whole)
        cluster->source_end += i - *at;
    cluster->length += count;
    cluster->changes |= moves;
    cluster->starter |= starter;
    cluster->class = last;
    *at = i;
    return true;
}

/* Takes any cluster, or what is left of it, from *at to its end, or to that of the text. */
static lxm_status push_cluster(lxm_normalizer *z, const part *p, size_t *at, size_t *calm,
                               lxm_error *error)
{
    lxm_pending cluster = z->pending;
    size_t i = *at, begin = i, end = i;
    character one;
    bool memory, same;
    while ((memory = read_character(z, p, i, &one)) && one.size) {
        if (one.mapped & lxm_mapped_starts && cluster.length)
            break;
        size_t here = i;
        i += one.size;
        if (lxm_classed_point(one.mapped) == lxm_mapped_ignored)
            continue;
        if (cluster.length == z->most)
            return lxm_fail_at(error, LXM_ERROR_LIMIT, cluster.source,
                               "a character with more than %zu combining marks: raise --max-token",
                               z->most);
        if (!take(z, p, &one, here, &cluster, &begin, &end))
            return lxm_fail_memory(error);
        if (end != i)
            continue;
        if (!take_unchanged(z, p, &i, &cluster))
            return lxm_fail_memory(error);
        end = i;
    }
    *at = i;
    z->pending = cluster;
    if (!memory)
        return lxm_fail_memory(error);
    if (one.size) {
        lxm_status status = settle(z, p->text + begin, end - begin, &same, error);
        *calm = same ? *calm + 1 : 0;
        return status;
    }
    return lxm_buffer_append(&z->held, p->text + begin, end - begin) ? LXM_OK
                                                                     : lxm_fail_memory(error);
}

/* Takes text cluster by cluster from *at on, to the end or to where the quick check is of use. */
static lxm_status push_slowly(lxm_normalizer *z, const part *p, size_t *at, lxm_error *error)
{
    lxm_status status = LXM_OK;
    for (size_t calm = 0; !status && *at < p->length && calm < enough;) {
        if (!p->whole && z->pending.length == 0 && !push_simple(z, p, at, &calm))
            status = lxm_fail_memory(error);
        else if (*at < p->length && calm < enough)
            status = push_cluster(z, p, at, &calm, error);
    }
    return status;
}

lxm_status lxm_normalizer_push(lxm_normalizer *z, const uint8_t *text, size_t length,
                               uint64_t source, uint64_t source_end, lxm_error *error)
{
    z->text.length = 0;
    lxm_alignment_clear(&z->alignment);
    return lxm_normalizer_append(z, text, length, source, source_end, error);
}

lxm_status lxm_normalizer_append(lxm_normalizer *z, const uint8_t *text, size_t length,
                                 uint64_t source, uint64_t source_end, lxm_error *error)
{
    const part p = {text, length, source, source_end, source_end - source != length};
    lxm_status status = LXM_OK;
    bool failed = false;
    for (size_t i = 0; !status && i < length;) {
        /* what is pending may go on for long, and isn't looked through twice */
        bool slow = p.whole || z->pending.length;
        size_t size = slow ? 0 : lxm_quick_run(z, text + i, length - i, &failed);
        if (failed)
            return lxm_fail_memory(error);
        if (size)
            status = push_run(z, text + i, size, source + i, error);
        else
            status = push_slowly(z, &p, &i, error);
        i += size;
    }
    return status;
}

lxm_status lxm_normalizer_end(lxm_normalizer *z, lxm_error *error)
{
    z->text.length = 0;
    lxm_alignment_clear(&z->alignment);
    bool same;
    return settle(z, z->held.data, 0, &same, error);
}
