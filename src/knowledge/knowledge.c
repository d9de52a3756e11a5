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

/* Returns the next letter in lower case, or '\0' at the end. Skips separators. */
static int next_letter(const char **text)
{
    while (is_separator(**text))
        ++*text;
    return **text != '\0' ? tolower((unsigned char)*(*text)++) : '\0';
}

/* True if the names are equal without regard to case and separators. */
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

/* The page of a state has the state's name, except CLOSING: "closing" is the recipe. */
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

static const struct page_name *find_name(const char *name)
{
    for (size_t i = 0; i < embedded_name_count; i++) {
        if (same_name(embedded_names[i].name, name))
            return &embedded_names[i];
    }
    return NULL;
}

/* Of a gap between two hosts the id ends with their numbers: "ends-hidden-0-1". */
static size_t length_without_numbers(const char *name)
{
    size_t length = strlen(name), start = length;
    for (unsigned numbers = 0; numbers < 2; numbers++) {
        size_t at = start;
        while (at > 0 && isdigit((unsigned char)name[at - 1]))
            at--;
        if (at == start || at < 2 || name[at - 1] != '-')
            return length;
        start = at - 1;
    }
    return start;
}

const struct page_name *knowledge_find_name(const char *name)
{
    char start[64];
    size_t length = length_without_numbers(name);
    const struct page_name *found = find_name(name);
    if (found != NULL || length == strlen(name) || length >= sizeof start)
        return found;
    memcpy(start, name, length);
    start[length] = '\0';
    return find_name(start);
}

static bool is_word_char(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static bool contains_as_words(const char *text, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = strcasestr(text, name); at != NULL; at = strcasestr(at + 1, name)) {
        if ((at == text || !is_word_char(at[-1])) && !is_word_char(at[length]))
            return true;
    }
    return false;
}

static bool is_distinctive(const char *name)
{
    return strlen(name) >= 4 && strpbrk(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_ ") != NULL;
}

const struct page_name *knowledge_find_in_message(const char *message)
{
    const struct page_name *longest = NULL;
    for (size_t i = 0; i < embedded_name_count; i++) {
        const struct page_name *each = &embedded_names[i];
        if (is_distinctive(each->name) && (longest == NULL || strlen(each->name) > strlen(longest->name)) &&
            contains_as_words(message, each->name))
            longest = each;
    }
    return longest;
}

/* The distance of a name from a word. A name that begins with the word, or contains it, is at most a little further. */
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

/* The most similar names so far, the nearest first. */
struct nearest {
    const char **names;
    unsigned distances[16];
    size_t count, most;
};

static void add_if_near(struct nearest *nearest, const char *name, unsigned far)
{
    size_t at = nearest->count;
    while (at > 0 && nearest->distances[at - 1] > far)
        at--;
    if (at >= nearest->most)
        return;
    if (nearest->count < nearest->most)
        nearest->count++;
    for (size_t move = nearest->count - 1; move > at; move--) {
        nearest->distances[move] = nearest->distances[move - 1];
        nearest->names[move] = nearest->names[move - 1];
    }
    nearest->distances[at] = far;
    nearest->names[at] = name;
}

size_t knowledge_suggest(const char *word, const char **ret_names, size_t most)
{
    enum { LONGEST = 48 };
    char wanted[LONGEST];
    size_t length = strlen(word);
    if (length >= sizeof wanted)
        return 0;
    for (size_t i = 0; i <= length; i++)
        wanted[i] = (char)(is_separator(word[i]) ? '-' : word[i]);
    struct nearest nearest = { .names = ret_names };
    size_t room = sizeof nearest.distances / sizeof *nearest.distances;
    nearest.most = most < room ? most : room;

    unsigned limit = 1 + (unsigned)length / 3;
    for (size_t i = 0; i < embedded_page_count; i++) {
        unsigned far = distance(embedded_pages[i].name, wanted);
        if (far <= limit)
            add_if_near(&nearest, embedded_pages[i].name, far);
    }
    for (size_t i = 0; i < embedded_name_count && length >= 3; i++) {
        unsigned far = text_distance(embedded_names[i].name, word);
        if (far < limit)
            add_if_near(&nearest, embedded_names[i].name, far + 1); /* a page at the same distance comes first */
    }
    return nearest.count;
}
