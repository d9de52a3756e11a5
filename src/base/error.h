#pragma once
/*
 * What a person needs to know when something could not be done.
 *
 * Functions that can fail return 0 or a negative errno. Those whose failure a user may have to understand take an
 * optional last argument, struct error *, which they fill on failure only: the code, a sentence, and the thing it is
 * about (a path, an option, a line). Nothing is allocated; over-long text is cut.
 */
#include <stdarg.h>

struct error {
    int code;          /* negative errno, as returned */
    char subject[128]; /* what it is about: a path, an option, a value; may be empty */
    char message[256]; /* one sentence, lower case, no full stop: "cannot be read: permission denied" */
};

/* Fills *err (if not NULL) and returns code, so that failing is one line. subject may be NULL. */
int error_set(struct error *err, int code, const char *subject, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
