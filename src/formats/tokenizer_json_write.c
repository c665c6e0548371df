/* Writing a tokenizer.json: what the vocabulary's own said beside its model, or what can be told
 * without, and the model. */
#include "base/error.h"
#include "formats/description.h"
#include "formats/model_json.h"
#include "formats/tokenizer_json.h"
#include "idmap/model.h"

lxm_status lxm_tokenizer_json_write(const lxm_vocab *vocab, const lxm_vocab_write_options *options,
                                    lxm_output *output, lxm_error *error)
{
    json_t *root, *model;
    if (vocab->model->map && !vocab->description && !options->preset)
        return lxm_fail(error, LXM_ERROR_ARGUMENT,
                        "a tokenizer.json says how text is cut, and this vocabulary doesn't: name "
                        "it with -p, such as -p gpt2, cl100k or bert");
    lxm_status status = lxm_description_of(vocab, options, &root, error);
    if (status)
        return status;
    json_object_del(root, lxm_rules_own_key);
    status = lxm_model_json(vocab, &model, error);
    if (!status && json_object_set_new(root, "model", model))
        status = lxm_fail_memory(error);
    if (!status)
        status = lxm_json_write(root, JSON_INDENT(2), "\n", output, error);
    json_decref(root);
    return status;
}
