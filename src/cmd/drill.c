/* tcpwhy drill: causes a fault, prints how to examine it, and removes it. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "act/drill/catalog.h"
#include "act/drill/stage.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/suggest.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/output.h"
#include "knowledge/knowledge.h"
#include "report/report.h"

enum {
    FOR_DEFAULT_MS = 5 * 60 * 1000,
    COUNT_MAX = 1000000, /* the largest number that --count accepts; each drill has its own limit */
    LIST_INDENT = 6,
    LABEL_COLUMN = 14,
};

struct drill_command {
    struct drill_options drill;
    uint64_t for_ms;
    bool keep, list, json;
};

static int set_count(void *target, const char *value, struct error *err)
{
    uint64_t number;
    if (text_parse_number(value, COUNT_MAX, &number) < 0 || number < 2)
        return error_set(err, -EINVAL, value, "is not a number of connections; at least 2");
    ((struct drill_command *)target)->drill.count = (unsigned)number;
    return 0;
}

static int set_for(void *target, const char *value, struct error *err)
{
    uint64_t ms;
    if (text_parse_duration(value, &ms) < 0 || ms == 0)
        return error_set(err, -EINVAL, value, "is not a time: 90, 90s, 5m, 2h");
    ((struct drill_command *)target)->for_ms = ms;
    return 0;
}

static const struct option_row drill_option_rows[] = {
    { 'c', "count", "N", "this many connections; --list shows the default", set_count },
    { 0, "for", "SECS", "end after this time, as 90s, 5m, 2h; 5m unless given", set_for },
    { 'k', "keep", NULL, "do not end until interrupted", .flag = offsetof(struct drill_command, keep) },
    { 0, "in-host", NULL,
        "on the host's own loopback interface, to test real alarms; only drills that are harmless there",
        .flag = offsetof(struct drill_command, drill.in_host) },
    { 0, "host-limits", NULL,
        "allow a drill to lower a limit of the whole host while it runs: for machines that may be hurt",
        .flag = offsetof(struct drill_command, drill.host_limits) },
    { 'L', "list", NULL, "list the drills", .flag = offsetof(struct drill_command, list) },
    { 'j', "json", NULL, "print JSON: a line when the drill stands; an array with --list",
        .flag = offsetof(struct drill_command, json) },
    { 0 },
};

/* --- the list ----------------------------------------------------------------------------------------------------- */

static void describe(struct buf *out, const struct drill *drill, unsigned width)
{
    buf_printf(out, "  %s\n", drill->finding);
    buf_repeat(out, " ", LIST_INDENT);
    text_wrap(out, drill->does, LIST_INDENT, width);
    buf_char(out, '\n');
    buf_repeat(out, " ", LIST_INDENT);
    if (drill->impossible != NULL) {
        struct buf why = { 0 };
        buf_printf(&why, "Cannot be made: %s", drill->impossible);
        text_wrap(out, buf_text(&why), LIST_INDENT, width);
        buf_str(out, "\n\n");
        buf_deinit(&why);
        return;
    }
    text_count(out, drill->count);
    buf_str(out, " connections, reported after ");
    text_duration(out, drill->after_s * 1000ULL);
    if (drill->renew_s != 0)
        buf_printf(out, ", made anew every %u s", drill->renew_s);
    buf_str(out, drill->in_host ? ", --in-host allowed\n" : "\n");
    if (drill->host_limit != NULL) {
        struct buf why = { 0 };
        buf_printf(&why, "Only with --host-limits: it lowers %s of the whole host. %s", drill->host_limit, drill->harm);
        buf_repeat(out, " ", LIST_INDENT);
        text_wrap(out, buf_text(&why), LIST_INDENT, width);
        buf_char(out, '\n');
        buf_deinit(&why);
    }
    if (drill->note != NULL) {
        buf_repeat(out, " ", LIST_INDENT);
        text_wrap(out, drill->note, LIST_INDENT, width);
        buf_char(out, '\n');
    }
    buf_char(out, '\n');
}

static int list_text(void)
{
    unsigned count, width = output_style(stdout).width;
    const struct drill *drills = drill_table(&count);
    struct buf text = { 0 };
    for (unsigned i = 0; i < count; i++)
        describe(&text, &drills[i], width);
    buf_str(&text, "'tcpwhy drill FINDING' runs one.\n");
    output_page();
    fputs(buf_text(&text), stdout);
    buf_deinit(&text);
    return STATUS_HEALTHY;
}

static int list_json(void)
{
    unsigned count;
    const struct drill *drills = drill_table(&count);
    struct json json;
    json_begin(&json, stdout, false);
    json_array(&json);
    for (unsigned i = 0; i < count; i++) {
        const struct drill *drill = &drills[i];
        json_object(&json);
        json_member_string(&json, "finding", drill->finding);
        json_member_string(&json, "does", drill->does);
        json_member_string(&json, "impossible", drill->impossible);
        json_member_string(&json, "host_limit", drill->host_limit);
        json_member_string(&json, "harm", drill->harm);
        json_member_string(&json, "note", drill->note);
        json_member_uint(&json, "count", drill->count);
        json_member_uint(&json, "count_most", drill->count_max);
        json_member_uint(&json, "reported_after_s", drill->after_s);
        json_member_uint(&json, "renewed_every_s", drill->renew_s);
        json_member_bool(&json, "in_host", drill->in_host);
        json_object_end(&json);
    }
    json_array_end(&json);
    return json_end(&json) < 0 ? STATUS_FAILED : STATUS_HEALTHY;
}

/* --- a running drill ---------------------------------------------------------------------------------------------- */

static void add_label(struct buf *out, const char *name)
{
    buf_printf(out, "  %-*s", LABEL_COLUMN - 2, name);
}

static void add_clock(struct buf *out, unsigned seconds_from_now)
{
    time_t then = time(NULL) + seconds_from_now;
    struct tm local;
    char text[16] = "";
    if (localtime_r(&then, &local) != NULL)
        strftime(text, sizeof text, "%H:%M:%S", &local);
    buf_str(out, text);
}

/* The commands that show the fault. Without root the drill is in a user namespace, which must be entered to see it. */
static void add_commands(struct buf *out, const struct drill *drill, const struct drill_run *run)
{
    add_label(out, "Look");
    if (drill->host_limit != NULL) {
        buf_str(out, "tcpwhy\n"); /* findings about the whole host need all connections */
        return;
    }
    if (run->userns)
        buf_printf(out, "nsenter --preserve-credentials --user --net --target %d tcpwhy\n", (int)run->owner_pid);
    else if (run->netns_pid == 0)
        buf_printf(out, "tcpwhy --port %u\n", run->port);
    else
        buf_printf(out, "tcpwhy --netns %d\n", (int)run->netns_pid);
    if (!run->userns && !drill->unheld)
        buf_printf(out, "%*stcpwhy --pid %d\n", LABEL_COLUMN, "", (int)run->owner_pid);
}

/* ", from 12:00:07 on (after 7 s)" */
static void add_beginning(struct buf *out, unsigned seconds)
{
    buf_str(out, ", from ");
    add_clock(out, seconds);
    buf_str(out, " on (after ");
    text_duration(out, seconds * 1000ULL);
    buf_char(out, ')');
}

static void add_expectation(struct buf *out, const struct drill *drill, unsigned width)
{
    struct buf words = { 0 };
    bool is_replaced = drill->seen_finding != NULL && drill->seen_after_s <= drill->after_s;
    if (!is_replaced) {
        buf_str(&words, drill->finding);
        add_beginning(&words, drill->after_s);
    }
    if (drill->seen_finding != NULL) {
        buf_printf(&words, "%s%s of drill-peer, the other end, which is in sight here", is_replaced ? "" : "; then ",
            drill->seen_finding);
        add_beginning(&words, drill->seen_after_s);
    }
    add_label(out, "Expect");
    text_wrap(out, buf_text(&words), LABEL_COLUMN, width);
    buf_char(out, '\n');
    buf_deinit(&words);
    if (knowledge_find(drill->finding) != NULL) {
        add_label(out, "Learn");
        buf_printf(out, "tcpwhy explain %s\n", drill->finding);
    }
}

static void show_text(const struct drill *drill, const struct drill_run *run, const struct drill_command *options)
{
    unsigned width = output_style(stdout).width;
    struct buf text = { 0 };
    buf_printf(&text, "%s\n\n  ", drill->finding);
    text_wrap(&text, drill->does, 2, width);
    buf_str(&text, "\n\n");
    add_label(&text, "Stands");
    text_count(&text, run->count);
    buf_printf(&text, " connections, port %u\n", run->port);
    add_label(&text, "Processes");
    buf_printf(&text, "%s (pid %d), drill-peer (pid %d)\n", drill->helper != NULL ? drill->helper : drill->name,
        (int)run->owner_pid, (int)run->peer_pid);
    add_label(&text, "Namespace");
    buf_str(&text,
        run->netns_pid == 0             ? "the host's own\n"
            : run->userns               ? "network and user namespaces of its own; the host is not touched\n"
            : drill->host_limit != NULL ? "a network namespace of its own\n"
                                        : "a network namespace of its own; the host's is not touched\n");
    if (drill->host_limit != NULL) {
        add_label(&text, "Lowered");
        buf_printf(&text, "%s of the whole host; at the end it is put back to %s\n", drill->host_limit,
            run->host_limit.before);
    }
    add_commands(&text, drill, run);
    add_expectation(&text, drill, width);
    if (drill->note != NULL) {
        add_label(&text, "Note");
        text_wrap(&text, drill->note, LABEL_COLUMN, width);
        buf_char(&text, '\n');
    }
    add_label(&text, "Ends");
    if (!options->keep) {
        buf_str(&text, "after ");
        text_duration(&text, options->for_ms);
        buf_str(&text, ", ");
    }
    buf_str(&text, "on Ctrl-C, and when one of its processes ends\n");
    fputs(buf_text(&text), stdout);
    fflush(stdout);
    buf_deinit(&text);
}

static void show_json(const struct drill *drill, const struct drill_run *run)
{
    struct json json;
    json_begin(&json, stdout, true);
    json_object(&json);
    json_member_string(&json, "finding", drill->finding);
    json_member_uint(&json, "owner_pid", (uint64_t)run->owner_pid);
    json_member_uint(&json, "peer_pid", (uint64_t)run->peer_pid);
    if (run->netns_pid != 0)
        json_member_uint(&json, "netns_pid", (uint64_t)run->netns_pid);
    else
        json_member_null(&json, "netns_pid");
    json_member_uint(&json, "port", run->port);
    json_member_uint(&json, "count", run->count);
    json_member_uint(&json, "reported_after_s", drill->after_s);
    json_member_string(&json, "seen_finding", drill->seen_finding);
    json_member_uint(&json, "seen_after_s", drill->seen_after_s);
    json_member_string(&json, "host_limit", drill->host_limit);
    json_member_string(&json, "host_limit_before", drill->host_limit != NULL ? run->host_limit.before : NULL);
    json_object_end(&json);
    json_end(&json);
    fflush(stdout);
}

/* --- waiting ------------------------------------------------------------------------------------------------------ */

enum waited { WAITED_TIME, WAITED_SIGNAL, WAITED_END };

/* Waits until that time (0: without end), for a signal, or until one of the drill's processes ends. */
static enum waited wait_until(uint64_t until_ms, int signals, int life)
{
    enum { LONGEST_MS = 60 * 60 * 1000 };
    for (;;) {
        uint64_t now = clock_monotonic_ms();
        if (until_ms != 0 && now >= until_ms)
            return WAITED_TIME;
        uint64_t left = until_ms == 0 || until_ms - now > LONGEST_MS ? LONGEST_MS : until_ms - now;
        struct pollfd waiting[] = { { .fd = signals, .events = POLLIN }, { .fd = life, .events = POLLIN } };
        if (poll(waiting, 2, (int)left) <= 0)
            continue;
        return waiting[0].revents != 0 ? WAITED_SIGNAL : WAITED_END;
    }
}

/*
 * Blocks the signals that end the drill and opens a descriptor for them. So they cannot interrupt its start or its end.
 */
static int open_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGQUIT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

/*
 * Explains why the drill does not run: it cannot be made, or it lowers a limit of the host and --host-limits is
 * missing.
 */
static int refuse(const struct drill *drill)
{
    struct buf text = { 0 }, shown = { 0 };
    if (drill->impossible != NULL)
        buf_printf(&text, "tcpwhy drill: %s: cannot be made: %s", drill->finding, drill->impossible);
    else
        buf_printf(&text,
            "tcpwhy drill: %s: lowers %s, which is the whole host's: no network namespace has its own. %s On a machine "
            "that may be hurt, a virtual one of which nothing else depends, say --host-limits; at the end it is put "
            "back.",
            drill->finding, drill->host_limit, drill->harm);
    text_wrap(&shown, buf_text(&text), 0, output_style(stderr).width);
    fprintf(stderr, "%s\n", buf_text(&shown));
    buf_deinit(&text);
    buf_deinit(&shown);
    return STATUS_FAILED;
}

/* Runs the drill until its time is over. A fault that the kernel ends is made again. */
static int run_drill(const struct command *self, const struct drill *drill, const struct drill_command *options)
{
    struct error err;
    int signals = open_signals();
    uint64_t end_ms = options->keep ? 0 : clock_monotonic_ms() + options->for_ms;
    enum waited waited = WAITED_TIME;
    for (bool first = true; waited == WAITED_TIME; first = false) {
        struct drill_run run;
        if (drill_start(drill, &options->drill, &run, &err) < 0) {
            close(signals);
            return cmd_fail(self, &err);
        }
        if (options->json)
            show_json(drill, &run);
        else if (first)
            show_text(drill, &run, options);
        else
            printf("Made anew: pid %d, drill-peer pid %d, port %u\n", (int)run.owner_pid, (int)run.peer_pid, run.port);
        fflush(stdout);
        uint64_t until_ms = drill->renew_s != 0 ? clock_monotonic_ms() + drill->renew_s * 1000ULL : end_ms;
        bool last = end_ms != 0 && until_ms >= end_ms;
        waited = wait_until(last ? end_ms : until_ms, signals, run.life_fd);
        drill_stop(&run);
        if (last)
            break;
    }
    close(signals);
    if (!options->json)
        printf("\n%s: its processes, sockets and namespaces are gone.\n",
            waited == WAITED_END ? "A process of the drill was ended, and so the drill" : "The drill is over");
    return STATUS_HEALTHY;
}

static int unknown(const struct command *self, const char *finding)
{
    unsigned count;
    const struct drill *drills = drill_table(&count);
    struct suggestion suggestion = { .wanted = finding };
    for (unsigned i = 0; i < count; i++)
        suggest(&suggestion, drills[i].finding);
    struct error err;
    char nearest[SUGGESTION_TEXT_MAX];
    error_set(&err, -ENOENT, finding, "no such drill; %s",
        suggestion_text(&suggestion, "'tcpwhy drill --list' lists them", nearest));
    return cmd_fail(self, &err);
}

static int run_command(const struct command *self, int argc, char **argv)
{
    struct drill_command options = { 0 };
    const struct option_group groups[] = {
        { "Options", drill_option_rows, &options },
        { 0 },
    };
    struct error err;
    int count = 0;
    int result = options_parse(self, groups, argc, argv, &count, &err);
    if (result == PARSE_HELP)
        return STATUS_HEALTHY;
    if (result == 0 && options.keep && options.for_ms != 0)
        result = error_set(&err, -EINVAL, "--keep", "and --for exclude each other");
    if (result == 0 && options.list && count > 0)
        result = error_set(&err, -EINVAL, argv[1], "--list takes no finding");
    if (result == 0 && !options.list && count != 1)
        result = error_set(&err, -EINVAL, count > 1 ? argv[2] : NULL, "%s: 'tcpwhy drill --list' lists them",
            count > 1 ? "one drill at a time" : "the name of a drill is missing");
    if (result < 0)
        return cmd_fail(self, &err);
    if (options.list)
        return options.json ? list_json() : list_text();
    const struct drill *drill = drill_find(argv[1]);
    if (drill == NULL)
        return unknown(self, argv[1]);
    if (drill->impossible != NULL || (drill->host_limit != NULL && !options.drill.host_limits))
        return refuse(drill);
    if (options.for_ms == 0)
        options.for_ms = FOR_DEFAULT_MS;
    return run_drill(self, drill, &options);
}

const struct command command_drill = {
    .name = "drill",
    .summary = "make a fault happen safely, to learn it or to test alarms",
    .synopsis = "tcpwhy drill [OPTIONS] FINDING | --list",
    .details = "FINDING is the id of a finding. The drill makes the fault behind it, with real sockets\n"
               "and processes, in its own network namespace. It sets limits and drops packets only\n"
               "there. It needs no root if the kernel lets users make namespaces. The drill says how\n"
               "to look at the fault, what tcpwhy should report, and when. Everything ends with the\n"
               "drill: after --for, on Ctrl-C, and also when tcpwhy is killed.\n",
    .examples = "  tcpwhy drill close-wait-leak\n"
                "      a service that forgets to close 50 connections, for 5 minutes\n"
                "  tcpwhy drill close-wait-leak --in-host --count 200 --keep\n"
                "      on the host's loopback, until interrupted: does the alarm ring?\n"
                "  tcpwhy drill --list\n"
                "      every drill, and what it does\n",
    .run = run_command,
};
