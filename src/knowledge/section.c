/* Finds parts of a page by their headings. */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "knowledge/knowledge.h"

/* Short names of languages, and the headings that they mean. */
static const struct {
    const char *typed;
    const char *heading;
} languages[] = {
    { "js", "JavaScript" },
    { "node", "JavaScript" },
    { "nodejs", "JavaScript" },
    { "node.js", "JavaScript" },
    { "typescript", "JavaScript" },
    { "csharp", "C#" },
    { "cs", "C#" },
    { "cpp", "C++" },
    { "cxx", "C++" },
    { "rs", "Rust" },
    { "rb", "Ruby" },
    { "ssl", "TLS" },
    { "dotnet", "C#" },
    { ".net", "C#" },
    { "golang", "Go" },
    { "py", "Python" },
};

struct heading {
    const char *line; /* where "## " begins */
    const char *text;
    size_t length; /* of `text` */
};

static const char *next_line(const char *line)
{
    const char *end = strchr(line, '\n');
    return end != NULL ? end + 1 : line + strlen(line);
}

/* The first "## " heading at or after `line`, which must not be inside a code block. */
static bool find_heading(const char *line, struct heading *ret_heading)
{
    bool in_code = false;
    for (; *line != '\0'; line = next_line(line)) {
        if (strncmp(line, "```", 3) == 0)
            in_code = !in_code;
        if (!in_code && strncmp(line, "## ", 3) == 0) {
            *ret_heading = (struct heading){ .line = line, .text = line + 3, .length = strcspn(line + 3, "\n") };
            return true;
        }
    }
    return false;
}

static bool heading_is(const struct heading *heading, const char *wanted)
{
    return strlen(wanted) == heading->length && strncasecmp(heading->text, wanted, heading->length) == 0;
}

/* True if the heading contains the wanted words as whole words. */
static bool heading_contains(const struct heading *heading, const char *wanted)
{
    size_t length = strlen(wanted);
    for (size_t at = 0; at + length <= heading->length && length > 0; at++) {
        bool starts = at == 0 || !isalnum((unsigned char)heading->text[at - 1]);
        int after = at + length < heading->length ? (unsigned char)heading->text[at + length] : ' ';
        if (starts && !isalnum(after) && after != '#' && strncasecmp(heading->text + at, wanted, length) == 0)
            return true;
    }
    return false;
}

static bool choose(const struct page *page, const char *wanted,
    bool (*matches)(const struct heading *heading, const char *wanted), struct heading *ret_heading)
{
    for (const char *line = page->text; find_heading(line, ret_heading); line = next_line(ret_heading->line)) {
        if (matches(ret_heading, wanted))
            return true;
    }
    return false;
}

int knowledge_section(const struct page *page, const char *wanted, struct buf *out)
{
    for (size_t i = 0; i < sizeof languages / sizeof *languages; i++) {
        if (strcasecmp(languages[i].typed, wanted) == 0)
            wanted = languages[i].heading;
    }
    struct heading first, chosen, following;
    if (!choose(page, wanted, heading_is, &chosen) && !choose(page, wanted, heading_contains, &chosen))
        return -ENOENT;
    find_heading(page->text, &first);
    buf_add(out, page->text, (size_t)(first.line - page->text));
    if (find_heading(next_line(chosen.line), &following))
        buf_add(out, chosen.line, (size_t)(following.line - chosen.line));
    else
        buf_str(out, chosen.line);
    return 0;
}

void knowledge_headings(const struct page *page, struct buf *out)
{
    struct heading heading;
    const char *separator = "";
    for (const char *line = page->text; find_heading(line, &heading); line = next_line(heading.line)) {
        buf_str(out, separator);
        buf_add(out, heading.text, heading.length);
        separator = ", ";
    }
}
