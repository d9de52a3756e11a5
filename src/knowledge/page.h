#pragma once
/* A page of `tcpwhy explain`. */

struct page {
    const char *name;    /* the file's name without .md: "last-ack", "close-wait-leak", "closing" */
    const char *title;   /* its first heading */
    const char *summary; /* its first paragraph, on one line */
    const char *text;    /* the Markdown */
};
