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
    size_t count;
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
    if (!lxm_buffer_reserve(&z->text, 4 * count))
        return false;
    uint8_t *out = z->text.data + z->text.length;
    for (size_t i = 0; i < count; i++)
        out += lxm_utf8_encode(lxm_classed_point(z->work[i]), out);
    z->text.length = (size_t)(out - z->text.data);
    return true;
}

/* Whether a cluster came out as it stood in the source, but for the case of ASCII letters: as the
 * quick check lets it pass. */
static bool is_same(const lxm_normalizer *z, const lxm_pending *cluster, const uint8_t *result,
                    size_t result_length, const uint8_t *text, size_t length)
{
    if (cluster->lost || result_length != length || cluster->source_end - cluster->source != length)
        return false;
    bool upper = (uint8_t)(text[0] - 'A') < 26 && (z->lowercase || z->casefold);
    return result[0] == (upper ? text[0] | 0x20 : text[0]) &&
           memcmp(result + 1, text + 1, length - 1) == 0;
}

/* Normalises what is pending, which ends with `text`, and empties it; *same: nothing changed. */
static lxm_status settle(lxm_normalizer *z, const uint8_t *text, size_t length, bool *same,
                         lxm_error *error)
{
    lxm_pending *cluster = &z->pending;
    bool alone = cluster->length == 1;
    *same = true;
    if (cluster->length == 0)
        return LXM_OK;
    if (z->held.length) {
        if (!lxm_buffer_append(&z->held, text, length))
            return lxm_fail_memory(error);
        text = z->held.data;
        length = z->held.length;
        z->held.length = 0;
    }
    size_t begin = z->text.length;
    bool as_it_is = alone ? cluster->passes || !cluster->changes
                          : !cluster->changes && !(cluster->starter && lxm_normalizer_composes(z));
    if (!(as_it_is ? lxm_buffer_append(&z->text, text, length) : transform(z, text, length)))
        return lxm_fail_memory(error);
    *same = is_same(z, cluster, z->text.data + begin, z->text.length - begin, text, length);
    if (!lxm_alignment_add(&z->alignment, begin, cluster->source, cluster->source_end, !*same))
        return lxm_fail_memory(error);
    cluster->length = 0;
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

/* Puts out text[begin, end), which passes as it is. */
static inline bool put_passing(lxm_normalizer *z, const part *p, size_t begin, size_t end)
{
    size_t at = z->text.length;
    return begin == end ||
           (lxm_buffer_append(&z->text, p->text + begin, end - begin) &&
            lxm_alignment_add(&z->alignment, at, p->source + begin, p->source + end, false));
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

/* Takes text cluster by cluster from *at on, to the end or to where the quick check is of use
 * again. */
static lxm_status push_slowly(lxm_normalizer *z, const part *p, size_t *at, lxm_error *error)
{
    enum { enough = 8 }; /* clusters that don't change, one behind another */
    lxm_pending cluster = z->pending;
    character now, next;
    size_t i = *at, calm = 0;
    size_t begin = i, end = i; /* of the cluster; where there is none, of what passes */
    if (!read_character(z, p, i, &next))
        return lxm_fail_memory(error);
    for (; next.size && calm < enough; i += now.size) {
        now = next;
        if (!read_character(z, p, i + now.size, &next))
            return lxm_fail_memory(error);
        bool starts = now.mapped & lxm_mapped_starts;
        bool alone = starts && next.mapped & lxm_mapped_starts && !p->whole;
        if (starts && cluster.length) {
            z->pending = cluster;
            bool same;
            lxm_status status = settle(z, p->text + begin, end - begin, &same, error);
            if (status)
                return status;
            cluster = (lxm_pending){.length = 0};
            begin = end = i;
            calm = same ? calm + 1 : 0;
            if (calm == enough)
                break;
        }
        if (alone && now.mapped & lxm_mapped_passes) {
            end = i + now.size;
            calm++;
            continue;
        }
        if (starts) {
            if (!put_passing(z, p, begin, end) || (alone && !put_alone(z, p, i, &now)))
                return lxm_fail_memory(error);
            begin = end = alone ? i + now.size : i;
            calm = alone ? 0 : calm;
        }
        bool ignored = lxm_classed_point(now.mapped) == lxm_mapped_ignored;
        if (ignored && cluster.length == 0)
            begin = end = i + now.size;
        if (ignored || alone)
            continue;
        if (cluster.length == z->most)
            return lxm_fail_at(error, LXM_ERROR_LIMIT, cluster.source,
                               "a character with more than %zu combining marks: raise --max-token",
                               z->most);
        if (!take(z, p, &now, i, &cluster, &begin, &end))
            return lxm_fail_memory(error);
    }
    *at = i;
    z->pending = cluster;
    bool done = cluster.length ? lxm_buffer_append(&z->held, p->text + begin, end - begin)
                               : put_passing(z, p, begin, end);
    return done ? LXM_OK : lxm_fail_memory(error);
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
        size_t size = p.whole ? 0 : lxm_quick_run(z, text + i, length - i, &failed);
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
