/* Joining what jobs have formatted side by side. */
#ifndef LXM_STREAM_WRITER_H
#define LXM_STREAM_WRITER_H

#include "stream/formatter.h"

/* Writes what a formatter made of what comes next, and empties it. */
lxm_status lxm_writer_join(lxm_writer *writer, lxm_formatter *from, lxm_error *error);

/* What it has written; nothing where a sink takes the ids. */
const lxm_totals *lxm_writer_totals(const lxm_writer *writer);

#endif
