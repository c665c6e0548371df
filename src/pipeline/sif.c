/* Weights of tokens by how often they come. */
#include "base/error.h"
#include "lexmill/pipeline.h"

lxm_status lxm_sif_weights(const lxm_vocab *vocab, double a, float *weights, lxm_error *error)
{
    size_t size = lxm_vocab_size(vocab);
    double total = 0;
    for (size_t id = 0; id < size; id++)
        total += (double)lxm_vocab_count(vocab, (uint32_t)id);
    if (!(a > 0))
        return lxm_fail(error, LXM_ERROR_ARGUMENT, "the weights' constant must be above 0");
    if (total == 0)
        return lxm_fail(error, LXM_ERROR_ARGUMENT,
                        "the vocabulary has no counts, which the weights come from: use one that "
                        "idmap build made");
    for (size_t id = 0; id < size; id++)
        weights[id] = (float)(a / (a + (double)lxm_vocab_count(vocab, (uint32_t)id) / total));
    return LXM_OK;
}
