/* What the files of embed share. */
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
    uint64_t fingerprint;
    bool shuffles, needs_windows;
    bool projects; /* an option was given that a table file has no use for, */
    bool other;    /* and one that isn't --force */
    embed_update_settings update;
    lxm_near_options near;
    const char *queries;
    bool finds; /* an option was given that near alone has a use for */
} embed_settings;

/* Options of near and analogy, which have a help of their own. */
extern const char embed_near_help[];

enum {
    embed_option_metric = cli_option_own + 256,
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
