/* The scanners for AVX2: 32 bytes in a register, two registers a block. */
#if defined __x86_64__
#include <immintrin.h>

#define LXM_TARGET __attribute__((target("avx2,bmi,bmi2,popcnt")))

#include "tokenize/scan/block.h"
#include "tokenize/scan/wide.h"

INLINE uint64_t sign_bits(__m256i low, __m256i high)
{
    return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high)
                                                     << 32;
}

INLINE __m256i load(const uint8_t *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

INLINE __m128i load_half(const uint8_t *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* A byte's low nibble picks, for each class, the high nibbles that belong to it. For a byte that
 * isn't ASCII pshufb yields 0, which never equals its high nibble's bits. */
INLINE void find_ascii(const lxm_family *family, int classes, block *b, __m256i low, __m256i high)
{
    const __m256i nibble = _mm256_set1_epi8(0x0F);
    const __m256i powers = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, -1, -1, -1, -1, -1, -1, -1, -1));
    __m256i low_bit =
        _mm256_shuffle_epi8(powers, _mm256_and_si256(_mm256_srli_epi16(low, 4), nibble));
    __m256i high_bit =
        _mm256_shuffle_epi8(powers, _mm256_and_si256(_mm256_srli_epi16(high, 4), nibble));
    for (int i = 0; i < classes; i++) {
        __m256i table = _mm256_broadcastsi128_si256(load_half(family->nibbles[i]));
        __m256i in_low = _mm256_and_si256(_mm256_shuffle_epi8(table, low), low_bit);
        __m256i in_high = _mm256_and_si256(_mm256_shuffle_epi8(table, high), high_bit);
        b->class[i] =
            sign_bits(_mm256_cmpeq_epi8(in_low, low_bit), _mm256_cmpeq_epi8(in_high, high_bit));
    }
}

/* Whether bit `which` & 3 of the entry for the low half of each byte is set. */
INLINE __m256i has_bit(const uint8_t *table, __m256i bytes, __m256i which)
{
    const __m256i nibble = _mm256_set1_epi8(0x0F), powers = _mm256_set1_epi32(0x08040201);
    __m256i all = _mm256_broadcastsi128_si256(load_half(table));
    __m256i bits = _mm256_shuffle_epi8(all, _mm256_and_si256(bytes, nibble));
    __m256i bit = _mm256_shuffle_epi8(powers, _mm256_and_si256(which, nibble));
    return _mm256_cmpeq_epi8(_mm256_and_si256(bits, bit), bit);
}

/* Of first bytes of wide characters, those of which one may have a class. */
INLINE __m256i sparse_leads(const lxm_family *family, const uint8_t *bytes)
{
    __m256i text = load(bytes), third = load(bytes + 2);
    __m256i two = _mm256_cmpgt_epi8(_mm256_set1_epi8((char)0xE0), text);
    __m256i alike = _mm256_and_si256(has_bit(family->thirds, third, _mm256_srli_epi16(third, 4)),
                                     has_bit(family->thirds_behind, third, text));
    return _mm256_and_si256(
        _mm256_or_si256(alike, two),
        _mm256_and_si256(has_bit(family->leads, text, _mm256_srli_epi16(text, 4)),
                         has_bit(family->seconds, load(bytes + 1), text)));
}

INLINE bool classify_usual(const lxm_family *family, int classes, block *b)
{
    const __m256i first = _mm256_set1_epi8((char)0xBF);
    __m256i low = load(b->text), high = load(b->text + 32);
    find_ascii(family, classes, b, low, high);
    uint64_t wide = sign_bits(low, high);
    if (wide == 0 || !family->sparse)
        return wide != 0;
    uint64_t leads =
        wide & sign_bits(_mm256_cmpgt_epi8(low, first), _mm256_cmpgt_epi8(high, first));
    return (leads & sign_bits(sparse_leads(family, b->text), sparse_leads(family, b->text + 32))) !=
           0;
}

/* Adds the classes of wide characters to those of ASCII. */
INLINE void classify_wide(const lxm_family *family, int classes, block *b)
{
    uint8_t class[BLOCK + LOOKAHEAD] __attribute__((aligned(32))) = {0};
    const __m256i lead = _mm256_set1_epi8((char)0xC0);
    __m256i low = load(b->text), high = load(b->text + 32);
    find_ascii(family, classes, b, low, high);
    uint64_t wide = b->wide = sign_bits(low, high);
    b->follow = wide & sign_bits(_mm256_cmpgt_epi8(lead, low), _mm256_cmpgt_epi8(lead, high));
    uint64_t leads = wide & ~b->follow, classified = wide;
    if (family->sparse) {
        leads &= sign_bits(sparse_leads(family, b->text), sparse_leads(family, b->text + 32));
        classified = to_all_bytes(b, leads);
    }
    classify_each(family, b->text, leads, class);
    uint32_t behind = cut_block(b);
    if (behind)
        b->behind = wide >> behind & 1 ? (classified >> behind & 1 ? class[behind] : 0)
                                       : family->ascii[b->text[behind]];
    low = load(class);
    high = load(class + 32);
    for (int i = 0; i < classes; i++) {
        uint64_t mask =
            sign_bits(_mm256_slli_epi16(low, 7 - i), _mm256_slli_epi16(high, 7 - i)) & classified;
        b->class[i] = (b->class[i] | mask) & low_bits(b->count);
    }
}

/* The bits of a byte, as numbers. */
#define WITH_HIGH(...)                                                                             \
    {__VA_ARGS__}, {0, __VA_ARGS__}, {1, __VA_ARGS__}, {0, 1, __VA_ARGS__}, {2, __VA_ARGS__},      \
        {0, 2, __VA_ARGS__}, {1, 2, __VA_ARGS__}, {0, 1, 2, __VA_ARGS__}, {3, __VA_ARGS__},        \
        {0, 3, __VA_ARGS__}, {1, 3, __VA_ARGS__}, {0, 1, 3, __VA_ARGS__}, {2, 3, __VA_ARGS__},     \
        {0, 2, 3, __VA_ARGS__}, {1, 2, 3, __VA_ARGS__},                                            \
    {                                                                                              \
        0, 1, 2, 3, __VA_ARGS__                                                                    \
    }
static const uint8_t bits_of[256][8] = {
    WITH_HIGH(0),    WITH_HIGH(4),       WITH_HIGH(5),       WITH_HIGH(4, 5),
    WITH_HIGH(6),    WITH_HIGH(4, 6),    WITH_HIGH(5, 6),    WITH_HIGH(4, 5, 6),
    WITH_HIGH(7),    WITH_HIGH(4, 7),    WITH_HIGH(5, 7),    WITH_HIGH(4, 5, 7),
    WITH_HIGH(6, 7), WITH_HIGH(4, 6, 7), WITH_HIGH(5, 6, 7), WITH_HIGH(4, 5, 6, 7),
};

INLINE __m128i load_bits(uint32_t byte)
{
    return _mm_loadl_epi64((const __m128i *)(const void *)bits_of[byte]);
}

INLINE void store(uint32_t *out, __m256i numbers)
{
    _mm256_storeu_si256((__m256i *)(void *)out, numbers);
}

/* Room for all the edges that eight bytes can have is written for every eight bytes: a loop whose
 * end can't be foretold costs more. */
INLINE uint32_t *put_edges(uint32_t *out, uint32_t base, uint64_t begins)
{
    const __m256i low = _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3);
    const __m256i high = _mm256_setr_epi32(4, 4, 5, 5, 6, 6, 7, 7);
    __m256i add = _mm256_set1_epi32((int)base);
    for (int i = 0; i < 64; i += 8) {
        uint32_t byte = begins >> i & 0xFF;
        __m256i bits = _mm256_add_epi32(_mm256_cvtepu8_epi32(load_bits(byte)), add);
        store(out, _mm256_permutevar8x32_epi32(bits, low));
        store(out + 8, _mm256_permutevar8x32_epi32(bits, high));
        out += 2 * (uint32_t)__builtin_popcount(byte);
        add = _mm256_add_epi32(add, _mm256_set1_epi32(8));
    }
    return out;
}

INLINE void put_byte(uint32_t *out, uint32_t base, uint8_t even, uint8_t odd)
{
    __m256i add = _mm256_set1_epi32((int)base);
    __m128i bits = _mm_unpacklo_epi8(load_bits(even), load_bits(odd));
    store(out, _mm256_add_epi32(_mm256_cvtepu8_epi32(bits), add));
    store(out + 8, _mm256_add_epi32(_mm256_cvtepu8_epi32(_mm_unpackhi_epi64(bits, bits)), add));
}

INLINE uint32_t *put_pairs(uint32_t *out, uint32_t base, uint64_t begins, uint64_t ends, bool open)
{
    for (uint32_t i = 0; i < 64; i += 8) {
        uint8_t begin = (uint8_t)(begins >> i), end = (uint8_t)(ends >> i);
        put_byte(out, base + i, open ? end : begin, open ? begin : end);
        uint32_t count = (uint32_t)__builtin_popcount((uint32_t)begin << 8 | end);
        out += count;
        open ^= count & 1;
    }
    return out;
}

#define LXM_SCANNERS lxm_scanners_avx2
#include "tokenize/scan/scanners.h"
#else
typedef int lxm_no_avx2; /* a file must have something in it */
#endif
