/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "support/ops_decode.h"

/* Verbs by weight: a byte below `limit` names the first row it fits. The first rows are good calls
 * in all but a few cases, so that deep states are reached; bad ones come from the pointers, sizes
 * and alignments below. */
static const struct {
    unsigned limit;
    enum op_verb verb;
} weights[] = {
    { 104, OP_ALLOC },
    { 172, OP_FREE },
    { 192, OP_REALLOC },
    { 210, OP_RESIZE },
    { 228, OP_FREE_SIZED },
    { 236, OP_USABLE },
    { 246, OP_ADD },
    { 254, OP_REMOVE },
    { 255, OP_RESET },
    { 256, OP_INIT },
};

static unsigned next_byte(struct ops_reader *reader)
{
    if (reader->left == 0)
        return 0;
    reader->left--;
    return *reader->bytes++;
}

static unsigned next_pair(struct ops_reader *reader)
{
    unsigned low = next_byte(reader);
    return low | next_byte(reader) << 8;
}

static enum op_verb verb_of(unsigned byte)
{
    size_t row = 0;
    while (byte >= weights[row].limit)
        row++;
    return weights[row].verb;
}

/* A distance that is 0 in most cases, else small or any 16-bit number. */
static int64_t decode_offset(struct ops_reader *reader, unsigned byte)
{
    if (byte < 216)
        return 0;
    if (byte < 240)
        return (int64_t)(byte - 216) * 2 - 24;
    return (int64_t)next_pair(reader) - 0x8000;
}

/* Slots in nine cases of ten; the rest are regions, the arena and wild addresses. */
static void decode_ptr(struct ops_reader *reader, struct op *op)
{
    unsigned place = next_byte(reader);
    op->index = place % OP_SLOTS;
    op->place = PLACE_SLOT;
    if (op->verb == OP_ALLOC)
        return;
    unsigned backend = next_byte(reader);
    if (backend >= 232)
        op->place = backend < 240 ? PLACE_REGION : backend < 248 ? PLACE_ARENA : PLACE_WILD;
    op->offset =
        op->place == PLACE_ARENA ? (int64_t)next_pair(reader) : decode_offset(reader, backend);
}

/* Sizes: 0..63, uniform in the logarithm up to 16 KiB, around powers of two, and the odd ones. */
static void decode_size(struct ops_reader *reader, struct op *op)
{
    unsigned byte = next_byte(reader);
    unsigned low = next_byte(reader);
    op->base = BASE_ZERO;
    if (byte < 64) {
        op->size = low % 64;
    } else if (byte < 208) {
        op->size = (int64_t)((1u << (4 + byte % 8)) + low * (1u << (byte % 8)) / 16);
    } else if (byte < 224) {
        op->size = ((int64_t)1 << low % 62) + (int64_t)(byte % 4) - 2;
        op->size = op->size < 0 ? 0 : op->size;
    } else if (byte < 232) {
        op->base = BASE_MAX;
        op->size = -(int64_t)low * (byte % 8 + 1);
    } else {
        op->base = byte < 240 ? BASE_LARGEST : byte < 248 ? BASE_USABLE : BASE_ASKED;
        op->size = (int64_t)(low % 64) - 32;
        op->size = low < 128 ? (int64_t)(low % 4) - 1 : op->size;
    }
}

/* Natural in most cases, else any power of two, and a few that are none. */
static void decode_align(struct ops_reader *reader, struct op *op)
{
    unsigned byte = next_byte(reader);
    if (byte < 176)
        op->align = (uint64_t)1 << byte % 5;
    else if (byte < 240)
        op->align = (uint64_t)1 << byte % 14;
    else if (byte < 250)
        op->align = (uint64_t)1 << (byte % 2 ? 63 : 31) >> next_byte(reader) % 32;
    else
        op->align = next_byte(reader) * 3u;
}

static void decode_range(struct ops_reader *reader, struct op *op)
{
    unsigned backend = next_byte(reader);
    op->place = backend < 240 ? PLACE_ARENA : backend < 248 ? PLACE_REGION : PLACE_WILD;
    op->index = backend % 8;
    op->offset = next_pair(reader);
    if (backend < 160)
        op->offset &= ~(int64_t)0xff;
    op->base = BASE_ZERO;
    op->size = next_pair(reader) >> backend % 4;
    if (backend % 32 == 31) {
        op->base = BASE_MAX;
        op->size = -op->size;
    }
}

static void decode_remove(struct ops_reader *reader, struct op *op)
{
    unsigned backend = next_byte(reader);
    op->place = PLACE_REGION;
    op->index = backend % 8;
    op->offset = backend < 224 ? 0 : (int64_t)(backend % 32) - 16;
}

bool op_decode(struct ops_reader *reader, struct op *op)
{
    if (reader->left == 0)
        return false;
    *op = (struct op){ .verb = verb_of(next_byte(reader)), .align = 1 };
    if (op->verb == OP_RESET)
        return true;
    if (op->verb == OP_INIT || op->verb == OP_ADD) {
        decode_range(reader, op);
        return true;
    }
    if (op->verb == OP_REMOVE) {
        decode_remove(reader, op);
        return true;
    }
    decode_ptr(reader, op);
    if (op_has_size(op->verb))
        decode_size(reader, op);
    if (op->verb == OP_FREE_SIZED && op->size % 2 != 0 && op->base == BASE_ZERO) {
        op->base = BASE_ASKED;
        op->size = 0;
    }
    if (op_has_align(op->verb))
        decode_align(reader, op);
    return true;
}

size_t ops_decode(const uint8_t *bytes, size_t size, struct op *ops, size_t room)
{
    struct ops_reader reader = { bytes, size };
    size_t count = 0;
    while (count < room && op_decode(&reader, &ops[count]))
        count++;
    return count;
}
