/* Word level: a token is in the vocabulary, or it is unk. */
#include "idmap/model.h"

const lxm_model lxm_model_word = {.name = "word"};
