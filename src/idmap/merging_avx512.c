/*
 * Sixteen tokens at once, a lane each, for AVX-512: the merge of lowest rank is done in all of them
 * in each round, until none has one.
 */
#include "idmap/merging_kernel.h"

#ifdef LXM_MERGING_AVX512

#include <immintrin.h>

#define TARGET                                                                                     \
    __attribute__((                                                                                \
        target("avx2,bmi,bmi2,popcnt,avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vbmi")))
#define INLINE static inline __attribute__((always_inline)) TARGET

enum {
    lanes = lxm_merge_lanes,
    widest = lxm_merge_lane_symbols,
    place_bits = 5,
};

static const uint32_t no_pair = LXM_NO_RANK << place_bits;

/* Symbols from place 1 on, between two sentinels; with the left one of a pair its rank, above its
 * place. Place by place, the lanes side by side. */
typedef struct field {
    uint32_t ids[widest + 2][lanes], ranks[widest + 1][lanes];
    uint32_t alive[lanes]; /* a bit a symbol that is left, and a sentinel */
} __attribute__((aligned(64))) field;

INLINE void fill(const lxm_merges *merges, field *f, const lxm_mapping *m, unsigned lane)
{
    unsigned n = (unsigned)m->count;
    f->alive[lane] = (uint32_t)(((uint64_t)4 << n) - 1);
    f->ids[0][lane] = f->ids[n + 1][lane] = lxm_merge_sentinel;
    f->ids[1][lane] = m->ids[0];
    for (unsigned i = 1; i < n; i++) {
        f->ids[i + 1][lane] = m->ids[i];
        f->ranks[i][lane] = lxm_merge_first_rank(merges, m, i - 1) << place_bits | i;
    }
}

/* lxm_pairs_rank of eight pairs. */
INLINE __m256i rank_half(const lxm_pairs *pairs, __m256i left, __m256i right)
{
    const __m128i shift = _mm_cvtsi32_si128((int)pairs->shift);
    __m512i key = _mm512_or_si512(_mm512_slli_epi64(_mm512_cvtepu32_epi64(left), lxm_pair_id_bits),
                                  _mm512_cvtepu32_epi64(right));
    __m512i low = _mm512_slli_epi64(key, lxm_pair_rank_bits);
    __m512i homes[2], slots[2];
    for (int which = 0; which < 2; which++) {
        __m512i factor = _mm512_set1_epi64((int64_t)pairs->factors[which]);
        homes[which] = _mm512_srl_epi64(_mm512_mullo_epi64(key, factor), shift);
        slots[which] = _mm512_sub_epi64(_mm512_i64gather_epi64(homes[which], pairs->slots, 8), low);
    }
    __m512i found = _mm512_min_epu64(slots[0], slots[1]);
    return _mm512_cvtepi64_epi32(_mm512_min_epu64(found, _mm512_set1_epi64(LXM_NO_RANK)));
}

INLINE __m512i ranks_of(const lxm_pairs *pairs, __m512i left, __m512i right)
{
    __m256i low = rank_half(pairs, _mm512_castsi512_si256(left), _mm512_castsi512_si256(right));
    __m256i high =
        rank_half(pairs, _mm512_extracti64x4_epi64(left, 1), _mm512_extracti64x4_epi64(right, 1));
    return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

/* Of words with at most one bit, which it is. */
INLINE __m512i place_of(__m512i bit)
{
    return _mm512_sub_epi32(_mm512_set1_epi32(31), _mm512_lzcnt_epi32(bit));
}

INLINE __m512i lowest_bit(__m512i bits)
{
    return _mm512_and_si512(bits, _mm512_sub_epi32(_mm512_setzero_si512(), bits));
}

INLINE __m512i lowest(const field *f, unsigned width)
{
    __m512i low = _mm512_load_si512(f->ranks[1]);
    for (unsigned i = 2; i <= width; i++)
        low = _mm512_min_epu32(low, _mm512_load_si512(f->ranks[i]));
    return low;
}

/* Where each lane's symbol at a place is, counted from the first lane's first. */
INLINE __m512i index_of(__m512i place)
{
    const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    return _mm512_or_si512(_mm512_slli_epi32(place, 4), lane);
}

INLINE void merge(const lxm_merges *merges, field *f, unsigned width)
{
    const __m512i none = _mm512_set1_epi32((int)no_pair);
    __m512i alive = _mm512_load_si512(f->alive), low = lowest(f, width);
    __mmask16 found;
    while ((found = _mm512_cmplt_epu32_mask(low, none)) != 0) {
        __m512i at = _mm512_and_si512(low, _mm512_set1_epi32((1 << place_bits) - 1));
        __m512i id = _mm512_srli_epi32(low, place_bits);
        if (merges->linear)
            id = _mm512_add_epi32(id, _mm512_set1_epi32((int)merges->first));
        else
            id = _mm512_mask_i32gather_epi32(id, found, id, merges->results, 4);
        __m512i after = _mm512_and_si512(alive, _mm512_sllv_epi32(_mm512_set1_epi32(-2), at));
        __m512i next_bit = lowest_bit(after);
        __m512i beyond = place_of(lowest_bit(_mm512_xor_si512(after, next_bit)));
        __m512i before =
            place_of(_mm512_andnot_si512(_mm512_sllv_epi32(_mm512_set1_epi32(-1), at), alive));
        __m512i next = place_of(next_bit);
        alive = _mm512_mask_xor_epi32(alive, found, alive, next_bit);
        __m512i left = _mm512_mask_i32gather_epi32(none, found, index_of(before), f->ids, 4);
        __m512i right = _mm512_mask_i32gather_epi32(none, found, index_of(beyond), f->ids, 4);
        _mm512_mask_i32scatter_epi32(f->ids, found, index_of(at), id, 4);
        __m512i left_rank = _mm512_or_si512(
            _mm512_slli_epi32(ranks_of(&merges->pairs, left, id), place_bits), before);
        __m512i right_rank =
            _mm512_or_si512(_mm512_slli_epi32(ranks_of(&merges->pairs, id, right), place_bits), at);
        low = none;
        for (unsigned i = 1; i <= width; i++) {
            const __m512i place = _mm512_set1_epi32((int)i);
            __m512i rank = _mm512_load_si512(f->ranks[i]);
            __mmask16 is_at = _mm512_mask_cmpeq_epi32_mask(found, at, place);
            __mmask16 is_next = _mm512_mask_cmpeq_epi32_mask(found, next, place);
            __mmask16 is_before = _mm512_mask_cmpeq_epi32_mask(found, before, place);
            rank = _mm512_mask_mov_epi32(rank, is_at, right_rank);
            rank = _mm512_mask_mov_epi32(rank, is_next, none);
            rank = _mm512_mask_mov_epi32(rank, is_before, left_rank);
            _mm512_store_si512(f->ranks[i], rank);
            low = _mm512_min_epu32(low, rank);
        }
    }
    _mm512_store_si512(f->alive, alive);
}

/* Puts down what is left in a lane. */
INLINE void take(const field *f, lxm_mapping *m, unsigned lane)
{
    uint32_t left = f->alive[lane] & ~(uint32_t)1;
    const uint32_t last = (uint32_t)2 << m->count;
    m->count = 0;
    while (left != last) {
        m->ids[m->count] = f->ids[__builtin_ctz(left)][lane];
        left &= left - 1;
        if (m->ends)
            m->ends[m->count] = m->ends[__builtin_ctz(left) - 2];
        m->count++;
    }
}

INLINE void merge_width(const lxm_merges *merges, lxm_mapping *const *m, unsigned count,
                        unsigned width)
{
    field f;
    for (unsigned i = 1; i <= width; i++)
        _mm512_store_si512(f.ranks[i], _mm512_set1_epi32((int)no_pair));
    _mm512_store_si512(f.alive, _mm512_set1_epi32(3));
    for (unsigned lane = 0; lane < count; lane++)
        fill(merges, &f, m[lane], lane);
    merge(merges, &f, width);
    for (unsigned lane = 0; lane < count; lane++)
        take(&f, m[lane], lane);
}

TARGET void lxm_merge_lanes_avx512(const lxm_merges *merges, lxm_mapping *const *m, size_t count,
                                   size_t width)
{
    if (width <= 8)
        merge_width(merges, m, (unsigned)count, 7);
    else if (width <= 16)
        merge_width(merges, m, (unsigned)count, 15);
    else
        merge_width(merges, m, (unsigned)count, widest - 1);
}

#endif
