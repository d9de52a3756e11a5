#include "source/capture/left_out.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

static bool is_decoration(char c)
{
    return c != '\0' && strchr(" \t()[]{}<>*-_=~#.:;,", c) != NULL;
}

/* "...", "…", "[...]", ". . .": only dots, with brackets and blanks. */
static bool is_ellipsis(const char *text, size_t length)
{
    static const char ellipsis[] = "\u2026";
    size_t dots = 0;
    for (size_t i = 0; i < length; i++) {
        if (strncmp(text + i, ellipsis, strlen(ellipsis)) == 0) {
            dots += 3;
            i += strlen(ellipsis) - 1;
        } else if (text[i] == '.') {
            dots++;
        } else if (strchr(" \t()[]<>", text[i]) == NULL) {
            return false;
        }
    }
    return dots >= 3;
}

/* A whole line that says that something was left out: "<snip>", "[truncated]", "etc." */
static bool is_word_for_it(const char *text, size_t length)
{
    static const char *const words[] = { "snip", "snipped", "snip snip", "schnipp", "truncated", "cut", "shortened",
        "omitted", "skipped", "etc", "and so on", "and so forth", "and so on and so forth", "and more", "and many more",
        "many more", "lots more", "gekuerzt", "usw", "und so weiter" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strlen(words[i]) == length && strncasecmp(words[i], text, length) == 0)
            return true;
    }
    return false;
}

/* A short line that contains such words: "[very long list]", "... 4000 more lines ...". */
static bool tells_of_it(const char *text, size_t length)
{
    enum { LENGTH_MAX = 70 };
    static const char *const parts[] = { "long list", "more lines", "more rows", "more entries", "more connections",
        "lines omitted", "rows omitted", "lines more", "more of the same", "more like this", "more like these",
        "hundreds more", "thousands more", "output truncated", "list truncated", "lines truncated", "rest omitted",
        "output omitted", "lines removed", "and so on" };
    if (length > LENGTH_MAX)
        return false;
    char copy[LENGTH_MAX + 1];
    memcpy(copy, text, length);
    copy[length] = '\0';
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (strcasestr(copy, parts[i]) != NULL)
            return true;
    }
    return false;
}

static bool is_mark(const char *text, size_t length)
{
    while (length > 0 && strchr(" \t\r", text[length - 1]) != NULL)
        length--;
    while (length > 0 && (*text == ' ' || *text == '\t')) {
        text++;
        length--;
    }
    if (length == 0)
        return false;
    if (is_ellipsis(text, length))
        return true;
    while (length > 0 && is_decoration(text[length - 1]))
        length--;
    while (length > 0 && is_decoration(*text)) {
        text++;
        length--;
    }
    return length > 0 && (is_word_for_it(text, length) || tells_of_it(text, length));
}

/* The most lines of "netstat -an | head -20"; without a number 10, as head does. */
static uint64_t lines_let_through(const char *text)
{
    enum { LINES_DEFAULT = 10 };
    static const char *const filters[] = { "| head", "|head", "| tail", "|tail", "Select-Object -First",
        "select -First", "Select-Object -Last" };
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        const char *at = strcasestr(text, filters[i]);
        if (at == NULL)
            continue;
        at += strlen(filters[i]);
        at += strspn(at, " -nN=");
        unsigned long number = strtoul(at, NULL, 10);
        return number > 0 ? number : LINES_DEFAULT;
    }
    return 0;
}

void left_out_note(struct left_out *left_out, const struct line *line)
{
    if (strchr(line->text, '|') != NULL) {
        uint64_t most = lines_let_through(line->text);
        if (most > 0)
            left_out->rows_max = most;
    }
    if (!is_mark(line->text, line->length) || left_out->marks++ > 0)
        return;
    left_out->line = line->number;
    size_t length = line->length < sizeof left_out->first - 1 ? line->length : sizeof left_out->first - 1;
    memcpy(left_out->first, line->text, length);
    left_out->first[length] = '\0';
}
