/* The options of programs that write folders of ids, and how such a folder is written. */
#ifndef LXM_CLI_ID_SHARDS_H
#define LXM_CLI_ID_SHARDS_H

#include "cli.h"

typedef struct cli_ids {
    lxm_id_shards_options options;
    bool wanted;     /* --to was given */
    bool given;      /* any other of the options was */
    const char *eot; /* a token or an id, or NULL */
    bool no_eot;
} cli_ids;

/* Apart from all that a program has of its own. */
enum {
    cli_ids_to = 1024,
    cli_ids_width,
    cli_ids_eot,
    cli_ids_no_eot,
    cli_ids_shard_size,
    cli_ids_force,
    cli_ids_resume,
};

#define CLI_IDS_LONG                                                                               \
    {"to", required_argument, NULL, cli_ids_to},                                                   \
        {"width", required_argument, NULL, cli_ids_width},                                         \
        {"eot", required_argument, NULL, cli_ids_eot},                                             \
        {"no-eot", no_argument, NULL, cli_ids_no_eot},                                             \
        {"shard-size", required_argument, NULL, cli_ids_shard_size},                               \
        {"force", no_argument, NULL, cli_ids_force},                                               \
    {                                                                                              \
        "resume", no_argument, NULL, cli_ids_resume                                                \
    }

/* Handles one of the options above; false where `option` is none. */
bool cli_ids_option(cli_ids *ids, int option);

/* Ends the program where the options don't go together. */
void cli_ids_check(const cli_ids *ids, const cli_common *common);

/* Opens the folder that -o names, for ids of a vocabulary (NULL: an unknown one). */
lxm_status cli_ids_open(cli_ids *ids, const cli_common *common, const lxm_vocab *vocab,
                        lxm_id_shards **shards, lxm_error *error);

/* Puts all in its place, or where `status` is an error removes it. Returns the status. */
lxm_status cli_ids_close(lxm_id_shards *shards, const cli_common *common, lxm_status status,
                         lxm_error *error);

#endif
