/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * libuv with every block from a pool: a pipe, a timer, files, the environment, worker threads. It
 * aborts when the table of what a loop watches cannot grow; so memory runs out once the loop
 * watches what it is to watch.
 */
#include "hooks/pool.h"

#include <acre/hooks/libuv.h>
#include <acre/lock_pthread.h>
#include <acre/wrap/locked.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { POOL = 4 << 20, PIECES = 8, FEW_PIECES = 4, PIECE = 5, LINKS = 20 };

#define TARGET "where it points"

/* A loop with both ends of a pipe. */
struct job {
    uv_loop_t loop;
    uv_pipe_t reader;
    uv_pipe_t writer;
    uv_timer_t timer;
    ssize_t got; /* bytes read */
};

static void on_room(uv_handle_t *reader, size_t suggested, uv_buf_t *room)
{
    static char text[100];
    (void)reader;
    (void)suggested;
    *room = uv_buf_init(text, sizeof text);
}

static void on_data(uv_stream_t *reader, ssize_t length, const uv_buf_t *data)
{
    struct job *job = reader->data;
    (void)data;
    assert_true(length >= 0);
    job->got += length;
}

static void open_job(struct job *job)
{
    uv_file ends[2];
    *job = (struct job){ .reader.data = job };
    assert_int_equal(uv_loop_init(&job->loop), 0);
    assert_int_equal(uv_pipe(ends, UV_NONBLOCK_PIPE, UV_NONBLOCK_PIPE), 0);
    uv_pipe_init(&job->loop, &job->reader, 0);
    uv_pipe_init(&job->loop, &job->writer, 0);
    uv_timer_init(&job->loop, &job->timer);
    job->reader.data = job;
    assert_int_equal(uv_pipe_open(&job->reader, ends[0]), 0);
    assert_int_equal(uv_pipe_open(&job->writer, ends[1]), 0);
    assert_int_equal(uv_read_start((uv_stream_t *)&job->reader, on_room, on_data), 0);
    uv_run(&job->loop, UV_RUN_NOWAIT);
}

static void close_job(struct job *job)
{
    uv_close((uv_handle_t *)&job->reader, NULL);
    uv_close((uv_handle_t *)&job->writer, NULL);
    uv_close((uv_handle_t *)&job->timer, NULL);
    assert_int_equal(uv_run(&job->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&job->loop), 0);
}

/* The result of a call that may find no memory. */
static bool failed(int result)
{
    assert_true(result >= 0 || result == UV_ENOMEM);
    return result < 0;
}

static void on_timer(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

static void on_written(uv_write_t *write, int status)
{
    (void)write;
    assert_int_equal(status, 0);
}

static void make_pieces(uv_buf_t *pieces, unsigned count)
{
    static char text[PIECE] = "12345";
    for (unsigned i = 0; i < count; i++)
        pieces[i] = uv_buf_init(text, PIECE);
}

/* Writes to the pipe and reads it, for which no memory is needed: a request has room for a few
 * pieces. (For more, libuv 1.44 takes memory, and never ends the loop when it gets none.) */
static void use_pipe(struct job *job)
{
    uv_write_t request;
    uv_buf_t pieces[FEW_PIECES];
    make_pieces(pieces, FEW_PIECES);
    assert_int_equal(
        uv_write(&request, (uv_stream_t *)&job->writer, pieces, FEW_PIECES, on_written), 0);
    job->got = 0;
    uv_timer_start(&job->timer, on_timer, 1, 0);
    uv_run(&job->loop, UV_RUN_DEFAULT);
    assert_int_equal(job->got, FEW_PIECES * PIECE);
}

/* Writes a file of many pieces at once. */
static bool write_file(uv_loop_t *loop, const char *name)
{
    uv_fs_t request;
    uv_buf_t pieces[PIECES];
    make_pieces(pieces, PIECES);
    uv_file file = uv_fs_open(loop, &request, name, O_CREAT | O_WRONLY, 0600, NULL);
    uv_fs_req_cleanup(&request);
    if (failed(file))
        return false;
    int written = uv_fs_write(loop, &request, file, pieces, PIECES, -1, NULL);
    uv_fs_req_cleanup(&request);
    uv_fs_close(loop, &request, file, NULL);
    if (failed(written))
        return false;
    assert_int_equal(written, PIECES * PIECE);
    return true;
}

static bool read_link(uv_loop_t *loop, const char *name)
{
    uv_fs_t request;
    bool fine = !failed(uv_fs_readlink(loop, &request, name, NULL));
    if (fine)
        assert_string_equal(request.ptr, TARGET);
    uv_fs_req_cleanup(&request);
    return fine;
}

/* In a folder made for it. */
static bool use_files(uv_loop_t *loop)
{
    char folder[] = "/tmp/acre-hook-XXXXXX";
    char file[80];
    char link[80];
    assert_non_null(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/file", folder);
    snprintf(link, sizeof link, "%s/link", folder);
    assert_int_equal(symlink(TARGET, link), 0);
    bool fine = write_file(loop, file);
    fine &= read_link(loop, link);
    unlink(file);
    unlink(link);
    rmdir(folder);
    return fine;
}

static void use_environment(void)
{
    uv_env_item_t *items;
    int count;
    assert_int_equal(uv_os_environ(&items, &count), 0);
    assert_true(count > 0);
    uv_os_free_environ(items, count);
}

static enum outcome work(struct pool *pool)
{
    struct job job;
    size_t nth = pool->fault.nth;
    acre_fault_nth(&pool->fault, 0);
    assert_int_equal(acre_hook_libuv_install(pool->bytes), 0);
    open_job(&job);
    acre_fault_nth(&pool->fault, nth);
    use_pipe(&job);
    bool fine = use_files(&job.loop);
    close_job(&job);
    return fine ? DONE : NO_MEMORY;
}

static enum outcome exhaust(struct pool *pool)
{
    struct job job;
    assert_int_equal(acre_hook_libuv_install(pool->bytes), 0);
    open_job(&job);
    void *taken = pool_take_all(pool);
    use_pipe(&job);
    assert_false(use_files(&job.loop));
    pool_give_back(pool, taken);
    assert_true(use_files(&job.loop));
    use_environment();
    close_job(&job);
    return DONE;
}

static void on_path(uv_fs_t *request)
{
    assert_int_equal(request->result, 0);
    assert_string_equal(request->ptr, TARGET);
    uv_fs_req_cleanup(request);
}

/* Worker threads take memory as the loop's own does: the handle is a locked one. */
static void worker_threads(void **state)
{
    struct pool pool;
    struct acre_locked locked;
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    uv_loop_t loop;
    uv_fs_t requests[LINKS];
    char link[] = "/tmp/acre-hook-XXXXXX";
    assert_int_equal(close(mkstemp(link)), 0);
    unlink(link);
    assert_int_equal(symlink(TARGET, link), 0);
    assert_true(pool_open(&pool, *state, POOL));
    acre_locked_wrap(&locked, pool.bytes, acre_locker_pthread(&mutex));
    assert_int_equal(acre_hook_libuv_install(acre_locked_bytes(&locked)), 0);
    assert_int_equal(uv_loop_init(&loop), 0);
    for (int i = 0; i < LINKS; i++)
        assert_int_equal(uv_fs_readlink(&loop, &requests[i], link, on_path), 0);
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&loop), 0);
    unlink(link);
    pool_assert_empty(&pool);
    pool_close(&pool);
}

static void loops_and_files(void **state)
{
    pool_does(*state, POOL, work);
}

static void each_request_refused(void **state)
{
    pool_refuses_each(*state, POOL, SIZE_MAX, work);
}

static void pool_exhausted(void **state)
{
    pool_does(*state, POOL, exhaust);
}

int main(void)
{
    static const struct pool_case cases[] = {
        { "a pipe, files, the environment", loops_and_files },
        { "each request refused", each_request_refused },
        { "pool exhausted", pool_exhausted },
        { "worker threads", worker_threads },
    };
    return pool_run("libuv", cases, sizeof cases / sizeof cases[0]);
}
