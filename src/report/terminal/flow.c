#include "report/terminal/flow.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

enum {
    WIDTH_MIN = 60,
    WIDTH_MAX = 110, /* longer lines are hard to read: the eye loses the start of the next */
    FLUSH_BYTES = 64 * 1024,
};

static const char *const inks[INK_COUNT] = {
    [INK_PLAIN] = "",
    [INK_BOLD] = "\033[1m",
    [INK_DIM] = "\033[2m",
    [INK_INFO] = "\033[1;36m",
    [INK_WARNING] = "\033[1;33m",
    [INK_CRITICAL] = "\033[1;31m",
    [INK_HEALTHY] = "\033[1;32m",
    [INK_COMMAND] = "\033[36m",
};

/* Typography that an ASCII terminal can still show. */
static const struct {
    uint32_t code_point;
    const char *ascii;
} ascii_forms[] = { { 0xa0, "\xc2\xa0" }, { 0xa7, "section " }, { 0xb7, "-" }, { 0xd7, "x" }, { 0x2013, "-" },
    { 0x2014, "-" }, { 0x2018, "'" }, { 0x2019, "'" }, { 0x201c, "\"" }, { 0x201d, "\"" }, { 0x2022, "-" },
    { 0x2026, "..." }, { 0x2190, "<-" }, { 0x2192, "->" }, { 0x2248, "~" }, { 0x2264, "<=" }, { 0x2265, ">=" },
    { 0x2212, "-" }, { 0x25b2, "+" }, { 0x25bc, "-" } };

void sheet_init(struct sheet *sheet, const struct report_style *style, FILE *out)
{
    *sheet = (struct sheet){ .style = *style, .out = out, .width = style->width };
    if (sheet->width < WIDTH_MIN)
        sheet->width = WIDTH_MIN;
    if (sheet->width > WIDTH_MAX)
        sheet->width = WIDTH_MAX;
}

static void hand_out(struct sheet *sheet)
{
    errno = 0;
    if (sheet->error == 0 && fwrite(buf_text(&sheet->text), 1, sheet->text.length, sheet->out) != sheet->text.length)
        sheet->error = errno ? -errno : -EIO;
    buf_clear(&sheet->text);
}

int sheet_finish(struct sheet *sheet)
{
    sheet_fresh_line(sheet);
    hand_out(sheet);
    errno = 0;
    if (sheet->error == 0 && fflush(sheet->out) != 0)
        sheet->error = errno ? -errno : -EIO;
    buf_deinit(&sheet->text);
    buf_deinit(&sheet->scratch);
    return sheet->error;
}

static void add_ascii(struct buf *out, uint32_t code_point)
{
    for (size_t i = 0; i < sizeof ascii_forms / sizeof *ascii_forms; i++) {
        if (ascii_forms[i].code_point == code_point) {
            buf_str(out, ascii_forms[i].ascii);
            return;
        }
    }
    buf_printf(out, "\\u{%x}", (unsigned)code_point);
}

/* Fills the scratch buffer with what may go to this terminal. */
static const char *escaped(struct sheet *sheet, const char *text)
{
    buf_clear(&sheet->scratch);
    if (sheet->style.utf8) {
        text_escape(&sheet->scratch, text);
        return buf_text(&sheet->scratch);
    }
    struct buf utf8 = { 0 };
    text_escape(&utf8, text);
    const char *rest = buf_text(&utf8);
    for (size_t left = utf8.length, size; left > 0; rest += size, left -= size) {
        uint32_t code_point = 0;
        size = text_utf8_decode(rest, left, &code_point);
        if (code_point < 0x80)
            buf_add(&sheet->scratch, rest, size);
        else
            add_ascii(&sheet->scratch, code_point);
    }
    buf_deinit(&utf8);
    return buf_text(&sheet->scratch);
}

static const char *ink_code(const struct sheet *sheet, enum ink ink)
{
    return sheet->style.colour ? inks[ink] : "";
}

static void ink_end(struct sheet *sheet, enum ink ink)
{
    if (*ink_code(sheet, ink) != '\0')
        buf_str(&sheet->text, "\033[0m");
}

/* Length of the character at text, and its columns. A no-break space has done its work once words are parted. */
static size_t character(const char *text, size_t length, size_t *ret_columns)
{
    uint32_t code_point;
    size_t size = text_utf8_decode(text, length, &code_point);
    char one[8] = "";
    memcpy(one, text, size);
    *ret_columns = text_width(one);
    return size;
}

static void put_word(struct sheet *sheet, const char *word, size_t length)
{
    for (size_t size, columns; length > 0; word += size, length -= size) {
        size = columns = text_plain(word, length);
        if (size == 0)
            size = character(word, length, &columns);
        if (size == 2 && memcmp(word, "\xc2\xa0", 2) == 0)
            buf_char(&sheet->text, ' ');
        else
            buf_add(&sheet->text, word, size);
        sheet->column += columns;
    }
}

/* A line goes on below, at the indent. */
static void break_line(struct sheet *sheet)
{
    buf_char(&sheet->text, '\n');
    buf_repeat(&sheet->text, " ", sheet->indent);
    sheet->column = sheet->indent;
    sheet->space = false;
    sheet->break_at = 0;
}

static size_t word_width(const char *word, size_t length)
{
    size_t width = 0;
    for (size_t size, columns; length > 0; word += size, length -= size) {
        size = columns = text_plain(word, length);
        if (size == 0)
            size = character(word, length, &columns);
        width += columns;
    }
    return width;
}

/* As many characters as fit on the rest of the line, at least one. */
static size_t fitting(const struct sheet *sheet, const char *word, size_t length)
{
    size_t taken = 0, column = sheet->column;
    while (taken < length) {
        size_t columns, size = character(word + taken, length - taken, &columns);
        if (taken > 0 && column + columns > sheet->width)
            break;
        column += columns;
        taken += size;
    }
    return taken;
}

/* Breaks the line at its last space after all: what is glued to the word behind it has no room. */
static void break_earlier(struct sheet *sheet)
{
    struct buf word = { 0 };
    size_t columns = sheet->column - sheet->break_column;
    buf_str(&word, sheet->text.data + sheet->break_at + 1);
    sheet->text.length = sheet->break_at;
    break_line(sheet);
    buf_str(&sheet->text, buf_text(&word));
    sheet->column += columns;
    buf_deinit(&word);
}

/* The space that is due, or a new line instead of it. */
static void before_word(struct sheet *sheet, size_t width)
{
    if (!sheet->space) {
        if (sheet->break_at != 0 && sheet->column + width > sheet->width)
            break_earlier(sheet);
        return;
    }
    if (sheet->column + 1 + width > sheet->width) {
        break_line(sheet);
        return;
    }
    sheet->space = false;
    sheet->break_at = sheet->text.length;
    buf_char(&sheet->text, ' ');
    sheet->break_column = ++sheet->column;
}

static void flow_word(struct sheet *sheet, const char *word, size_t length, bool breakable)
{
    while (breakable && sheet->column + word_width(word, length) > sheet->width) {
        size_t size = fitting(sheet, word, length);
        put_word(sheet, word, size);
        word += size;
        length -= size;
        if (length == 0)
            return;
        break_line(sheet);
    }
    put_word(sheet, word, length);
}

static void flow(struct sheet *sheet, enum ink ink, const char *text, bool breakable)
{
    bool started = false;
    while (*text != '\0') {
        if (*text == ' ') {
            sheet->space = sheet->column > sheet->indent;
            text++;
            continue;
        }
        size_t length = strcspn(text, " ");
        before_word(sheet, word_width(text, length));
        if (!started)
            buf_str(&sheet->text, ink_code(sheet, ink));
        started = true;
        flow_word(sheet, text, length, breakable);
        text += length;
    }
    if (started)
        ink_end(sheet, ink);
}

/* Whether a word is a unit, whatever punctuation follows it. */
static bool is_unit(const char *word)
{
    static const char *const units[] = { "%", "ms", "s", "min", "h", "d", "kB", "MB", "GB", "TB", "byte", "bytes" };
    size_t length = strcspn(word, " ,;:.)");
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strlen(units[i]) == length && strncmp(word, units[i], length) == 0)
            return true;
    }
    return false;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Appends text with a no-break space between a number and its unit, and between the two units of a duration. */
static void keep_quantities(struct buf *out, const char *text)
{
    bool after_unit = false;
    for (const char *start = text; *text != '\0'; text++) {
        const char *next = text + 1 + strcspn(text + 1, " ");
        bool unit = text > start && is_digit(text[-1]) && is_unit(text + 1);
        bool second = after_unit && is_digit(text[1]) && *next == ' ' && is_unit(next + 1);
        if (*text != ' ') {
            buf_char(out, *text);
            continue;
        }
        buf_str(out, unit || second ? "\xc2\xa0" : " ");
        after_unit = unit && is_unit(text + 1) && *next == ' ' && next[-1] >= 'a';
    }
}

void sheet_text(struct sheet *sheet, enum ink ink, const char *text)
{
    struct buf kept = { 0 };
    keep_quantities(&kept, escaped(sheet, text));
    flow(sheet, ink, buf_text(&kept), false);
    buf_deinit(&kept);
}

void sheet_printf(struct sheet *sheet, enum ink ink, const char *format, ...)
{
    struct buf text = { 0 };
    va_list args;
    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    sheet_text(sheet, ink, buf_text(&text));
    buf_deinit(&text);
}

void sheet_value(struct sheet *sheet, enum ink ink, const char *text, size_t columns)
{
    const char *shown = escaped(sheet, text);
    if (text_width(shown) <= columns) {
        flow(sheet, ink, shown, true);
        return;
    }
    const char *ellipsis = sheet->style.utf8 ? "…" : "...";
    size_t room = columns - text_width(ellipsis), used = 0, length = 0, left = strlen(shown);
    for (;;) {
        size_t width, size = character(shown + length, left - length, &width);
        if (used + width > room)
            break;
        used += width;
        length += size;
    }
    struct buf cut = { 0 };
    buf_add(&cut, shown, length);
    buf_str(&cut, ellipsis);
    flow(sheet, ink, buf_text(&cut), true);
    buf_deinit(&cut);
}

void sheet_verbatim(struct sheet *sheet, enum ink ink, const char *text)
{
    const char *shown = escaped(sheet, text);
    buf_str(&sheet->text, ink_code(sheet, ink));
    buf_str(&sheet->text, shown);
    ink_end(sheet, ink);
    sheet->column += text_width(shown);
}

void sheet_kept(struct sheet *sheet, enum ink ink, const char *text)
{
    struct buf kept = { 0 };
    for (; *text != '\0'; text++) {
        if (*text == ' ')
            buf_str(&kept, "\xc2\xa0");
        else
            buf_char(&kept, *text);
    }
    sheet_text(sheet, ink, buf_text(&kept));
    buf_deinit(&kept);
}

void sheet_count(struct sheet *sheet, enum ink ink, uint64_t number)
{
    struct buf text = { 0 };
    text_count(&text, number);
    sheet_text(sheet, ink, buf_text(&text));
    buf_deinit(&text);
}

void sheet_duration(struct sheet *sheet, enum ink ink, uint64_t milliseconds)
{
    struct buf text = { 0 };
    text_duration(&text, milliseconds);
    sheet_kept(sheet, ink, buf_text(&text));
    buf_deinit(&text);
}

void sheet_line(struct sheet *sheet)
{
    while (sheet->text.length > 0 && sheet->text.data[sheet->text.length - 1] == ' ')
        sheet->text.data[--sheet->text.length] = '\0';
    buf_char(&sheet->text, '\n');
    sheet->column = 0;
    sheet->indent = 0;
    sheet->space = false;
    sheet->break_at = 0;
    if (sheet->text.length >= FLUSH_BYTES)
        hand_out(sheet);
}

void sheet_fresh_line(struct sheet *sheet)
{
    if (sheet->column > 0)
        sheet_line(sheet);
}

void sheet_column(struct sheet *sheet, size_t column)
{
    sheet->space = false;
    sheet->break_at = 0;
    while (sheet->column < column) {
        buf_char(&sheet->text, ' ');
        sheet->column++;
    }
}

void sheet_bar(struct sheet *sheet, enum ink ink, uint64_t part, uint64_t whole, size_t columns)
{
    static const char *const eighths[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
    unsigned steps = sheet->style.utf8 ? 8 : 1;
    uint64_t most = (uint64_t)columns * steps;
    uint64_t length = whole == 0 ? 0 : (uint64_t)((double)part / (double)whole * (double)most + 0.5);
    if (length > most)
        length = most;
    if (length == 0 && part > 0)
        length = 1;
    buf_str(&sheet->text, ink_code(sheet, ink));
    buf_repeat(&sheet->text, sheet->style.utf8 ? "█" : "#", length / steps);
    buf_str(&sheet->text, eighths[length % steps]);
    ink_end(sheet, ink);
    sheet->column += (length + steps - 1) / steps;
}

void sheet_rule(struct sheet *sheet)
{
    sheet_fresh_line(sheet);
    buf_str(&sheet->text, ink_code(sheet, INK_DIM));
    buf_repeat(&sheet->text, sheet->style.utf8 ? "─" : "-", sheet->width);
    ink_end(sheet, INK_DIM);
    sheet_line(sheet);
}

size_t sheet_width_of(struct sheet *sheet, const char *text)
{
    return text_width(escaped(sheet, text));
}
