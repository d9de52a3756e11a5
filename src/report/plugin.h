#pragma once
/*
 * What a monitoring plugin prints, as the Monitoring Plugins Development Guidelines have it: a status line, performance
 * data behind a bar, and lines of more. Words may come from outside: whatever could break the format or act on a
 * terminal is escaped here.
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
    bool unknown;                           /* shown as "U", as the guidelines have it; the value does not count */
    const struct range *warning, *critical; /* or NULL */
    const char *least, *most;               /* as they are to be written, or NULL */
};

void plugin_deinit(struct plugin *plugin);
/* Adds to the status line. */
void plugin_say(struct plugin *plugin, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Adds a line below it. */
void plugin_add_line(struct plugin *plugin, const char *format, ...) __attribute__((format(printf, 2, 3)));
void plugin_measure(struct plugin *plugin, const struct plugin_measure *measure);
/* What was found, worst first, below the status line; with the proof where `verbose`. */
void plugin_findings(struct plugin *plugin, const struct finding *const *findings, size_t count, bool verbose);
/* What is ignored, why what looks alarming is not, and what could not be seen. */
void plugin_notes(struct plugin *plugin, const struct diagnosis *diagnosis);
/* Prints it, cut to what Nagios reads. Returns 0 or the write error as a negative errno. */
int plugin_write(const struct plugin *plugin, enum plugin_status status, FILE *out);

/* "OK", "WARNING", … */
const char *plugin_status_name(enum plugin_status status);
