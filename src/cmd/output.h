#pragma once
/* How standard output is written: its width, its colours, and a pager if somebody reads it on a terminal. */
#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "report/report.h"

/* What --color and --no-pager have set, for the whole program. */
struct output_settings {
    enum { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER } colour;
    bool is_unpaged;
};
extern struct output_settings output_settings;

/* Parses "auto", "always" or "never". Returns 0, or -EINVAL with err filled. */
int output_set_colour(struct output_settings *settings, const char *when, struct error *err);

/*
 * Width (COLUMNS, the terminal, else 80), colour (--color; else NO_COLOR, CLICOLOR_FORCE, the terminal) and UTF-8.
 * https://no-color.org, https://bixense.com/clicolors
 */
struct report_style output_style(FILE *out);
/* True if standard output goes to a terminal, directly or through a pager. */
bool output_is_terminal(void);

/*
 * Starts a pager for what is written to standard output from now on, if that is a terminal: TCPWHY_PAGER, else PAGER,
 * else "less -FRX", which ends by itself if everything fits on the screen. Without a pager the output is written
 * directly.
 */
void output_page(void);
/*
 * Starts the process of that pager, which waits for the first byte: for a program that may start none any more when it
 * has something to show (cmd/sandbox.h).
 */
void output_prepare_page(void);
/* Waits until the reader has left the pager. Call it at the end of a program that may have called output_page(). */
void output_end(void);
