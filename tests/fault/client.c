/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Fault injection: a client's whole work with its 1st request failing, then its 2nd, and so on
 * until a run asks for fewer; over every backend. After each failure the client and the allocator
 * are sound, and nothing stays allocated at the end.
 */
#include "fault/fault.h"
#include "fault/map.h"
#include "support/expect.h"

#include <acre/wrap.h>
#include <stdio.h>

enum { KEYS = 24, WORK = 60, ARENA = 1 << 16 };

struct job {
    struct fixture *fixture;
    struct acre_fault fault;
    struct map map;
    size_t lengths[KEYS]; /* what the map holds under each key, plus 1; 0: nothing */
    size_t failures;
};

static void assert_job_sound(struct job *job)
{
    struct acre_check_result found = acre_check(job->fixture->base);
    if (found.invariant != NULL)
        fail_msg("check: %s", found.invariant);
    struct acre_stats stats = acre_stats(job->fixture->base);
    assert_int_equal(stats.total, stats.metadata + stats.used + stats.available);
    assert_int_equal(stats.live_blocks, map_blocks(&job->map));
    assert_int_equal(
        stats.failed + job->fault.failed, acre_bytes_stats(acre_fault_bytes(&job->fault)).failed);
}

static void assert_map_as_expected(struct job *job)
{
    size_t count = 0;
    for (unsigned key = 0; key < KEYS; key++) {
        char name[16];
        snprintf(name, sizeof name, "key%u", key);
        const char *value = map_get(&job->map, name);
        assert_int_equal(value != NULL, job->lengths[key] != 0);
        if (value == NULL)
            continue;
        count++;
        assert_int_equal(strlen(value), job->lengths[key] - 1);
        assert_int_equal(strspn(value, (char[]){ (char)('a' + key), '\0' }), strlen(value));
    }
    assert_int_equal(count, job->map.count);
}

static void append(struct job *job, unsigned key, size_t length)
{
    char name[16];
    char text[256];
    snprintf(name, sizeof name, "key%u", key);
    memset(text, (int)('a' + key), length);
    text[length] = '\0';
    size_t refused = job->fault.failed;
    if (map_append(&job->map, name, text))
        job->lengths[key] += length + (job->lengths[key] == 0 ? 1 : 0);
    else
        job->failures++;
    assert_true(job->failures == 0 || job->fault.failed > 0);
    assert_true(job->fault.failed - refused <= 1);
}

static void take_out(struct job *job, unsigned key)
{
    char name[16];
    snprintf(name, sizeof name, "key%u", key);
    assert_int_equal(map_remove(&job->map, name), job->lengths[key] != 0);
    job->lengths[key] = 0;
}

static void work(struct job *job)
{
    map_open(&job->map, acre_fault_bytes(&job->fault));
    memset(job->lengths, 0, sizeof job->lengths);
    job->failures = 0;
    for (unsigned i = 0; i < WORK; i++) {
        append(job, i * 7 % KEYS, 5 + i * 13 % 200);
        assert_job_sound(job);
        assert_map_as_expected(job);
        if (i % 5 == 4)
            take_out(job, i % KEYS);
    }
    map_close(&job->map);
    assert_job_sound(job);
    assert_int_equal(acre_stats(job->fixture->base).used, 0);
}

static void open_job(struct job *job, struct fixture *fixture)
{
    memset(job, 0, sizeof *job);
    job->fixture = fixture;
    acre_fault_wrap(&job->fault, fixture->bytes);
    struct acre_base base = acre_bytes_base(acre_fault_bytes(&job->fault));
    assert_int_equal(acre_init(base, fixture->arena.base, fixture->arena.size), ACRE_OK);
}

static void each_request_fails_once(struct fixture *fixture)
{
    struct job job;
    open_job(&job, fixture);
    size_t nth = 0;
    do {
        acre_fault_nth(&job.fault, ++nth);
        work(&job);
        assert_int_equal(job.failures, job.fault.requests >= nth ? 1 : 0);
    } while (job.fault.requests >= nth);
    assert_true(nth > WORK);
}

static void every_kth_request_fails(struct fixture *fixture)
{
    struct job job;
    open_job(&job, fixture);
    for (size_t every = 1; every < 40; every++) {
        acre_fault_every(&job.fault, every);
        work(&job);
        assert_int_equal(job.failures, job.fault.requests / every);
    }
}

static void large_requests_fail(struct fixture *fixture)
{
    struct job job;
    open_job(&job, fixture);
    for (size_t least = 1; least < 400; least += 7) {
        acre_fault_sizes(&job.fault, least, SIZE_MAX);
        work(&job);
    }
}

/* Real exhaustion instead of injected: a pool too small for the work. */
static void memory_runs_out(struct fixture *fixture)
{
    struct job job;
    open_job(&job, fixture);
    size_t enough = fixture->backend->region_enough;
    size_t least = enough > 1024 ? enough : 1024;
    for (size_t size = least; size < least + 7168; size += 128) {
        assert_int_equal(acre_init(fixture->base, fixture->arena.base, size), ACRE_OK);
        map_open(&job.map, fixture->bytes);
        for (unsigned i = 0; i < WORK; i++) {
            char name[16];
            snprintf(name, sizeof name, "key%u", i * 7 % KEYS);
            map_append(&job.map, name, "some text of a certain length, again and again");
            assert_job_sound(&job);
        }
        map_close(&job.map);
        assert_int_equal(acre_stats(fixture->base).used, 0);
    }
}

const struct test_case fault_cases[] = {
    { "34: each request fails once", each_request_fails_once, ARENA, 0, NULL },
    { "34: every kth request fails", every_kth_request_fails, ARENA, 0, NULL },
    { "34: large requests fail", large_requests_fail, ARENA, 0, NULL },
    { "34: memory runs out", memory_runs_out, ARENA, 0, NULL },
    { NULL, NULL, 0, 0, NULL },
};
