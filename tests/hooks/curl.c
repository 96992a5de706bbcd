/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* libcurl with every block of its own from a pool: an address taken apart, a file transferred. */
#include "hooks/pool.h"

#include <acre/hooks/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { POOL = 4 << 20, SIZE = 50000 };

static char path[] = "/tmp/acre-hook-XXXXXX";

/* A file of SIZE bytes. */
static void write_file(void)
{
    int file = mkstemp(path);
    assert_true(file >= 0);
    for (int i = 0; i < SIZE / 10; i++)
        assert_int_equal(write(file, "0123456789", 10), 10);
    close(file);
}

static size_t on_data(char *data, size_t size, size_t count, void *user)
{
    for (size_t i = 0; i < size * count; i++)
        *(size_t *)user += (size_t)(data[i] - '0');
    return size * count;
}

/* The URL of the file, put together by libcurl; null: no memory. */
static char *make_url(void)
{
    char *text = NULL;
    CURLU *url = curl_url();
    if (url == NULL)
        return NULL;
    CURLUcode result = curl_url_set(url, CURLUPART_SCHEME, "file", 0);
    if (result == CURLUE_OK)
        result = curl_url_set(url, CURLUPART_PATH, path, 0);
    if (result == CURLUE_OK)
        result = curl_url_get(url, CURLUPART_URL, &text, 0);
    assert_true(result == CURLUE_OK || result == CURLUE_OUT_OF_MEMORY);
    curl_url_cleanup(url);
    return text;
}

static enum outcome transfer(CURL *curl, const char *url, struct curl_slist *list)
{
    size_t sum = 0;
    CURLcode result = curl_easy_setopt(curl, CURLOPT_URL, url);
    if (result == CURLE_OK)
        result = curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
    if (result == CURLE_OK)
        result = curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
    if (result == CURLE_OK)
        result = curl_easy_setopt(curl, CURLOPT_WRITEDATA, &sum);
    if (result == CURLE_OK)
        result = curl_easy_perform(curl);
    if (result != CURLE_OK) {
        assert_int_equal(result, CURLE_OUT_OF_MEMORY);
        return NO_MEMORY;
    }
    assert_int_equal(sum, SIZE / 10 * 45);
    return DONE;
}

static enum outcome use(const char *url)
{
    enum outcome outcome = NO_MEMORY;
    struct curl_slist *list = curl_slist_append(NULL, "X-Of-Its-Own: a header");
    CURL *curl = curl_easy_init();
    if (curl != NULL && list != NULL)
        outcome = transfer(curl, url, list);
    curl_easy_cleanup(curl);
    curl_slist_free_all(list);
    return outcome;
}

static enum outcome work(struct pool *pool)
{
    enum outcome outcome = NO_MEMORY;
    CURLcode result = acre_hook_curl_install(pool->bytes, CURL_GLOBAL_DEFAULT);
    if (result != CURLE_OK)
        return NO_MEMORY;
    char *url = make_url();
    if (url != NULL)
        outcome = use(url);
    curl_free(url);
    curl_global_cleanup();
    return outcome;
}

int main(void)
{
    static const struct pool_job job = { "transfers a file", work, POOL, 1 << 12 };
    write_file();
    int failed = pool_run_job("curl", &job);
    unlink(path);
    return failed;
}
