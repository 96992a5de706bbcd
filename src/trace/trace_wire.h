/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/**
 * The bytes of a trace, shared by writer and reader; docs/trace-format.md is the description.
 *
 *     stream  = header chunk... ; header = magic[8] version:u16 flags:u16 crc:u32
 *     chunk   = length:u32 crc:u32 record... ; a record never crosses the end of its chunk
 *     record  = op operand...                 ; one byte, then varints (LEB128) or bytes
 *
 * All fixed-width numbers are little-endian. A crc is CRC-32 (IEEE 802.3) of what precedes it in
 * the header, and of length and records in a chunk.
 *
 * The commonest records are one byte: a malloc of 8..512 bytes in steps of 8, and a free of one of
 * the 64 blocks allocated last. A free within the last 16448 takes two.
 */
#ifndef ACRE_TRACE_WIRE_H
#define ACRE_TRACE_WIRE_H

#include <stddef.h>
#include <stdint.h>

enum {
    WIRE_MAGIC_SIZE = 8,
    WIRE_HEADER_SIZE = 16,
    WIRE_CHUNK_HEADER_SIZE = 8,
    /** Bytes of the longest varint: 64 bits, seven a byte. */
    WIRE_VARINT_MAX = 10,
    /** Bytes of the longest record but the process record. */
    WIRE_RECORD_MAX = 1 + 4 * WIRE_VARINT_MAX
};

enum wire_op {
    WIRE_PROCESS = 0x01,
    WIRE_PROCESS_END = 0x02,
    WIRE_END = 0x03,
    WIRE_THREAD = 0x04,
    WIRE_TIME = 0x05,
    WIRE_MALLOC = 0x06,
    WIRE_CALLOC = 0x07,
    WIRE_MEMALIGN = 0x08,
    WIRE_RESIZE = 0x09,
    WIRE_FREE = 0x0a,
    WIRE_FAILED_MALLOC = 0x0b,
    WIRE_FAILED_CALLOC = 0x0c,
    WIRE_FAILED_MEMALIGN = 0x0d,
    WIRE_FAILED_RESIZE = 0x0e,
    WIRE_OPS = 0x0f,
    /** 64 values: malloc of 8 * (op - WIRE_MALLOC_8 + 1) bytes. */
    WIRE_MALLOC_8 = 0x40,
    /** 64 values: free of age op - WIRE_FREE_NEAR. */
    WIRE_FREE_NEAR = 0x80,
    /** 64 values: free of age WIRE_NEAR + 256 * (op - WIRE_FREE_MID) + next byte. */
    WIRE_FREE_MID = 0xc0
};

enum { WIRE_NEAR = 64, WIRE_MID = WIRE_NEAR + 64 * 256 };

/**
 * A slice of a section, in a file of zstd frames: a skippable frame that holds a tag, the number of
 * the section and the next bytes of its zstd frames. WIRE_SLICE_END is the number of the end
 * record.
 */
#define WIRE_SLICE_MAGIC UINT32_C(0x184d2a5a)
#define WIRE_SLICE_TAG UINT32_C(0x65726361) /* "acre" */
#define WIRE_SLICE_END UINT32_MAX
enum { WIRE_SLICE_HEADER_SIZE = 16, WIRE_SLICE_OWN_SIZE = 8 };

/** The first bytes of every stream: no text file, and damaged by any newline conversion. */
extern const unsigned char acre_trace_magic[WIRE_MAGIC_SIZE];

/** CRC-32 of `count` bytes, going on from `crc` (0 at the start). O(count). */
uint32_t acre_trace_crc(uint32_t crc, const void *bytes, size_t count);

static inline void wire_put_u16(unsigned char *into, uint16_t value)
{
    into[0] = (unsigned char)(value & 0xffu);
    into[1] = (unsigned char)(value >> 8);
}

static inline void wire_put_u32(unsigned char *into, uint32_t value)
{
    wire_put_u16(into, (uint16_t)(value & 0xffffu));
    wire_put_u16(into + 2, (uint16_t)(value >> 16));
}

static inline uint16_t wire_get_u16(const unsigned char *from)
{
    return (uint16_t)(from[0] | (unsigned)from[1] << 8);
}

static inline uint32_t wire_get_u32(const unsigned char *from)
{
    return wire_get_u16(from) | (uint32_t)wire_get_u16(from + 2) << 16;
}

#endif
