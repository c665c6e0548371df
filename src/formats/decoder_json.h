/* The decoders of tokenizer.json. */
#ifndef LXM_FORMATS_DECODER_JSON_H
#define LXM_FORMATS_DECODER_JSON_H

#include <jansson.h>

#include "idmap/vocab.h"

/* How tokens become text again; what can't be done is said in decoding->refused, for only decoding
 * needs it. NULL or null leaves it as it is. */
void lxm_decoder_read(lxm_decoding *decoding, const json_t *decoder);

#endif
