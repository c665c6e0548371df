#include "formats/vocab_compiled.h"

#include <inttypes.h>

#include "base/error.h"
#include "base/hash.h"
#include "formats/description.h"
#include "formats/vocab.h"

static const uint8_t magic[8] = {0x89, 'L', 'X', 'V', '\r', '\n', 0x1A, '\n'};

typedef struct header {
    uint8_t magic[8];
    uint32_t version, order;
    uint64_t checksum, length;
    uint32_t sections, zero;
} header;

typedef struct section {
    uint32_t name, width;
    uint64_t offset, count;
} section;

enum {
    known_version = 1,
    known_order = 0x01020304,
    other_order = 0x04030201,
    checked_from = 24, /* what the checksum is of */
    alignment = 64,
    slack = 16, /* what look-ups may read behind an array */
};

_Static_assert(sizeof(header) == 40 && sizeof(section) == 24, "both stand in files");

/* Where what follows `end` begins; false where that overflows. */
static bool next_offset(uint64_t end, uint64_t *offset)
{
    if (__builtin_add_overflow(end, (uint64_t)(slack + alignment - 1), offset))
        return false;
    *offset -= *offset % alignment;
    return true;
}

/* ---- reading ---- */

bool lxm_compiled_probe(const uint8_t *bytes, size_t length)
{
    return length >= sizeof magic && memcmp(bytes, magic, sizeof magic) == 0;
}

#define ANEW ": make it anew with idmap convert"

static lxm_status check_header(const header *h, const uint8_t *bytes, size_t length,
                               lxm_error *error)
{
    if (h->order == other_order)
        return lxm_fail_at(error, LXM_ERROR_UNSUPPORTED, offsetof(header, order),
                           "compiled on a machine of the other byte order" ANEW " on this one");
    if (h->order != known_order)
        return lxm_fail_at(error, LXM_ERROR_FORMAT, offsetof(header, order),
                           "the compiled vocabulary is damaged" ANEW);
    if (h->version != known_version)
        return lxm_fail_at(error, LXM_ERROR_UNSUPPORTED, offsetof(header, version),
                           "version %" PRIu32 " of the compiled form is unknown, this program "
                           "reads version %d" ANEW,
                           h->version, known_version);
    if (h->length != length)
        return lxm_fail_at(error, LXM_ERROR_FORMAT, length < h->length ? length : h->length,
                           "the compiled vocabulary is %s, it has %zu bytes of %" PRIu64
                           ": copy it again, or make it anew with idmap convert",
                           length < h->length ? "cut" : "followed by something else", length,
                           h->length);
    if (lxm_hash(bytes + checked_from, length - checked_from, 0) != h->checksum)
        return lxm_fail_at(error, LXM_ERROR_FORMAT, offsetof(header, checksum),
                           "the checksum is not that of the compiled vocabulary: copy it again, "
                           "or make it anew with idmap convert");
    return LXM_OK;
}

/* Takes a section that begins where it must; *end is where it ends. */
static lxm_status take_section(lxm_parts *parts, const uint8_t *bytes, size_t length, size_t at,
                               uint64_t *end, lxm_error *error)
{
    section s;
    uint64_t offset, size;
    memcpy(&s, bytes + at, sizeof s);
    uint32_t before = parts->count ? parts->items[parts->count - 1].name : 0;
    if (s.name <= before)
        return lxm_fail_at(error, LXM_ERROR_FORMAT, at, "section %" PRIu32 " is out of order" ANEW,
                           s.name);
    if (!next_offset(*end, &offset) || s.offset != offset)
        return lxm_fail_at(error, LXM_ERROR_FORMAT, at + offsetof(section, offset),
                           "section %" PRIu32 " begins where it can't" ANEW, s.name);
    if (s.width == 0 || __builtin_mul_overflow(s.count, (uint64_t)s.width, &size) ||
        __builtin_add_overflow(offset, size, end) || *end > length - slack)
        return lxm_fail_at(error, LXM_ERROR_FORMAT, at + offsetof(section, count),
                           "section %" PRIu32 " ends behind the file" ANEW, s.name);
    lxm_parts_add(parts, s.name, bytes + offset, (size_t)s.count, s.width);
    parts->items[parts->count - 1].offset = offset;
    return LXM_OK;
}

lxm_status lxm_compiled_open(lxm_parts *parts, const uint8_t *bytes, size_t length,
                             lxm_error *error)
{
    header h;
    if (length < sizeof h)
        return lxm_fail_at(error, LXM_ERROR_FORMAT, length,
                           "the compiled vocabulary is cut: copy it again, or make it anew with "
                           "idmap convert");
    memcpy(&h, bytes, sizeof h);
    lxm_status status = check_header(&h, bytes, length, error);
    if (status)
        return status;
    uint64_t end = sizeof h + (uint64_t)h.sections * sizeof(section);
    if (h.sections > lxm_parts_most || length < slack || end > length - slack)
        return lxm_fail_at(error, LXM_ERROR_FORMAT, offsetof(header, sections),
                           "there is no room for %" PRIu32 " sections" ANEW, h.sections);
    for (uint32_t i = 0; !status && i < h.sections; i++)
        status = take_section(parts, bytes, length, sizeof h + i * sizeof(section), &end, error);
    if (!status && (!next_offset(end, &end) || end != length))
        status = lxm_fail_at(error, LXM_ERROR_FORMAT, offsetof(header, length),
                             "the sections end where the file doesn't" ANEW);
    return status;
}

static lxm_status read_file(lxm_vocab *vocab, const uint8_t *bytes, size_t length, lxm_error *error)
{
    lxm_parts parts;
    lxm_parts_init(&parts, &vocab->allocator);
    lxm_status status = lxm_compiled_open(&parts, bytes, length, error);
    if (!status)
        status = lxm_vocab_load(vocab, &parts, error);
    lxm_parts_free(&parts);
    return status;
}

/* ---- writing ---- */

/* Where bytes of the file go: first into its checksum, then into the file. */
typedef struct sink {
    XXH3_state_t *hash;
    lxm_output *output; /* NULL: the checksum */
    lxm_error *error;
} sink;

static lxm_status put(const sink *s, const void *bytes, size_t length)
{
    if (length == 0)
        return LXM_OK;
    if (s->output)
        return lxm_output_write(s->output, bytes, length, s->error);
    XXH3_64bits_update(s->hash, bytes, length);
    return LXM_OK;
}

static lxm_status put_zeros(const sink *s, uint64_t count)
{
    static const uint8_t zeros[slack + alignment];
    return put(s, zeros, (size_t)count);
}

/* All behind the checksum. */
static lxm_status put_rest(const sink *s, const header *h, const section *sections,
                           const lxm_parts *parts)
{
    uint64_t end = sizeof *h + parts->count * sizeof *sections;
    lxm_status status = put(s, (const uint8_t *)h + checked_from, sizeof *h - checked_from);
    if (!status)
        status = put(s, sections, parts->count * sizeof *sections);
    for (size_t i = 0; !status && i < parts->count; i++) {
        const lxm_part *part = &parts->items[i];
        status = put_zeros(s, sections[i].offset - end);
        if (!status)
            status = put(s, part->data, part->count * part->width);
        end = sections[i].offset + part->count * part->width;
    }
    return status ? status : put_zeros(s, h->length - end);
}

static lxm_status write_parts(const lxm_parts *parts, lxm_output *output, lxm_error *error)
{
    section sections[lxm_parts_most];
    XXH3_state_t state;
    XXH3_INITSTATE(&state);
    XXH3_64bits_reset(&state);
    header h = {.version = known_version, .order = known_order, .sections = (uint32_t)parts->count};
    memcpy(h.magic, magic, sizeof magic);
    uint64_t end = sizeof h + parts->count * sizeof *sections;
    for (size_t i = 0; i < parts->count; i++) {
        const lxm_part *part = &parts->items[i];
        sections[i] = (section){.name = part->name, .width = part->width, .count = part->count};
        if (!next_offset(end, &sections[i].offset))
            return lxm_fail(error, LXM_ERROR_LIMIT, "the vocabulary is too large");
        end = sections[i].offset + (uint64_t)part->count * part->width;
    }
    if (!next_offset(end, &h.length))
        return lxm_fail(error, LXM_ERROR_LIMIT, "the vocabulary is too large");
    sink s = {.hash = &state, .error = error};
    lxm_status status = put_rest(&s, &h, sections, parts);
    h.checksum = XXH3_64bits_digest(&state);
    s.output = output;
    if (!status)
        status = put(&s, &h, checked_from);
    return status ? status : put_rest(&s, &h, sections, parts);
}

static lxm_status write_file(const lxm_vocab *vocab, const lxm_vocab_write_options *options,
                             lxm_output *output, lxm_error *error)
{
    lxm_parts parts;
    lxm_buffer description;
    lxm_vocab described = *vocab;
    lxm_parts_init(&parts, &vocab->allocator);
    lxm_buffer_init(&description, &vocab->allocator);
    lxm_status status = LXM_OK;
    if (options->preset) {
        status = lxm_description_write(vocab, options, &description, error);
        described.description = (char *)description.data;
        described.states_pattern = true;
    }
    if (!status)
        status = lxm_vocab_store(&described, &parts, error);
    if (!status)
        status = write_parts(&parts, output, error);
    lxm_parts_free(&parts);
    lxm_buffer_free(&description);
    return status;
}

const lxm_vocab_format lxm_vocab_format_compiled = {
    .name = "compiled",
    .probe = lxm_compiled_probe,
    .read = read_file,
    .mapped = true,
    .write = write_file,
};
