/*
 * A compiled vocabulary, version 1: arrays that are used where the file is mapped. Numbers are in
 * the byte order of the machine that wrote it.
 *
 *   header    magic 89 4C 58 56 0D 0A 1A 0A, u32 version (1), u32 0x01020304, u64 checksum:
 *             XXH3-64 of all that follows, u64 length of the file, u32 sections, u32 0
 *   sections  for each: u32 name, u32 bytes of an element, u64 offset, u64 elements
 *   data      the sections in order of their names, each at the first multiple of 64 that lies
 *             16 bytes or more behind what stands before; zeros between, and so behind the last
 *
 * The names are those of idmap/parts.h.
 */
#ifndef LXM_FORMATS_VOCAB_COMPILED_H
#define LXM_FORMATS_VOCAB_COMPILED_H

#include "idmap/parts.h"

bool lxm_compiled_probe(const uint8_t *bytes, size_t length);

/* Checks a file, but for what its sections hold, and lists these. The bytes are aligned to 8. */
lxm_status lxm_compiled_open(lxm_parts *parts, const uint8_t *bytes, size_t length,
                             lxm_error *error);

#endif
