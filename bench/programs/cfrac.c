/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A program that lives off malloc as the classic cfrac does: it expands the square root of a large
 * number into a continued fraction, the heart of the factoring method of Morrison and Brillhart
 * (1975), in numbers of a few dozen bytes, each of them a block of its own that dies young.
 * usage: cfrac [STEPS]    prints a checksum; every step is proven by the identity A*A = +-Q (mod N)
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A natural number in digits of 16 bits, the lowest first, without leading zeros. */
struct num {
    size_t count;
    uint16_t digit[];
};

static struct num *make(size_t count)
{
    struct num *num = calloc(1, sizeof *num + count * sizeof *num->digit);
    if (num == NULL)
        exit(1);
    num->count = count;
    return num;
}

static struct num *trim(struct num *num)
{
    while (num->count > 0 && num->digit[num->count - 1] == 0)
        num->count--;
    return num;
}

static struct num *of(uint32_t value)
{
    struct num *num = make(2);
    num->digit[0] = (uint16_t)value;
    num->digit[1] = (uint16_t)(value >> 16);
    return trim(num);
}

static int compare(const struct num *a, const struct num *b)
{
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    for (size_t i = a->count; i-- > 0;)
        if (a->digit[i] != b->digit[i])
            return a->digit[i] < b->digit[i] ? -1 : 1;
    return 0;
}

static struct num *add(const struct num *a, const struct num *b)
{
    size_t count = (a->count > b->count ? a->count : b->count) + 1;
    struct num *sum = make(count);
    uint32_t carry = 0;
    for (size_t i = 0; i < count; i++) {
        carry += (i < a->count ? a->digit[i] : 0u) + (i < b->count ? b->digit[i] : 0u);
        sum->digit[i] = (uint16_t)carry;
        carry >>= 16;
    }
    return trim(sum);
}

/* a - b, where a is not the lesser. */
static struct num *subtract(const struct num *a, const struct num *b)
{
    struct num *difference = make(a->count);
    int32_t borrow = 0;
    for (size_t i = 0; i < a->count; i++) {
        borrow += a->digit[i] - (i < b->count ? b->digit[i] : 0);
        difference->digit[i] = (uint16_t)borrow;
        borrow >>= 16;
    }
    return trim(difference);
}

static struct num *multiply(const struct num *a, const struct num *b)
{
    struct num *product = make(a->count + b->count);
    for (size_t i = 0; i < a->count; i++) {
        uint32_t carry = 0;
        for (size_t j = 0; j < b->count; j++) {
            carry += product->digit[i + j] + (uint32_t)a->digit[i] * b->digit[j];
            product->digit[i + j] = (uint16_t)carry;
            carry >>= 16;
        }
        product->digit[i + b->count] = (uint16_t)carry;
    }
    return trim(product);
}

/* rest = rest * 2 + bit, in place; there is room for it. */
static void shift_in(struct num *rest, unsigned bit)
{
    for (size_t i = 0; i < rest->count; i++) {
        unsigned next = rest->digit[i] >> 15;
        rest->digit[i] = (uint16_t)((unsigned)rest->digit[i] << 1 | bit);
        bit = next;
    }
    if (bit != 0)
        rest->digit[rest->count++] = 1;
}

/* Bit by bit, with a block for every subtraction that succeeds. @return the quotient. */
static struct num *divide(const struct num *a, const struct num *b, struct num **rest)
{
    struct num *quotient = make(a->count);
    struct num *left = make(b->count + 1);
    left->count = 0;
    for (size_t i = a->count * 16; i-- > 0;) {
        shift_in(left, a->digit[i / 16] >> (i % 16) & 1u);
        if (compare(left, b) < 0)
            continue;
        struct num *less = subtract(left, b);
        memcpy(left->digit, less->digit, less->count * sizeof *less->digit);
        left->count = less->count;
        free(less);
        quotient->digit[i / 16] |= (uint16_t)(1u << (i % 16));
    }
    *rest = left;
    return trim(quotient);
}

static struct num *remainder_of(struct num *a, const struct num *b)
{
    struct num *rest;
    free(divide(a, b, &rest));
    free(a);
    return rest;
}

static void replace(struct num **num, struct num *by)
{
    free(*num);
    *num = by;
}

/* The root of n, rounded down, by Newton's method from above. */
static struct num *root_of(const struct num *n)
{
    struct num *two = of(2);
    struct num *root = make(n->count / 2 + 2);
    root->digit[root->count - 1] = 1;
    for (;;) {
        struct num *rest;
        struct num *quotient = divide(n, root, &rest);
        struct num *sum = add(root, quotient);
        free(rest);
        free(quotient);
        struct num *next = divide(sum, two, &rest);
        free(rest);
        free(sum);
        if (compare(next, root) >= 0) {
            free(next);
            free(two);
            return root;
        }
        replace(&root, next);
    }
}

/* Whether square = q or square = n - q. */
static int is_plus_or_minus(const struct num *square, const struct num *q, const struct num *n)
{
    struct num *minus = subtract(n, q);
    int is = compare(square, q) == 0 || compare(square, minus) == 0;
    free(minus);
    return is;
}

struct expansion {
    struct num *n, *root;
    struct num *p, *q;        /* The complete quotient is (root of n + p) / q. */
    struct num *above, *last; /* Numerators of the convergents, modulo n. */
};

static void step(struct expansion *e)
{
    struct num *rest;
    struct num *sum = add(e->root, e->p);
    struct num *a = divide(sum, e->q, &rest);
    free(sum);
    struct num *product = multiply(a, e->above);
    struct num *numerator = add(product, e->last);
    replace(&e->last, e->above);
    e->above = remainder_of(numerator, e->n);
    replace(&e->p, subtract(e->root, rest));
    free(rest);
    free(product);
    free(a);
    struct num *square = multiply(e->p, e->p);
    struct num *top = subtract(e->n, square);
    replace(&e->q, divide(top, e->q, &rest));
    free(rest);
    free(square);
    free(top);
}

static void verify(const struct expansion *e)
{
    struct num *square = remainder_of(multiply(e->above, e->above), e->n);
    if (!is_plus_or_minus(square, e->q, e->n)) {
        fputs("cfrac: A * A is not Q\n", stderr);
        exit(1);
    }
    free(square);
}

static struct num *parse(const char *text)
{
    struct num *num = of(0);
    struct num *ten = of(10);
    for (; *text != '\0'; text++) {
        struct num *times = multiply(num, ten);
        struct num *digit = of((uint32_t)(*text - '0'));
        replace(&num, add(times, digit));
        free(times);
        free(digit);
    }
    free(ten);
    return num;
}

int main(int count, char **arguments)
{
    long steps = count > 1 ? strtol(arguments[1], NULL, 10) : 4000;
    struct expansion e = { .n = parse("3707030275882252342412325295197136712092001") };
    uint32_t sum = 0;
    e.root = root_of(e.n);
    e.p = of(0);
    e.q = of(1);
    e.above = of(1);
    e.last = of(0);
    for (long i = 0; i < steps; i++) {
        step(&e);
        verify(&e);
        sum = sum * 31 + e.q->digit[0];
    }
    printf("%ld steps, checksum %08x\n", steps, sum);
    struct num *all[] = { e.n, e.root, e.p, e.q, e.above, e.last };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    return 0;
}
