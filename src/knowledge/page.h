#pragma once
/* A page of `tcpwhy explain`. */

struct page {
    const char *name;    /* the file's name without .md: "last-ack", "close-wait-leak", "closing" */
    const char *title;   /* its first heading */
    const char *summary; /* its first paragraph, on one line */
    const char *text;    /* the Markdown */
};

/* Another name of a page or section: an errno, a sysctl, a message of a log. */
struct page_name {
    const char *name;
    const struct page *page;
    const char *section; /* the heading of the part that explains it; NULL: the whole page */
};
