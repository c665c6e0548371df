/*
 * The normaliser Precompiled of Hugging Face's tokenizers. It looks up grapheme clusters (UAX #29,
 * extended) of less than six bytes: where one begins with an entry of the table, all of it becomes
 * what the shortest such entry becomes. Clusters that are longer, and those that begin with none,
 * go character by character, likewise (huggingface/spm_precompiled src/lib.rs).
 */
#include <utf8proc.h>

#include "base/error.h"
#include "base/utf8.h"
#include "tokenize/step.h"

/* What a cluster or a character that came from [source, end) becomes. What goes before the text has
 * begun counts as the start of its first character: the reference takes it so, and looks whether a
 * text begins with its document. */
static lxm_status put(lxm_stage *stage, const uint8_t *text, size_t length, uint64_t source,
                      uint64_t end, lxm_error *error)
{
    if (!stage->started && !stage->inside)
        stage->source = source;
    stage->inside = true;
    if (length == 0)
        return LXM_OK;
    source = stage->started ? source : stage->source;
    stage->started = true;
    return lxm_stage_put(stage, text, length, source, end, error);
}

/* Text [begin, end) as it stands. */
static lxm_status copy(lxm_stage *stage, const uint8_t *text, size_t length, size_t begin,
                       size_t end, const lxm_alignment *alignment, lxm_error *error)
{
    uint64_t source, source_end;
    size_t size = 0;
    lxm_status status = LXM_OK;
    if (!stage->started && stage->inside) {
        lxm_utf8_decode(text + begin, &size);
        lxm_alignment_range(alignment, begin, begin + size, &source, &source_end);
        status = put(stage, text + begin, size, source, source_end, error);
    }
    stage->started = true;
    if (status || begin + size == end)
        return status;
    return lxm_stage_copy(stage, text, length, begin + size, end, alignment, error);
}

/* Characters [begin, end), one by one. */
static lxm_status put_characters(lxm_stage *stage, const uint8_t *text, size_t length, size_t begin,
                                 size_t end, const lxm_alignment *alignment, lxm_error *error)
{
    lxm_status status = LXM_OK;
    for (size_t at = begin, size, found; !status && at < end; at += size) {
        uint64_t source, source_end;
        lxm_utf8_decode(text + at, &size);
        const uint8_t *to = lxm_charsmap_find(&stage->step->charsmap, text + at, size, &found);
        if (!to) {
            status = copy(stage, text, length, at, at + size, alignment, error);
            continue;
        }
        lxm_alignment_range(alignment, at, at + size, &source, &source_end);
        status = put(stage, to, found, source, source_end, error);
    }
    return status;
}

/* The cluster ends, or is too long to be looked up. */
static lxm_status settle(lxm_stage *stage, bool whole, lxm_error *error)
{
    const uint8_t *text = stage->held.data;
    size_t length = stage->held.length, found;
    lxm_status status;
    if (length == 0)
        return LXM_OK;
    const uint8_t *to =
        whole ? lxm_charsmap_find(&stage->step->charsmap, text, length, &found) : NULL;
    if (to) {
        uint64_t source, end;
        lxm_alignment_range(&stage->held_alignment, 0, length, &source, &end);
        status = put(stage, to, found, source, end, error);
    } else {
        status = put_characters(stage, text, length, 0, length, &stage->held_alignment, error);
    }
    stage->held.length = 0;
    lxm_alignment_clear(&stage->held_alignment);
    return status;
}

/* Takes a character into the cluster, which has room for it, or hands it on. */
static lxm_status take(lxm_stage *stage, const uint8_t *text, size_t length, size_t at, size_t size,
                       const lxm_alignment *alignment, lxm_error *error)
{
    stage->cluster.length += size;
    if (stage->cluster.length >= lxm_cluster_large) {
        lxm_status status = settle(stage, false, error);
        stage->cluster.length = lxm_cluster_large; /* it may go on for ever */
        return status ? status
                      : put_characters(stage, text, length, at, at + size, alignment, error);
    }
    if (!lxm_alignment_append_part(&stage->held_alignment, stage->held.length, alignment, length,
                                   at, at + size) ||
        !lxm_buffer_append(&stage->held, text + at, size))
        return lxm_fail_memory(error);
    return LXM_OK;
}

/* Length of the ASCII from `at` on that stays and has more ASCII behind it, which can't join it. */
static size_t plain_run(const lxm_charsmap *map, const uint8_t *text, size_t length, size_t at)
{
    size_t i = at;
    while (i + 1 < length && text[i] < 0x80 && map->plain[text[i]] && text[i + 1] < 0x80)
        i++;
    return i - at;
}

static bool begins_cluster(lxm_cluster *cluster, int32_t c)
{
    if (cluster->length == 0) {
        cluster->state = 0;
        return true;
    }
    return utf8proc_grapheme_break_stateful(cluster->last, c, &cluster->state);
}

static lxm_status push(lxm_stage *stage, const uint8_t *text, size_t length,
                       const lxm_alignment *alignment, lxm_error *error)
{
    lxm_cluster *cluster = &stage->cluster;
    lxm_status status = LXM_OK;
    for (size_t at = 0, size; !status && at < length;) {
        int32_t c = (int32_t)lxm_utf8_decode(text + at, &size);
        if (begins_cluster(cluster, c)) {
            status = settle(stage, true, error);
            cluster->length = 0;
            size_t plain = plain_run(&stage->step->charsmap, text, length, at);
            if (plain) {
                if (!status)
                    status = copy(stage, text, length, at, at + plain, alignment, error);
                at += plain;
                continue;
            }
        }
        if (!status)
            status = take(stage, text, length, at, size, alignment, error);
        cluster->last = c;
        at += size;
    }
    return status;
}

static lxm_status end(lxm_stage *stage, lxm_error *error)
{
    lxm_status status = settle(stage, true, error);
    stage->cluster.length = 0;
    return status;
}

static bool divides(const lxm_step *step)
{
    return step->charsmap.plain[' '];
}

const lxm_step_kind lxm_step_charsmap = {"charsmap", push, end, divides};
