#pragma once
/* Tables of other programs in the text of a capture. */
#include "source/capture/format.h"

/*
 * When all lines are read: reads other tables among what is left over, each for what it is. What their rows tell about
 * a connection of the capture, and it did not know, is filled in; none is added but listeners, since two programs count
 * the same ones. At last a list of processes gives names. Returns 0 or a negative errno.
 */
int other_tables_read(struct capture *capture);
