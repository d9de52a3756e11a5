/*
 * Renders a fixture, or a capture, as the program would render that host: render FORM WIDTH FILE, where FORM is text,
 * colour, ascii, all (every connection) or json. The golden tests compare what it prints. A capture's name ends in
 * .capture; a list of processes beside it, in .tasks; a configuration to be judged by, in .conf.
 */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cmd/look.h"
#include "diagnose/diagnose.h"
#include "fixture.h"
#include "report/report.h"
#include "source/capture/capture.h"

static int failed(const char *subject, const char *message)
{
    fprintf(stderr, "render: %s: %s\n", subject, message);
    return EXIT_FAILURE;
}

static bool has_suffix(const char *name, const char *suffix)
{
    size_t length = strlen(name), suffix_length = strlen(suffix);
    return length > suffix_length && strcmp(name + length - suffix_length, suffix) == 0;
}

/* The same whenever and however fast it is read. */
static int load_capture(struct snapshot *snapshot, const char *path, struct error *err)
{
    enum { SHOWN_US = 1200 };
    static const uint64_t shown_ms = 1769860991123; /* 2026-01-31 12:03:11.123 UTC */
    char tasks[512];
    snprintf(tasks, sizeof tasks, "%.*s.tasks", (int)(strlen(path) - strlen(".capture")), path);
    const struct capture_options options = { .path = path, .tasks = access(tasks, R_OK) == 0 ? tasks : NULL };
    int result = capture_read(&options, snapshot, err);
    snapshot->taken_at_ms = shown_ms;
    snapshot->elapsed_us = SHOWN_US;
    return result;
}

/* It is named in the report: by its name alone, wherever the tree is. */
static int load_policy(struct policy *policy, const char *path, struct error *err)
{
    char folder[512], file[256];
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    snprintf(folder, sizeof folder, "./%.*s", (int)(name - path), path);
    snprintf(file, sizeof file, "%.*s.conf", (int)strcspn(name, "."), name);
    if (chdir(path[0] == '/' ? folder + 2 : folder) < 0)
        return error_set(err, -errno, folder, "cannot be entered");
    return cmd_read_config(access(file, R_OK) == 0 ? file : "/dev/null", policy, err);
}

int main(int argc, char **argv)
{
    uint64_t width;
    if (argc != 4 || text_parse_number(argv[2], 1000, &width) < 0)
        return failed("usage", "render text|colour|ascii|all|json WIDTH FIXTURE");
    const char *form = argv[1];
    setlocale(LC_ALL, "C.UTF-8");
    struct snapshot snapshot;
    struct policy policy;
    struct diagnosis diagnosis;
    struct error err;
    snapshot_init(&snapshot);
    policy_init(&policy);
    bool is_capture = has_suffix(argv[3], ".capture");
    if ((is_capture ? load_capture(&snapshot, argv[3], &err) : fixture_load(&snapshot, argv[3], &err)) < 0)
        return failed(err.subject, err.message);
    if (load_policy(&policy, argv[3], &err) < 0)
        return failed(err.subject, err.message);
    if (diagnose(&snapshot, NULL, &policy, &diagnosis) < 0)
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
    policy_deinit(&policy);
    return r < 0 ? failed(argv[3], strerror(-r)) : EXIT_SUCCESS;
}
