#include "report/terminal/flow.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "report/terminal/ascii.h"

enum {
    WIDTH_MIN = 60,
    WIDTH_MAX = 110, /* longer lines are hard to read: the eye does not find the start of the next one */
    FLUSH_BYTES = 64 * 1024,
};

static const char *const styles[STYLE_COUNT] = {
    [STYLE_PLAIN] = "",
    [STYLE_BOLD] = "\033[1m",
    [STYLE_DIM] = "\033[2m",
    [STYLE_INFO] = "\033[1;36m",
    [STYLE_WARNING] = "\033[1;33m",
    [STYLE_CRITICAL] = "\033[1;31m",
    [STYLE_HEALTHY] = "\033[1;32m",
    [STYLE_COMMAND] = "\033[36m",
};

void flow_init(struct flow *flow, const struct report_style *style, FILE *out)
{
    *flow = (struct flow){ .style = *style, .out = out, .width = style->width };
    if (flow->width < WIDTH_MIN)
        flow->width = WIDTH_MIN;
    if (flow->width > WIDTH_MAX)
        flow->width = WIDTH_MAX;
}

static void flush_text(struct flow *flow)
{
    errno = 0;
    if (flow->error == 0 && fwrite(buf_text(&flow->text), 1, flow->text.length, flow->out) != flow->text.length)
        flow->error = errno ? -errno : -EIO;
    buf_clear(&flow->text);
}

int flow_finish(struct flow *flow)
{
    flow_fresh_line(flow);
    flush_text(flow);
    errno = 0;
    if (flow->error == 0 && fflush(flow->out) != 0)
        flow->error = errno ? -errno : -EIO;
    buf_deinit(&flow->text);
    buf_deinit(&flow->scratch);
    return flow->error;
}

/* Escapes the text into the scratch buffer, in ASCII if the style wants it. */
static const char *escaped(struct flow *flow, const char *text)
{
    buf_clear(&flow->scratch);
    if (flow->style.utf8) {
        text_escape(&flow->scratch, text);
        return buf_text(&flow->scratch);
    }
    struct buf utf8 = { 0 };
    text_escape(&utf8, text);
    ascii_add(&flow->scratch, buf_text(&utf8), "\xc2\xa0");
    buf_deinit(&utf8);
    return buf_text(&flow->scratch);
}

static const char *style_code(const struct flow *flow, enum style style)
{
    return flow->style.colour ? styles[style] : "";
}

static void style_end(struct flow *flow, enum style style)
{
    if (*style_code(flow, style) != '\0')
        buf_str(&flow->text, "\033[0m");
}

/*
 * The length of the character at `text`, and its columns. Lines are already broken here, so a no-break space is written
 * as a space.
 */
static size_t character(const char *text, size_t length, size_t *ret_columns)
{
    uint32_t code_point;
    size_t size = text_utf8_decode(text, length, &code_point);
    char one[8] = "";
    memcpy(one, text, size);
    *ret_columns = text_width(one);
    return size;
}

static void put_word(struct flow *flow, const char *word, size_t length)
{
    for (size_t size, columns; length > 0; word += size, length -= size) {
        size = columns = text_plain(word, length);
        if (size == 0)
            size = character(word, length, &columns);
        if (size == 2 && memcmp(word, "\xc2\xa0", 2) == 0)
            buf_char(&flow->text, ' ');
        else
            buf_add(&flow->text, word, size);
        flow->column += columns;
    }
}

/* Begins a new line at the indent. */
static void break_line(struct flow *flow)
{
    buf_char(&flow->text, '\n');
    buf_repeat(&flow->text, " ", flow->indent);
    flow->column = flow->indent;
    flow->space = false;
    flow->break_at = 0;
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

/* The number of bytes whose characters fit on the rest of the line; at least one character. */
static size_t fitting(const struct flow *flow, const char *word, size_t length)
{
    size_t taken = 0, column = flow->column;
    while (taken < length) {
        size_t columns, size = character(word + taken, length - taken, &columns);
        if (taken > 0 && column + columns > flow->width)
            break;
        column += columns;
        taken += size;
    }
    return taken;
}

/* Breaks the line at its last space. This is needed if the next word has no space before it and does not fit. */
static void break_previous(struct flow *flow)
{
    struct buf word = { 0 };
    size_t columns = flow->column - flow->break_column;
    buf_str(&word, flow->text.data + flow->break_at + 1);
    flow->text.length = flow->break_at;
    break_line(flow);
    buf_str(&flow->text, buf_text(&word));
    flow->column += columns;
    buf_deinit(&word);
}

/* Writes the space that is due, or a new line if the word does not fit. */
static void before_word(struct flow *flow, size_t width)
{
    if (!flow->space) {
        if (flow->break_at != 0 && flow->column + width > flow->width)
            break_previous(flow);
        return;
    }
    if (flow->column + 1 + width > flow->width) {
        break_line(flow);
        return;
    }
    flow->space = false;
    flow->break_at = flow->text.length;
    buf_char(&flow->text, ' ');
    flow->break_column = ++flow->column;
}

static void flow_word(struct flow *flow, const char *word, size_t length, bool breakable)
{
    while (breakable && flow->column + word_width(word, length) > flow->width) {
        size_t size = fitting(flow, word, length);
        put_word(flow, word, size);
        word += size;
        length -= size;
        if (length == 0)
            return;
        break_line(flow);
    }
    put_word(flow, word, length);
}

static void place_text(struct flow *flow, enum style style, const char *text, bool breakable)
{
    bool started = false;
    while (*text != '\0') {
        if (*text == ' ') {
            flow->space = flow->column > flow->indent;
            text++;
            continue;
        }
        size_t length = strcspn(text, " ");
        before_word(flow, word_width(text, length));
        if (!started)
            buf_str(&flow->text, style_code(flow, style));
        started = true;
        flow_word(flow, text, length, breakable);
        text += length;
    }
    if (started)
        style_end(flow, style);
}

/* True if the word is a unit; punctuation may follow it. */
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

void flow_text(struct flow *flow, enum style style, const char *text)
{
    struct buf kept = { 0 };
    keep_quantities(&kept, escaped(flow, text));
    place_text(flow, style, buf_text(&kept), false);
    buf_deinit(&kept);
}

void flow_printf(struct flow *flow, enum style style, const char *format, ...)
{
    struct buf text = { 0 };
    va_list args;
    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    flow_text(flow, style, buf_text(&text));
    buf_deinit(&text);
}

void flow_value(struct flow *flow, enum style style, const char *text, size_t columns)
{
    const char *shown = escaped(flow, text);
    if (text_width(shown) <= columns) {
        place_text(flow, style, shown, true);
        return;
    }
    const char *ellipsis = flow->style.utf8 ? "…" : "...";
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
    place_text(flow, style, buf_text(&cut), true);
    buf_deinit(&cut);
}

void flow_verbatim(struct flow *flow, enum style style, const char *text)
{
    const char *shown = escaped(flow, text);
    buf_str(&flow->text, style_code(flow, style));
    buf_str(&flow->text, shown);
    style_end(flow, style);
    flow->column += text_width(shown);
}

void flow_unbroken(struct flow *flow, enum style style, const char *text)
{
    struct buf kept = { 0 };
    for (; *text != '\0'; text++) {
        if (*text == ' ')
            buf_str(&kept, "\xc2\xa0");
        else
            buf_char(&kept, *text);
    }
    flow_text(flow, style, buf_text(&kept));
    buf_deinit(&kept);
}

void flow_count(struct flow *flow, enum style style, uint64_t number)
{
    struct buf text = { 0 };
    text_count(&text, number);
    flow_text(flow, style, buf_text(&text));
    buf_deinit(&text);
}

void flow_duration(struct flow *flow, enum style style, uint64_t milliseconds)
{
    struct buf text = { 0 };
    text_duration(&text, milliseconds);
    flow_unbroken(flow, style, buf_text(&text));
    buf_deinit(&text);
}

void flow_line(struct flow *flow)
{
    while (flow->text.length > 0 && flow->text.data[flow->text.length - 1] == ' ')
        flow->text.data[--flow->text.length] = '\0';
    buf_char(&flow->text, '\n');
    flow->column = 0;
    flow->indent = 0;
    flow->space = false;
    flow->break_at = 0;
    if (flow->text.length >= FLUSH_BYTES)
        flush_text(flow);
}

void flow_fresh_line(struct flow *flow)
{
    if (flow->column > 0)
        flow_line(flow);
}

void flow_column(struct flow *flow, size_t column)
{
    flow->space = false;
    flow->break_at = 0;
    while (flow->column < column) {
        buf_char(&flow->text, ' ');
        flow->column++;
    }
}

void flow_bar(struct flow *flow, enum style style, uint64_t part, uint64_t whole, size_t columns)
{
    static const char *const eighths[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
    unsigned steps = flow->style.utf8 ? 8 : 1;
    uint64_t most = (uint64_t)columns * steps;
    uint64_t length = whole == 0 ? 0 : (uint64_t)((double)part / (double)whole * (double)most + 0.5);
    if (length > most)
        length = most;
    if (length == 0 && part > 0)
        length = 1;
    buf_str(&flow->text, style_code(flow, style));
    buf_repeat(&flow->text, flow->style.utf8 ? "█" : "#", length / steps);
    buf_str(&flow->text, eighths[length % steps]);
    style_end(flow, style);
    flow->column += (length + steps - 1) / steps;
}

void flow_rule(struct flow *flow)
{
    flow_fresh_line(flow);
    buf_str(&flow->text, style_code(flow, STYLE_DIM));
    buf_repeat(&flow->text, flow->style.utf8 ? "─" : "-", flow->width);
    style_end(flow, STYLE_DIM);
    flow_line(flow);
}

size_t flow_width_of(struct flow *flow, const char *text)
{
    return text_width(escaped(flow, text));
}
