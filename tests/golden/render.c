/*
 * Renders a fixture, or a capture, as the program would render that host: render [--saved|--redacted] FORM WIDTH FILE,
 * where FORM is text, whole (all of each finding; so are colour, ascii, and all, with every connection), json, or
 * snapshot: the lines of a saved one. A capture's name ends in .capture; a list of processes beside it, in .tasks; a
 * configuration to be judged by, in .conf. With --saved the snapshot is written to a file first, and what is rendered
 * is what was read back from it; with --redacted names and addresses were replaced before. The golden tests compare
 * what it prints.
 */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cmd/inspect.h"
#include "diagnose/diagnose.h"
#include "fixture.h"
#include "source/capture/saved/redact.h"
#include "report/report.h"
#include "source/capture/capture.h"
#include "source/capture/saved/saved.h"

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

/* The configuration beside it, where there is one. */
static int load_policy(struct policy *policy, const char *path, struct error *err)
{
    char file[256];
    snprintf(file, sizeof file, "%.*s.conf", (int)(strrchr(path, '.') - path), path);
    return cmd_read_config(access(file, R_OK) == 0 ? file : "/dev/null", policy, err);
}

static int write_saved(const struct snapshot *snapshot, FILE *out)
{
    return saved_write(snapshot, "0.0.0-golden", out);
}

/* Puts a snapshot that was read back from a file in the place of the one that was written to it. */
static int save_and_read(struct snapshot *snapshot, struct snapshot *previous, struct error *err)
{
    char path[] = "/tmp/tcpwhy-golden-XXXXXX";
    int fd = mkstemp(path);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (file == NULL)
        return error_set(err, -1, path, "cannot be made");
    int result = write_saved(snapshot, file);
    fclose(file);
    char name[512] = "";
    bool named = snapshot->from != NULL;
    snprintf(name, sizeof name, "%s", named ? snapshot->from : "");
    snapshot_deinit(snapshot);
    snapshot_init(snapshot);
    const struct capture_options from = { .path = path, .previous = previous };
    result = result < 0 ? error_set(err, result, path, "cannot be written") : capture_read(&from, snapshot, err);
    unlink(path);
    snapshot->from = named ? arena_strdup(&snapshot->arena, name) : NULL; /* the one thing that is not as it was */
    return result;
}

static int write_report(const struct snapshot *snapshot, const struct policy *policy, const char *form, unsigned width)
{
    struct diagnosis diagnosis;
    diagnose(snapshot, NULL, policy, &diagnosis);
    struct buf arguments = { 0 };
    if (snapshot->from != NULL) {
        buf_str(&arguments, " --from ");
        text_shell_quote(&arguments, snapshot->from);
    }
    const struct report_options options = {
        .tool_version = "0.0.0-golden", /* the reports do not change with every release */
        .style = { .width = width, .utf8 = strcmp(form, "ascii") != 0, .colour = strcmp(form, "colour") == 0 },
        .detail = strcmp(form, "text") == 0 ? REPORT_SHORT : REPORT_WHOLE,
        .all_connections = strcmp(form, "all") == 0,
        .arguments = buf_text(&arguments),
        .list_arguments = buf_text(&arguments),
        .from_arguments = buf_text(&arguments),
    };
    int r = (strcmp(form, "json") == 0 ? report_json : report_text)(&diagnosis, &options, stdout);
    diagnosis_deinit(&diagnosis);
    buf_deinit(&arguments);
    return r;
}

int main(int argc, char **argv)
{
    uint64_t width;
    bool redacted = argc > 1 && strcmp(argv[1], "--redacted") == 0;
    bool saved = redacted || (argc > 1 && strcmp(argv[1], "--saved") == 0);
    argc -= saved;
    argv += saved;
    if (argc != 4 || text_parse_number(argv[2], 1000, &width) < 0)
        return failed("usage", "render [--saved|--redacted] text|whole|colour|ascii|all|json|snapshot WIDTH FIXTURE");
    const char *form = argv[1];
    setlocale(LC_ALL, "C.UTF-8");
    struct snapshot snapshot, previous;
    struct policy policy;
    struct error err;
    snapshot_init(&snapshot);
    snapshot_init(&previous);
    policy_init(&policy);
    bool is_capture = has_suffix(argv[3], ".capture");
    if ((is_capture ? load_capture(&snapshot, argv[3], &err) : fixture_load(&snapshot, argv[3], &err)) < 0)
        return failed(err.subject, err.message);
    if (load_policy(&policy, argv[3], &err) < 0)
        return failed(err.subject, err.message);
    static const struct redact_key key = { { { 1, 2 } } };
    if (redacted)
        snapshot_redact(&snapshot, &key);
    if (saved && save_and_read(&snapshot, &previous, &err) < 0)
        return failed(err.subject, err.message);
    int r = strcmp(form, "snapshot") == 0 ? write_saved(&snapshot, stdout)
                                          : write_report(&snapshot, &policy, form, (unsigned)width);
    snapshot_deinit(&snapshot);
    snapshot_deinit(&previous);
    policy_deinit(&policy);
    return r < 0 ? failed(argv[3], strerror(-r)) : EXIT_SUCCESS;
}
