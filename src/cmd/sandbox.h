#pragma once
/*
 * Takes from this process what a parser of foreign text never needs, before it reads the first byte: a fault in a
 * parser can then be used for nothing but a wrong report. System calls are filtered (seccomp), files are out of reach
 * (Landlock), and capabilities are dropped. There is no way back.
 */
#include "base/error.h"
#include "base/place.h"

/*
 * Call it when everything that will be read is open. `output` is a file that will be written later, with its `link`;
 * NULL: there is none. The folder of that file stays in reach.
 *
 * It fails open: it takes what the kernel lets it take. Returns 0; or a negative errno, with err saying what is
 * missing.
 */
int sandbox_enter(const char *output, enum place_link link, struct error *err);
