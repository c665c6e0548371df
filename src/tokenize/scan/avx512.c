/* The scanners for AVX-512 with VBMI: a block is a register, a mask is a mask register. */
#if defined __x86_64__
#include <immintrin.h>

#define LXM_TARGET                                                                                 \
    __attribute__((target("avx2,bmi,bmi2,popcnt,avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,"    \
                          "avx512vbmi2")))

#include "tokenize/scan/block.h"
#include "tokenize/scan/wide.h"

static const uint8_t iota[64] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
                                 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47,
                                 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};

/* The block's text, and what stands one, two and three bytes behind each byte. */
typedef struct ahead {
    __m512i at[4];
} ahead;

INLINE __mmask64 equal(__m512i a, uint8_t byte)
{
    return _mm512_cmpeq_epi8_mask(a, _mm512_set1_epi8((char)byte));
}

INLINE __mmask64 not_below(__m512i a, uint8_t byte)
{
    return _mm512_cmpge_epu8_mask(a, _mm512_set1_epi8((char)byte));
}

/* Looks up the characters of `size` bytes that have all but the last byte in common with the first
 * of `leads`: their kinds are a row of the table. Returns the leads that are left. */
INLINE uint64_t look_up_row(__m512i *kinds, const ahead *a, const uint8_t *text, uint64_t leads,
                            int size)
{
    const uint8_t *p = text + _tzcnt_u64(leads);
    __mmask64 alike = equal(a->at[0], p[0]) & leads;
    uint32_t row = p[0] & (size == 2 ? 0x1F : size == 3 ? 0x0F : 0x07);
    for (int i = 1; i < size - 1; i++) {
        alike &= equal(a->at[i], p[i]);
        row = row << 6 | (p[i] & 0x3F);
    }
    __m512i kind = _mm512_loadu_si512(lxm_kind_rows[lxm_kind_row[row]]);
    *kinds = _mm512_mask_permutexvar_epi8(*kinds, alike, a->at[size - 1], kind);
    return leads & ~alike;
}

/* Most scripts have two rows in use: the second is looked up even if there is none, for whether
 * there is can't be foretold. With four bytes that could leave the table. */
INLINE __m512i look_up_rows(__m512i kinds, const ahead *a, const uint8_t *text, uint64_t leads,
                            int size)
{
    if (leads) {
        leads = look_up_row(&kinds, a, text, leads, size);
        if (size < 4)
            leads = look_up_row(&kinds, a, text, leads, size);
        while (UNLIKELY(leads))
            leads = look_up_row(&kinds, a, text, leads, size);
    }
    return kinds;
}

/* Three bytes: first the two large alphabets, whose rows are many and all alike: U+4E00 to U+9FFF,
 * U+AC00 to U+D77F. */
INLINE __m512i kinds_of_three(__m512i kinds, const ahead *a, const uint8_t *text, uint64_t leads)
{
    __m512i first = a->at[0], second = a->at[1];
    uint64_t hangul = not_below(first, 0xEA);
    uint64_t ideograph = leads & not_below(first, 0xE4) & ~hangul;
    ideograph &= ~(equal(first, 0xE4) & ~not_below(second, 0xB8));
    hangul &= leads & ~not_below(first, 0xEE) & ~(equal(first, 0xEA) & ~not_below(second, 0xB0));
    hangul &= ~(equal(first, 0xED) & not_below(second, 0x9E));
    kinds = _mm512_mask_mov_epi8(kinds, ideograph, _mm512_set1_epi8(LXM_KIND_IDEOGRAPH));
    kinds = _mm512_mask_mov_epi8(kinds, hangul, _mm512_set1_epi8(LXM_KIND_LETTER));
    return look_up_rows(kinds, a, text, leads & ~(ideograph | hangul), 3);
}

/* From each first byte to those that follow it. */
INLINE __m512i spread(__m512i bytes, uint64_t follow)
{
    const __m512i before = _mm512_sub_epi8(_mm512_loadu_si512(iota), _mm512_set1_epi8(1));
    uint64_t third = follow & follow << 1, fourth = third & third << 1;
    bytes = _mm512_mask_permutexvar_epi8(bytes, follow, before, bytes);
    bytes = _mm512_mask_permutexvar_epi8(bytes, third, before, bytes);
    if (UNLIKELY(fourth))
        bytes = _mm512_mask_permutexvar_epi8(bytes, fourth, before, bytes);
    return bytes;
}

INLINE __m512i wide_classes(const lxm_family *family, const block *b, __m512i text, uint64_t leads)
{
    ahead a = {{text, _mm512_loadu_si512(b->text + 1), _mm512_loadu_si512(b->text + 2),
                _mm512_loadu_si512(b->text + 3)}};
    uint64_t three = leads & not_below(text, 0xE0), four = leads & not_below(text, 0xF0);
    __m512i kinds = look_up_rows(_mm512_setzero_si512(), &a, b->text, leads & ~three, 2);
    if (three)
        kinds = kinds_of_three(kinds, &a, b->text, three & ~four);
    if (UNLIKELY(four))
        kinds = look_up_rows(kinds, &a, b->text, four, 4);
    __m256i table = _mm256_loadu_si256((const __m256i *)(const void *)family->kinds);
    return _mm512_permutexvar_epi8(kinds, _mm512_castsi256_si512(table));
}

INLINE __m512i look_up(const lxm_family *family, __m512i text)
{
    __m512i low = _mm512_loadu_si512(family->ascii), high = _mm512_loadu_si512(family->ascii + 64);
    return _mm512_permutex2var_epi8(low, text, high);
}

INLINE void to_masks(int classes, block *b, __m512i class)
{
    for (int i = 0; i < classes; i++) {
        uint64_t mask = _mm512_test_epi8_mask(class, _mm512_set1_epi8((char)(1 << i)));
        /* Into a general register: compilers do the sums in mask registers, which are slow at it.
         */
        __asm__("" : "+r"(mask));
        b->class[i] = mask;
    }
}

/* Whether bit `which` & 3 of the entry for the low half of each byte is set. */
INLINE __mmask64 has_bit(const uint8_t *table, __m512i bytes, __m512i which)
{
    const __m512i nibble = _mm512_set1_epi8(0x0F), powers = _mm512_set1_epi32(0x08040201);
    __m512i all = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(const void *)table));
    return _mm512_test_epi8_mask(_mm512_shuffle_epi8(all, _mm512_and_si512(bytes, nibble)),
                                 _mm512_shuffle_epi8(powers, _mm512_and_si512(which, nibble)));
}

/* Bytes that may begin a wide character that has a class. */
INLINE uint64_t sparse_leads(const lxm_family *family, const block *b, __m512i text)
{
    __m512i second = _mm512_loadu_si512(b->text + 1), third = _mm512_loadu_si512(b->text + 2);
    __mmask64 alike = has_bit(family->thirds, third, _mm512_srli_epi16(third, 4)) &
                      has_bit(family->thirds_behind, third, text);
    return not_below(text, 0xC0) & has_bit(family->leads, text, _mm512_srli_epi16(text, 4)) &
           has_bit(family->seconds, second, text) & (alike | ~not_below(text, 0xE0));
}

INLINE bool classify_usual(const lxm_family *family, int classes, block *b)
{
    __m512i text = _mm512_loadu_si512(b->text), class = look_up(family, text);
    uint64_t wide = _mm512_movepi8_mask(text);
    if (UNLIKELY(wide)) {
        if (!family->sparse || sparse_leads(family, b, text))
            return true;
        class = _mm512_maskz_mov_epi8(~wide, class);
    }
    to_masks(classes, b, class);
    return false;
}

INLINE void classify_wide(const lxm_family *family, int classes, block *b)
{
    __m512i text = _mm512_loadu_si512(b->text), class = look_up(family, text);
    uint64_t wide = _mm512_movepi8_mask(text);
    b->wide = wide;
    b->follow = wide & ~not_below(text, 0xC0);
    uint64_t leads = wide & ~b->follow, behind_leads = b->follow;
    if (family->sparse) {
        leads = sparse_leads(family, b, text);
        behind_leads &= to_all_bytes(b, leads);
    }
    if (family->sparse && !leads)
        class = _mm512_maskz_mov_epi8(~wide, class);
    else
        class = _mm512_mask_mov_epi8(class, wide,
                                     spread(wide_classes(family, b, text, leads), behind_leads));
    uint32_t behind = cut_block(b);
    if (behind)
        b->behind = (uint8_t)_mm_cvtsi128_si32(
            _mm512_castsi512_si128(_mm512_maskz_compress_epi8((uint64_t)1 << behind, class)));
    to_masks(classes, b, _mm512_maskz_mov_epi8(low_bits(b->count), class));
}

/* Which byte goes to which 32-bit number: 0 0 1 1 2 2 ..., and from two registers 0 64 1 65 ... */
static const uint8_t twice[64] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 0,
                                  0, 0, 3, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0,
                                  5, 0, 0, 0, 6, 0, 0, 0, 6, 0, 0, 0, 7, 0, 0, 0, 7, 0, 0, 0};
static const uint8_t zipped[64] = {0, 0, 0, 0, 64, 0, 0, 0, 1, 0, 0, 0, 65, 0, 0, 0,
                                   2, 0, 0, 0, 66, 0, 0, 0, 3, 0, 0, 0, 67, 0, 0, 0,
                                   4, 0, 0, 0, 68, 0, 0, 0, 5, 0, 0, 0, 69, 0, 0, 0,
                                   6, 0, 0, 0, 70, 0, 0, 0, 7, 0, 0, 0, 71, 0, 0, 0};

/* The bits of two masks as numbers, in the order in which `pick` takes them. */
typedef struct positions {
    __m512i even, odd, pick, base;
} positions;

/* Writes sixteen. */
INLINE void put_sixteen(uint32_t *out, positions *p)
{
    const __mmask64 each_dword = 0x1111111111111111;
    __m512i numbers = _mm512_maskz_permutex2var_epi8(each_dword, p->even, p->pick, p->odd);
    _mm512_storeu_si512(out, _mm512_add_epi32(numbers, p->base));
    p->pick = _mm512_add_epi8(p->pick, _mm512_set1_epi32(8));
}

/* What most blocks need is written for every block: a loop whose end can't be foretold costs
 * more. */
INLINE void put_positions(uint32_t *out, const uint32_t *end, positions p)
{
    put_sixteen(out, &p);
    put_sixteen(out + 16, &p);
    put_sixteen(out + 32, &p);
    for (out += 48; UNLIKELY(out < end); out += 16)
        put_sixteen(out, &p);
}

INLINE uint32_t *put_edges(uint32_t *out, uint32_t base, uint64_t begins)
{
    uint32_t *end = out + 2 * __builtin_popcountll(begins);
    __m512i at = _mm512_maskz_compress_epi8(begins, _mm512_loadu_si512(iota));
    positions p = {at, at, _mm512_loadu_si512(twice), _mm512_set1_epi32((int)base)};
    put_positions(out, end, p);
    return end;
}

INLINE uint32_t *put_pairs(uint32_t *out, uint32_t base, uint64_t begins, uint64_t ends, bool open)
{
    uint64_t even = open ? ends : begins, odd = open ? begins : ends;
    uint32_t *end = out + __builtin_popcountll(begins) + __builtin_popcountll(ends);
    __m512i all = _mm512_loadu_si512(iota);
    positions p = {_mm512_maskz_compress_epi8(even, all), _mm512_maskz_compress_epi8(odd, all),
                   _mm512_loadu_si512(zipped), _mm512_set1_epi32((int)base)};
    put_positions(out, end, p);
    return end;
}

#define LXM_SCANNERS lxm_scanners_avx512
#include "tokenize/scan/scanners.h"
#else
typedef int lxm_no_avx512; /* a file must have something in it */
#endif
