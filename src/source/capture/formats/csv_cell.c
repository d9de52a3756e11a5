#include "source/capture/formats/csv_cell.h"

const char *csv_scan_cell(const char *text, char separator, struct token *ret_cell)
{
    if (*text == '"') {
        const char *end = text + 1;
        while (*end != '\0' && !(end[0] == '"' && end[1] != '"'))
            end += end[0] == '"' ? 2 : 1;
        *ret_cell = (struct token){ text + 1, (size_t)(end - text) - 1 };
        text = *end == '"' ? end + 1 : end;
    } else {
        size_t length = 0;
        while (text[length] != '\0' && text[length] != separator)
            length++;
        *ret_cell = (struct token){ text, length };
        text += length;
    }
    return *text == separator ? text + 1 : NULL;
}
