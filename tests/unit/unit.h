/* What unit tests share: a counting allocator, a sink that keeps tokens, files, random numbers. */
#ifndef LXM_TEST_UNIT_H
#define LXM_TEST_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "lexmill/lexmill.h"

/* Counts what lives; the allocation number `fail_at` (from 1; 0: none) fails. Threads may share
 * one. */
typedef struct unit_allocator {
    lxm_allocator functions;
    atomic_size_t live, calls;
    size_t fail_at;
    bool fail_after; /* and all that come after it fail */
} unit_allocator;

void unit_allocator_init(unit_allocator *allocator);

/* What came out of a segmenter or a reader, as text: each token escaped, with "@begin-end" if it
 * has offsets, then '|'; the end of a document is '/'. Tokens of a block are not told apart from
 * those of the next. */
typedef struct unit_collector {
    lxm_buffer text;
    size_t tokens, documents;
} unit_collector;

void unit_collector_init(unit_collector *collector);
void unit_collector_free(unit_collector *collector);
void unit_collector_clear(unit_collector *collector);
lxm_token_sink unit_collector_sink(unit_collector *collector);
void unit_collect_tokens(unit_collector *collector, const lxm_tokens *tokens);
void unit_collect_ids(unit_collector *collector, const lxm_ids *ids);
void unit_collect_end(unit_collector *collector);

/* Ended by a NUL; the collector's. */
const char *unit_collected(unit_collector *collector);

/* Fails the test with the message where a call didn't succeed. */
void unit_succeeds(lxm_status status, const lxm_error *error);

/* Makes a new empty folder; unit_folder_remove removes it with all that is in it. */
char *unit_folder_make(void);
void unit_folder_remove(char *folder);

/* FOLDER/NAME; to be freed. */
char *unit_path(const char *folder, const char *name);
void unit_file_write(const char *path, const void *bytes, size_t length);

/* A whole file, NUL behind it; to be freed. */
uint8_t *unit_file_read(const char *path, size_t *length);

/* How many names a folder has. */
size_t unit_folder_count(const char *folder);

/* The same numbers each time for the same state. */
uint64_t unit_random(uint64_t *state);

/* Seconds since some point. */
double unit_seconds(void);

#define unit_count(array) (sizeof(array) / sizeof *(array))

#endif
