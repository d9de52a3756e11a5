#pragma once
/*
 * Where a file is: a descriptor of its folder, and its name in that folder. Root writes files into folders of other
 * users (the folder of node_exporter's textfile collector belongs to `prometheus`). The owner of such a folder may swap
 * names at any moment. So the path is resolved once; after that, all calls use the descriptor.
 *
 * A symbolic link is followed only if root or the caller owns it: any other owner could point it at any file.
 * protected_symlinks in proc(5) does the same, but only for sticky folders.
 */
#include <stdbool.h>
#include <sys/types.h>

enum place_link {
    PLACE_FOLLOW, /* a symbolic link at the end of the path is followed to the file that it names */
    PLACE_STAY,   /* it is not followed: the place is that of the link itself */
};

struct place {
    int folder;     /* O_PATH, for openat() and the like; -1: none */
    char name[256]; /* one component, NAME_MAX + 1 */
};

/*
 * Resolves a path to a place. The file itself need not exist. A link in /proc (/dev/stdout leads to one) is not
 * followed, because its target need not have a name. Returns 0 or a negative errno. -ELOOP means too many links, or a
 * link of another user; then *ret_foreign is true. The caller calls place_deinit() in either case.
 */
int place_find(struct place *place, const char *path, enum place_link link, bool *ret_foreign);
void place_deinit(struct place *place);

/*
 * Opens the place for writing, if root or the caller owns it. Nobody can swap the file between this check and the
 * opening. Only for pipes, devices and links in /proc: a regular file would be overwritten in place. Returns a
 * descriptor or a negative errno.
 */
int place_open(const struct place *place);
