/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The handler of exhaustion, the same way for every allocator that has one. */
#include <acre/buddy.h>
#include <acre/heap.h>
#include <acre/slab.h>
#include <acre/tlsf_quick.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { REGION = 256 * 1024, LARGE = 100 * 1024 };

static _Alignas(REGION) unsigned char memory[2][REGION];

static struct acre_tlsf tlsf;
static struct acre_tlsf_quick quick;
static struct acre_slab slab;
static struct acre_buddy buddy;
static struct acre_heap_tlsf heap;

typedef void set_fn(void *self, acre_exhausted_fn *handler, void *arg);

static void set_tlsf(void *self, acre_exhausted_fn *handler, void *arg)
{
    acre_tlsf_set_on_exhausted(self, handler, arg);
}

static void set_quick(void *self, acre_exhausted_fn *handler, void *arg)
{
    acre_tlsf_quick_set_on_exhausted(self, handler, arg);
}

static void set_slab(void *self, acre_exhausted_fn *handler, void *arg)
{
    acre_slab_set_on_exhausted(self, handler, arg);
}

static void set_buddy(void *self, acre_exhausted_fn *handler, void *arg)
{
    acre_buddy_set_on_exhausted(self, handler, arg);
}

static void set_heap(void *self, acre_exhausted_fn *handler, void *arg)
{
    acre_heap_set_on_exhausted(self, handler, arg);
}

static struct acre_bytes bytes;
static set_fn *set_handler;

static struct {
    size_t calls;
    size_t yes;    /* calls to answer with true */
    void *block;   /* freed at the first call, if not null */
    bool add;      /* add the second region at the first call */
    bool again;    /* put the handler in place again */
    bool unset;    /* take the handler out for good */
    size_t nested; /* requests of the handler that were refused */
} script;

static bool handle(void *arg, struct acre_layout layout)
{
    assert_ptr_equal(arg, &script);
    assert_int_equal(layout.size, LARGE);
    if (++script.calls > 20)
        return false;
    if (script.block != NULL)
        assert_int_equal(acre_dealloc(bytes, script.block), ACRE_OK);
    script.block = NULL;
    if (script.add)
        assert_int_equal(acre_add_memory(acre_bytes_base(bytes), memory[1], REGION), ACRE_OK);
    script.add = false;
    if (script.unset)
        set_handler(bytes.self, NULL, NULL);
    if (script.again && script.calls == 1)
        set_handler(bytes.self, handle, &script);
    struct acre_ptr own = acre_alloc(bytes, layout);
    script.nested += own.status == ACRE_NO_MEMORY;
    if (own.status == ACRE_OK)
        assert_int_equal(acre_dealloc(bytes, own.ptr), ACRE_OK);
    return script.calls <= script.yes;
}

static void make(struct acre_bytes of, set_fn *set)
{
    bytes = of;
    set_handler = set;
    memset(&script, 0, sizeof script);
    assert_int_equal(acre_init(acre_bytes_base(bytes), memory[0], REGION), ACRE_OK);
    set_handler(bytes.self, handle, &script);
}

static struct acre_ptr request(void)
{
    struct acre_ptr got = acre_alloc(bytes, acre_layout(LARGE, 1));
    assert_null(acre_check(acre_bytes_base(bytes)).invariant);
    return got;
}

static size_t failed(void)
{
    return acre_stats(acre_bytes_base(bytes)).failed;
}

/* Uses the allocator up, and returns the last block of it. */
static void *use_up(void)
{
    void *last = NULL;
    void *block = acre_alloc(bytes, acre_layout(LARGE, 1)).ptr;
    for (; block != NULL; block = acre_alloc(bytes, acre_layout(LARGE, 1)).ptr)
        last = block;
    assert_non_null(last);
    memset(&script, 0, sizeof script);
    return last;
}

static void refusals_are_counted_once(void)
{
    use_up();
    size_t before = failed();
    assert_int_equal(request().status, ACRE_NO_MEMORY);
    assert_int_equal(script.calls, 1);
    assert_int_equal(script.nested, 1);
    assert_int_equal(failed(), before + 2);
}

static void retries_are_bounded(void)
{
    use_up();
    size_t before = failed();
    script.yes = SIZE_MAX;
    assert_int_equal(request().status, ACRE_NO_MEMORY);
    assert_int_equal(script.calls, ACRE_EXHAUSTED_RETRIES);
    assert_int_equal(failed(), before + 1 + script.nested);
}

static void the_handler_may_add_memory(void)
{
    use_up();
    size_t before = failed();
    script.add = true;
    script.yes = 1;
    assert_int_equal(request().status, ACRE_OK);
    assert_int_equal(script.calls, 1);
    assert_int_equal(script.nested, 0);
    assert_int_equal(failed(), before);
}

static void the_handler_may_free(void)
{
    script.block = use_up();
    script.yes = 1;
    assert_int_equal(request().status, ACRE_OK);
    assert_int_equal(script.calls, 1);
}

static void the_handler_may_go(void)
{
    use_up();
    script.unset = true;
    script.yes = SIZE_MAX;
    assert_int_equal(request().status, ACRE_NO_MEMORY);
    assert_int_equal(request().status, ACRE_NO_MEMORY);
    assert_int_equal(script.calls, 1);
}

static void the_handler_may_be_put_back(void)
{
    use_up();
    script.again = true;
    assert_int_equal(request().status, ACRE_NO_MEMORY);
    assert_int_equal(script.nested, script.calls);
}

static void each_case(struct acre_bytes of, set_fn *set)
{
    static void (*const cases[])(void) = { refusals_are_counted_once, retries_are_bounded,
        the_handler_may_add_memory, the_handler_may_free, the_handler_may_go,
        the_handler_may_be_put_back };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make(of, set);
        cases[i]();
    }
}

static void tlsf_calls_it(void **state)
{
    (void)state;
    each_case(acre_tlsf_bytes(&tlsf), set_tlsf);
}

static void tlsf_quick_calls_it(void **state)
{
    (void)state;
    each_case(acre_tlsf_quick_bytes(&quick), set_quick);
}

static void slab_calls_it(void **state)
{
    (void)state;
    assert_int_equal(acre_slab_setup(&slab, 1024), ACRE_OK);
    each_case(acre_slab_bytes(&slab), set_slab);
}

static void buddy_calls_it(void **state)
{
    (void)state;
    assert_int_equal(acre_buddy_setup(&buddy, ACRE_BUDDY_SMALLEST), ACRE_OK);
    each_case(acre_buddy_bytes(&buddy), set_buddy);
}

static void heap_calls_it(void **state)
{
    (void)state;
    assert_int_equal(acre_heap_tlsf_setup(&heap, 1024), ACRE_OK);
    each_case(acre_heap_bytes(&heap.heap), set_heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tlsf_calls_it),
        cmocka_unit_test(tlsf_quick_calls_it),
        cmocka_unit_test(slab_calls_it),
        cmocka_unit_test(buddy_calls_it),
        cmocka_unit_test(heap_calls_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
