/*
 * Files of token ids as training programs read them: one lxm_ids_format a layout.
 */
#ifndef LXM_FORMATS_IDS_H
#define LXM_FORMATS_IDS_H

#include "base/file.h"
#include "lexmill/pipeline.h"

typedef struct lxm_ids_file lxm_ids_file;

typedef struct lxm_ids_format {
    const char *name, *extension;
    uint64_t limit16, limit32; /* ids are below; 0: no such width */
    bool wide;                 /* where nothing says how many ids there are, 32 bits */
    bool eot_before;           /* the end-of-text id goes before each document, not after */
    bool documents;            /* it tells documents apart, so that none is cut in two */
    bool has_index;            /* beside each file another, .idx */
    size_t header;             /* bytes before the ids, which all of the rest is; SIZE_MAX: a
                                  .safetensors file, which says itself */
    lxm_status (*begin)(lxm_ids_file *file, lxm_error *error);
    lxm_status (*finish)(lxm_ids_file *file, lxm_error *error);
} lxm_ids_format;

extern const lxm_ids_format lxm_nanogpt_ids, lxm_llmc_ids, lxm_megatron_ids, lxm_npy_ids,
    lxm_safetensors_ids;

/* By layout, or by name; NULL where there is none. */
const lxm_ids_format *lxm_ids_format_of(lxm_id_layout layout);
const lxm_ids_format *lxm_ids_format_named(const char *name);

struct lxm_ids_file {
    lxm_allocator allocator;
    const lxm_ids_format *format;
    const char *path;   /* without its extension */
    lxm_output *output; /* NULL: ids are counted alone */
    unsigned width;     /* bytes an id */
    uint64_t tokens, documents;
    uint64_t in_document; /* ids of the one that is being written */
    lxm_spool lengths;    /* of documents, as i64, where the format wants them */
};

/* No file has more: readers count in int32. */
#define LXM_IDS_MOST (((uint64_t)1 << 31) - 1)

/* Begins a file at PATH.EXTENSION, which is `name`; both outlive the file. Without them (NULL) ids
 * and documents are counted, and nothing else happens. lxm_ids_file_free is due whatever the
 * result.
 */
lxm_status lxm_ids_file_open(lxm_ids_file *file, const lxm_ids_format *format, unsigned width,
                             const char *path, const char *name, const lxm_allocator *allocator,
                             lxm_error *error);

/* Ids that were checked against the limit, and not more than LXM_IDS_MOST in all. */
lxm_status lxm_ids_file_put(lxm_ids_file *file, const uint32_t *ids, size_t count,
                            lxm_error *error);
lxm_status lxm_ids_file_end_document(lxm_ids_file *file, lxm_error *error);

/* Puts the file in its place. Not for one that counts alone. */
lxm_status lxm_ids_file_commit(lxm_ids_file *file, lxm_error *error);
void lxm_ids_file_free(lxm_ids_file *file);

/* For formats: little-endian numbers of 4 and 8 bytes to an output. */
lxm_status lxm_ids_put_number(lxm_output *output, uint64_t number, unsigned width,
                              lxm_error *error);

#endif
