/* What an optimizer keeps, as a file: .safetensors with `step` I64 [1], `ids` I64 [n], in order,
 * and what PyTorch calls each state, F32 [n, dim]. */
#ifndef LXM_FORMATS_LAYER_STATE_H
#define LXM_FORMATS_LAYER_STATE_H

#include "lexmill/embed.h"
#include "lexmill/stream.h"

/* lxm_layer_save, to an output that the caller commits. */
lxm_status lxm_layer_state_write(const lxm_layer *layer, lxm_output *output, lxm_error *error);

#endif
