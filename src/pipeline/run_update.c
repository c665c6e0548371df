/* Steps of a layer that learns, from files of gradients to a new table. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/memory.h"
#include "formats/gradients.h"
#include "formats/layer_state.h"
#include "pipeline/job.h"

/* Floats that are read at once. */
enum { piece_floats = 1 << 20 };

typedef struct update {
    lxm_allocator allocator;
    lxm_layer *layer;
    const lxm_update_options *options;
    const lxm_job *job;
    uint32_t *ids;
    float *gradients;
    size_t piece; /* gradients at once */
    uint64_t read;
} update;

static lxm_status make_room(update *u, lxm_error *error)
{
    size_t dim = lxm_table_dim(lxm_layer_table(u->layer));
    u->piece = dim < piece_floats ? piece_floats / dim : 1;
    u->ids = lxm_allocate(&u->allocator, u->piece, sizeof *u->ids);
    u->gradients = lxm_allocate(&u->allocator, u->piece * dim, sizeof *u->gradients);
    return u->ids && u->gradients ? LXM_OK : lxm_fail_memory(error);
}

/* One id that has no row: says which of the file's. */
static lxm_status backward(update *u, uint64_t at, size_t count, lxm_error *error)
{
    lxm_error why = {0};
    lxm_status status = lxm_layer_backward(u->layer, u->ids, count, u->gradients, &why);
    if (status == LXM_ERROR_ID)
        return lxm_fail(error, status, "ids[%llu]: %s", (unsigned long long)(at + why.offset),
                        why.message);
    return status ? lxm_fail_memory(error) : LXM_OK;
}

/* All gradients of a file are one step. */
static lxm_status add_file(update *u, lxm_gradient_file *file, lxm_error *error)
{
    size_t dim = lxm_table_dim(lxm_layer_table(u->layer));
    lxm_status status = LXM_OK;
    if (file->dim != dim)
        return lxm_fail(error, LXM_ERROR_MISMATCH,
                        "the gradients have %zu columns, but the table has %zu", file->dim, dim);
    uint64_t table = lxm_table_fingerprint(lxm_layer_table(u->layer));
    uint64_t stream = lxm_gradient_file_fingerprint(file);
    if (stream && table && stream != table && !u->options->any_rows)
        return lxm_fail(error, LXM_ERROR_MISMATCH,
                        "the ids are of another vocabulary (%016llx) than the table (%016llx)",
                        (unsigned long long)stream, (unsigned long long)table);
    for (uint64_t at = 0; !status && at < file->count; at += u->piece) {
        uint64_t left = file->count - at;
        size_t n = left < u->piece ? (size_t)left : u->piece;
        status = lxm_gradient_file_read(file, at, n, u->ids, u->gradients, error);
        if (!status)
            status = backward(u, at, n, error);
        u->read += n * dim * sizeof *u->gradients;
        lxm_job_report(u->job, u->read);
    }
    return status ? status : lxm_layer_step(u->layer, error);
}

static lxm_status take_step(update *u, const char *path, lxm_error *error)
{
    lxm_gradient_file file;
    lxm_status status = lxm_gradient_file_open(&file, path, u->options->ids, &u->allocator, error);
    if (!status) {
        status = add_file(u, &file, error);
        if (status)
            lxm_job_blame(error, path);
    }
    lxm_gradient_file_close(&file);
    return status;
}

/* A state that isn't there yet is begun. */
static lxm_status load(const update *u, lxm_error *error)
{
    lxm_error why = {0};
    if (!u->options->state)
        return LXM_OK;
    lxm_status status = lxm_layer_load(u->layer, u->options->state, u->options->any_rows, &why);
    if (status == LXM_ERROR_IO && why.system == ENOENT)
        return LXM_OK;
    if (status && error)
        *error = why;
    return status;
}

static const char *name_in_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The file of a path, or where it isn't there its folder. */
static lxm_status look(const update *u, const char *path, struct stat *status, bool *there,
                       lxm_error *error)
{
    size_t length = (size_t)(name_in_folder(path) - path);
    *there = stat(path, status) == 0;
    if (*there)
        return LXM_OK;
    char *folder = lxm_allocate(&u->allocator, length + 2, 1);
    if (!folder)
        return lxm_fail_memory(error);
    memcpy(folder, path, length);
    memcpy(folder + length, ".", 2);
    int failed = stat(folder, status) ? errno : 0;
    lxm_release(&u->allocator, folder);
    return failed ? lxm_fail_io(error, failed, "can't write") : LXM_OK;
}

/* The state would take the place of the table that was just written. */
static lxm_status refuse_one_file(const update *u, const char *output_path, lxm_error *error)
{
    const char *paths[] = {u->options->state, output_path};
    struct stat found[2];
    bool there[2] = {false};
    lxm_status status = LXM_OK;
    if (!paths[0] || strcmp(output_path, "-") == 0)
        return LXM_OK;
    for (int i = 0; !status && i < 2; i++) {
        status = look(u, paths[i], &found[i], &there[i], error);
        if (status && error)
            error->path = paths[i];
    }
    if (status || there[0] != there[1] || found[0].st_dev != found[1].st_dev ||
        found[0].st_ino != found[1].st_ino ||
        (!there[0] && strcmp(name_in_folder(paths[0]), name_in_folder(paths[1])) != 0))
        return status;
    return lxm_fail(error, LXM_ERROR_ARGUMENT,
                    "the state and the table that is written are one file: name another");
}

/* The state is whole on the disk but for its name when the table is put in its place: a run that
 * dies leaves both as they were, or a state that says that it isn't this table's. */
static lxm_status write(const update *u, const char *output_path, lxm_error *error)
{
    const lxm_update_options *o = u->options;
    const lxm_table *table = lxm_layer_table(u->layer);
    lxm_output *state = NULL;
    lxm_status status = LXM_OK;
    if (o->state)
        status = lxm_output_open(&state, o->state, &u->allocator, error);
    if (!status && state)
        status = lxm_layer_state_write(u->layer, state, error);
    if (!status && state)
        status = lxm_output_flush(state, error);
    if (!status)
        status = lxm_run_write_table(table, lxm_table_fingerprint(table), o->format, LXM_DTYPE_F32,
                                     NULL, output_path, u->job, error);
    if (!status && state)
        return lxm_output_commit(state, error);
    lxm_output_discard(state);
    return status;
}

lxm_status lxm_run_update(lxm_layer *layer, const lxm_update_options *options,
                          const char *const *paths, size_t path_count, const char *output_path,
                          const lxm_job *job, lxm_error *error)
{
    static const lxm_job plain = {0};
    update u = {.layer = layer, .options = options, .job = job ? job : &plain};
    u.allocator = lxm_allocator_or_default(u.job->allocator);
    if (options->ids && path_count != 1)
        return lxm_fail(error, LXM_ERROR_ARGUMENT,
                        "ids in a file of their own go with one file of gradients");
    lxm_status status = refuse_one_file(&u, output_path, error);
    if (!status)
        status = make_room(&u, error);
    if (!status)
        status = load(&u, error);
    for (size_t i = 0; !status && i < path_count; i++)
        status = take_step(&u, paths[i], error);
    if (!status)
        status = write(&u, output_path, error);
    lxm_release(&u.allocator, u.ids);
    lxm_release(&u.allocator, u.gradients);
    return status;
}
