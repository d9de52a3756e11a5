#include "source/capture/leftovers.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void leftovers_deinit(struct leftovers *leftovers)
{
    buf_deinit(&leftovers->text);
    free(leftovers->lines);
    *leftovers = (struct leftovers){ 0 };
}

void leftovers_keep(struct leftovers *leftovers, const struct line *line, uint8_t kind, bool is_blank)
{
    enum { MOST = 4 * 1024 * 1024, LINES_MOST = 128 * 1024 };
    bool blank_again = is_blank && leftovers->count > 0 && leftovers->lines[leftovers->count - 1].is_blank;
    if (leftovers->text.length + line->length > MOST || leftovers->count == LINES_MOST || blank_again ||
        memchr(line->text, '\0', line->length) != NULL)
        return;
    struct leftover *kept = vec_add(
        (void **)&leftovers->lines, &leftovers->count, &leftovers->capacity, sizeof *leftovers->lines);
    *kept = (struct leftover){
        .start = leftovers->text.length, .number = line->number, .kind = kind, .is_blank = is_blank
    };
    buf_add(&leftovers->text, line->text, line->length);
    buf_char(&leftovers->text, '\n');
}
