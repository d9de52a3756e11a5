#pragma once
/*
 * Reads single keys of the terminal at standard input. The terminal is put back as it was when the program ends: also
 * by exit(), by a signal that ends it, while it is stopped (Ctrl-Z), and when it crashes.
 */
#include <stdbool.h>
#include <stddef.h>

/* Ctrl-C and the like stay signals. */
enum terminal_key {
    KEY_NONE,
    KEY_UP = 256, /* others are the character itself */
    KEY_DOWN,
    KEY_LEFT,
    KEY_RIGHT,
    KEY_HOME,
    KEY_END,
    KEY_PAGE_UP,
    KEY_PAGE_DOWN,
    KEY_ENTER,
    KEY_ESCAPE,
};

struct terminal_size {
    size_t rows, columns;
};

/* True if standard output is a terminal on which the cursor can be moved. */
bool terminal_is_screen(void);
/* The size of the terminal; 24 rows of 80 columns if it does not say. */
struct terminal_size terminal_size(void);

/* Starts to read keys. Returns false if standard input is no terminal, or belongs to another job. */
bool terminal_read_keys(void);
/* Puts the terminal back. Does nothing if it is as it was. */
void terminal_restore(void);

/*
 * Returns the first key of the bytes and stores how many it takes. A part of a sequence at the end is KEY_NONE with
 * *ret_used 0, unless is_last: nothing more comes. Unknown sequences are KEY_NONE.
 */
int terminal_parse_key(const char *bytes, size_t length, bool is_last, size_t *ret_used);
