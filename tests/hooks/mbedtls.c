/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * mbedTLS with every block from a pool: large numbers, a keyed hash, a point on a curve.
 *
 * Debian's library is built without MBEDTLS_PLATFORM_MEMORY, so it calls calloc and free. Its
 * static archive is linked here with both bound to the functions that the hook installs, through a
 * mbedtls_platform_set_calloc_free that stands for the one it leaves out.
 */
#include "hooks/pool.h"

#include <acre/hooks/mbedtls.h>
#include <mbedtls/bignum.h>
#include <mbedtls/ecp.h>
#include <mbedtls/md.h>

enum { POOL = 4 << 20 };

void *__real_calloc(size_t count, size_t size);
void __real_free(void *ptr);
void *__wrap_calloc(size_t count, size_t size);
void __wrap_free(void *ptr);

static void *(*installed_calloc)(size_t, size_t) = __real_calloc;
static void (*installed_free)(void *) = __real_free;
static bool working;

void *__wrap_calloc(size_t count, size_t size)
{
    return working ? installed_calloc(count, size) : __real_calloc(count, size);
}

void __wrap_free(void *ptr)
{
    if (working)
        installed_free(ptr);
    else
        __real_free(ptr);
}

int mbedtls_platform_set_calloc_free(
    void *(*calloc_function)(size_t, size_t), void (*free_function)(void *))
{
    installed_calloc = calloc_function;
    installed_free = free_function;
    return 0;
}

/* By Fermat: a to the power of p - 1 is 1 modulo a prime p. (The power of mbedTLS 2.28 answers 0,
 * and leaves nothing in x, for some requests refused.) */
static int use_numbers(void)
{
    static const char prime[] = "170141183460469231731687303715884105727";
    mbedtls_mpi p, e, a, x;
    mbedtls_mpi_init(&p);
    mbedtls_mpi_init(&e);
    mbedtls_mpi_init(&a);
    mbedtls_mpi_init(&x);
    int result = mbedtls_mpi_read_string(&p, 10, prime);
    if (result == 0)
        result = mbedtls_mpi_read_string(&a, 16, "123456789abcdef0123456789");
    if (result == 0)
        result = mbedtls_mpi_sub_int(&e, &p, 1);
    if (result == 0)
        result = mbedtls_mpi_exp_mod(&x, &a, &e, &p, NULL);
    if (result == 0 && x.n == 0)
        result = MBEDTLS_ERR_MPI_ALLOC_FAILED;
    if (result == 0)
        assert_int_equal(mbedtls_mpi_cmp_int(&x, 1), 0);
    mbedtls_mpi_free(&p);
    mbedtls_mpi_free(&e);
    mbedtls_mpi_free(&a);
    mbedtls_mpi_free(&x);
    assert_true(result == 0 || result == MBEDTLS_ERR_MPI_ALLOC_FAILED);
    return result;
}

/* RFC 4231, test case 2. */
static int use_hash(void)
{
    static const unsigned char first[] = { 0x5b, 0xdc, 0xc1, 0x46 };
    static const char text[] = "what do ya want for nothing?";
    unsigned char sum[32];
    int result = mbedtls_md_hmac(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256),
        (const unsigned char *)"Jefe", 4, (const unsigned char *)text, strlen(text), sum);
    assert_true(result == 0 || result == MBEDTLS_ERR_MD_ALLOC_FAILED);
    if (result == 0)
        assert_memory_equal(sum, first, sizeof first);
    return result;
}

/* Whether the generator lies on its curve. */
static int use_curve(void)
{
    mbedtls_ecp_group group;
    mbedtls_ecp_group_init(&group);
    int result = mbedtls_ecp_group_load(&group, MBEDTLS_ECP_DP_SECP256R1);
    if (result == 0)
        result = mbedtls_ecp_check_pubkey(&group, &group.G);
    mbedtls_ecp_group_free(&group);
    assert_true(result == 0 || result == MBEDTLS_ERR_MPI_ALLOC_FAILED);
    return result;
}

/* The generator, times the order of the group minus one, is the generator mirrored. */
static int multiply(void)
{
    mbedtls_ecp_group group;
    mbedtls_ecp_point point;
    mbedtls_mpi times;
    mbedtls_ecp_group_init(&group);
    mbedtls_ecp_point_init(&point);
    mbedtls_mpi_init(&times);
    int result = mbedtls_ecp_group_load(&group, MBEDTLS_ECP_DP_SECP256R1);
    if (result == 0)
        result = mbedtls_mpi_sub_int(&times, &group.N, 1);
    if (result == 0)
        result = mbedtls_ecp_mul(&group, &point, &times, &group.G, NULL, NULL);
    if (result == 0)
        assert_int_equal(mbedtls_mpi_cmp_mpi(&point.X, &group.G.X), 0);
    mbedtls_mpi_free(&times);
    mbedtls_ecp_point_free(&point);
    mbedtls_ecp_group_free(&group);
    assert_true(result == 0 || result == MBEDTLS_ERR_MPI_ALLOC_FAILED ||
                result == MBEDTLS_ERR_ECP_ALLOC_FAILED || result == MBEDTLS_ERR_MD_ALLOC_FAILED);
    return result;
}

static enum outcome run(struct pool *pool, bool with_multiplication)
{
    assert_int_equal(acre_hook_mbedtls_install(pool->bytes), 0);
    working = true;
    bool fine = use_numbers() == 0 && use_hash() == 0 && use_curve() == 0 &&
                (!with_multiplication || multiply() == 0);
    working = false;
    return fine ? DONE : NO_MEMORY;
}

static enum outcome work(struct pool *pool)
{
    return run(pool, false);
}

static enum outcome long_work(struct pool *pool)
{
    return run(pool, true);
}

static void numbers_hash_curve(void **state)
{
    pool_does(*state, POOL, long_work);
}

static void each_request_refused(void **state)
{
    pool_refuses_each(*state, POOL, SIZE_MAX, work);
}

static void pools_too_small(void **state)
{
    pool_grows(*state, 1 << 11, POOL, long_work);
}

int main(void)
{
    static const struct pool_case cases[] = {
        { "numbers, a hash, a curve", numbers_hash_curve },
        { "each request refused", each_request_refused },
        { "pools too small", pools_too_small },
    };
    return pool_run("mbedtls", cases, sizeof cases / sizeof cases[0]);
}
