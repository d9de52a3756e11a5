/*
 * Renders a fixture as the program would render that host: render FORM WIDTH FIXTURE, where FORM is text, colour,
 * ascii, all (every connection) or json. The golden tests compare what it prints.
 */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "diagnose/diagnose.h"
#include "fixture.h"
#include "report/report.h"

static int failed(const char *subject, const char *message)
{
    fprintf(stderr, "render: %s: %s\n", subject, message);
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    uint64_t width;
    if (argc != 4 || text_parse_number(argv[2], 1000, &width) < 0)
        return failed("usage", "render text|colour|ascii|all|json WIDTH FIXTURE");
    const char *form = argv[1];
    setlocale(LC_ALL, "C.UTF-8");
    struct snapshot snapshot;
    struct diagnosis diagnosis;
    struct error err;
    snapshot_init(&snapshot);
    if (fixture_load(&snapshot, argv[3], &err) < 0)
        return failed(err.subject, err.message);
    if (diagnose(&snapshot, NULL, &diagnosis) < 0)
        return failed(argv[3], "cannot be diagnosed");
    struct report_options options = {
        .tool_version = "0.0.0-golden", /* the reports do not change with every release */
        .style = { .width = (unsigned)width,
            .utf8 = strcmp(form, "ascii") != 0,
            .colour = strcmp(form, "colour") == 0 },
        .all_connections = strcmp(form, "all") == 0,
    };
    bool json = strcmp(form, "json") == 0;
    int r = json ? report_json(&diagnosis, &options, stdout) : report_text(&diagnosis, &options, stdout);
    diagnosis_deinit(&diagnosis);
    snapshot_deinit(&snapshot);
    return r < 0 ? failed(argv[3], strerror(-r)) : EXIT_SUCCESS;
}
