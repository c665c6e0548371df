#define _GNU_SOURCE
#include "base/direct.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/error.h"
#include "base/pool.h"

/* Two writers beside the caller keep a disk busy; a block is large enough that starting one costs
 * nothing. */
enum { writers = 2, most_blocks = 8, block_size = 2 << 20 };

typedef struct block {
    int fd;
    uint8_t *bytes;
    size_t length;
    uint64_t offset;
    int failed; /* errno */
} block;

struct lxm_direct {
    lxm_allocator allocator;
    int fd;
    uint64_t offset; /* of the block that is being filled */
    lxm_pool *pool;
    void *memory;
    block blocks[most_blocks];
    size_t count, next; /* a ring: one more than the pool's window */
};

static int write_at(int fd, const uint8_t *bytes, size_t length, uint64_t offset)
{
    while (length > 0) {
        ssize_t n = pwrite(fd, bytes, length, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        bytes += n;
        offset += (uint64_t)n;
        length -= (size_t)n;
    }
    return 0;
}

static bool set_direct(int fd, bool on)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, on ? flags | O_DIRECT : flags & ~O_DIRECT) == 0;
}

/* Some file systems take the flag, but not the writes. */
static void write_block(void *job)
{
    block *b = job;
    b->failed = write_at(b->fd, b->bytes, b->length, b->offset);
    if (b->failed == EINVAL && set_direct(b->fd, false))
        b->failed = write_at(b->fd, b->bytes, b->length, b->offset);
}

static bool make_blocks(lxm_direct *direct)
{
    direct->count = lxm_pool_window(direct->pool) + 1;
    if (direct->count > most_blocks)
        return false;
    direct->memory =
        lxm_allocate(&direct->allocator, direct->count * block_size + lxm_direct_alignment, 1);
    if (!direct->memory)
        return false;
    uintptr_t address = (uintptr_t)direct->memory + lxm_direct_alignment - 1;
    uint8_t *aligned = (uint8_t *)(address / lxm_direct_alignment * lxm_direct_alignment);
    for (size_t i = 0; i < direct->count; i++)
        direct->blocks[i] = (block){.fd = direct->fd, .bytes = aligned + i * block_size};
    return true;
}

lxm_direct *lxm_direct_new(int fd, uint64_t offset, const lxm_allocator *allocator)
{
    lxm_direct *direct = lxm_new(allocator, sizeof *direct);
    if (!direct)
        return NULL;
    *direct = (lxm_direct){.allocator = *allocator, .fd = fd, .offset = offset};
    if (lxm_pool_new(&direct->pool, writers + 1, write_block, allocator, NULL) ||
        !make_blocks(direct) || !set_direct(fd, true)) {
        lxm_direct_free(direct);
        return NULL;
    }
    return direct;
}

void lxm_direct_free(lxm_direct *direct)
{
    if (!direct)
        return;
    lxm_pool_free(direct->pool);
    lxm_release(&direct->allocator, direct->memory);
    lxm_allocator a = direct->allocator;
    lxm_release(&a, direct);
}

static lxm_status check(int failed, lxm_error *error)
{
    return failed ? lxm_fail_io(error, failed, "write failed") : LXM_OK;
}

/* Hands the block that is full to a writer, and waits for one where all are busy. */
static lxm_status submit(lxm_direct *direct, lxm_error *error)
{
    int failed = 0;
    block *b = &direct->blocks[direct->next];
    if (lxm_pool_pending(direct->pool) == lxm_pool_window(direct->pool))
        failed = ((block *)lxm_pool_take(direct->pool))->failed;
    if (failed)
        return check(failed, error);
    b->offset = direct->offset;
    direct->offset += b->length;
    lxm_pool_submit(direct->pool, b);
    direct->next = (direct->next + 1) % direct->count;
    direct->blocks[direct->next].length = 0;
    return LXM_OK;
}

lxm_status lxm_direct_write(lxm_direct *direct, const void *bytes, size_t length, lxm_error *error)
{
    const uint8_t *p = bytes;
    lxm_status status = LXM_OK;
    while (!status && length > 0) {
        block *b = &direct->blocks[direct->next];
        size_t n = block_size - b->length < length ? block_size - b->length : length;
        memcpy(b->bytes + b->length, p, n);
        b->length += n;
        p += n;
        length -= n;
        if (b->length == block_size)
            status = submit(direct, error);
    }
    return status;
}

lxm_status lxm_direct_finish(lxm_direct *direct, lxm_error *error)
{
    int failed = 0;
    while (lxm_pool_pending(direct->pool)) {
        const block *done = lxm_pool_take(direct->pool);
        failed = failed ? failed : done->failed;
    }
    block *rest = &direct->blocks[direct->next];
    if (!failed && !set_direct(direct->fd, false))
        failed = errno;
    if (!failed)
        failed = write_at(direct->fd, rest->bytes, rest->length, direct->offset);
    direct->offset += rest->length;
    rest->length = 0;
    return check(failed, error);
}
