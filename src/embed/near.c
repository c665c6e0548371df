/*
 * The nearest rows of a table. Threads take tiles of rows in turn; each multiplies a tile with
 * all queries in single precision, and scores exactly the rows that might still be among the best
 * it has seen. What it keeps is in the same order as all scores are, so that it doesn't matter
 * which thread met a row, nor when.
 */
#include <float.h>
#include <math.h>
#include <stdatomic.h>

#include "base/error.h"
#include "base/pool.h"
#include "embed/blas.h"
#include "embed/near_kernels.h"
#include "embed/table.h"

/* Numbers of a tile of rows, its most rows, queries that meet it at a time, and in one pass over
 * the table. */
enum { tile_numbers = 1 << 20, tile_rows = 2048, tile_queries = 256, pass_queries = 4096 };

/* Bytes that the queries of a pass, and what is found for them, take at most. */
static const size_t pass_bytes = 64 << 20;

typedef struct found {
    float score;
    uint32_t id;
} found;

typedef struct search {
    lxm_allocator allocator;
    const lxm_table *table;
    const float *in_place; /* the table's rows where they lie as floats, or NULL */
    const lxm_near_kernels *kernels;
    lxm_blas blas;
    lxm_metric metric;
    uint64_t rows;
    size_t dim, tile, most_queries;
    size_t wanted, k; /* rows for each query, and as many as there can be */
    double margin;    /* see find_margin */

    /* the queries of a pass: as they came, of length 1, and the squares of their lengths */
    const float *queries;
    float *units;
    double *squares;
    size_t count;
    atomic_size_t next; /* tile */
} search;

/* What a thread works with. */
typedef struct lane {
    search *search;
    float *rows;     /* of a tile */
    double *squares; /* of their lengths */
    float *norms;    /* and their lengths, NaN where every product is to be looked at */
    float *products;
    found *found; /* for each query a heap of up to k, the worst first */
    size_t *filled;
    uint64_t bad_rows; /* of this pass */
} lane;

static bool better(found a, found b)
{
    return a.score > b.score || (a.score == b.score && a.id < b.id);
}

static void sink(found *heap, size_t count, size_t at)
{
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && better(heap[child], heap[child + 1]))
            child++;
        if (!better(heap[at], heap[child]))
            return;
        found swapped = heap[at];
        heap[at] = heap[child];
        heap[child] = swapped;
    }
}

/* Keeps it where it is among the best k. */
static void keep(found *heap, size_t *filled, size_t k, found one)
{
    if (*filled < k) {
        size_t at = (*filled)++;
        for (; at > 0 && better(heap[(at - 1) / 2], one); at = (at - 1) / 2)
            heap[at] = heap[(at - 1) / 2];
        heap[at] = one;
    } else if (better(one, heap[0])) {
        heap[0] = one;
        sink(heap, k, 0);
    }
}

/*
 * How far the product of a query of length 1 and a row may be off, by the row's length: n u / (1 -
 * n u) bounds n roundings, dim of them in the product, whatever its order, one where the query was
 * scaled and a few in the comparison.
 */
static double find_margin(size_t dim)
{
    double roundings = ((double)dim + 16) * FLT_EPSILON / 2;
    return roundings < 0.5 ? roundings / (1 - roundings) : INFINITY;
}

/* Whether a vector with this square of its length is compared at all. */
static bool is_usable(const search *s, double square)
{
    return isfinite(square) && (square > 0 || s->metric == LXM_METRIC_DOT);
}

/* A product has to be at least least + slope * (the row's length) where its row can be among the
 * best k. Infinite: any can. */
static void find_bound(const search *s, const found *heap, size_t filled, double square,
                       float *least, float *slope)
{
    *least = -INFINITY;
    *slope = 0;
    if (filled < s->k)
        return;
    /* the score was rounded up, at most to the float above */
    double score = (double)nextafterf(heap[0].score, -INFINITY);
    if (s->metric == LXM_METRIC_COSINE) {
        *least = 0;
        *slope = (float)(score - s->margin);
    } else {
        *least = nextafterf((float)(score / sqrt(square)), -INFINITY);
        *slope = -(float)s->margin;
    }
}

static float find_score(const search *s, const float *query, const float *row, double query_square,
                        double row_square)
{
    double dot = s->kernels->dot(query, row, s->dim);
    if (s->metric == LXM_METRIC_COSINE) {
        dot /= sqrt(query_square * row_square);
        dot = dot > 1 ? 1 : dot < -1 ? -1 : dot;
    }
    return (float)dot + 0.0F; /* no -0 */
}

static void search_products(lane *l, size_t query, const float *products, const float *rows,
                            uint64_t begin, size_t count)
{
    const search *s = l->search;
    found *heap = l->found + query * s->k;
    size_t *filled = &l->filled[query];
    double square = s->squares[query];
    float least, slope;
    find_bound(s, heap, *filled, square, &least, &slope);
    for (size_t i = 0; (i = s->kernels->next(products, l->norms, i, count, least, slope)) < count;
         i++) {
        if (!is_usable(s, l->squares[i]))
            continue;
        float score =
            find_score(s, s->queries + query * s->dim, rows + i * s->dim, square, l->squares[i]);
        keep(heap, filled, s->k, (found){score, (uint32_t)(begin + i)});
        find_bound(s, heap, *filled, square, &least, &slope);
    }
}

/* The rows of a tile as floats, and their lengths. */
static const float *load_rows(lane *l, uint64_t begin, size_t count)
{
    /* what is longer or shorter may leave the range of floats on the way */
    static const double shortest = 1e-25, longest = 1e37;
    const search *s = l->search;
    const float *rows = l->rows;
    if (s->in_place)
        rows = s->in_place + begin * s->dim;
    else
        for (size_t i = 0; i < count; i++)
            lxm_table_row(s->table, begin + i, l->rows + i * s->dim);
    for (size_t i = 0; i < count; i++) {
        const float *row = rows + i * s->dim;
        double square = s->kernels->dot(row, row, s->dim), norm = sqrt(square);
        bool fits = norm <= longest && (norm >= shortest || norm == 0);
        l->squares[i] = square;
        l->norms[i] = fits ? (float)norm : NAN;
        l->bad_rows += !is_usable(s, square);
    }
    return rows;
}

static void search_tile(lane *l, uint64_t begin, size_t count)
{
    const search *s = l->search;
    const float *rows = load_rows(l, begin, count);
    for (size_t first = 0; first < s->count; first += tile_queries) {
        size_t queries = s->count - first < tile_queries ? s->count - first : tile_queries;
        s->blas.products(&s->blas, s->units + first * s->dim, queries, rows, count, s->dim,
                         l->products);
        for (size_t i = 0; i < queries; i++)
            if (s->squares[first + i] > 0)
                search_products(l, first + i, l->products + i * count, rows, begin, count);
    }
}

static void run(void *job)
{
    lane *l = job;
    search *s = l->search;
    uint64_t begin;
    while ((begin = (uint64_t)atomic_fetch_add(&s->next, 1) * s->tile) < s->rows)
        search_tile(l, begin, s->rows - begin < s->tile ? (size_t)(s->rows - begin) : s->tile);
}

/* Where a table's rows can be multiplied as they lie in the file. */
static const float *find_in_place(const lxm_table *t)
{
    bool plain = t->data && t->dtype == LXM_DTYPE_F32 && !t->mapping && !t->weights &&
                 t->stride == t->dim * sizeof(float) && (uintptr_t)t->data % _Alignof(float) == 0;
    return plain ? (const float *)(const void *)t->data : NULL;
}

/* Queries of length 1; squares of 0 mark those that find nothing. */
static uint64_t load_queries(search *s)
{
    uint64_t bad = 0;
    for (size_t i = 0; i < s->count; i++) {
        const float *query = s->queries + i * s->dim;
        float *unit = s->units + i * s->dim;
        double square = s->kernels->dot(query, query, s->dim);
        bool good = isfinite(square) && square > 0;
        s->squares[i] = good ? square : 0;
        for (size_t j = 0; j < s->dim; j++)
            unit[j] = good ? (float)((double)query[j] / sqrt(square)) : 0;
        bad += !good;
    }
    return bad;
}

/* All lanes' into the first's, then from the best to the worst. */
static void gather(const search *s, lane *lanes, size_t count, size_t first,
                   const lxm_neighbours *neighbours)
{
    for (size_t query = 0; query < s->count; query++) {
        found *heap = lanes->found + query * s->k;
        size_t filled = lanes->filled[query], out = (first + query) * s->wanted;
        for (size_t i = 1; i < count; i++)
            for (size_t j = 0; j < lanes[i].filled[query]; j++)
                keep(heap, &filled, s->k, lanes[i].found[query * s->k + j]);
        for (size_t i = filled; i < s->wanted; i++) {
            neighbours->ids[out + i] = LXM_NO_ROW;
            neighbours->scores[out + i] = NAN;
        }
        while (filled > 0) {
            found worst = heap[0];
            heap[0] = heap[--filled];
            sink(heap, filled, 0);
            neighbours->ids[out + filled] = worst.id;
            neighbours->scores[out + filled] = worst.score;
        }
    }
}

/* One pass over the table for queries [first, first + count). */
static void pass(search *s, lane *lanes, lxm_pool *pool, size_t first, lxm_neighbours *neighbours)
{
    size_t threads = lxm_pool_threads(pool);
    neighbours->bad_queries += load_queries(s);
    atomic_store(&s->next, 0);
    for (size_t i = 0; i < threads; i++) {
        memset(lanes[i].filled, 0, s->count * sizeof *lanes[i].filled);
        lanes[i].bad_rows = 0;
        lxm_pool_submit(pool, &lanes[i]);
    }
    while (lxm_pool_take(pool)) {
    }
    gather(s, lanes, threads, first, neighbours);
    neighbours->bad_rows = 0;
    for (size_t i = 0; i < threads; i++)
        neighbours->bad_rows += lanes[i].bad_rows;
}

static size_t at_least_one(size_t count)
{
    return count ? count : 1;
}

/* How many rows and queries are met at a time: all memory there is follows from it. */
static void plan(search *s, size_t count, size_t threads)
{
    uint64_t share = s->rows / threads + 1; /* of a thread: each has a tile at least */
    s->tile = at_least_one(tile_numbers / s->dim);
    if (s->tile > tile_rows)
        s->tile = tile_rows;
    if (s->tile > share)
        s->tile = (size_t)share;
    s->most_queries = count < pass_queries ? count : pass_queries;
    size_t by_dim = pass_bytes / sizeof(float) / s->dim;
    size_t by_k = pass_bytes / sizeof(found) / threads / at_least_one(s->k);
    s->most_queries = s->most_queries < by_dim ? s->most_queries : by_dim;
    s->most_queries = at_least_one(s->most_queries < by_k ? s->most_queries : by_k);
}

static bool open_lane(lane *l, search *s)
{
    const lxm_allocator *a = &s->allocator;
    size_t queries = s->most_queries < tile_queries ? s->most_queries : tile_queries, kept;
    l->search = s;
    if (!lxm_multiply(s->most_queries, s->k, &kept))
        return false;
    if (!s->in_place && !(l->rows = lxm_allocate(a, s->tile, s->dim * sizeof *l->rows)))
        return false;
    return (l->squares = lxm_allocate(a, s->tile, sizeof *l->squares)) &&
           (l->norms = lxm_allocate(a, s->tile, sizeof *l->norms)) &&
           (l->products = lxm_allocate(a, s->tile, queries * sizeof *l->products)) &&
           (l->filled = lxm_allocate(a, s->most_queries, sizeof *l->filled)) &&
           (l->found = lxm_allocate(a, kept, sizeof *l->found));
}

static void close_lane(lane *l, const lxm_allocator *allocator)
{
    lxm_release(allocator, l->rows);
    lxm_release(allocator, l->squares);
    lxm_release(allocator, l->norms);
    lxm_release(allocator, l->products);
    lxm_release(allocator, l->filled);
    lxm_release(allocator, l->found);
}

static lxm_status check(const lxm_table *table, const lxm_nearest_options *options,
                        lxm_error *error)
{
    if (lxm_table_rows(table) > UINT32_MAX)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "the table has no number of rows under 2^32");
    if (lxm_table_dim(table) > INT32_MAX)
        return lxm_fail(error, LXM_ERROR_LIMIT, "rows of 2^31 columns or more aren't compared");
    if (options->k == 0 || options->metric > LXM_METRIC_DOT)
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "no such metric, or no neighbours asked for");
    return LXM_OK;
}

static lxm_status search_all(search *s, lxm_pool *pool, const float *queries, size_t count,
                             lxm_neighbours *neighbours, lxm_error *error)
{
    size_t threads = lxm_pool_threads(pool);
    plan(s, count, threads);
    lane *lanes = lxm_allocate(&s->allocator, threads, sizeof *lanes);
    s->units = lxm_allocate(&s->allocator, s->most_queries, s->dim * sizeof *s->units);
    s->squares = lxm_allocate(&s->allocator, s->most_queries, sizeof *s->squares);
    bool good = lanes && s->units && s->squares;
    for (size_t i = 0; lanes && i < threads; i++) {
        lanes[i] = (lane){0};
        good = good && open_lane(&lanes[i], s);
    }
    for (size_t first = 0; good && first < count; first += s->count) {
        s->count = count - first < s->most_queries ? count - first : s->most_queries;
        s->queries = queries + first * s->dim;
        pass(s, lanes, pool, first, neighbours);
    }
    for (size_t i = 0; lanes && i < threads; i++)
        close_lane(&lanes[i], &s->allocator);
    lxm_release(&s->allocator, lanes);
    lxm_release(&s->allocator, s->units);
    lxm_release(&s->allocator, s->squares);
    return good ? LXM_OK : lxm_fail_memory(error);
}

lxm_status lxm_nearest(const lxm_table *table, const float *queries, size_t count,
                       const lxm_nearest_options *options, lxm_neighbours *neighbours,
                       const lxm_allocator *allocator, lxm_error *error)
{
    search s = {.allocator = lxm_allocator_or_default(allocator), .table = table};
    lxm_pool *pool = NULL;
    neighbours->bad_rows = neighbours->bad_queries = 0;
    lxm_status status = check(table, options, error);
    if (!status)
        status = lxm_blas_open(&s.blas, error);
    if (status)
        return status;
    s.in_place = find_in_place(table);
    s.kernels = lxm_near_fastest();
    s.metric = options->metric;
    s.rows = lxm_table_rows(table);
    s.dim = lxm_table_dim(table);
    s.wanted = options->k;
    s.k = s.wanted < s.rows ? s.wanted : (size_t)s.rows;
    s.margin = find_margin(s.dim);
    status = lxm_pool_new(&pool, options->threads, run, &s.allocator, error);
    if (!status)
        status = search_all(&s, pool, queries, count, neighbours, error);
    lxm_pool_free(pool);
    lxm_blas_close(&s.blas);
    return status;
}

lxm_status lxm_nearest_ready(lxm_error *error)
{
    lxm_blas blas;
    lxm_status status = lxm_blas_open(&blas, error);
    lxm_blas_close(&blas);
    return status;
}
