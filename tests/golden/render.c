/*
 * Renders a fixture as the program would render that host: render [--saved|--redacted] FORM WIDTH FIXTURE, where FORM is
 * text, colour, ascii, all (every connection), json, or snapshot: the lines of a saved one. With --saved the snapshot is
 * written to a file first, and what is rendered is what was read back from it; with --redacted names and addresses were
 * replaced before. The golden tests compare what it prints.
 */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "diagnose/diagnose.h"
#include "fixture.h"
#include "model/redact.h"
#include "report/report.h"
#include "source/capture/capture.h"
#include "source/capture/saved.h"

static int failed(const char *subject, const char *message)
{
    fprintf(stderr, "render: %s: %s\n", subject, message);
    return EXIT_FAILURE;
}

static int write_saved(const struct snapshot *snapshot, FILE *out)
{
    const struct saved_options options = { .tool_version = "0.0.0-golden" };
    return saved_write(snapshot, &options, out);
}

/* Puts a snapshot that was read back from a file in the place of the one that was written to it. */
static int save_and_read(struct snapshot *snapshot, struct snapshot *earlier, struct error *err)
{
    char path[] = "/tmp/tcpwhy-golden-XXXXXX";
    int fd = mkstemp(path);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (file == NULL)
        return error_set(err, -1, path, "cannot be made");
    int result = write_saved(snapshot, file);
    fclose(file);
    snapshot_deinit(snapshot);
    snapshot_init(snapshot);
    const struct capture_options from = { .path = path };
    result = result < 0 ? error_set(err, result, path, "cannot be written") : capture_read(&from, snapshot, earlier, err);
    unlink(path);
    return result;
}

int main(int argc, char **argv)
{
    uint64_t width;
    bool redacted = argc > 1 && strcmp(argv[1], "--redacted") == 0;
    bool saved = redacted || (argc > 1 && strcmp(argv[1], "--saved") == 0);
    argc -= saved;
    argv += saved;
    if (argc != 4 || text_parse_number(argv[2], 1000, &width) < 0)
        return failed("usage", "render [--saved|--redacted] text|colour|ascii|all|json|snapshot WIDTH FIXTURE");
    const char *form = argv[1];
    setlocale(LC_ALL, "C.UTF-8");
    struct snapshot snapshot, earlier;
    struct diagnosis diagnosis;
    struct error err;
    snapshot_init(&snapshot);
    snapshot_init(&earlier);
    if (fixture_load(&snapshot, argv[3], &err) < 0)
        return failed(err.subject, err.message);
    static const struct redact_key key = { { { 1, 2 } } };
    if (redacted)
        snapshot_redact(&snapshot, &key);
    if (saved && save_and_read(&snapshot, &earlier, &err) < 0)
        return failed(err.subject, err.message);
    if (strcmp(form, "snapshot") == 0)
        return write_saved(&snapshot, stdout) < 0 ? failed(argv[3], "cannot be saved") : EXIT_SUCCESS;
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
    snapshot_deinit(&earlier);
    return r < 0 ? failed(argv[3], strerror(-r)) : EXIT_SUCCESS;
}
