#pragma once
/* Before a capture is read: what will be needed is opened, and the rest is given up (cmd/sandbox.h). */
#include <stddef.h>

#include "base/place.h"

struct confinement {
    const char *const *paths; /* the captures */
    size_t count;
    const char *tasks;  /* as in struct capture_options; or NULL */
    const char *output; /* the file that will be written, or NULL */
    enum place_link link;
};

/* Prints a note on stderr where the kernel does not let it be done. */
void cmd_confine(const struct confinement *confinement);
