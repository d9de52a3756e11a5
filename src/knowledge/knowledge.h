#pragma once
/*
 * What there is to know, offline: one Markdown page per state, finding and recipe. The pages are files in pages/, put
 * into the program by the build (tools/embed-pages).
 */
#include <stddef.h>

struct page {
    const char *name;    /* the file's name without .md: "last-ack", "close-wait-leak", "closing" */
    const char *title;   /* its first heading */
    const char *summary; /* its first paragraph, on one line */
    const char *text;    /* the Markdown */
};

/* All pages, by name; *ret_count of them. */
const struct page *knowledge_pages(size_t *ret_count);
/* By page name, or any spelling of a state (LastAck, last-ack, LAST_ACK, 10), in any case; NULL where there is none. */
const struct page *knowledge_find(const char *word);
/* The pages whose names come nearest to a misspelt word, nearest first. Returns how many were put into ret_pages. */
size_t knowledge_suggest(const char *word, const struct page **ret_pages, size_t most);
