#pragma once
/*
 * Writes the output of a monitoring plugin as the Monitoring Plugins Development Guidelines define it: a status line, a
 * bar and performance data, and further lines. Texts may come from outside. This file escapes what could break the
 * format or act on a terminal.
 */
#include <stdio.h>

#include "base/buf.h"
#include "base/range.h"
#include "model/diagnosis.h"

enum plugin_status { PLUGIN_OK, PLUGIN_WARNING, PLUGIN_CRITICAL, PLUGIN_UNKNOWN }; /* the exit status */

struct plugin {
    struct buf words; /* of the status line */
    struct buf measures;
    struct buf more;
};

/* One value of the performance data. */
struct plugin_measure {
    const char *label;
    const char *unit; /* "", "s", "%", "B" */
    double value;
    bool unknown;                           /* shown as "U" (the guidelines' "unknown"); `value` is not used */
    const struct range *warning, *critical; /* or NULL */
    const char *least, *most;               /* minimum and maximum as text, or NULL */
};

void plugin_deinit(struct plugin *plugin);
/* Appends to the status line. */
void plugin_say(struct plugin *plugin, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Adds a line below the status line. */
void plugin_add_line(struct plugin *plugin, const char *format, ...) __attribute__((format(printf, 2, 3)));
void plugin_measure(struct plugin *plugin, const struct plugin_measure *measure);
/* Adds the findings below the status line, worst first; `verbose` adds their evidence. */
void plugin_findings(struct plugin *plugin, const struct finding *const *findings, size_t count, bool verbose);
/* Adds ignored findings, notes on what is normal, and gaps. */
void plugin_notes(struct plugin *plugin, const struct diagnosis *diagnosis);
/* Prints the output, cut to the length that Nagios reads. Returns 0 or the write error as a negative errno. */
int plugin_write(const struct plugin *plugin, enum plugin_status status, FILE *out);

/* "OK", "WARNING", … */
const char *plugin_status_name(enum plugin_status status);
