#pragma once
/*
 * The knowledge pages, offline: Markdown pages about states, findings and recipes, and pages about errors, settings and
 * words with a section for each. The build puts the files of pages/ into the program (tools/embed-pages).
 *
 * To add a page, write pages/NAME.md and add NAME to the list in meson.build. To add a name, put it in backquotes into
 * the heading of the section that explains it, or into a paragraph "Also found as: …" below that heading.
 */
#include <stddef.h>

#include "base/buf.h"
#include "knowledge/page.h"

/* Returns all pages, sorted by name; their number in *ret_count. */
const struct page *knowledge_pages(size_t *ret_count);
/*
 * Finds a page by its name or by any spelling of a state (LastAck, last-ack, LAST_ACK, 10). Case, spaces, hyphens and
 * underscores do not matter. NULL if there is none.
 *
 * "closing" has two meanings. In lower case it is the page on how to close a connection. In any other spelling
 * (CLOSING, Closing, 9) it is the state; its page is "closing-state".
 */
const struct page *knowledge_find(const char *word);
/*
 * Finds a page or a section by another name: an errno, a Winsock code, a sysctl, a counter, a word of a report.
 * Spelling as above. NULL if there is none.
 */
const struct page_name *knowledge_find_name(const char *name);
/*
 * Finds the longest such name that is in a message as whole words: "connect: Connection refused", a line of the
 * kernel's log. Short or common words could be there by chance. So a name must have at least four characters, one of
 * which is a capital, a digit, '_' or a space.
 */
const struct page_name *knowledge_find_in_message(const char *message);
/*
 * Finds names that are similar to a misspelt word, the most similar first: of pages, and other names. Returns the
 * number of names in ret_names, at most `most`.
 */
size_t knowledge_suggest(const char *word, const char **ret_names, size_t most);

/*
 * Appends the part of a page before its first "## " heading, then one section: that with the heading `wanted`, else the
 * first one whose heading contains `wanted` as whole words. Case does not matter. Programming languages have short
 * names ("js", "csharp"). Returns 0, or -ENOENT and appends nothing.
 */
int knowledge_section(const struct page *page, const char *wanted, struct buf *out);
/* Appends the page's "## " headings, separated by commas: "C, C#, Java". */
void knowledge_headings(const struct page *page, struct buf *out);
