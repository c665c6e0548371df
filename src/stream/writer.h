/* Joining what jobs have formatted side by side. */
#ifndef LXM_STREAM_WRITER_H
#define LXM_STREAM_WRITER_H

#include "stream/formatter.h"

lxm_status lxm_writer_join(lxm_writer *writer, lxm_formatter *from, lxm_error *error);

#endif
