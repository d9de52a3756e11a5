#include "base/csv.h"

#include <stdbool.h>
#include <string.h>

#include "base/text.h"

static void quoted(struct buf *out, const char *text)
{
    buf_char(out, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"')
            buf_char(out, '"');
        buf_char(out, *text);
    }
    buf_char(out, '"');
}

void csv_text(struct buf *out, const char *text)
{
    struct buf safe = { 0 };
    /*
     * "CSV injection", OWASP. Tabs and returns can start a formula too; they are escaped already. Some programs strip
     * leading spaces, so a formula after spaces counts as well.
     */
    if (strchr("=+-@", text[strspn(text, " ")]) != NULL && text[strspn(text, " ")] != '\0')
        buf_char(&safe, '\'');
    text_escape(&safe, text);
    const char *cell = buf_text(&safe);
    size_t length = safe.length;
    bool quote = strpbrk(cell, ",\"") != NULL || (length > 0 && (cell[0] == ' ' || cell[length - 1] == ' '));
    if (quote)
        quoted(out, cell);
    else
        buf_add(out, cell, length);
    buf_deinit(&safe);
}

void csv_end_record(struct buf *out)
{
    buf_str(out, "\r\n");
}
