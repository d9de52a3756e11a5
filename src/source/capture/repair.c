#include "source/capture/repair.h"

#include <string.h>

#include "source/capture/endpoint.h"
#include "source/text/tokens.h"

/* --- display only ------------------------------------------------------------------------------------------------- */

/* ECMA-48 §5.4: ESC [, parameters, and a final byte from @ to ~. Returns its length, or 0. */
static size_t control_sequence(const char *text)
{
    if (text[0] != '\x1b' || text[1] != '[')
        return 0;
    size_t at = 2;
    while (text[at] >= ' ' && text[at] <= '?')
        at++;
    return text[at] >= '@' && text[at] <= '~' ? at + 1 : 0;
}

/* "<pre>", "</td>", "<span class=...>": markup around the rows of a web page. Returns its length, or 0. */
static size_t markup_tag(const char *text)
{
    static const char *const tags[] = { "pre", "code", "br", "p", "div", "span", "td", "th", "tr", "table", "tbody",
        "thead", "li", "ul", "blockquote", "font", "b" };
    if (text[0] != '<')
        return 0;
    const char *name = text + 1 + (text[1] == '/');
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz");
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        if (length != strlen(tags[i]) || strncmp(name, tags[i], length) != 0 || strchr(" />", name[length]) == NULL)
            continue;
        const char *end = strchr(name, '>');
        return end != NULL ? (size_t)(end + 1 - text) : 0;
    }
    return 0;
}

/* Finds what is to be replaced at the beginning of the text. Returns its length, or 0. */
static size_t find_shown(const char *text, const char **ret_instead)
{
    static const struct {
        const char *bytes, *instead;
    } shown[] = {
        { "\xc2\xa0", " " },      /* U+00A0, no-break space */
        { "\xe2\x80\xaf", " " },  /* U+202F, narrow no-break space */
        { "\xe2\x80\x8b", "" },   /* U+200B, zero-width space */
        { "\xef\xbb\xbf", "" },   /* U+FEFF */
        { "\xef\xbc\x9a", ":" },  /* U+FF1A, fullwidth colon */
        { "\xe2\x80\x9c", "\"" }, /* U+201C and U+201D, typographic quotes */
        { "\xe2\x80\x9d", "\"" },
        { "&gt;", ">" },
        { "&lt;", "<" },
        { "&amp;", "&" },
        { "&quot;", "\"" },
        { "&nbsp;", " " },
        { "&#32;", " " },
        { "&#34;", "\"" },
        { "&#39;", "'" },
        { "&#160;", " " },
    };
    *ret_instead = "";
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        if (strncmp(text, shown[i].bytes, strlen(shown[i].bytes)) == 0) {
            *ret_instead = shown[i].instead;
            return strlen(shown[i].bytes);
        }
    }
    size_t tag = markup_tag(text);
    return tag > 0 ? tag : control_sequence(text);
}

static void drop_start(struct line *line, size_t length)
{
    line->text += length;
    line->length -= length;
}

/* Removes " > " and "| " at the beginning. If there was a bar, the others end the cells of a table. */
static bool drop_quotes(struct line *line)
{
    size_t quote = strspn(line->text, " >|");
    if (memchr(line->text, '>', quote) == NULL && memchr(line->text, '|', quote) == NULL)
        return false;
    bool has_bar = memchr(line->text, '|', quote) != NULL;
    drop_start(line, quote);
    for (char *bar = line->text; has_bar && (bar = strchr(bar, '|')) != NULL;)
        *bar = ' ';
    return true;
}

bool line_repair(struct line *line)
{
    char *to = line->text;
    bool changed = false;
    if (strpbrk(line->text, "\x1b\xc2\xe2\xef&<") == NULL) /* the first bytes of what is replaced */
        return drop_quotes(line);
    for (const char *from = line->text; *from != '\0';) {
        const char *instead;
        size_t taken = find_shown(from, &instead);
        changed |= taken > 0;
        if (taken == 0)
            *to++ = *from++;
        else if (*instead != '\0')
            *to++ = *instead;
        from += taken;
    }
    *to = '\0';
    line->length = (size_t)(to - line->text);
    return drop_quotes(line) || changed;
}

/* --- parts of rows ------------------------------------------------------------------------------------------------ */

unsigned line_count_ends(const struct line *line)
{
    static const char between[] = " \t,;\"'|()<>";
    enum { SHORTEST = 8 };
    unsigned ends = 0;
    for (const char *text = line->text; *text != '\0' && ends < 2;) {
        text += strspn(text, between);
        size_t length = strcspn(text, between);
        struct end end;
        size_t word = length > 0 && text[length - 1] == '-' ? length - 1 : length; /* "->" */
        if (word > SHORTEST &&
            (endpoint_parse(text, word, ':', &end) == END_OK || endpoint_parse(text, word, '.', &end) == END_OK))
            ends++;
        text += length;
    }
    return ends;
}

bool line_has_state(const struct line *line, struct state_words *words)
{
    enum { SHORTEST = 5 };
    struct token first;
    return tokens_split(line->text, line->length, &first, 1, NULL) > 0 && first.length >= SHORTEST &&
        first.text[0] >= 'A' && first.text[0] <= 'Z' &&
        state_words_find(words, first.text, first.length) != STATE_UNKNOWN;
}

bool line_is_leftover(const struct line *line)
{
    struct token words[2];
    unsigned count = tokens_split(line->text, line->length, words, 2, NULL);
    if (count == 0)
        return false;
    bool is_digits = strspn(words[0].text, "0123456789") == words[0].length;
    return (is_digits && count == 1) || words[0].text[0] == '_' || strstr(line->text, "pid=") != NULL ||
        strstr(line->text, ",fd=") != NULL;
}

/* --- before a row ------------------------------------------------------------------------------------------------- */

/*
 * The first position is after the first colon of the first word ("12:tcp", "web-3:tcp"). Then it is after each of the
 * first words.
 */
bool prefix_next(struct prefix *prefix, struct line *ret_rest)
{
    enum { WORDS_MAX = 7 };
    const struct line *line = prefix->line;
    struct token words[WORDS_MAX];
    unsigned count = tokens_split(line->text, line->length, words, WORDS_MAX, NULL);
    char *colon = count > 0 ? memchr(words[0].text, ':', words[0].length) : NULL;
    if (prefix->step == 0 && colon == NULL)
        prefix->step = 1;
    if (prefix->step >= count)
        return false;
    size_t offset = prefix->step == 0 ? (size_t)(colon + 1 - line->text)
                                      : (size_t)(words[prefix->step].text - line->text);
    prefix->step++;
    *ret_rest = *line;
    drop_start(ret_rest, offset);
    return true;
}

static size_t letters(const char *text, size_t length)
{
    size_t count = 0;
    while (count < length && (text[count] | 0x20) >= 'a' && (text[count] | 0x20) <= 'z')
        count++;
    return count;
}

bool prefix_is_of_same_host(struct host_prefix *host, const struct line *line)
{
    struct token first;
    tokens_split(line->text, line->length, &first, 1, NULL);
    if (first.length > 0 && first.text[0] == '[') /* "[web-3]" */
        first = (struct token){ first.text + 1, first.length - 1 };
    const char *colon = memchr(first.text, ':', first.length);
    size_t length = colon != NULL ? (size_t)(colon - first.text) : first.length;
    bool is_letter = (first.text[0] | 0x20) >= 'a' && (first.text[0] | 0x20) <= 'z';
    bool is_word = colon == NULL && letters(first.text, first.length) == first.length;
    if (!is_letter || is_word || length >= sizeof host->name) /* a number, a time; "Dec", "Mon", "INFO" */
        return true;
    if (!host->is_set) {
        memcpy(host->name, first.text, length);
        host->name[length] = '\0';
        host->is_set = true;
    }
    return strlen(host->name) == length && memcmp(host->name, first.text, length) == 0;
}
