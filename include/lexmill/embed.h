/*
 * embed: ids -> vectors.
 *
 * A table is rows x dim of 32-bit floats: generated from a seed, row by row as they are asked
 * for, or mapped from a file. It never changes, so any number of threads may share one.
 */
#ifndef LEXMILL_EMBED_H
#define LEXMILL_EMBED_H

#include <stdbool.h>

#include "lexmill/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lxm_table lxm_table;
typedef struct lxm_windows lxm_windows;
typedef struct lxm_layer lxm_layer;

/* How rows are generated. All but LXM_INIT_TORCH depend on (seed, row, column) alone, so that any
 * row is made without the others, with the same bits on every machine. */
typedef enum lxm_init {
    LXM_INIT_NORMAL = 0,  /* mean 0, standard deviation 1 */
    LXM_INIT_UNIFORM = 1, /* from -1 to 1 */
    LXM_INIT_ZEROS = 2,
    LXM_INIT_ONE_HOT = 3, /* 1 in column (row mod dim), otherwise 0 */
    LXM_INIT_TORCH = 4    /* torch.nn.Embedding(rows, dim) after torch.manual_seed(seed) */
} lxm_init;

/* What numbers are stored as. They are 32-bit floats to whoever asks for rows. */
typedef enum lxm_dtype {
    LXM_DTYPE_F32 = 0,
    LXM_DTYPE_F16 = 1,
    LXM_DTYPE_BF16 = 2,
    LXM_DTYPE_I8 = 3 /* times a scale for each row */
} lxm_dtype;

#define LXM_ANY_ROW UINT64_MAX /* as many rows as there are ids */

typedef struct lxm_table_options {
    uint64_t rows; /* 0: LXM_ANY_ROW, which LXM_INIT_TORCH doesn't have */
    size_t dim;    /* 0: 256 */
    lxm_init init;
    uint64_t seed;
    /* LXM_INIT_TORCH only: how many values (rows x dim of the layers made before) the generator
     * has given already, as a position table that is made after the token table. */
    uint64_t torch_rows_before, torch_dim_before;
} lxm_table_options;

/* Makes a table that generates its rows. On success it is the caller's; on failure *table is NULL.
 */
LXM_API lxm_status lxm_table_generate(lxm_table **table, const lxm_table_options *options,
                                      const lxm_allocator *allocator, lxm_error *error);

/* Sinusoidal positions of "Attention Is All You Need" (Vaswani et al. 2017, 3.5):
 * row p, column 2i: sin(p / 10000^(2i/dim)), column 2i + 1: cos of the same. */
LXM_API lxm_status lxm_table_sinusoidal(lxm_table **table, uint64_t rows, size_t dim,
                                        const lxm_allocator *allocator, lxm_error *error);

/* Opens a table file, which is recognised by content and, but for text, mapped:
 *   .npy (2 dimensions, <f4 or <f2, C order);
 *   .safetensors (F32, F16, BF16, or I8 with `scales` F32 [rows]; `tensor` names one, NULL where
 *   the file holds a single two-dimensional one; Model2Vec's `weights` and `mapping` are heeded);
 *   word2vec's binary and text form, fastText's .vec, GloVe's text: each row has a word;
 *   a folder with model.safetensors, or 0_StaticEmbedding/model.safetensors. */
LXM_API lxm_status lxm_table_open(lxm_table **table, const char *path, const char *tensor,
                                  const lxm_allocator *allocator, lxm_error *error);
LXM_API void lxm_table_free(lxm_table *table);

LXM_API uint64_t lxm_table_rows(const lxm_table *table); /* or LXM_ANY_ROW */
LXM_API size_t lxm_table_dim(const lxm_table *table);

/* The fingerprint of the vocabulary a table was made for; 0 where the file doesn't say. */
LXM_API uint64_t lxm_table_fingerprint(const lxm_table *table);

/* Where it comes from: "npy", "safetensors", "word2vec", "word2vec-text", "glove" or "generated".
 * Static. */
LXM_API const char *lxm_table_format(const lxm_table *table);
LXM_API lxm_dtype lxm_table_dtype(const lxm_table *table);

/* The word of a row, the table's; NULL for a table without words. Bytes, not always UTF-8. */
LXM_API const uint8_t *lxm_table_word(const lxm_table *table, uint64_t row, size_t *length);

/* Copies the rows of `count` ids to `vectors` (count x dim). LXM_ERROR_ID: an id has no row, and
 * error->offset is its index in `ids`; the vectors are then undefined. */
LXM_API lxm_status lxm_table_gather(const lxm_table *table, const uint32_t *ids, size_t count,
                                    float *vectors, lxm_error *error);

/* What the rows of a document come to. */
typedef enum lxm_pool_kind {
    LXM_POOL_NONE = 0, /* each is a vector of its own */
    LXM_POOL_MEAN = 1,
    LXM_POOL_MAX = 2, /* of each column */
    LXM_POOL_SUM = 3,
    LXM_POOL_FIRST = 4,
    LXM_POOL_LAST = 5
} lxm_pool_kind;

/* How a document becomes one vector; of a document without ids zeros. A zeroed struct: not at all.
 */
typedef struct lxm_pool_options {
    lxm_pool_kind kind;
    bool normalize;       /* to length 1 */
    const float *weights; /* mean and sum: what the row of each id is multiplied by (a mean is still
                             divided by the number of ids); NULL: 1 */
    uint64_t weight_count; /* ids from there on have no weight: LXM_ERROR_ID */
    size_t most_ids;       /* a document's first ids, which alone count; 0: all */
    bool drops;            /* leaves out an id, which most_ids counts all the same */
    uint32_t dropped_id;
} lxm_pool_options;

/* How a document's ids become windows: for i = 0, stride, 2 stride, ...: inputs ids[i, i+context);
 * with targets, ids[i+1, i+context+1) beside them. */
typedef struct lxm_window_options {
    size_t context; /* ids a window; at least 1 */
    size_t stride;  /* 0: the context */
    bool targets;   /* a window needs one id more, for its last target */
    bool pad;       /* ids that fill no whole window make a last, padded one */
    bool pad_left;  /* padding goes before them */
    uint32_t pad_id;
    bool pack;       /* documents follow one another in windows; batches tell them apart */
    bool has_eot;    /* with `pack`: eot_id stands between two documents */
    uint32_t eot_id; /* and belongs to the one that it ends */
} lxm_window_options;

/* Some windows, in order; each array is count x context. Valid until the sink returns. */
typedef struct lxm_window_batch {
    size_t count;
    const uint32_t *inputs;
    const uint32_t *targets; /* NULL unless asked for */
    const uint8_t *mask;     /* 1: an id of the document, 0: padding; NULL unless `pad` */
    /* of each input: 0 for the window's first document, 1 for the next, ...; -1: padding. NULL
     * unless `pack` */
    const int32_t *documents;
} lxm_window_batch;

typedef struct lxm_window_sink {
    lxm_status (*windows)(void *context, const lxm_window_batch *batch, lxm_error *error);
    void *context;
} lxm_window_sink;

/* Cuts windows out of documents that come in pieces, `batch` windows at a time (the last batch of
 * all may be smaller). Memory: batch x context ids. */
LXM_API lxm_status lxm_windows_new(lxm_windows **windows, const lxm_window_options *options,
                                   size_t batch, const lxm_window_sink *sink,
                                   const lxm_allocator *allocator, lxm_error *error);
LXM_API void lxm_windows_free(lxm_windows *windows);
LXM_API lxm_status lxm_windows_push(lxm_windows *windows, const uint32_t *ids, size_t count,
                                    lxm_error *error);
LXM_API lxm_status lxm_windows_end_document(lxm_windows *windows, lxm_error *error);

/* Hands out what is left of the last batch. */
LXM_API lxm_status lxm_windows_finish(lxm_windows *windows, lxm_error *error);

/* Ids that stand in no window so far (document ends that were too short). */
LXM_API uint64_t lxm_windows_unused(const lxm_windows *windows);

/* vectors[w][p] = table[ids[w][p]] + positions[p]: windows x context x dim. `positions` may be
 * NULL; `mask` may be NULL, and rows where it is 0 are zeros. Errors as lxm_table_gather. */
LXM_API lxm_status lxm_project(const lxm_table *table, const lxm_table *positions,
                               const uint32_t *ids, const uint8_t *mask, size_t windows,
                               size_t context, float *vectors, lxm_error *error);

/* ---- a layer that learns ---- */

/* How rows move against their gradients, equal to PyTorch's on torch.nn.Embedding(sparse=True) to
 * 1e-6. (PyTorch's SGD subtracts gradients of one row one by one, and rounds each time: where there
 * are thousands it differs, and from the exact result, by more.) */
typedef enum lxm_optimizer {
    LXM_OPTIMIZER_SGD = 0,     /* torch.optim.SGD */
    LXM_OPTIMIZER_ADAGRAD = 1, /* torch.optim.Adagrad */
    LXM_OPTIMIZER_ADAM = 2     /* torch.optim.SparseAdam */
} lxm_optimizer;

/* Filled by lxm_layer_defaults; every number counts as it stands, 0 too. */
typedef struct lxm_layer_options {
    lxm_optimizer optimizer;
    double learning_rate;
    double learning_rate_decay; /* Adagrad: step t has learning_rate / (1 + (t - 1) x decay) */
    double momentum;            /* SGD: rows that were used once move on at every step */
    double eps;                 /* Adagrad, Adam */
    double beta1, beta2;        /* Adam */
    double initial_accumulator; /* Adagrad */
    bool has_padding; /* gradients of padding_id are dropped: its row stays (padding_idx) */
    uint32_t padding_id;
    unsigned threads; /* 0: as many as there are processors; results are the same */
} lxm_layer_options;

/* PyTorch's own: learning rate 0.01 (Adam: 0.001), eps 1e-10 (1e-8), betas 0.9 and 0.999. */
LXM_API void lxm_layer_defaults(lxm_layer_options *options, lxm_optimizer optimizer);

/* Makes a layer whose rows are those of a table, which must outlive it and isn't changed: only rows
 * that a step moved, and what the optimizer keeps for them, are held in memory. One thread at a
 * time may use a layer. */
LXM_API lxm_status lxm_layer_new(lxm_layer **layer, const lxm_table *table,
                                 const lxm_layer_options *options, const lxm_allocator *allocator,
                                 lxm_error *error);
LXM_API void lxm_layer_free(lxm_layer *layer);

/* The layer's rows as they are now, for all that takes a table. The layer's: not to be freed, nor
 * used while a step is under way. Its numbers are LXM_DTYPE_F32. */
LXM_API const lxm_table *lxm_layer_table(const lxm_layer *layer);

/* vectors[i] = row ids[i]: count x dim, as lxm_table_gather does it, on the layer's threads. */
LXM_API lxm_status lxm_layer_forward(lxm_layer *layer, const uint32_t *ids, size_t count,
                                     float *vectors, lxm_error *error);

/* Adds gradients (count x dim), those of what lxm_layer_forward gave for the same ids, to the sums
 * for each id: in 32-bit floats, in the order in which they come, however they are cut into calls.
 * LXM_ERROR_ID: an id has no row, error->offset is its index, nothing was added. After
 * LXM_ERROR_MEMORY some were: lxm_layer_zero_gradients forgets them all. */
LXM_API lxm_status lxm_layer_backward(lxm_layer *layer, const uint32_t *ids, size_t count,
                                      const float *gradients, lxm_error *error);

/* The sums: an id each, in order of first appearance, and count x dim floats. The layer's, until
 * the next backward, step or zero_gradients. */
LXM_API size_t lxm_layer_gradients(const lxm_layer *layer, const uint32_t **ids,
                                   const float **sums);
LXM_API void lxm_layer_zero_gradients(lxm_layer *layer);

/* Moves the rows that have gradients, which are then forgotten. After LXM_ERROR_MEMORY rows and
 * gradients are as before. */
LXM_API lxm_status lxm_layer_step(lxm_layer *layer, lxm_error *error);

/* For the steps to come. A rate below 0, or one that isn't finite, is LXM_ERROR_ARGUMENT. */
LXM_API lxm_status lxm_layer_set_learning_rate(lxm_layer *layer, double learning_rate,
                                               lxm_error *error);
LXM_API uint64_t lxm_layer_steps(const lxm_layer *layer);      /* so far */
LXM_API uint64_t lxm_layer_moved_rows(const lxm_layer *layer); /* how many rows are held */

/* How many of the rows that moved hold a number that isn't finite: where it is not 0, the learning
 * rate was too high, or a gradient was none. */
LXM_API uint64_t lxm_layer_not_finite(const lxm_layer *layer);

/* Keeps the number of steps and what the optimizer holds for each row that moved (not the rows:
 * those are the table's) in a .safetensors file, which appears whole or not at all: `step` I64 [1],
 * `ids` I64 [n], in order, and PyTorch's `momentum_buffer`, `sum`, or `exp_avg` and `exp_avg_sq`,
 * F32 [n, dim]. */
LXM_API lxm_status lxm_layer_save(const lxm_layer *layer, const char *path, lxm_error *error);

/* Takes up where lxm_layer_save left, before the first step of a layer of the table as it was
 * then; of another one is LXM_ERROR_MISMATCH, unless `any_rows`, as is another optimizer's state.
 * After a failure the layer is only fit to be freed. */
LXM_API lxm_status lxm_layer_load(lxm_layer *layer, const char *path, bool any_rows,
                                  lxm_error *error);

/* How near two vectors are. */
typedef enum lxm_metric {
    LXM_METRIC_COSINE = 0, /* of the angle between them: from -1 to 1 */
    LXM_METRIC_DOT = 1     /* their dot product */
} lxm_metric;

#define LXM_NO_ROW UINT32_MAX

typedef struct lxm_nearest_options {
    size_t k; /* how many rows for each query */
    lxm_metric metric;
    unsigned threads; /* 0: as many as there are processors */
} lxm_nearest_options;

/* `ids` and `scores` are the caller's, count x k, the nearest first. Where fewer than k rows were
 * found LXM_NO_ROW and NaN follow. */
typedef struct lxm_neighbours {
    uint32_t *ids;
    float *scores;
    uint64_t bad_rows;    /* that are never found: not finite or, for the cosine, zeros */
    uint64_t bad_queries; /* that find nothing: zeros, or not finite */
} lxm_neighbours;

/* Finds the k rows of a table (of fewer than 2^32) with the highest scores for each of `count`
 * queries, count x dim. A score is the dot product of the floats, summed in double precision in an
 * order of its own, for the cosine divided by the root of the product of both lengths squared,
 * and rounded to a float; equal scores go by id. So ids and scores are the same on any machine and
 * number of threads. All rows are compared, none left out by a guess: a matrix product in single
 * precision (OpenBLAS), with the bound of its rounding errors (Higham, "Accuracy and Stability of
 * Numerical Algorithms", 3.1), tells which rows can't be among the k.
 *
 * Memory: at most about 64 MiB for queries, the same for what is found, and 8 MiB a thread; more
 * where a single query or a few rows need it. LXM_ERROR_UNSUPPORTED: see lxm_nearest_ready. While
 * it runs, OpenBLAS takes one thread for each call in this process. */
LXM_API lxm_status lxm_nearest(const lxm_table *table, const float *queries, size_t count,
                               const lxm_nearest_options *options, lxm_neighbours *neighbours,
                               const lxm_allocator *allocator, lxm_error *error);

/* LXM_ERROR_UNSUPPORTED, with a message for the user, where OpenBLAS isn't installed or was left
 * out when the library was built. */
LXM_API lxm_status lxm_nearest_ready(lxm_error *error);

#ifdef __cplusplus
}
#endif
#endif
