/* `ids`, I64, and `scores`, F32, both [queries, k]: -1 and NaN where fewer were found. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/error.h"
#include "pipeline/near_output.h"

static lxm_status put(lxm_near_out *out, const lxm_near_answer *a, lxm_error *error)
{
    lxm_status status = LXM_OK;
    for (size_t i = 0; !status && i < out->width; i++) {
        int64_t id = i < a->count ? (int64_t)a->ids[i] : -1;
        float score = i < a->count ? a->scores[i] : NAN;
        status = lxm_spool_write(&out->ids, &id, sizeof id, error);
        if (!status)
            status = lxm_spool_write(&out->scores, &score, sizeof score, error);
    }
    out->answers++;
    return status;
}

/* Padded with spaces to a multiple of 8 bytes. */
static lxm_status put_header(lxm_near_out *out, lxm_error *error)
{
    enum { prefix = 8, most = 384 };
    char header[prefix + most];
    uint64_t ids = out->ids.length, all = ids + out->scores.length, size;
    int length = snprintf(header + prefix, most,
                          "{\"ids\":{\"dtype\":\"I64\",\"shape\":[%" PRIu64
                          ",%zu],\"data_offsets\":[0,%" PRIu64
                          "]},\"scores\":{\"dtype\":\"F32\",\"shape\":[%" PRIu64
                          ",%zu],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}}",
                          out->answers, out->width, ids, out->answers, out->width, ids, all);
    for (size = (uint64_t)length; size % 8; size++)
        header[prefix + size] = ' ';
    memcpy(header, &size, sizeof size);
    return lxm_output_write(out->output, header, prefix + (size_t)size, error);
}

static lxm_status finish(lxm_near_out *out, lxm_error *error)
{
    lxm_status status = put_header(out, error);
    if (!status)
        status = lxm_spool_drain(&out->ids, out->output, error);
    return status ? status : lxm_spool_drain(&out->scores, out->output, error);
}

const lxm_near_writer lxm_safetensors_near = {"safetensors", put, finish};
