/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The installed library acre-conformance over TLSF, described as a subject from outside. */
#include <acre/conformance.h>
#include <acre/tlsf.h>
#include <stdio.h>

static struct acre_bytes bind(void *self)
{
    return acre_tlsf_bytes(self);
}

static size_t slack(size_t usable)
{
    return usable - 1;
}

static bool tell(void *arg, const struct acre_rule_result *result)
{
    (void)arg;
    printf("%s: %s: %d %s\n", result->suite, result->rule, (int)result->outcome, result->text);
    return true;
}

int main(void)
{
    const struct acre_subject tlsf = { .abi = ACRE_SUBJECT_ABI,
        .name = "tlsf",
        .caps = ACRE_SUBJECT_CONTENTS | ACRE_SUBJECT_EXACT,
        .self_size = sizeof(struct acre_tlsf),
        .counters = { 1 + offsetof(struct acre_tlsf, failed) },
        .region_enough = 256,
        .arena_most = SIZE_MAX,
        .bind = bind,
        .slack = slack };
    struct acre_verify_options options = { .only = "alignment", .tell = tell };
    struct acre_verify_counts counts = acre_verify(&tlsf, &options);
    return counts.passed > 4 && counts.broken == 0 && counts.not_run == 0 ? 0 : 1;
}
