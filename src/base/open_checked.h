#pragma once
/*
 * Opens a file to read it where another user may have put something else in its place. open() of a FIFO can wait for
 * ever, and open() of a device can have effects: a watchdog starts, a tape rewinds. So the path is opened with O_PATH
 * first, which has no effect. What it led to is checked by fstat(), and then that same file is opened, whatever has its
 * name by now.
 */
enum open_kind {
    OPEN_FILE = 1,     /* a regular file, and /dev/null */
    OPEN_PIPE = 2,     /* a FIFO or a pipe: opening it waits for a writer */
    OPEN_TERMINAL = 4, /* a terminal */
};

/* `kinds` is a set of enum open_kind. Returns a descriptor, or a negative errno: -EISDIR, -ENODEV for other kinds. */
int open_checked(const char *path, unsigned kinds);
/* The same, relative to a folder. The last component is not followed if it is a symbolic link: -ELOOP. */
int open_checked_at(int folder, const char *name, unsigned kinds);
