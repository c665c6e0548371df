/* nanoGPT: the ids as u16, one after another, and nothing else. */
#include "formats/ids.h"

static lxm_status nothing(lxm_ids_file *file, lxm_error *error)
{
    (void)file, (void)error;
    return LXM_OK;
}

const lxm_ids_format lxm_nanogpt_ids = {.name = "nanogpt",
                                        .extension = ".bin",
                                        .limit16 = 1 << 16,
                                        .begin = nothing,
                                        .finish = nothing};
