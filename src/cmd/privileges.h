#pragma once
/* Capabilities of this process: capabilities(7). */

enum privileges_kept {
    PRIVILEGES_NONE,
    PRIVILEGES_FOR_FILES, /* to write files into folders of other users: CAP_DAC_OVERRIDE, CAP_FOWNER (sticky ones) */
};

/* Drops all others from the calling thread, and from what it starts. Returns 0 or a negative errno. */
int privileges_drop(enum privileges_kept kept);
