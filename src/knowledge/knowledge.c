#include "knowledge/knowledge.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "knowledge/embedded.h"
#include "model/state.h"

const struct page *knowledge_pages(size_t *ret_count)
{
    *ret_count = embedded_page_count;
    return embedded_pages;
}

static const struct page *find_exactly(const char *name)
{
    for (size_t i = 0; i < embedded_page_count; i++) {
        if (strcmp(embedded_pages[i].name, name) == 0)
            return &embedded_pages[i];
    }
    return NULL;
}

static bool is_separator(char c)
{
    return c == '-' || c == '_' || c == ' ';
}

/* Takes the next letter, in lower case; '\0' at the end. */
static int next_letter(const char **text)
{
    while (is_separator(**text))
        ++*text;
    return **text != '\0' ? tolower((unsigned char)*(*text)++) : '\0';
}

/* Without regard to case and to separators. */
static bool same_name(const char *a, const char *b)
{
    int letter;
    do {
        letter = next_letter(&a);
        if (letter != next_letter(&b))
            return false;
    } while (letter != '\0');
    return true;
}

static const struct page *find_loosely(const char *name)
{
    for (size_t i = 0; i < embedded_page_count; i++) {
        if (same_name(embedded_pages[i].name, name))
            return &embedded_pages[i];
    }
    return NULL;
}

/*
 * The page of a state has its name; only CLOSING must give way to the recipe that people ask for by that
 * word.
 */
static const struct page *find_state(enum conn_state state)
{
    if (state == STATE_UNKNOWN)
        return NULL;
    return find_loosely(state == STATE_CLOSING ? "closing-state" : state_name(state));
}

const struct page *knowledge_find(const char *word)
{
    const struct page *page = find_exactly(word);
    if (page == NULL)
        page = find_state(state_parse(word));
    if (page == NULL)
        page = find_loosely(word);
    return page;
}

/*
 * How far a name is from what was typed: a name that begins with the word, or holds it, is only a little
 * further.
 */
static unsigned distance(const char *name, const char *word)
{
    char start[64];
    size_t length = strlen(word);
    unsigned best = text_distance(name, word);
    if (length >= 3 && strlen(name) > length && length < sizeof start) {
        memcpy(start, name, length);
        start[length] = '\0';
        unsigned of_start = text_distance(start, word) + 1;
        if (of_start < best)
            best = of_start;
        if (strcasestr(name, word) != NULL && best > 1)
            best = 1;
    }
    return best;
}

size_t knowledge_suggest(const char *word, const struct page **ret_pages, size_t most)
{
    enum { LONGEST = 48, NEAREST_MAX = 16 };
    char wanted[LONGEST];
    unsigned distances[NEAREST_MAX];
    size_t count = 0, length = strlen(word);
    if (length >= sizeof wanted)
        return 0;
    for (size_t i = 0; i <= length; i++)
        wanted[i] = (char)(is_separator(word[i]) ? '-' : word[i]);
    if (most > NEAREST_MAX)
        most = NEAREST_MAX;

    unsigned limit = 1 + (unsigned)length / 3;
    for (size_t i = 0; i < embedded_page_count; i++) {
        unsigned far = distance(embedded_pages[i].name, wanted);
        if (far > limit)
            continue;
        size_t at = count;
        while (at > 0 && distances[at - 1] > far)
            at--;
        if (at >= most)
            continue;
        if (count < most)
            count++;
        for (size_t move = count - 1; move > at; move--) {
            distances[move] = distances[move - 1];
            ret_pages[move] = ret_pages[move - 1];
        }
        distances[at] = far;
        ret_pages[at] = &embedded_pages[i];
    }
    return count;
}
