#pragma once
/* Text for a terminal that shows ASCII only. */
#include "base/buf.h"

/*
 * Appends escaped UTF-8 text as ASCII: "->" for an arrow, "..." for an ellipsis, \u{NNNN} for a character without an
 * ASCII form. A no-break space becomes `no_break_space`, so that the caller can still tell it from a space.
 */
void ascii_add(struct buf *out, const char *text, const char *no_break_space);
