#pragma once
/*
 * Where a file stands: its folder, held by a descriptor, and its name in it. Root writes files into folders of other
 * users (the folder of node_exporter's textfile collector belongs to `prometheus`). Their owners may swap names while
 * root looks, so that what is done goes by the descriptor, never by the path again.
 *
 * A symbolic link is followed only where its owner is root or the caller: anybody else could point it at any file.
 * protected_symlinks in proc(5) holds the same for folders that are sticky; here it holds for all.
 */
#include <stdbool.h>
#include <sys/types.h>

enum place_link {
    PLACE_FOLLOW, /* a symbolic link at the end of the path is followed to the file that it names */
    PLACE_STAY,   /* the name of the link is the place */
};

struct place {
    int folder;     /* O_PATH, for openat() and the like; -1: none */
    char name[256]; /* one component, NAME_MAX + 1 */
};

/*
 * Nothing needs to have the name yet. A link in /proc (/dev/stdout leads to one) is a place itself: where it leads is
 * no name. Returns 0, or a negative errno: -ELOOP for too many links or one of another user, which *ret_foreign tells.
 * The caller releases the place in either case.
 */
int place_find(struct place *place, const char *path, enum place_link link, bool *ret_foreign);
void place_deinit(struct place *place);

/*
 * Opens what stands there for writing, if root or the caller owns it; the file cannot be swapped between the look and
 * the opening. For pipes, devices and links in /proc: a regular file would be overwritten where it stands. Returns a
 * descriptor or a negative errno.
 */
int place_open(const struct place *place);
