/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Reading a script, from memory or from disk. */
#include "replay/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int replay_nameless_file(void)
{
    char path[4096];
    const char *folder = getenv("TMPDIR");
    if (!folder || !*folder)
        folder = "/tmp";
    int file = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file >= 0 || (size_t)snprintf(path, sizeof path, "%s/acre-XXXXXX", folder) >= sizeof path)
        return file;
    file = mkostemp(path, O_CLOEXEC); /* the file system has no files without a name */
    if (file >= 0)
        unlink(path);
    return file;
}

bool replay_read_at(int file, void *bytes, size_t size, uint64_t offset)
{
    char *at = bytes;
    while (size) {
        ssize_t got = pread(file, at, size, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        at += got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    return true;
}

bool replay_write_at(int file, const void *bytes, size_t size, uint64_t offset)
{
    const char *at = bytes;
    while (size) {
        ssize_t put = pwrite(file, at, size, (off_t)offset);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        at += put;
        offset += (uint64_t)put;
        size -= (size_t)put;
    }
    return true;
}

/* The packed window at `place`, which becomes that of the next. A disk that gives back less than it
 * took ends the process, as it would if the file were mapped. */
static const uint8_t *read_window(const struct replay_script *script, uint64_t *place)
{
    struct replay_window_header head;
    if (!replay_read_at(script->spill, &head, sizeof head, *place) ||
        !replay_read_at(script->spill, script->packed, head.bytes, *place + sizeof head))
        abort();
    *place += sizeof head + head.bytes;
    return script->packed;
}

/* Where the window behind the one at `place` is. */
static uint64_t next_place(const struct replay_script *script, uint64_t place)
{
    struct replay_window_header head;
    if (!replay_read_at(script->spill, &head, sizeof head, place))
        abort();
    return place + sizeof head + head.bytes;
}

bool replay_script_next(const struct replay_script *script, struct replay_window *window)
{
    uint64_t first = window->first + window->count;
    uint64_t left = script->facts.ops - first;
    if (!left)
        return false;
    if (!script->facts.streamed) {
        const struct replay_op *ops = script->op_array.items;
        *window = (struct replay_window){ ops + first, first, left, 0, replay_wides(script),
            script->facts.align_log2 };
        return true;
    }
    uint64_t count = left < REPLAY_WINDOW_OPS ? left : REPLAY_WINDOW_OPS;
    replay_unpack_ops(script->window_ops, (size_t)count, read_window(script, &window->place));
    window->ops = script->window_ops;
    window->first = first;
    window->count = count;
    window->wides = replay_wides(script);
    window->align_log2 = script->facts.align_log2;
    return true;
}

struct replay_op replay_op_at(const struct replay_script *script, uint64_t index)
{
    uint64_t place = 0;
    if (!script->facts.streamed)
        return ((const struct replay_op *)script->op_array.items)[index];
    for (uint64_t window = index / REPLAY_WINDOW_OPS; window; window--)
        place = next_place(script, place);
    return replay_unpack_op(read_window(script, &place), (size_t)(index % REPLAY_WINDOW_OPS));
}
