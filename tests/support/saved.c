#include "saved.h"

#include <stdio.h>
#include <stdlib.h>

#include "source/capture/format.h"
#include "source/capture/saved/saved.h"
#include "source/capture/input/open.h"

int saved_read_bytes(
    const char *bytes, size_t length, struct snapshot *snapshot, struct snapshot *previous, struct error *err)
{
    struct input input;
    input_open_bytes(&input, bytes, length);
    struct capture capture = { .snapshot = snapshot, .previous = previous, .input = &input };
    int result = saved_parse(NULL, &capture, err);
    input_close(&input);
    return result < 0 ? result : (int)capture.kinds[LINE_MALFORMED];
}

char *saved_to_text(const struct snapshot *snapshot)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL || saved_write(snapshot, "0.0.0", out) < 0 || fclose(out) != 0)
        abort();
    return text;
}
