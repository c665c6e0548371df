/* Id streams on their way to a sink. */
#ifndef LXM_PIPELINE_RUN_IDS_H
#define LXM_PIPELINE_RUN_IDS_H

#include "lexmill/pipeline.h"

/* Hands all of a stream's ids on. */
lxm_status lxm_pass_ids(lxm_reader *reader, const lxm_id_sink *sink, lxm_error *error);

/* Turns the index of an item of a block, which is the error's offset, into its line or, in a binary
 * stream, into its number, which the message tells. */
void lxm_place_id(lxm_error *error, uint64_t position, bool lines);

#endif
