/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * OpenSSL with every block from a pool: a digest, a cipher, a key made and used to sign. It takes
 * its memory functions once in a process and cannot start anew after its cleanup, so each test case
 * is a child process, which says by its exit code how it ended. Requests are refused once it is
 * initialised: the initialisation of OpenSSL 3.0 does not survive that everywhere.
 */
#include "hooks/pool.h"
#include "support/counts.h"

#include <acre/hooks/openssl.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { POOL = 8 << 20 };

/* How a child ended. */
enum { FINE, WRONG_RESULT, NO_INSTALL, NO_ERROR, NOT_SOUND, NOT_EMPTY };

static const unsigned char text[] = "a text of some length, to be digested, hidden and signed";

static bool digest(void)
{
    static const unsigned char abc[] = { 0xba, 0x78, 0x16, 0xbf };
    unsigned char sum[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool fine = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 &&
                EVP_DigestUpdate(context, "abc", 3) == 1 &&
                EVP_DigestFinal_ex(context, sum, NULL) == 1;
    EVP_MD_CTX_free(context);
    if (fine && memcmp(sum, abc, sizeof abc) != 0)
        exit_counted(WRONG_RESULT);
    return fine;
}

/* One way through a cipher; the bytes it made, or -1. */
static int cipher(int hide, const unsigned char *from, int length, unsigned char *to)
{
    static const unsigned char key[32] = "not much of a secret";
    int first = 0;
    int rest = 0;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    bool fine = context &&
                EVP_CipherInit_ex(context, EVP_aes_256_cbc(), NULL, key, key, hide) == 1 &&
                EVP_CipherUpdate(context, to, &first, from, length) == 1 &&
                EVP_CipherFinal_ex(context, to + first, &rest) == 1;
    EVP_CIPHER_CTX_free(context);
    return fine ? first + rest : -1;
}

static bool hide_and_show(void)
{
    unsigned char hidden[sizeof text + 32];
    unsigned char shown[sizeof text + 64];
    int length = cipher(1, text, sizeof text, hidden);
    if (length < 0)
        return false;
    length = cipher(0, hidden, length, shown);
    if (length >= 0 && (length != sizeof text || memcmp(shown, text, sizeof text) != 0))
        exit_counted(WRONG_RESULT);
    return length >= 0;
}

static bool sign_and_verify(EVP_PKEY *key)
{
    unsigned char signature[256];
    size_t length = sizeof signature;
    EVP_MD_CTX *signing = EVP_MD_CTX_new();
    EVP_MD_CTX *verifying = EVP_MD_CTX_new();
    bool fine = signing && verifying &&
                EVP_DigestSignInit(signing, NULL, EVP_sha256(), NULL, key) == 1 &&
                EVP_DigestSign(signing, signature, &length, text, sizeof text) == 1 &&
                EVP_DigestVerifyInit(verifying, NULL, EVP_sha256(), NULL, key) == 1 &&
                EVP_DigestVerify(verifying, signature, length, text, sizeof text) == 1;
    EVP_MD_CTX_free(signing);
    EVP_MD_CTX_free(verifying);
    return fine;
}

static bool make_key_and_sign(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    bool fine = key && sign_and_verify(key);
    EVP_PKEY_free(key);
    return fine;
}

static bool work(void)
{
    return digest() && hide_and_show() && make_key_and_sign();
}

/* Whether the errors since the last call have one that speaks of memory. */
static bool said_no_memory(void)
{
    bool said = false;
    for (unsigned long error = ERR_get_error(); error != 0; error = ERR_get_error())
        said |= ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE;
    return said;
}

static void demand(bool holds, int code)
{
    if (!holds)
        exit_counted(code);
}

/* Refuses each request in turn; work that goes right all the same is none the worse for it. */
static void refuse_each(struct pool *pool)
{
    size_t said = 0;
    for (size_t nth = 1;; nth++) {
        acre_fault_nth(&pool->fault, nth);
        bool fine = work();
        bool refused = pool->fault.requests >= nth;
        acre_fault_nth(&pool->fault, 0);
        if (!refused)
            break;
        said += !fine && said_no_memory();
        demand(acre_check(pool->base).invariant == NULL, NOT_SOUND);
    }
    demand(said > 0, NO_ERROR);
}

/* Work fails in a full pool, and goes on when there is room again. */
static void exhaust(struct pool *pool)
{
    void *taken = pool_take_all(pool);
    demand(!work(), NO_ERROR);
    ERR_clear_error();
    demand(BN_new() == NULL && said_no_memory(), NO_ERROR);
    pool_give_back(pool, taken);
}

/* OpenSSL's own macros over the hook: a size of 0 is no block, and null grows from nothing. */
static void allocate_directly(struct pool *pool)
{
    size_t before = acre_used_bytes(pool->bytes);
    demand(OPENSSL_malloc(0) == NULL, WRONG_RESULT);
    unsigned char *block = OPENSSL_realloc(NULL, 40);
    demand(block != NULL, WRONG_RESULT);
    memset(block, 7, 40);
    block = OPENSSL_realloc(block, 4000);
    demand(block != NULL && block[0] == 7 && block[39] == 7, WRONG_RESULT);
    OPENSSL_free(block);
    demand(acre_used_bytes(pool->bytes) == before, NOT_EMPTY);
}

/* In the child: runs no exit handler of the parent's. */
static _Noreturn void child(struct pool *pool, void (*test_case)(struct pool *))
{
    signal(SIGSEGV, SIG_DFL);
    demand(acre_hook_openssl_install(pool->bytes) == 1, NO_INSTALL);
    ERR_clear_error(); /* makes the queue, while there is memory for it */
    demand(work(), WRONG_RESULT);
    test_case(pool);
    demand(work(), WRONG_RESULT);
    OPENSSL_cleanup();
    demand(acre_check(pool->base).invariant == NULL, NOT_SOUND);
    demand(acre_used_bytes(pool->bytes) == 0, NOT_EMPTY);
    exit_counted(FINE);
}

static void run(const struct acre_backend *backend, void (*test_case)(struct pool *))
{
    struct pool pool;
    int status;
    assert_true(pool_open(&pool, backend, POOL));
    pid_t pid = fork();
    if (pid == 0)
        child(&pool, test_case);
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), FINE);
    pool_close(&pool);
}

static void digests_hides_signs(void **state)
{
    run(*state, allocate_directly);
}

static void each_request_refused(void **state)
{
    run(*state, refuse_each);
}

static void pool_exhausted(void **state)
{
    run(*state, exhaust);
}

/* Once OpenSSL has allocated by itself, it takes no other functions. */
static void too_late(void **state)
{
    struct pool pool;
    int status;
    assert_true(pool_open(&pool, *state, POOL));
    pid_t pid = fork();
    if (pid == 0) {
        OPENSSL_free(OPENSSL_malloc(10));
        exit_counted(acre_hook_openssl_install(pool.bytes) == 0 ? FINE : NO_INSTALL);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), FINE);
    pool_close(&pool);
}

int main(void)
{
    static const struct pool_case cases[] = {
        { "digests, hides, signs", digests_hides_signs },
        { "each request refused", each_request_refused },
        { "pool exhausted", pool_exhausted },
        { "too late to install", too_late },
    };
    return pool_run("openssl", cases, sizeof cases / sizeof cases[0]);
}
