#include "report/terminal/ascii.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"

enum { NO_BREAK_SPACE = 0x00a0 };

/* Only typographic characters. A letter belongs to a name, and a similar letter would make it another name. */
static const struct {
    uint32_t code_point;
    const char *ascii;
} forms[] = {
    { 0x00a7, "section " },
    { 0x00b1, "+-" },
    { 0x00b7, "-" },
    { 0x00bc, "1/4" },
    { 0x00bd, "1/2" },
    { 0x00d7, "x" },
    { 0x2010, "-" },
    { 0x2011, "-" },
    { 0x2013, "-" },
    { 0x2014, "-" },
    { 0x2018, "'" },
    { 0x2019, "'" },
    { 0x201c, "\"" },
    { 0x201d, "\"" },
    { 0x2022, "-" },
    { 0x2026, "..." },
    { 0x2190, "<-" },
    { 0x2191, "Up" },
    { 0x2192, "->" },
    { 0x2193, "Down" },
    { 0x21b5, "Enter" },
    { 0x2212, "-" },
    { 0x2248, "~" },
    { 0x2260, "!=" },
    { 0x2264, "<=" },
    { 0x2265, ">=" },
    { 0x25b2, "+" },
    { 0x25bc, "-" },
};

static void add_form(struct buf *out, uint32_t code_point)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (forms[i].code_point == code_point) {
            buf_str(out, forms[i].ascii);
            return;
        }
    }
    buf_printf(out, "\\u{%x}", (unsigned)code_point);
}

void ascii_add(struct buf *out, const char *text, const char *no_break_space)
{
    for (size_t left = strlen(text), size; left > 0; text += size, left -= size) {
        uint32_t code_point = 0;
        size = text_utf8_decode(text, left, &code_point);
        if (size <= 1) { /* ASCII, or a byte that is not UTF-8 */
            size = 1;
            buf_add(out, text, size);
        } else if (code_point == NO_BREAK_SPACE) {
            buf_str(out, no_break_space);
        } else {
            add_form(out, code_point);
        }
    }
}
