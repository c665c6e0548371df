/*
 * The stages as whole jobs: files in, an output out, with threads and progress. What comes out
 * never depends on the number of threads, on chunk sizes or on the locale.
 *
 * On failure error->path, line and offset say where in which input it went wrong, and the caller
 * discards the output.
 */
#ifndef LEXMILL_PIPELINE_H
#define LEXMILL_PIPELINE_H

#include "lexmill/embed.h"
#include "lexmill/idmap.h"
#include "lexmill/stream.h"
#include "lexmill/tokenize.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What all jobs share. A zeroed struct is the default. */
typedef struct lxm_job {
    unsigned threads; /* 0: as many as there are processors */
    void (*progress)(void *context,
                     uint64_t bytes); /* called now and then with the bytes read so far */
    void *progress_context;
    const lxm_allocator *allocator;
} lxm_job;

/* How input is cut into documents. */
typedef enum lxm_documents {
    LXM_DOCUMENTS_FILE = 0, /* a file is a document */
    LXM_DOCUMENTS_LINE = 1, /* a line, without its \n or \r\n; an empty line is an empty document */
    LXM_DOCUMENTS_BLANK = 2, /* a paragraph: what stands between lines of nothing but white space */
    LXM_DOCUMENTS_NUL = 3,   /* what a NUL byte ends */
    LXM_DOCUMENTS_JSONL = 4, /* JSON Lines: a string in the object that each line is; lines of
                                nothing but white space are no documents. For reading alone. */
    LXM_DOCUMENTS_SENTENCE = 5 /* a sentence (Unicode Standard Annex #29), which a line's end ends
                                  as well, without the white space around it. For reading alone. */
} lxm_documents;

/* Where documents come from. A zeroed struct is the default: each file is one. */
typedef struct lxm_tokenize_run_options {
    lxm_documents documents;
    const char *field; /* LXM_DOCUMENTS_JSONL: the member that is the text; "a.b" is b of the object
                          a, \\. a dot in a name. NULL: "text" */
    bool skip_bad; /* LXM_DOCUMENTS_JSONL: skip lines that aren't JSON, have no such field or have
                      one that is no string; otherwise they are LXM_ERROR_FORMAT or
                      LXM_ERROR_UTF8 */
} lxm_tokenize_run_options;

/* What was met on the way. */
typedef struct lxm_tokenize_run_result {
    uint64_t documents, items; /* written: items are tokens, or ids. 0 where a sink takes them */
    uint64_t lines;            /* of JSON Lines, blank ones not counted */
    uint64_t bad_lines;        /* how many of them were skipped */
    const char *bad_path;      /* the caller's own name of the file with the first, or NULL */
    uint64_t bad_line;         /* and its number there, from 1 */
} lxm_tokenize_run_result;

/* Tokenizes files, in order ("-": standard input), to a token stream. `options` and `result` may be
 * NULL; stream->kind is ignored. Offsets of tokens count from the start of the document: in JSON
 * Lines, of the decoded string. A line of JSON Lines of more than 1 GiB is bad. */
LXM_API lxm_status lxm_run_tokenize(const lxm_tokenizer *tokenizer, const char *const *paths,
                                    size_t path_count, const lxm_tokenize_run_options *options,
                                    const lxm_stream_options *stream, lxm_output *output,
                                    const lxm_job *job, lxm_tokenize_run_result *result,
                                    lxm_error *error);

/* The same, and the tokens' ids in one go: an id stream, byte for byte what lxm_run_encode makes of
 * the token stream, but for how a binary one is cut into frames. */
LXM_API lxm_status lxm_run_tokenize_encode(const lxm_tokenizer *tokenizer, const lxm_vocab *vocab,
                                           const char *const *paths, size_t path_count,
                                           const lxm_tokenize_run_options *options,
                                           const lxm_stream_options *stream, lxm_output *output,
                                           const lxm_job *job, lxm_tokenize_run_result *result,
                                           lxm_error *error);

/* Text to ids in memory: one thread's segmenter and mapper in one. Once it has met documents of
 * the size, it allocates nothing more. */
typedef struct lxm_encoder lxm_encoder;

/* Both must outlive the encoder; `options` may be NULL. Offsets come with the ids where the
 * tokenizer was made with them. */
LXM_API lxm_status lxm_encoder_new(lxm_encoder **encoder, const lxm_tokenizer *tokenizer,
                                   const lxm_vocab *vocab, const lxm_mapper_options *options,
                                   const lxm_allocator *allocator, lxm_error *error);
LXM_API void lxm_encoder_free(lxm_encoder *encoder);

/* Encodes a whole document; the ids are the encoder's until the next call. error->offset is a
 * position in the text, where one is known. After an error the encoder is fit for another. */
LXM_API lxm_status lxm_encoder_encode(lxm_encoder *encoder, const void *text, size_t length,
                                      lxm_ids *ids, lxm_error *error);

/* Counts the tokens of token streams. */
LXM_API lxm_status lxm_run_count(lxm_counter *counter, const char *const *paths, size_t path_count,
                                 const lxm_job *job, lxm_error *error);

/* Hands the ids of id streams to a sink. An id that it refuses is an error with its position. */
LXM_API lxm_status lxm_run_ids(const char *const *paths, size_t path_count, const lxm_id_sink *sink,
                               const lxm_job *job, lxm_error *error);

/* Maps token streams to an id stream. With `grow`, tokens that the vocabulary doesn't have are
 * added to it, in order of appearance, until it has `max_size` (0: 2^32 - 1) tokens. With a sink
 * (lxm_stream_options), binary id streams in place of token streams are handed on as they are. */
LXM_API lxm_status lxm_run_encode(const lxm_vocab *vocab, const char *const *paths,
                                  size_t path_count, const lxm_stream_options *stream,
                                  lxm_output *output, const lxm_job *job, lxm_error *error);
LXM_API lxm_status lxm_run_encode_growing(lxm_vocab *vocab, uint64_t max_size,
                                          const char *const *paths, size_t path_count,
                                          const lxm_stream_options *stream, lxm_output *output,
                                          const lxm_job *job, lxm_error *error);

typedef struct lxm_decode_options {
    lxm_join join;           /* see lxm_vocab_join */
    lxm_documents documents; /* LXM_DOCUMENTS_FILE puts a newline between two documents, the others
                                end each as they are read: \n, \n\n, NUL */
    bool skip_special;       /* special tokens leave nothing behind */
} lxm_decode_options;

/* Maps id streams back to text: all bytes that the tokens stand for, whether they make characters
 * token by token or not. A decoder of a tokenizer.json that can't be done is
 * LXM_ERROR_UNSUPPORTED. */
LXM_API lxm_status lxm_run_decode(const lxm_vocab *vocab, const char *const *paths,
                                  size_t path_count, const lxm_decode_options *options,
                                  lxm_output *output, const lxm_job *job, lxm_error *error);

/* Files of ids as training programs read them. */
typedef enum lxm_id_layout {
    LXM_IDS_NANOGPT = 0,  /* u16; the end-of-text id goes after each document */
    LXM_IDS_LLMC = 1,     /* a header of 256 int32, u16 or u32; end-of-text before each document */
    LXM_IDS_MEGATRON = 2, /* .bin and .idx, u16 or int32, documents apart; end-of-text after */
    LXM_IDS_NPY = 3,      /* an array of u16 or u32; end-of-text after */
    LXM_IDS_SAFETENSORS = 4 /* `ids` U16 or I32, `documents` I64 [documents + 1]: where each begins
                               and the last ends; end-of-text after */
} lxm_id_layout;

typedef struct lxm_id_shards_options {
    lxm_id_layout layout;
    unsigned width;      /* 16 or 32 bits; 0: as few as vocab_size needs, or the layout's own */
    uint64_t vocab_size; /* 0: unknown; one that doesn't fit the width is LXM_ERROR_ARGUMENT */
    bool has_eot;        /* eot_id stands at the documents' ends, or beginnings */
    uint32_t eot_id;
    uint64_t shard_size;  /* ids a file; 0: 100,000,000; less than 2^31. Megatron's and .safetensors
                             files end with a document, and so may hold more */
    uint64_t fingerprint; /* of the vocabulary; 0: that of the ids. Other ids are
                             LXM_ERROR_MISMATCH */
    bool resume;          /* goes on where a run with the same options and ids was stopped; when
                             this one fails, what is done stays for another */
    bool replace;         /* files may take the place of others in the folder */
    const char *settings; /* what made the ids, for people; NULL: what their stream says */
} lxm_id_shards_options;

typedef struct lxm_id_shards_result {
    uint64_t tokens, documents;
    uint64_t shards; /* 0: a run before had done it all */
} lxm_id_shards_result;

/* A folder of ids: ids-00000.bin (.npy, .safetensors; Megatron's also .idx) and so on, and
 * manifest.json, which comes last. It takes ids through a sink; documents without ids are left out,
 * and an id that doesn't fit the width is LXM_ERROR_ID. */
typedef struct lxm_id_shards lxm_id_shards;

/* The folder's name and options->settings outlive the shards. An error of the folder has its name
 * as error->path. */
LXM_API lxm_status lxm_id_shards_new(lxm_id_shards **shards, const lxm_id_shards_options *options,
                                     const char *folder, const lxm_allocator *allocator,
                                     lxm_error *error);

/* What is due to them; valid as long as they are. */
LXM_API lxm_id_sink lxm_id_shards_sink(lxm_id_shards *shards);

/* Puts all in its place. `result` may be NULL. */
LXM_API lxm_status lxm_id_shards_commit(lxm_id_shards *shards, lxm_id_shards_result *result,
                                        lxm_error *error);

/* Removes what isn't in its place yet, but with `resume` what is done. NULL is allowed. */
LXM_API void lxm_id_shards_free(lxm_id_shards *shards);

/* How vectors are written. All numbers are little-endian. */
typedef enum lxm_vector_format {
    LXM_VECTORS_TEXT = 0,        /* a row a line, decimals that read back as the same floats */
    LXM_VECTORS_NPY = 1,         /* one array; on what can't be rewound, or where a batch was given
                                    for standard output, one a batch, one after another */
    LXM_VECTORS_SAFETENSORS = 2, /* `embeddings`; with windows `inputs`, `targets`, `mask` too */
    LXM_VECTORS_SHARDS = 3       /* a folder of such files, and manifest.json, which comes last */
} lxm_vector_format;

/* The order of windows. */
typedef enum lxm_shuffle {
    LXM_SHUFFLE_NONE = 0,
    LXM_SHUFFLE_SEEDED = 1, /* by shuffle_seed; no memory for it, however many there are */
    LXM_SHUFFLE_TORCH = 2   /* that of a torch DataLoader with shuffle=True right after
                               torch.manual_seed(shuffle_seed); 4 bytes of memory a window */
} lxm_shuffle;

/* A zeroed struct with a table is the default: every id is a row. */
typedef struct lxm_embed_options {
    const lxm_table *table;
    const lxm_table *positions; /* NULL: none; needs windows */
    lxm_window_options window;  /* context 0: no windows */
    lxm_pool_options pool;      /* without windows: one vector a document */
    size_t batch;               /* rows (windows) a batch; 0: 1024 */
    lxm_shuffle shuffle;        /* needs windows; they wait in an unnamed file in $TMPDIR */
    uint64_t shuffle_seed;
    bool ids_only;  /* .safetensors and shards of windows, without vectors */
    bool drop_last; /* drops the last batch where it isn't whole */
    lxm_vector_format format;
    lxm_dtype dtype;      /* of the vectors; text has none, .npy no bf16, and none has int8 */
    uint64_t shard_size;  /* most bytes of embeddings a shard; 0: 1 GiB; at least a batch goes in */
    bool resume;          /* shards: goes on where a run with the same options and ids was stopped;
                             when this one fails, what is done stays for another */
    bool replace;         /* shards may take the place of others in the folder */
    bool any_vocabulary;  /* takes ids of a vocabulary that the table wasn't made for */
    const char *settings; /* what made the vectors, for people; NULL: "" */
} lxm_embed_options;

typedef struct lxm_embed_result {
    uint64_t rows;    /* rows (windows) written */
    uint64_t unused;  /* ids that stand in no window */
    uint64_t dropped; /* rows (windows) of the last batch that drop_last dropped */
    uint64_t shards;
} lxm_embed_result;

/* Embeds id streams into a file, or standard output ("-"), or a folder. It opens, and commits or
 * discards, the output itself. `result` may be NULL. A stream whose fingerprint is known and isn't
 * the table's, where that is known too, is LXM_ERROR_MISMATCH. */
LXM_API lxm_status lxm_run_embed(const lxm_embed_options *options, const char *const *paths,
                                 size_t path_count, const char *output_path, const lxm_job *job,
                                 lxm_embed_result *result, lxm_error *error);

/* Text to vectors: lxm_run_tokenize_encode and lxm_run_embed in one go, with the same bytes but for
 * what depends on the positions of ids in a stream. `options`->table is for the ids of `vocab`. */
LXM_API lxm_status lxm_run_tokenize_embed(const lxm_tokenizer *tokenizer, const lxm_vocab *vocab,
                                          const lxm_embed_options *embed, const char *const *paths,
                                          size_t path_count,
                                          const lxm_tokenize_run_options *options,
                                          const char *output_path, const lxm_job *job,
                                          lxm_tokenize_run_result *result,
                                          lxm_embed_result *embed_result, lxm_error *error);

/* The weights that Arora, Liang and Ma ("A simple but tough-to-beat baseline for sentence
 * embeddings", ICLR 2017) give to words: a / (a + p), where p is a token's share of all counts of
 * the vocabulary; `a` is 0.001 there. Writes one for each id, lxm_vocab_size in all.
 * LXM_ERROR_ARGUMENT: the vocabulary has no counts, or `a` isn't above 0. */
LXM_API lxm_status lxm_sif_weights(const lxm_vocab *vocab, double a, float *weights,
                                   lxm_error *error);

/* Text to one vector, in memory: an lxm_encoder with a table behind it. Once it has met documents
 * of the size, it allocates nothing more. */
typedef struct lxm_embedder lxm_embedder;

/* All must outlive the embedder; `pool` NULL: the mean. */
LXM_API lxm_status lxm_embedder_new(lxm_embedder **embedder, const lxm_tokenizer *tokenizer,
                                    const lxm_vocab *vocab, const lxm_table *table,
                                    const lxm_pool_options *pool, const lxm_allocator *allocator,
                                    lxm_error *error);
LXM_API void lxm_embedder_free(lxm_embedder *embedder);

/* Embeds a whole document; the vector, lxm_table_dim floats, is the caller's. error->offset is a
 * position in the text, where one is known. After an error the embedder is fit for another. */
LXM_API lxm_status lxm_embedder_embed(lxm_embedder *embedder, const void *text, size_t length,
                                      float *vector, lxm_error *error);

/* A folder with all that it takes to make a vector of a text: its tokenizer, its table and how
 * rows are pooled. Two kinds are known:
 * - Model2Vec's: config.json (normalize; max_length, 512 where it says nothing), tokenizer.json,
 *   model.safetensors (embeddings, and weights and mapping where they are). As Model2Vec has it, a
 *   text is cut behind max_length x the median length of the tokens characters, then behind
 *   max_length ids; of those, unknown ones are dropped.
 * - sentence-transformers' with a StaticEmbedding: modules.json, and in the folder or in
 *   0_StaticEmbedding tokenizer.json and model.safetensors (embedding.weight). All ids count, or
 *   as many as the tokenizer's truncation says; vectors are normalised where modules.json has a
 *   Normalize.
 * Added tokens that a text spells are those tokens. What can't be done exactly is
 * LXM_ERROR_UNSUPPORTED by name. */
typedef struct lxm_static_model lxm_static_model;

#define LXM_NO_MAX_LENGTH SIZE_MAX

typedef struct lxm_static_model_options {
    const lxm_tokenizer_options *tokenizer; /* what a tokenizer.json doesn't say: `invalid`,
                                               `max_token`, `match_limit`; NULL: the default */
    size_t max_length; /* ids of a text that count; 0: as the folder says; or LXM_NO_MAX_LENGTH */
} lxm_static_model_options;

/* `options` may be NULL. error->path is `folder`; the message names the file in it. JSON is parsed
 * in memory from malloc. */
LXM_API lxm_status lxm_static_model_open(lxm_static_model **model, const char *folder,
                                         const lxm_static_model_options *options,
                                         const lxm_allocator *allocator, lxm_error *error);
LXM_API void lxm_static_model_free(lxm_static_model *model);

/* Its parts, the model's, as lxm_embedder_new and lxm_run_tokenize_embed take them. */
LXM_API const lxm_tokenizer *lxm_static_model_tokenizer(const lxm_static_model *model);
LXM_API const lxm_vocab *lxm_static_model_vocab(const lxm_static_model *model);
LXM_API const lxm_table *lxm_static_model_table(const lxm_static_model *model);
LXM_API const lxm_pool_options *lxm_static_model_pool(const lxm_static_model *model);

typedef struct lxm_verify_result {
    uint64_t shards, bytes;
    uint64_t rows; /* or ids */
    bool ids;      /* it is a folder of ids */
} lxm_verify_result;

/* Compares a folder of shards, of vectors or ids, with its manifest: each file's name, size, XXH3
 * and rows or ids. The first difference is LXM_ERROR_FORMAT. A name that leads out of the folder is
 * refused unread. */
LXM_API lxm_status lxm_run_verify(const char *folder, const lxm_job *job, lxm_verify_result *result,
                                  lxm_error *error);

/* Writes all rows of a table as text, .npy or .safetensors. `fingerprint` is that of the
 * vocabulary it is made for (0: none), which .safetensors alone can tell. */
LXM_API lxm_status lxm_run_write_table(const lxm_table *table, uint64_t fingerprint,
                                       lxm_vector_format format, const char *settings,
                                       const char *output_path, const lxm_job *job,
                                       lxm_error *error);

/* Table files. The last three have a word for each row. */
typedef enum lxm_table_file {
    LXM_TABLE_NPY = 1,
    LXM_TABLE_SAFETENSORS = 2,
    LXM_TABLE_WORD2VEC = 3, /* binary */
    LXM_TABLE_VEC = 4,      /* word2vec's and fastText's text: a first line says rows and columns */
    LXM_TABLE_GLOVE = 5     /* text without that line */
} lxm_table_file;

typedef struct lxm_convert_options {
    lxm_table_file format;
    lxm_dtype dtype;        /* .npy: f32 or f16; .safetensors: all; the others: f32 */
    const char *words;      /* a vocabulary file with a token for each row, or NULL: the table's */
    const char *save_vocab; /* where to write the words as a vocabulary, or NULL */
    uint64_t fingerprint;   /* 0: that of the words, or of the table */
    const char *settings;   /* as in lxm_embed_options */
} lxm_convert_options;

typedef struct lxm_convert_result {
    uint64_t rows;       /* written */
    uint64_t duplicates; /* rows left out, for their word stands before another row */
} lxm_convert_result;

/* Writes a table in another form. `result` may be NULL. */
LXM_API lxm_status lxm_run_convert(const lxm_table *table, const lxm_convert_options *options,
                                   const char *output_path, const lxm_job *job,
                                   lxm_convert_result *result, lxm_error *error);

typedef struct lxm_update_options {
    const char *ids;   /* the ids of one .npy file of gradients: .npy or an id stream; or NULL */
    const char *state; /* lxm_layer_save's file: loaded where it is there, and written; or
                          NULL */
    bool any_rows;     /* as for lxm_layer_load; takes ids of any vocabulary, too */
    lxm_vector_format format; /* of the table: LXM_VECTORS_NPY or LXM_VECTORS_SAFETENSORS */
} lxm_update_options;

/* Moves the rows of a new layer by files of gradients, each of which is a step, and writes the
 * table that it comes to, of 32-bit floats, with the fingerprint of the first. A file is
 * .safetensors with `ids` (U16, I32, U32, I64 or U64 [n]) and `gradients` (F32, F16 or BF16
 * [n, dim]), or .npy with gradients alone; more dimensions instead of n are allowed. The state is
 * written so that one that isn't this table's is never taken for it. */
LXM_API lxm_status lxm_run_update(lxm_layer *layer, const lxm_update_options *options,
                                  const char *const *paths, size_t path_count,
                                  const char *output_path, const lxm_job *job, lxm_error *error);

/* What lxm_run_near writes. */
typedef enum lxm_near_format {
    LXM_NEAR_TEXT = 0,  /* a line a neighbour: query, rank from 1, word or id, score, and the text
                           where there are texts; a tab between two */
    LXM_NEAR_JSONL = 1, /* a JSON object a line and query */
    LXM_NEAR_SAFETENSORS = 2 /* `ids` I64 and `scores` F32 [queries, k, or the rows where they are
                                fewer]; -1 and NaN where fewer were found */
} lxm_near_format;

/* Queries are, in this order: the rows of `queries`; `names`; what standard input holds, .npy
 * arrays of vectors one after another, or names, one a line. A name is the word of a row or, where
 * rows have no words, the id. */
typedef struct lxm_near_options {
    const lxm_table *table;
    size_t k;
    lxm_metric metric;
    const char *vocab;        /* a vocabulary file with the word of each row; NULL: the table's */
    const char *texts;        /* a file with a line for each row, to show; NULL: none */
    const lxm_table *queries; /* or NULL */
    const char *const *names;
    size_t name_count;
    bool analogy; /* three names make a query: a is to b as c is to what? b - a + c, each of length
                     1 (3CosAdd; T. Mikolov et al., "Linguistic Regularities in Continuous Space
                     Word Representations", 2013), and none of the three is found */
    bool exclude_self; /* the query's own row isn't found: that of its name or, of a vector, the row
                          with its number */
    lxm_near_format format;
} lxm_near_options;

typedef struct lxm_near_result {
    uint64_t queries;
    uint64_t bad_rows, bad_queries; /* as in lxm_neighbours */
} lxm_near_result;

/* Finds the nearest rows of a table with lxm_nearest, and writes them. It opens, and commits or
 * discards, the output itself. `result` may be NULL. */
LXM_API lxm_status lxm_run_near(const lxm_near_options *options, const char *output_path,
                                const lxm_job *job, lxm_near_result *result, lxm_error *error);

/* Says, as lines of text, what a file of vectors, a table or a folder of shards holds. */
LXM_API lxm_status lxm_run_info(const char *path, const char *tensor, lxm_output *output,
                                const lxm_job *job, lxm_error *error);

#ifdef __cplusplus
}
#endif
#endif
