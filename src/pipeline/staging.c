#define _GNU_SOURCE
#include "pipeline/staging.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

static const char within[] = ".incomplete", journal_name[] = "journal",
                  manifest_name[] = "manifest.json";

/* ---- names ---- */

static void shard_name(char *name, const char *stem, uint64_t index, const char *ending)
{
    snprintf(name, lxm_shard_name_size, "%s-%05" PRIu64 "%s", stem, index, ending);
}

/* FOLDER/NAME; NULL where memory runs out. */
static char *join(const lxm_staging *staging, const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = lxm_allocate(&staging->allocator, size, 1);
    if (path)
        snprintf(path, size, "%s/%s", folder, name);
    return path;
}

/* Whether something of that name is in a folder, and which kind of it. */
static int look(const lxm_staging *staging, const char *folder, const char *name,
                struct stat *status)
{
    char *path = join(staging, folder, name);
    int failed = !path ? ENOMEM : lstat(path, status) ? errno : 0;
    lxm_release(&staging->allocator, path);
    return failed;
}

typedef bool is_wanted(const lxm_staging *staging, const char *name);

/* A shard of either stage that isn't one of this run. */
static bool is_old_shard(const lxm_staging *staging, const char *name)
{
    static const char *const kinds[][2] = {{"shard", ".safetensors"},
                                           {"ids", ".bin"},
                                           {"ids", ".idx"},
                                           {"ids", ".npy"},
                                           {"ids", ".safetensors"}};
    const lxm_staging_options *o = &staging->options;
    const char *dash = strchr(name, '-');
    char again[lxm_shard_name_size];
    uint64_t index;
    if (!dash || sscanf(dash + 1, "%" SCNu64, &index) != 1)
        return false;
    for (size_t e = 0; o->endings[e] && index < lxm_staging_count(staging); e++) {
        shard_name(again, o->stem, index, o->endings[e]);
        if (strcmp(name, again) == 0)
            return false;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        shard_name(again, kinds[i][0], index, kinds[i][1]);
        if (strcmp(name, again) == 0)
            return true;
    }
    return false;
}

static bool is_any(const lxm_staging *staging, const char *name)
{
    (void)staging;
    return strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static bool is_not_the_journal(const lxm_staging *staging, const char *name)
{
    return is_any(staging, name) && strcmp(name, journal_name) != 0;
}

/* A manifest that a kill kept from its place. */
static bool is_litter(const lxm_staging *staging, const char *name)
{
    static const char prefix[] = ".manifest.json.";
    (void)staging;
    return strncmp(name, prefix, sizeof prefix - 1) == 0 && strlen(name) == sizeof prefix - 1 + 8;
}

static lxm_status remove_files(const lxm_staging *staging, const char *folder, is_wanted *wanted,
                               lxm_error *error)
{
    DIR *listing = opendir(folder);
    if (!listing)
        return lxm_fail_io(error, errno, "can't list the folder");
    lxm_status status = LXM_OK;
    for (struct dirent *entry; (entry = readdir(listing));)
        if (wanted(staging, entry->d_name) && unlinkat(dirfd(listing), entry->d_name, 0))
            status = lxm_fail_io(error, errno, "can't remove an old file of the folder");
    closedir(listing);
    return status;
}

/* ---- entering ---- */

static lxm_status refuse_old(const lxm_staging *staging, const char *name, lxm_error *error)
{
    struct stat status;
    int failed = look(staging, staging->options.folder, name, &status);
    if (failed == ENOENT)
        return LXM_OK;
    if (failed == ENOMEM)
        return lxm_fail_memory(error);
    if (failed)
        return lxm_fail_io(error, failed, "can't write");
    return lxm_fail(error, LXM_ERROR_IO,
                    "the folder holds shards %s: name another, or --force to replace them",
                    staging->options.resume ? "of other options or input" : "already");
}

static bool has_staging(const lxm_staging *staging)
{
    struct stat status;
    return look(staging, staging->options.folder, within, &status) == 0 && S_ISDIR(status.st_mode);
}

static lxm_status enter_folder(lxm_staging *staging, lxm_error *error)
{
    const lxm_staging_options *o = &staging->options;
    struct stat old;
    char first[lxm_shard_name_size];
    if (mkdir(o->folder, 0777) == 0) {
        staging->made_folder = true;
        return LXM_OK;
    }
    if (errno != EEXIST)
        return lxm_fail_io(error, errno, "can't make the folder");
    if (stat(o->folder, &old))
        return lxm_fail_io(error, errno, "can't write");
    if (!S_ISDIR(old.st_mode))
        return lxm_fail(error, LXM_ERROR_IO, "shards need a folder, but this is a file%s",
                        o->file_hint ? o->file_hint : "");
    if (o->replace)
        return LXM_OK;
    if (o->resume)
        staging->finished =
            lxm_manifest_is_of(o->folder, o->identity, &staging->inputs, &staging->allocator);
    if (staging->finished)
        return LXM_OK;
    lxm_status status = refuse_old(staging, manifest_name, error);
    if (status || (o->resume && has_staging(staging)))
        return status;
    shard_name(first, o->stem, 0, o->endings[0]);
    return refuse_old(staging, first, error);
}

static bool has_file(const lxm_staging *staging, const char *folder, const char *name,
                     uint64_t bytes)
{
    struct stat status;
    return look(staging, folder, name, &status) == 0 && S_ISREG(status.st_mode) &&
           (uint64_t)status.st_size == bytes;
}

/* Whether a shard that a run before has done is still there: it may have been killed while it put
 * them in their place. */
static bool is_there(const lxm_staging *staging, size_t index, bool moving)
{
    const lxm_shard *shard = &lxm_journal_at(&staging->journal, index)->shard;
    const uint64_t bytes[] = {shard->bytes, shard->index_bytes};
    const char *const *endings = staging->options.endings;
    for (size_t e = 0; endings[e]; e++) {
        char name[lxm_shard_name_size];
        shard_name(name, staging->options.stem, index, endings[e]);
        if (!has_file(staging, staging->path, name, bytes[e]) &&
            !(moving && has_file(staging, staging->options.folder, name, bytes[e])))
            return false;
    }
    return true;
}

static lxm_status read_journal(lxm_staging *staging, lxm_error *error)
{
    lxm_journal *journal = &staging->journal;
    uint64_t identity = staging->options.identity;
    struct stat unused;
    if (!staging->options.resume)
        return lxm_journal_cut(journal, identity, 0, error);
    lxm_status status = lxm_journal_read(journal, identity, error);
    if (status)
        return status;
    bool moving = look(staging, staging->options.folder, manifest_name, &unused) == ENOENT;
    while (staging->old < lxm_journal_count(journal) && is_there(staging, staging->old, moving))
        staging->old++;
    return lxm_journal_cut(journal, identity, staging->old, error);
}

/* The folder within is this run's when it holds the journal's lock, and not before. */
static lxm_status take_staging(lxm_staging *staging, char *path, lxm_error *error)
{
    char *journal = join(staging, path, journal_name);
    lxm_status status =
        journal ? lxm_journal_lock(&staging->journal, journal, error) : lxm_fail_memory(error);
    lxm_release(&staging->allocator, journal);
    return status;
}

static lxm_status make_staging(lxm_staging *staging, lxm_error *error)
{
    const lxm_staging_options *o = &staging->options;
    char *path = join(staging, o->folder, within);
    if (!path)
        return lxm_fail_memory(error);
    bool made = mkdir(path, 0777) == 0;
    int failed = made ? 0 : errno;
    lxm_status status = LXM_OK;
    if (failed == EEXIST && !o->resume && !o->replace)
        status = lxm_fail(error, LXM_ERROR_IO,
                          "the folder holds a run that was stopped: --resume goes on with it, "
                          "--force begins anew");
    else if (failed && !(failed == EEXIST && has_staging(staging)))
        status = lxm_fail_io(error, failed, "can't make a folder in it");
    if (!status)
        status = take_staging(staging, path, error);
    if (status) {
        if (made)
            rmdir(path); /* which another run's journal would prevent */
        lxm_release(&staging->allocator, path);
        return status;
    }
    staging->path = path;
    staging->found = !made && o->resume;
    if (!made && !o->resume)
        (void)remove_files(staging, path, is_not_the_journal, NULL);
    if (!made)
        (void)remove_files(staging, o->folder, is_litter, NULL);
    return read_journal(staging, error);
}

lxm_status lxm_staging_open(lxm_staging *staging, const lxm_staging_options *options,
                            const lxm_allocator *allocator, lxm_error *error)
{
    *staging = (lxm_staging){.options = *options, .allocator = *allocator};
    lxm_buffer_init(&staging->list, allocator);
    lxm_journal_init(&staging->journal, allocator);
    lxm_status status = enter_folder(staging, error);
    return status || staging->finished ? status : make_staging(staging, error);
}

/* ---- shards ---- */

size_t lxm_staging_count(const lxm_staging *staging)
{
    return staging->list.length / sizeof(lxm_shard);
}

const lxm_shard *lxm_staging_at(const lxm_staging *staging, size_t index)
{
    return (const lxm_shard *)(const void *)staging->list.data + index;
}

char *lxm_staging_file(const lxm_staging *staging, const char *ending)
{
    char name[lxm_shard_name_size];
    shard_name(name, staging->options.stem, lxm_staging_count(staging), ending);
    return join(staging, staging->path, name);
}

const lxm_journal_entry *lxm_staging_next(const lxm_staging *staging)
{
    size_t count = lxm_staging_count(staging);
    return count < staging->old ? lxm_journal_at(&staging->journal, count) : NULL;
}

static lxm_status fail_inputs(lxm_error *error)
{
    return lxm_fail(error, LXM_ERROR_MISMATCH,
                    "the ids are not those of the run that was stopped: give the same, or --force "
                    "to begin anew");
}

lxm_status lxm_staging_add(lxm_staging *staging, const lxm_shard *shard, uint64_t inputs,
                           lxm_error *error)
{
    const lxm_journal_entry *old = lxm_staging_next(staging);
    if (old && (old->shard.rows != shard->rows || old->inputs != inputs))
        return fail_inputs(error);
    if (!lxm_buffer_append(&staging->list, old ? &old->shard : shard, sizeof *shard))
        return lxm_fail_memory(error);
    if (old || shard->rows == 0)
        return LXM_OK;
    return lxm_journal_add(&staging->journal, &(lxm_journal_entry){*shard, inputs}, error);
}

lxm_status lxm_staging_may_go_on(const lxm_staging *staging, lxm_error *error)
{
    size_t count = lxm_staging_count(staging);
    bool ended = count > 0 && count == staging->old &&
                 lxm_staging_at(staging, count - 1)->rows < staging->options.capacity;
    return ended ? fail_inputs(error) : LXM_OK;
}

/* ---- leaving ---- */

/* Moves a file up from the staging folder. */
static lxm_status move_file(lxm_staging *staging, const char *name, bool old, lxm_error *error)
{
    char *from = join(staging, staging->path, name);
    char *to = join(staging, staging->options.folder, name);
    lxm_status status = LXM_OK;
    if (!from || !to)
        status = lxm_fail_memory(error);
    else if (rename(from, to) && !(old && errno == ENOENT))
        status = lxm_fail_io(error, errno, "can't rename a shard");
    else
        staging->moved++;
    lxm_release(&staging->allocator, from);
    lxm_release(&staging->allocator, to);
    return status;
}

/* From here on a folder without a manifest is one that isn't whole. */
static lxm_status move_all(lxm_staging *staging, const char *manifest, lxm_error *error)
{
    const char *const *endings = staging->options.endings;
    lxm_status status = LXM_OK;
    if (unlink(manifest) && errno != ENOENT)
        status = lxm_fail_io(error, errno, "can't remove the old manifest");
    for (size_t i = 0; !status && i < lxm_staging_count(staging); i++)
        for (size_t e = 0; !status && endings[e]; e++) {
            char name[lxm_shard_name_size];
            shard_name(name, staging->options.stem, i, endings[e]);
            status = move_file(staging, name, i < staging->old, error);
        }
    if (!status && staging->options.replace)
        status = remove_files(staging, staging->options.folder, is_old_shard, error);
    return status;
}

/* All is there, but perhaps the staging folder of a run that was killed at its very end. */
static lxm_status finish_again(lxm_staging *staging, lxm_error *error)
{
    char *path = join(staging, staging->options.folder, within);
    if (!path)
        return lxm_fail_memory(error);
    if (has_staging(staging) && !take_staging(staging, path, NULL)) {
        staging->path = path;
        staging->committed = true;
        return LXM_OK;
    }
    lxm_release(&staging->allocator, path);
    return LXM_OK;
}

lxm_status lxm_staging_commit(lxm_staging *staging, const lxm_buffer *manifest, uint64_t inputs,
                              lxm_error *error)
{
    lxm_output *output = NULL;
    if (lxm_staging_count(staging) < staging->old ||
        (staging->finished && staging->inputs != inputs))
        return fail_inputs(error);
    if (staging->finished)
        return finish_again(staging, error);
    char *path = join(staging, staging->options.folder, manifest_name);
    if (!path)
        return lxm_fail_memory(error);
    lxm_status status = lxm_output_open(&output, path, &staging->allocator, error);
    if (!status)
        status = lxm_output_write(output, manifest->data, manifest->length, error);
    if (!status)
        status = lxm_output_flush(output, error);
    if (!status)
        status = move_all(staging, path, error);
    if (!status) {
        status = lxm_output_commit(output, error); /* syncs the folder with it */
        output = NULL;
    }
    lxm_output_discard(output);
    lxm_release(&staging->allocator, path);
    staging->committed = !status;
    return status;
}

/* Removes the first files of the shards of a folder, without any memory. */
static void take_back(const lxm_staging *staging, const char *folder, size_t count)
{
    const char *const *endings = staging->options.endings;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    for (uint64_t i = 0; count > 0; i++)
        for (size_t e = 0; count > 0 && endings[e]; e++, count--) {
            char name[lxm_shard_name_size];
            shard_name(name, staging->options.stem, i, endings[e]);
            unlinkat(fd, name, 0);
        }
    close(fd);
}

/* The journal, whose lock keeps other runs away, goes last. */
static void remove_staging(const lxm_staging *staging)
{
    take_back(staging, staging->path, 2 * (lxm_staging_count(staging) + 1));
    (void)remove_files(staging, staging->path, is_not_the_journal, NULL);
    int fd = open(staging->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        (void)remove_files(staging, staging->path, is_any, NULL);
    else
        unlinkat(fd, journal_name, 0);
    if (fd >= 0)
        close(fd);
    rmdir(staging->path);
}

/* Takes back what was moved, and the staging folder, unless another run may go on with them. */
static void clean_up(lxm_staging *staging)
{
    bool kept = !staging->committed && staging->options.resume &&
                (lxm_staging_count(staging) || staging->found);
    if (!staging->path || kept)
        return;
    if (!staging->committed)
        take_back(staging, staging->options.folder, staging->moved);
    remove_staging(staging);
}

void lxm_staging_close(lxm_staging *staging)
{
    if (!staging->options.folder)
        return; /* it wasn't begun */
    clean_up(staging);
    if (staging->made_folder && !staging->committed)
        rmdir(staging->options.folder);
    lxm_journal_close(&staging->journal);
    lxm_release(&staging->allocator, staging->path);
    lxm_buffer_free(&staging->list);
}
