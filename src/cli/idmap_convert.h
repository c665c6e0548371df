/* idmap convert, and the forms that vocabularies are written in. */
#ifndef LXM_CLI_IDMAP_CONVERT_H
#define LXM_CLI_IDMAP_CONVERT_H

#include "cli.h"

/* What its own options say. */
typedef struct idmap_forms {
    const char *preset;
    bool lowercase, drop_special;
} idmap_forms;

enum { idmap_forms_lowercase = cli_option_own + 64, idmap_forms_drop_special };

#define IDMAP_FORMS_SHORT "p:"
#define IDMAP_FORMS_LONG                                                                           \
    {"preset", required_argument, NULL, 'p'},                                                      \
        {"lowercase", no_argument, NULL, idmap_forms_lowercase},                                   \
    {                                                                                              \
        "drop-special", no_argument, NULL, idmap_forms_drop_special                                \
    }

/* False where `option` is none of them. */
bool idmap_forms_option(idmap_forms *forms, int option);

/* Writes a vocabulary that was built or grew: as a tokenizer.json, or compiled, where the name ends
 * so, otherwise as our own text. */
lxm_status idmap_save(const lxm_vocab *vocab, const char *path, lxm_error *error);

/* Reads one vocabulary and writes it in another form. */
lxm_status idmap_convert(const cli_common *common, const idmap_forms *forms, const char *from,
                         lxm_error *error);

#endif
