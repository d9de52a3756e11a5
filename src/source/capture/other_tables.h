#pragma once
/* Reads tables of other programs in the text of a capture. */
#include "source/capture/format.h"

/*
 * Call it when all lines are read. It reads other tables among the lines that are left, each in its own format. It adds
 * to the connections of the capture what their rows know and the capture does not. It adds no connections except
 * listeners, because two programs show the same ones. At last a list of processes gives the names. Returns 0 or a
 * negative errno.
 */
int other_tables_read(struct capture *capture);
