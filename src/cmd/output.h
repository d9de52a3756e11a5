#pragma once
/* How stdout is written to: its width, its colours, and page by page where somebody reads it on a terminal. */
#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "report/report.h"

/* What --color and --no-pager say, for the whole program. */
struct output_settings {
    enum { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER } colour;
    bool is_unpaged;
};
extern struct output_settings output_settings;

/* "auto", "always" or "never". Returns 0, or -EINVAL with err filled. */
int output_set_colour(struct output_settings *settings, const char *when, struct error *err);

/*
 * Width (COLUMNS, the terminal, else 80), colour (--color; else NO_COLOR, CLICOLOR_FORCE, the terminal) and UTF-8.
 * https://no-color.org, https://bixense.com/clicolors
 */
struct report_style output_style(FILE *out);
/* Whether somebody reads stdout on a terminal, through a pager or not. */
bool output_is_terminal(void);

/*
 * From here on what is written to stdout is shown page by page, if stdout is a terminal: by TCPWHY_PAGER, else PAGER,
 * else "less -FRX", which ends by itself where all fits on a screen. Without a pager it is written as it is.
 */
void output_page(void);
/* Waits until the reader has seen enough. The end of every program that may have called output_page(). */
void output_end(void);
