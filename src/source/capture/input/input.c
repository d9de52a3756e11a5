#include "source/capture/input/input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { PIECE = 256 * 1024 };

const char *input_failure(int result)
{
    return result == -EBADMSG ? "its compressed data is damaged or cut short" : strerror(-result);
}

void input_close(struct input *input)
{
    if (input->close != NULL)
        input->close(input->state);
    free(input->data);
    *input = (struct input){ 0 };
}

static void make_room(struct input *input, size_t wanted)
{
    size_t available = input->end - input->start;
    if (input->data != NULL && input->start > 0) {
        memmove(input->data, input->data + input->start, available);
        input->start = 0;
        input->end = available;
    }
    if (wanted < available + PIECE)
        wanted = available + PIECE;
    if (wanted + 1 > input->capacity) {
        input->data = xrealloc_array(input->data, wanted + 1, 1);
        input->capacity = wanted + 1;
    }
}

ssize_t input_fill(struct input *input, size_t wanted)
{
    if (input->data == NULL)
        make_room(input, 0);
    while (!input->ended && input->end - input->start < wanted) {
        if (input->capacity - 1 - input->start < wanted || input->end + 1 == input->capacity)
            make_room(input, wanted);
        ssize_t got = input->read(input->state, input->data + input->end, input->capacity - 1 - input->end);
        if (got < 0)
            return got;
        input->ended = got == 0;
        input->end += (size_t)got;
    }
    return (ssize_t)(input->end - input->start);
}
