/* What the files of embed share. */
#ifndef LXM_CLI_EMBED_H
#define LXM_CLI_EMBED_H

#include "cli.h"

extern const char *const embed_inits[];

typedef struct embed_settings {
    cli_common common;
    const char *table, *tensor;
    const char *words, *save_vocab; /* convert */
    lxm_table_options generated;
    bool generates; /* an option that only generated tables have was given */
    bool seeded;
    int positions;
    lxm_embed_options embed;
    uint64_t fingerprint;
    bool shuffles, needs_windows;
    bool projects; /* an option was given that a table file has no use for */
} embed_settings;

/* What made the vectors, in one form for one meaning; the caller's to free. */
char *embed_describe(const embed_settings *s);

bool embed_ends_with(const char *name, const char *ending);

lxm_vector_format embed_vector_format(const cli_common *common);

/* The commands: what is left of the command line is at optind. */
int embed_init(embed_settings *s, int argc, char **argv);
int embed_info(embed_settings *s, int argc, char **argv);
int embed_verify(embed_settings *s, int argc, char **argv);
int embed_convert(embed_settings *s, int argc, char **argv);

#endif
