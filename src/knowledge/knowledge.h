#pragma once
/*
 * What there is to know, offline: one Markdown page per state, finding and recipe, and pages of errors, settings and
 * words with a section for each. The pages are files in pages/, put into the program by the build (tools/embed-pages).
 *
 * Adding a page: write pages/NAME.md, add NAME to the list in meson.build beside this file. Adding a name: put it in
 * backquotes into the heading of the section that explains it, or into a paragraph "Also found as: …" below it.
 */
#include <stddef.h>

#include "base/buf.h"
#include "knowledge/page.h"

/* All pages, by name; *ret_count of them. */
const struct page *knowledge_pages(size_t *ret_count);
/*
 * By page name, or any spelling of a state (LastAck, last-ack, LAST_ACK, 10), in any case; spaces, hyphens
 * and underscores do not matter. NULL where there is none.
 *
 * One word is both: "closing", written just so, is the page on how to close a connection; the state CLOSING,
 * in any other spelling (CLOSING, Closing, 9), is the page "closing-state".
 */
const struct page *knowledge_find(const char *word);
/*
 * By another name of a page or of a section of one: an errno, a Winsock code, a sysctl, a counter, a word of a report;
 * spelt as freely as above. NULL where there is none.
 */
const struct page_name *knowledge_find_name(const char *name);
/*
 * The longest such name that a message holds as whole words: "connect: Connection refused", a line of the kernel's log.
 * Only names that no sentence holds by chance are looked for: those with a capital, a digit, '_' or a space.
 */
const struct page_name *knowledge_find_in_message(const char *message);
/*
 * The names of pages that come nearest to a misspelt word, nearest first; where none is near, other names. Returns how
 * many were put into ret_names.
 */
size_t knowledge_suggest(const char *word, const char **ret_names, size_t most);

/*
 * Appends a part of a page: all before its first "## " heading, then the section under the heading that is
 * `wanted`, or failing that the first that contains it as words; case does not matter. Programming languages
 * have short names ("js", "csharp"). Returns 0, or -ENOENT with nothing appended.
 */
int knowledge_section(const struct page *page, const char *wanted, struct buf *out);
/* Appends the page's "## " headings: "C, C#, Java". */
void knowledge_headings(const struct page *page, struct buf *out);
