#pragma once
/* Text for a terminal that shows ASCII only. */
#include "base/buf.h"

/*
 * Appends UTF-8 text, which is escaped already, in ASCII: "->" for an arrow, "..." for an ellipsis, \u{NNNN} for a
 * character that has no likeness. `no_break_space` stands for one: the caller may still have to tell it from a space.
 */
void ascii_add(struct buf *out, const char *text, const char *no_break_space);
