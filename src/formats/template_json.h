/* The post-processors of tokenizer.json. */
#ifndef LXM_FORMATS_TEMPLATE_JSON_H
#define LXM_FORMATS_TEMPLATE_JSON_H

#include <jansson.h>

#include "idmap/template.h"

/* What one puts around a single document; what can't be done is said in template->refused, for no
 * more than who wants it needs it. */
void lxm_template_read(lxm_template *template, const json_t *post_processor);

#endif
