/* All of lexmill: text -> tokens -> ids -> vectors. */
#ifndef LEXMILL_LEXMILL_H
#define LEXMILL_LEXMILL_H

#include "lexmill/embed.h"
#include "lexmill/error.h"
#include "lexmill/idmap.h"
#include "lexmill/pipeline.h"
#include "lexmill/stream.h"
#include "lexmill/tokenize.h"

#endif
