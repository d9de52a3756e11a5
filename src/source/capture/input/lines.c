#include "source/capture/input/lines.h"

#include <string.h>

/* Skips the rest of a line that is too long. Returns 0 or a negative errno. */
static int skip_rest(struct input *input)
{
    for (;;) {
        ssize_t available = input_fill(input, 1);
        if (available <= 0)
            return (int)available;
        const char *bytes = input_bytes(input);
        const char *end = memchr(bytes, '\n', (size_t)available);
        if (end != NULL) {
            input_consume(input, (size_t)(end - bytes) + 1);
            return 0;
        }
        input_consume(input, (size_t)available);
    }
}

/* CRs at the end belong to the end of the line. A CR inside also ends a line, as in the log of a terminal. */
static size_t cut_at_return(const char *text, size_t length, bool *ret_more)
{
    while (length > 0 && text[length - 1] == '\r')
        length--;
    const char *cr = memchr(text, '\r', length);
    *ret_more = cr != NULL;
    return cr != NULL ? (size_t)(cr - text) : length;
}

/* Makes bytes available up to a newline, `most` bytes, or the end of the input. Returns 0 or a negative errno. */
static int find_end(struct input *input, size_t most, size_t *ret_available, char **ret_newline)
{
    ssize_t available = (ssize_t)(input->end - input->start);
    for (bool again = true;; again = false) {
        size_t looked_at = (size_t)available < most ? (size_t)available : most;
        *ret_newline = looked_at > 0 ? memchr(input_bytes(input), '\n', looked_at) : NULL;
        *ret_available = (size_t)available;
        if (*ret_newline != NULL || !again)
            return 0;
        available = input_fill(input, most);
        if (available < 0)
            return (int)available;
    }
}

int lines_next(struct lines_reader *reader, struct line *ret_line)
{
    struct input *input = reader->input;
    size_t available = 0, most = reader->most != 0 ? reader->most : LINE_MAX;
    char *newline = NULL;
    int result = reader->skip ? skip_rest(input) : 0;
    reader->skip = false;
    if (result == 0)
        result = find_end(input, most, &available, &newline);
    if (result < 0 || available == 0)
        return result;

    char *text = input_bytes(input);
    bool is_long = newline == NULL && available >= most;
    size_t length = newline != NULL ? (size_t)(newline - text) : is_long ? most - 1 : available;
    bool more;
    size_t visible = cut_at_return(text, length, &more);
    *ret_line = (struct line){ .text = text, .length = visible, .number = ++reader->number };
    ret_line->was_cut = is_long && !more;
    reader->skip = ret_line->was_cut;
    input->ends_in_line = newline == NULL && !is_long && !more;
    input_consume(input, more ? visible + 1 : newline != NULL ? length + 1 : length);
    text[visible] = '\0';
    return 1;
}

void line_remove_quotes(struct line *line)
{
    bool has_bar = false;
    while (line->length > 0 && (line->text[0] == '>' || line->text[0] == '|')) {
        has_bar |= line->text[0] == '|';
        size_t taken = line->text[1] == ' ' ? 2 : 1;
        line->text += taken;
        line->length -= taken;
    }
    for (char *bar = line->text;
         has_bar && (bar = memchr(bar, '|', line->length - (size_t)(bar - line->text))) != NULL;)
        *bar = ' ';
}
