/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* nghttp2 with every block from a pool: a client and a server that talk to each other in memory. */
#include "hooks/pool.h"

#include <acre/hooks/nghttp2.h>
#include <stdio.h>

enum { POOL = 4 << 20, REQUESTS = 12 };

struct talk {
    nghttp2_session *client;
    nghttp2_session *server;
    int requests;  /* that the server got whole */
    int responses; /* that the client got whole */
    bool gave_up;  /* one of them for want of memory, and told the other */
};

static nghttp2_nv header(const char *name, const char *value)
{
    return (nghttp2_nv){ (uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name),
        strlen(value), NGHTTP2_NV_FLAG_NONE };
}

static int respond(nghttp2_session *server, int32_t stream)
{
    nghttp2_nv headers[] = { header(":status", "200"), header("server", "a pool") };
    return nghttp2_submit_response(server, stream, headers, 2, NULL);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct talk *talk = user;
    if (frame->hd.type == NGHTTP2_GOAWAY)
        talk->gave_up = frame->goaway.error_code == NGHTTP2_INTERNAL_ERROR;
    if (frame->hd.type != NGHTTP2_HEADERS)
        return 0;
    if (session != talk->server) {
        talk->responses++;
        return 0;
    }
    talk->requests++;
    int result = respond(session, frame->hd.stream_id);
    assert_true(result == 0 || result == NGHTTP2_ERR_NOMEM);
    return result == 0 ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

/* A failure here is for want of memory: of the session itself, or of the answer above. */
static bool failed(ssize_t result)
{
    assert_true(
        result >= 0 || result == NGHTTP2_ERR_NOMEM || result == NGHTTP2_ERR_CALLBACK_FAILURE);
    return result < 0;
}

/* Moves what one side has to say to the other; the bytes moved, or less than 0. */
static ssize_t carry(nghttp2_session *from, nghttp2_session *to)
{
    const uint8_t *data = NULL;
    ssize_t length = nghttp2_session_mem_send(from, &data);
    if (failed(length) || length == 0)
        return length;
    ssize_t taken = nghttp2_session_mem_recv(to, data, (size_t)length);
    if (!failed(taken))
        assert_int_equal(taken, length);
    return taken;
}

static bool submit(nghttp2_session *client, int number)
{
    char path[64];
    snprintf(path, sizeof path, "/a/path/with/number/%d", number);
    nghttp2_nv headers[] = { header(":method", "GET"), header(":scheme", "https"),
        header(":authority", "example.org"), header(":path", path), header("x-of-its-own", path) };
    return !failed(nghttp2_submit_request(client, NULL, headers, 5, NULL, NULL));
}

static enum outcome converse(struct talk *talk)
{
    if (failed(nghttp2_submit_settings(talk->client, NGHTTP2_FLAG_NONE, NULL, 0)) ||
        failed(nghttp2_submit_settings(talk->server, NGHTTP2_FLAG_NONE, NULL, 0)))
        return NO_MEMORY;
    for (int i = 0; i < REQUESTS; i++)
        if (!submit(talk->client, i))
            return NO_MEMORY;
    for (ssize_t there = 1, back = 1; there + back > 0;) {
        there = carry(talk->client, talk->server);
        back = there < 0 ? there : carry(talk->server, talk->client);
        if (back < 0)
            return NO_MEMORY;
    }
    if (talk->gave_up)
        return NO_MEMORY;
    assert_int_equal(talk->requests, REQUESTS);
    assert_int_equal(talk->responses, REQUESTS);
    return DONE;
}

static enum outcome talk(struct pool *pool, const nghttp2_session_callbacks *callbacks)
{
    nghttp2_mem memory = acre_hook_nghttp2_memory(&pool->bytes);
    struct talk talk = { NULL, NULL, 0, 0, false };
    enum outcome outcome = NO_MEMORY;
    if (!failed(nghttp2_session_client_new3(&talk.client, callbacks, &talk, NULL, &memory)) &&
        !failed(nghttp2_session_server_new3(&talk.server, callbacks, &talk, NULL, &memory)))
        outcome = converse(&talk);
    nghttp2_session_del(talk.client);
    nghttp2_session_del(talk.server);
    return outcome;
}

static enum outcome work(struct pool *pool)
{
    nghttp2_session_callbacks *callbacks; /* on malloc: nghttp2 has no other way */
    assert_int_equal(nghttp2_session_callbacks_new(&callbacks), 0);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    enum outcome outcome = talk(pool, callbacks);
    nghttp2_session_callbacks_del(callbacks);
    return outcome;
}

int main(void)
{
    static const struct pool_job job = { "client and server talk", work, POOL, 1 << 12 };
    return pool_run_job("nghttp2", &job);
}
