/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/** Texts of the statuses, and the magic number. */
#include "trace.h"
#include "trace_wire.h"

const unsigned char acre_trace_magic[WIRE_MAGIC_SIZE] = { 0x89, 'A', 'C', 'R', 'E', '\r', '\n',
    0x1a };

static const char *const texts[] = {
    [ACRE_TRACE_OK] = "no error",
    [ACRE_TRACE_DONE] = "end of the trace",
    [ACRE_TRACE_INVALID_PARAM] = "invalid parameter",
    [ACRE_TRACE_READ_FAILED] = "reading failed",
    [ACRE_TRACE_WRITE_FAILED] = "writing failed",
    [ACRE_TRACE_FOREIGN] = "not a trace",
    [ACRE_TRACE_NEWER] = "trace of a newer version",
    [ACRE_TRACE_TRUNCATED] = "trace is truncated",
    [ACRE_TRACE_CHECKSUM] = "checksum does not match",
    [ACRE_TRACE_CORRUPT] = "trace is corrupt",
    [ACRE_TRACE_TOO_LARGE] = "more live blocks than allowed",
    [ACRE_TRACE_NO_MEMORY] = "out of memory",
};

const char *acre_trace_status_text(enum acre_trace_status status)
{
    if ((unsigned)status >= sizeof texts / sizeof texts[0])
        return "unknown status";
    return texts[status];
}
