/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A wrapper of your own: a budget that limits how much one part of a program takes from a common
 * heap. All other verbs pass to the inner allocator; a complete budget would also override
 * dealloc_sized, resize and realloc.
 */
#include <acre/tlsf.h>
#include <acre/wrap/pass.h>

#include <stdio.h>

struct budget {
    struct acre_bytes inner; /* the first member */
    size_t left;             /* usable bytes that may still be allocated */
};

static struct acre_ptr budget_alloc(void *self, struct acre_layout layout)
{
    struct budget *budget = self;
    if (layout.size > budget->left)
        return (struct acre_ptr){ NULL, ACRE_NO_MEMORY };
    struct acre_ptr got = acre_pass_alloc(self, layout);
    size_t size = got.status == ACRE_OK ? acre_pass_usable_size(self, got.ptr).num : 0;
    budget->left -= size < budget->left ? size : budget->left;
    return got;
}

static enum acre_status budget_dealloc(void *self, void *ptr)
{
    struct budget *budget = self;
    size_t size = acre_pass_usable_size(self, ptr).num;
    enum acre_status status = acre_pass_dealloc(self, ptr);
    budget->left += status == ACRE_OK ? size : 0;
    return status;
}

ACRE_PASS_OPS(budget_ops, .alloc = budget_alloc, .dealloc = budget_dealloc);

static _Alignas(max_align_t) char memory[64 * 1024];
static struct acre_tlsf tlsf;

int main(void)
{
    if (acre_tlsf_init(&tlsf, memory, sizeof memory) != ACRE_OK)
        return 1;
    struct budget budget = { acre_tlsf_bytes(&tlsf), 10000 };
    struct acre_bytes heap = { &budget_ops, &budget };

    size_t count = 0;
    void *last = NULL;
    for (void *ptr; (ptr = acre_alloc(heap, acre_layout(1000, 1)).ptr) != NULL; count++)
        last = ptr;
    printf("%zu blocks within the budget, %zu bytes left\n", count, budget.left);
    if (count == 0 || count != 10000 / acre_usable_size(heap, last).num)
        return 1;
    return acre_dealloc(heap, last) == ACRE_OK && budget.left >= 1000 ? 0 : 1;
}
