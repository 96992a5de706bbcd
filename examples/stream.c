/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * What open_memstream does, on a handle: a FILE that grows a block of a heap as text is printed,
 * and reports ENOMEM when the heap has no more.
 */
#include <acre/malloc.h>
#include <acre/tlsf.h>

#include <stdio.h>
#include <stdlib.h>

struct stream {
    struct acre_bytes heap;
    char *text; /* ended by 0 */
    size_t length, room;
};

/* Room doubles, so that a text of n characters is copied O(n) in all. */
static ssize_t stream_write(void *cookie, const char *text, size_t size)
{
    struct stream *stream = cookie;
    size_t room = stream->room != 0 ? stream->room : 16;
    while (room - stream->length <= size)
        room *= 2;
    char *grown = acre_std_realloc(stream->heap, stream->text, room);
    if (grown == NULL)
        return -1; /* errno is ENOMEM; the text so far stands */
    memcpy(grown + stream->length, text, size);
    stream->text = grown;
    stream->room = room;
    stream->length += size;
    grown[stream->length] = '\0';
    return (ssize_t)size;
}

static FILE *stream_open(struct stream *stream, struct acre_bytes heap)
{
    const cookie_io_functions_t functions = { .write = stream_write };
    *stream = (struct stream){ .heap = heap };
    return fopencookie(stream, "w", functions);
}

static _Alignas(max_align_t) char memory[64 * 1024];
static struct acre_tlsf tlsf;

static void require(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "stream: %s\n", what);
        exit(EXIT_FAILURE);
    }
}

int main(void)
{
    struct stream stream;
    require(acre_tlsf_init(&tlsf, memory, sizeof memory) == ACRE_OK, "init");
    struct acre_bytes heap = acre_tlsf_bytes(&tlsf);
    FILE *file = stream_open(&stream, heap);
    require(file != NULL, "no stream");
    for (int i = 0; i < 500; i++)
        fprintf(file, "%d squared is %d\n", i, i * i);
    require(fflush(file) == 0, "not written");
    printf("%zu characters in a block of %zu bytes, ending in %s", stream.length, stream.room,
        strstr(stream.text, "499 "));

    char *line;
    require(acre_std_asprintf(heap, &line, "%60000d", 1) == -1 && errno == ENOMEM, "it fits");
    while (fprintf(file, "more and more\n") > 0 && fflush(file) == 0) {
    }
    require(errno == ENOMEM && stream.length > 16000, "no end, or one too soon");
    fclose(file);
    require(acre_std_free_sized(heap, stream.text, stream.room) == ACRE_OK, "not freed");
    return acre_used_bytes(heap) == 0 ? 0 : 1;
}
