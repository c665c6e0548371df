/* What the files of embed share; the options of vectors, which lexmill has as well. */
#ifndef LXM_CLI_EMBED_H
#define LXM_CLI_EMBED_H

#include "cli.h"

extern const char *const embed_inits[];

/* The options of `embed update`; those that are one number come last. */
enum {
    embed_option_optimizer = cli_option_own + 512,
    embed_option_betas,
    embed_option_padding_idx,
    embed_option_state,
    embed_option_ids,
    embed_option_lr,
    embed_option_lr_decay,
    embed_option_momentum,
    embed_option_eps,
    embed_option_initial_accumulator_value,
    embed_option_end,
};

#define EMBED_UPDATE_LONG                                                                          \
    {"optimizer", required_argument, NULL, embed_option_optimizer},                                \
        {"lr", required_argument, NULL, embed_option_lr},                                          \
        {"lr-decay", required_argument, NULL, embed_option_lr_decay},                              \
        {"momentum", required_argument, NULL, embed_option_momentum},                              \
        {"betas", required_argument, NULL, embed_option_betas},                                    \
        {"eps", required_argument, NULL, embed_option_eps},                                        \
        {"padding-idx", required_argument, NULL, embed_option_padding_idx},                        \
        {"state", required_argument, NULL, embed_option_state},                                    \
        {"ids", required_argument, NULL, embed_option_ids},                                        \
    {                                                                                              \
        "initial-accumulator-value", required_argument, NULL,                                      \
            embed_option_initial_accumulator_value                                                 \
    }

typedef struct embed_update_settings {
    lxm_optimizer optimizer;
    double numbers[embed_option_end - embed_option_lr]; /* by option, from embed_option_lr on */
    unsigned given;                                     /* a bit for each of them */
    double betas[2];
    bool has_betas, has_padding;
    uint32_t padding_id;
    const char *state, *ids;
    bool used; /* one of these options was given */
} embed_update_settings;

typedef struct embed_settings {
    cli_common common;
    const char *table, *tensor;
    const char *words, *save_vocab; /* convert; words: near and analogy too */
    lxm_table_options generated;
    bool generates; /* an option that only generated tables have was given */
    bool seeded;
    int positions;
    lxm_embed_options embed;
    double sif; /* 0: rows have no weights */
    uint64_t fingerprint;
    bool shuffles, needs_windows;
    bool projects; /* an option was given that a table file has no use for, */
    bool other;    /* and one that isn't --force */
    embed_update_settings update;
    lxm_near_options near;
    const char *queries;
    bool finds; /* an option was given that near alone has a use for */
} embed_settings;

/* They stand beside those of text.h in one command line. */
enum {
    embed_option_tensor = 512,
    embed_option_rows,
    embed_option_dim,
    embed_option_init,
    embed_option_seed,
    embed_option_dtype,
    embed_option_context,
    embed_option_stride,
    embed_option_targets,
    embed_option_pad,
    embed_option_pad_side,
    embed_option_pack,
    embed_option_eot,
    embed_option_shuffle,
    embed_option_shuffle_like,
    embed_option_ids_only,
    embed_option_positions,
    embed_option_batch,
    embed_option_drop_last,
    embed_option_shard_size,
    embed_option_force,
    embed_option_resume,
    embed_option_pool,
    embed_option_sif,
    embed_option_max_length,
    embed_option_own, /* a program's own start here */
};

#define EMBED_LONG                                                                                 \
    {"table", required_argument, NULL, 't'},                                                       \
        {"tensor", required_argument, NULL, embed_option_tensor},                                  \
        {"rows", required_argument, NULL, embed_option_rows},                                      \
        {"dim", required_argument, NULL, embed_option_dim},                                        \
        {"init", required_argument, NULL, embed_option_init},                                      \
        {"seed", required_argument, NULL, embed_option_seed},                                      \
        {"dtype", required_argument, NULL, embed_option_dtype},                                    \
        {"context", required_argument, NULL, embed_option_context},                                \
        {"stride", required_argument, NULL, embed_option_stride},                                  \
        {"targets", no_argument, NULL, embed_option_targets},                                      \
        {"pad", required_argument, NULL, embed_option_pad},                                        \
        {"pad-side", required_argument, NULL, embed_option_pad_side},                              \
        {"pack", no_argument, NULL, embed_option_pack},                                            \
        {"eot", required_argument, NULL, embed_option_eot},                                        \
        {"shuffle", required_argument, NULL, embed_option_shuffle},                                \
        {"shuffle-like", required_argument, NULL, embed_option_shuffle_like},                      \
        {"ids-only", no_argument, NULL, embed_option_ids_only},                                    \
        {"positions", required_argument, NULL, embed_option_positions},                            \
        {"batch", required_argument, NULL, embed_option_batch},                                    \
        {"drop-last", no_argument, NULL, embed_option_drop_last},                                  \
        {"shard-size", required_argument, NULL, embed_option_shard_size},                          \
        {"force", no_argument, NULL, embed_option_force},                                          \
        {"resume", no_argument, NULL, embed_option_resume},                                        \
        {"pool", required_argument, NULL, embed_option_pool},                                      \
        {"sif", required_argument, NULL, embed_option_sif},                                        \
    {                                                                                              \
        "max-length", required_argument, NULL, embed_option_max_length                             \
    }

/* Handles one of the options above; false where `option` is none. */
bool embed_option(embed_settings *s, int option);

/* Ends the program where options contradict one another. */
void embed_check(const embed_settings *s);

/* What vectors are made of; zeroed before it is opened, closed whatever came of that. */
typedef struct embed_parts {
    lxm_table *table, *positions;
    float *weights;
} embed_parts;

/* Opens what the options ask for and puts it into s->embed, a table only where there is none;
 * `vocab` is for --sif, or NULL. */
lxm_status embed_open(embed_settings *s, const lxm_vocab *vocab, embed_parts *parts,
                      lxm_error *error);
void embed_close(embed_parts *parts);

/* Says how many rows came out. */
void embed_tell(const embed_settings *s, const lxm_embed_result *result);
/* Options of near and analogy, which have a help of their own. */
extern const char embed_near_help[];

enum {
    embed_option_metric = 1024,
    embed_option_queries,
    embed_option_texts,
    embed_option_exclude_self,
};

#define EMBED_NEAR_SHORT "k:"
#define EMBED_NEAR_LONG                                                                            \
    {"metric", required_argument, NULL, embed_option_metric},                                      \
        {"queries", required_argument, NULL, embed_option_queries},                                \
        {"texts", required_argument, NULL, embed_option_texts},                                    \
    {                                                                                              \
        "exclude-self", no_argument, NULL, embed_option_exclude_self                               \
    }

/* Handles one of them; false where `option` is none. */
bool embed_near_option(embed_settings *s, int option);

/* What made the vectors, in one form for one meaning; the caller's to free. */
char *embed_describe(const embed_settings *s);

bool embed_ends_with(const char *name, const char *ending);

lxm_vector_format embed_vector_format(const cli_common *common);

/* Says that a name which looks like a file's becomes a folder. */
void embed_tell_folder(const cli_common *common, lxm_vector_format format);

lxm_status embed_open_table(const embed_settings *s, lxm_table **table, lxm_error *error);

extern const char embed_update_help[];

/* Takes an option of `embed update`; false where it is none. */
bool embed_update_option(embed_update_settings *update, int option);

/* The commands: what is left of the command line is at optind. */
int embed_init(embed_settings *s, int argc, char **argv);
int embed_info(embed_settings *s, int argc, char **argv);
int embed_verify(embed_settings *s, int argc, char **argv);
int embed_convert(embed_settings *s, int argc, char **argv);
int embed_update(embed_settings *s, int argc, char **argv);
int embed_near(embed_settings *s, int argc, char **argv);
int embed_analogy(embed_settings *s, int argc, char **argv);

#endif
