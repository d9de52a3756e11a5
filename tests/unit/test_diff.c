/* Snapshots compared: which process leaks, and which is only busy. */
#include "diagnose/compare/diff.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "unit.h"

#include "fixture.h"

enum { SNAPSHOTS_MAX = 6, MINUTE = 60 };

/* The fixtures of the snapshots, and the result. */
struct series {
    struct buf texts[SNAPSHOTS_MAX];
    struct snapshot snapshots[SNAPSHOTS_MAX];
    size_t count;
    struct diff diff;
};

static void begin(struct series *series, size_t count, unsigned step_s)
{
    *series = (struct series){ .count = count };
    for (unsigned i = 0; i < count; i++)
        buf_printf(&series->texts[i], "host web-3 linux 6.18.44 2026-01-31T12:%02u:%02u.123Z\n", i * step_s / MINUTE,
            i * step_s % MINUTE);
}

static int compare(struct series *series, const struct selection *selection, struct error *err)
{
    const struct diff_options options = { .selection = selection };
    return diff_make(series->snapshots, series->count, &options, &series->diff, err);
}

static void load(struct series *series)
{
    for (size_t i = 0; i < series->count; i++) {
        fixture_must(&series->snapshots[i], buf_text(&series->texts[i]));
        buf_deinit(&series->texts[i]);
    }
}

static void finish(struct series *series)
{
    struct error err = { 0 };
    load(series);
    int result = compare(series, NULL, &err);
    if (result < 0)
        print_error("%s: %s\n", err.subject, err.message);
    assert_int_equal(result, 0);
}

static void end(struct series *series)
{
    diff_deinit(&series->diff);
    for (size_t i = 0; i < series->count; i++)
        snapshot_deinit(&series->snapshots[i]);
}

static void assert_title(const struct diff *diff, const char *part, bool is_there)
{
    if ((strstr(diff->title, part) != NULL) != is_there)
        print_error("%s the title: %s\n", is_there ? "not in" : "in", diff->title);
    assert_true((strstr(diff->title, part) != NULL) == is_there);
}

/* --- one process and service ------------------------------------------------------------------------------------- */

struct course {
    const char *what, *state;
    unsigned snapshots, step_s;
    unsigned stay[SNAPSHOTS_MAX];  /* connections that stay once they came, the oldest first */
    unsigned churn[SNAPSHOTS_MAX]; /* connections that are different in each snapshot */
    unsigned fds[SNAPSHOTS_MAX], limit;
    enum diff_kind kind;
    bool unsure;
    enum verdict verdict;
    const char *title, *not_title;
};

#define NO_LIMIT 1000000

static const struct course courses[] = {
    { "a leak", "CLOSE_WAIT", 3, 60, { 100, 200, 300 }, .kind = DIFF_LEAKS, .verdict = VERDICT_WARNING,
        .title = "app (pid 812) leaks connections in CLOSE_WAIT on port 80: 100 to 300" },
    { "a leak under churn", "CLOSE_WAIT", 5, 60, { 20, 40, 60, 80, 100 }, { 30, 30, 30, 30, 30 },
        .fds = { 100, 120, 140, 160, 180 }, .limit = 1024, .kind = DIFF_LEAKS, .verdict = VERDICT_CRITICAL,
        .title = "grew from 20 to 80" },
    { "load that all goes again", "CLOSE_WAIT", 5, 60, .churn = { 50, 70, 90, 110, 130 }, .kind = DIFF_GROWS,
        .title = "Nothing leaks" },
    { "as many stay, others are more", "CLOSE_WAIT", 4, 60, { 20, 20, 20, 20 }, { 30, 40, 50, 60 }, .kind = DIFF_GROWS,
        .title = "Nothing leaks" },
    { "two snapshots, the first ones stay", "CLOSE_WAIT", 2, 60, { 100, 200 }, .kind = DIFF_LEAKS,
        .verdict = VERDICT_WARNING, .title = "none of the first 100 went" },
    { "two snapshots from nothing", "CLOSE_WAIT", 2, 60, { 0, 500 }, .kind = DIFF_GROWS, .unsure = true,
        .verdict = VERDICT_WARNING, .title = "take another one", .not_title = "first 0" },
    { "two snapshots from two", "CLOSE_WAIT", 2, 60, { 2, 500 }, .kind = DIFF_GROWS, .unsure = true,
        .verdict = VERDICT_WARNING, .title = "take another one", .not_title = "Nothing leaks" },
    { "few of many, none went", "CLOSE_WAIT", 2, 60, { 5000, 5240 }, .kind = DIFF_LEAKS, .verdict = VERDICT_WARNING },
    { "few of many, among others", "ESTABLISHED", 2, 60, .churn = { 1000, 1024 }, .kind = DIFF_BUSY,
        .title = "Nothing leaks" },
    { "three more in a second", "CLOSE_WAIT", 2, 1, { 3, 6 }, .fds = { 20, 23 }, .limit = 1024, .kind = DIFF_GROWS,
        .unsure = true, .title = "No leak is certain" },
    { "jumped once", "CLOSE_WAIT", 5, 60, { 100, 300, 300, 300, 300 }, .fds = { 110, 310, 310, 310, 310 },
        .limit = 1024, .kind = DIFF_GREW, .verdict = VERDICT_WARNING, .title = "no more since" },
    { "a storm that is over", "CLOSE_WAIT", 5, 60, { 20, 60, 60, 60, 60 }, { 0, 900, 400, 100, 0 }, .kind = DIFF_GREW },
    { "a pool that fills once", "ESTABLISHED", 6, 60, { 2, 50, 50, 50, 50, 50 }, .fds = { 22, 70, 70, 70, 70, 70 },
        .limit = 1024, .kind = DIFF_GREW, .title = "Nothing leaks" },
    { "open ones that stay", "ESTABLISHED", 3, 60, { 100, 200, 300 }, .kind = DIFF_PILES_UP,
        .title = "No leak is certain, but app (pid 812) has ever more" },
    { "open ones that stay, amid load", "ESTABLISHED", 5, 60, { 30, 60, 90, 120, 150 }, { 300, 300, 300, 300, 300 },
        .kind = DIFF_PILES_UP, .title = "No leak is certain", .not_title = "Nothing leaks" },
    { "load up and down", "ESTABLISHED", 3, 60, { 100, 200, 200 }, { 0, 800, 0 }, .fds = { 110, 1010, 210 },
        .limit = 4096, .kind = DIFF_GREW },
    { "open ones up to the limit", "ESTABLISHED", 4, 60, { 100, 200, 300, 400 }, .fds = { 120, 220, 320, 420 },
        .limit = 1024, .kind = DIFF_PILES_UP, .verdict = VERDICT_CRITICAL, .title = "piles up" },
    { "busy, a few descriptors more", "ESTABLISHED", 2, 10, .churn = { 180, 188 }, .fds = { 200, 208 }, .limit = 1024,
        .kind = DIFF_BUSY, .title = "Nothing leaks" },
    { "at the limit", "CLOSE_WAIT", 2, 60, { 990, 1014 }, .fds = { 1000, 1024 }, .limit = 1024, .kind = DIFF_LEAKS,
        .verdict = VERDICT_CRITICAL, .title = "it has reached its limit of 1,024 descriptors" },
    { "over the limit", "CLOSE_WAIT", 2, 60, { 990, 1020 }, .fds = { 1000, 1030 }, .limit = 1024, .kind = DIFF_LEAKS,
        .verdict = VERDICT_CRITICAL, .title = "reached its limit" },
    { "two snapshots, near the limit", "CLOSE_WAIT", 2, 60, { 900, 950 }, .fds = { 910, 960 }, .limit = 1024,
        .kind = DIFF_LEAKS, .verdict = VERDICT_CRITICAL, .title = "at this pace it comes to its limit" },
    { "two snapshots, far from it", "CLOSE_WAIT", 2, 60, { 100, 150 }, .fds = { 110, 160 }, .limit = 1024,
        .kind = DIFF_LEAKS, .verdict = VERDICT_WARNING },
    { "closed ones that stay too long", "LAST_ACK", 3, 60, { 100, 200, 300 }, .kind = DIFF_PILES_UP,
        .verdict = VERDICT_WARNING,
        .title = "Connections in LAST_ACK on port 80 that no process was seen to hold pile up", .not_title = "Nobody" },
    { "closed ones of a moment", "FIN_WAIT_2", 3, 10, { 100, 200, 300 }, .kind = DIFF_PILES_UP,
        .title = "No leak is certain" },
    { "what passes", "TIME_WAIT", 3, 10, { 100, 200, 300 }, .kind = DIFF_GROWS },
};

static void add_course(struct series *series, const struct course *course, unsigned at)
{
    struct buf *text = &series->texts[at];
    bool held = strcmp(course->state, "CLOSE_WAIT") == 0 || strcmp(course->state, "ESTABLISHED") == 0;
    const char *holders = held ? " holders=812:100" : "";
    buf_printf(text, "process 812 app fds=%u/%u\nconn LISTEN *:80 cookie=1 holders=812:3\n",
        course->limit != 0 ? course->fds[at] : 10, course->limit != 0 ? course->limit : NO_LIMIT);
    if (course->stay[at] > 0)
        buf_printf(
            text, "conn %s 10.0.0.5:80 10.1.0.1:1000 x%u cookie=10000%s\n", course->state, course->stay[at], holders);
    if (course->churn[at] > 0)
        buf_printf(text, "conn %s 10.0.0.5:80 10.2.%u.1:1000 x%u cookie=%u%s\n", course->state, at, course->churn[at],
            100000 + at * 10000, held ? " holders=812:10000" : "");
}

static void courses_are_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof courses / sizeof *courses; i++) {
        const struct course *course = &courses[i];
        struct series series;
        begin(&series, course->snapshots, course->step_s);
        for (unsigned at = 0; at < course->snapshots; at++)
            add_course(&series, course, at);
        finish(&series);
        const struct diff *diff = &series.diff;
        const struct diff_row *row = &diff->rows[0];
        if (row->kind != course->kind || row->unsure != course->unsure || diff->verdict != course->verdict)
            print_error("%s: %s%s, verdict %d: %s\n", course->what, diff_kind_name(row->kind),
                row->unsure ? ", unsure" : "", (int)diff->verdict, diff->title);
        assert_int_equal(row->kind, course->kind);
        assert_int_equal(row->unsure, course->unsure);
        assert_int_equal(diff->verdict, course->verdict);
        if (course->title != NULL)
            assert_title(diff, course->title, true);
        if (course->not_title != NULL)
            assert_title(diff, course->not_title, false);
        end(&series);
    }
}

/* --- several owners or services ---------------------------------------------------------------------------------- */

static void a_leak_over_many_peers_is_seen(void **state)
{
    (void)state;
    struct series series;
    begin(&series, 3, MINUTE);
    for (unsigned i = 0; i < 3; i++)
        buf_printf(&series.texts[i],
            "process 812 crawler fds=%u/100000\n"
            "conn CLOSE_WAIT 10.0.0.5:20000 10.1.0.1:443 x%u vary=peer_address cookie=1000 holders=812:10\n",
            100 + 100 * i, 100 + 100 * i);
    finish(&series);
    const struct diff_row *row = &series.diff.rows[0];
    assert_int_equal(row->kind, DIFF_LEAKS);
    assert_int_equal(row->services, 300);
    assert_int_equal(row->pid, 812);
    assert_int_equal(series.diff.verdict, VERDICT_WARNING);
    end(&series);
}

static void as_many_peers_that_change_are_no_leak(void **state)
{
    (void)state;
    struct series series;
    begin(&series, 3, MINUTE);
    for (unsigned i = 0; i < 3; i++)
        buf_printf(&series.texts[i],
            "process 812 crawler fds=%u/100000\n"
            "conn CLOSE_WAIT 10.0.0.5:20000 10.%u.0.1:443 x%u vary=peer_address cookie=%u holders=812:10\n",
            100 + 100 * i, i + 1, 100 + 100 * i, 1000 * (i + 1));
    finish(&series);
    assert_int_equal(series.diff.verdict, VERDICT_HEALTHY);
    for (size_t i = 0; i < series.diff.row_count; i++)
        assert_int_not_equal(series.diff.rows[i].kind, DIFF_LEAKS);
    end(&series);
}

static void a_leak_over_many_processes_is_seen(void **state)
{
    (void)state;
    enum { WORKERS = 20 };
    struct series series;
    begin(&series, 3, MINUTE);
    for (unsigned i = 0; i < 3; i++) {
        for (unsigned worker = 0; worker < WORKERS; worker++)
            buf_printf(&series.texts[i],
                "process %u worker-%u fds=%u/100000\nconn CLOSE_WAIT 10.0.0.5:80 10.1.%u.1:1000 x%u cookie=%u "
                "holders=%u:10\n",
                810 + worker, worker, 20 + i, worker, 1 + i, 1000 + worker * 100, 810 + worker);
        buf_str(&series.texts[i], "conn LISTEN *:80 cookie=1 holders=810:3\n");
    }
    finish(&series);
    const struct diff_row *row = &series.diff.rows[0];
    assert_int_equal(row->kind, DIFF_LEAKS);
    assert_int_equal(row->processes, WORKERS);
    assert_int_equal(row->service.port, 80);
    assert_title(&series.diff, "20 processes leak connections", true);
    end(&series);
}

static void one_of_two_with_a_name_leaks(void **state)
{
    (void)state;
    struct series series;
    begin(&series, 3, MINUTE);
    for (unsigned i = 0; i < 3; i++)
        buf_printf(&series.texts[i],
            "process 812 java fds=200/100000\nprocess 900 java fds=200/100000\n"
            "conn CLOSE_WAIT 10.0.0.5:20000 10.9.9.9:5432 x%u vary=local_port cookie=1000 holders=812:10\n"
            "conn CLOSE_WAIT 10.0.0.5:30000 10.9.9.9:5432 x%u vary=local_port cookie=5000 holders=900:10\n",
            100 + 100 * i, 300 - 100 * i);
    finish(&series);
    const struct diff_row *row = &series.diff.rows[0];
    assert_int_equal(row->kind, DIFF_LEAKS);
    assert_int_equal(row->pid, 812);
    assert_true(row->one_of_several);
    assert_title(&series.diff, "java (pid 812) leaks", true);
    assert_int_equal(series.diff.rows[1].kind, DIFF_BUSY);
    assert_int_equal(series.diff.rows[1].last, 400);
    end(&series);
}

/* --- one snapshot explains another ------------------------------------------------------------------------------- */

static void an_owner_holds_for_all_looks(void **state)
{
    (void)state;
    struct series series;
    begin(&series, 2, MINUTE);
    buf_str(&series.texts[0],
        "conn LISTEN *:80 cookie=1 inode=?\nconn CLOSE_WAIT 10.0.0.5:80 10.1.0.1:1000 x100 "
        "cookie=1000 inode=?\n");
    buf_str(&series.texts[1],
        "process 812 app fds=300/1024\nconn LISTEN *:80 cookie=1 holders=812:3\n"
        "conn CLOSE_WAIT 10.0.0.5:80 10.1.0.1:1000 x200 cookie=1000 holders=812:10\n");
    finish(&series);
    const struct diff_row *row = &series.diff.rows[0];
    assert_int_equal(row->kind, DIFF_LEAKS);
    assert_string_equal(row->process.text, "app");
    assert_int_equal(row->first, 100);
    struct selection selection = { .names = { "app" }, .name_count = 1 };
    struct error err = { 0 };
    diff_deinit(&series.diff);
    assert_int_equal(compare(&series, &selection, &err), 0);
    assert_int_equal(series.diff.snapshots[0].conns, 101);
    end(&series);
}

static void a_service_leaks_where_new_owners_are_not_seen(void **state)
{
    (void)state;
    struct series series;
    begin(&series, 2, MINUTE);
    buf_str(&series.texts[0],
        "process 812 app\nconn LISTEN *:80 cookie=1 holders=812:3\n"
        "conn CLOSE_WAIT 10.0.0.5:80 10.1.0.1:1000 x100 cookie=1000 holders=812:10\n");
    buf_str(&series.texts[1],
        "conn LISTEN *:80 cookie=1 inode=?\n"
        "conn CLOSE_WAIT 10.0.0.5:80 10.1.0.1:1000 x200 cookie=1000 inode=?\n");
    finish(&series);
    assert_int_equal(series.diff.rows[0].kind, DIFF_LEAKS);
    assert_string_equal(series.diff.rows[0].seen_process, "app");
    assert_title(&series.diff, "Connections in CLOSE_WAIT on port 80 leak: 100 to 200", true);
    end(&series);
}

static void gaps_name_the_look_that_has_them(void **state)
{
    (void)state;
    struct series series;
    begin(&series, 2, MINUTE);
    buf_str(&series.texts[0], "gap one text=\"in both\" remedy=r\ngap two text=\"in the first\" remedy=r\n");
    buf_str(&series.texts[1], "gap one text=\"in both\" remedy=r\ngap two text=\"otherwise\" remedy=r\n");
    finish(&series);
    assert_int_equal(series.diff.gap_count, 3);
    assert_string_equal(series.diff.gaps[0].text, "in both");
    assert_string_equal(series.diff.gaps[1].text, "capture 1: in the first");
    assert_string_equal(series.diff.gaps[2].text, "capture 2: otherwise");
    end(&series);
}

/* --- restarts ---------------------------------------------------------------------------------------------------- */

static void a_leak_is_seen_on_both_sides_of_a_restart(void **state)
{
    (void)state;
    static const unsigned counts[] = { 100, 200, 20, 120 }, pids[] = { 812, 812, 950, 950 };
    struct series series;
    begin(&series, 4, MINUTE);
    for (unsigned i = 0; i < 4; i++)
        buf_printf(&series.texts[i],
            "process %u app fds=50/100000\nconn LISTEN *:80 cookie=%u holders=%u:3\n"
            "conn CLOSE_WAIT 10.0.0.5:80 10.1.%u.1:1000 x%u cookie=%u holders=%u:10\n",
            pids[i], pids[i], pids[i], i / 2, counts[i], pids[i] * 1000, pids[i]);
    finish(&series);
    assert_int_equal(series.diff.rows[0].kind, DIFF_LEAKS);
    assert_int_equal(series.diff.rows[0].since, 2);
    assert_int_equal(series.diff.verdict, VERDICT_WARNING);
    end(&series);
}

/* The first process of a container, one minute apart, with additional descriptors that are not connections. */
static void compare_pid_1(struct series *series, const char *const running[3])
{
    static const unsigned fds[] = { 30, 400, 800 };
    begin(series, 3, MINUTE);
    for (unsigned i = 0; i < 3; i++)
        buf_printf(&series->texts[i], "process 1 app fds=%u/1024 running=%s\nconn LISTEN *:80 holders=1:3\n", fds[i],
            running[i]);
    finish(series);
}

static void a_restart_with_the_same_pid_is_no_leak(void **state)
{
    (void)state;
    struct series series;
    compare_pid_1(&series, (const char *const[]){ "20s", "55s", "58s" });
    assert_int_equal(series.diff.process_count, 0);
    assert_int_equal(series.diff.verdict, VERDICT_HEALTHY);
    end(&series);
    compare_pid_1(&series, (const char *const[]){ "20s", "81s", "140s" });
    assert_int_equal(series.diff.process_count, 1);
    assert_int_equal(series.diff.verdict, VERDICT_CRITICAL);
    assert_title(&series.diff, "app (pid 1) opens ever more descriptors", true);
    end(&series);
}

/* --- snapshots out of order, redacted or empty -------------------------------------------------------------------- */

static void add_leak(struct series *series)
{
    for (unsigned i = 0; i < series->count; i++)
        buf_printf(&series->texts[i],
            "process 812 app fds=50/100000\nconn LISTEN *:80 cookie=1 holders=812:3\n"
            "conn CLOSE_WAIT 10.0.0.5:80 10.1.0.1:1000 x%u cookie=1000 holders=812:10\n",
            100 + 100 * i);
}

static void snapshots_are_put_in_order(void **state)
{
    (void)state;
    for (unsigned text = 0; text < 2; text++) {
        struct series series;
        struct error err = { 0 };
        begin(&series, 2, MINUTE);
        add_leak(&series);
        load(&series);
        struct snapshot first = series.snapshots[0];
        series.snapshots[0] = series.snapshots[1];
        series.snapshots[1] = first;
        if (text) /* the time of a text's file means nothing */
            series.snapshots[0].origin = "ss: 101 rows";
        assert_int_equal(compare(&series, NULL, &err), 0);
        assert_int_equal(series.diff.reordered, !text);
        assert_int_equal(series.diff.rows[0].kind, text ? DIFF_SHRINKS : DIFF_LEAKS);
        assert_string_equal(series.diff.gaps[0].id, text ? "times-unknown" : "captures-reordered");
        end(&series);
    }
}

static void what_was_redacted_is_refused(void **state)
{
    (void)state;
    struct series series;
    struct error err = { 0 };
    begin(&series, 2, MINUTE);
    add_leak(&series);
    load(&series);
    series.snapshots[1].redacted = true;
    assert_int_equal(compare(&series, NULL, &err), -EINVAL);
    assert_non_null(strstr(err.message, "redacted"));
    assert_null(strstr(err.message, "--from"));
    for (size_t i = 0; i < series.count; i++)
        snapshot_deinit(&series.snapshots[i]);
}

static void nothing_selected_is_said(void **state)
{
    (void)state;
    struct series series;
    struct error err = { 0 };
    struct selection selection = { .names = { "nosuch" }, .name_count = 1 };
    begin(&series, 2, MINUTE);
    add_leak(&series);
    load(&series);
    assert_int_equal(compare(&series, &selection, &err), 0);
    assert_title(&series.diff, "no connection of these captures was selected", true);
    end(&series);
}

/* One sentence names one process: the one that decides the verdict. */
static void a_title_does_not_join_two_processes(void **state)
{
    (void)state;
    struct series series;
    begin(&series, 3, MINUTE);
    add_leak(&series);
    for (unsigned i = 0; i < 3; i++)
        buf_printf(&series.texts[i],
            "process 900 nginx fds=%u/1024\nconn LISTEN *:81 cookie=2 holders=900:3\n"
            "conn ESTABLISHED 10.0.0.5:81 10.1.0.1:1000 x%u cookie=9000 holders=900:10\n",
            200 + 30 * i, 100 + 30 * i);
    finish(&series);
    assert_int_equal(series.diff.verdict, VERDICT_CRITICAL);
    assert_title(&series.diff, "nginx (pid 900)", true);
    assert_title(&series.diff, "app", false);
    end(&series);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(courses_are_judged),
        cmocka_unit_test(a_leak_over_many_peers_is_seen),
        cmocka_unit_test(as_many_peers_that_change_are_no_leak),
        cmocka_unit_test(a_leak_over_many_processes_is_seen),
        cmocka_unit_test(one_of_two_with_a_name_leaks),
        cmocka_unit_test(an_owner_holds_for_all_looks),
        cmocka_unit_test(a_service_leaks_where_new_owners_are_not_seen),
        cmocka_unit_test(gaps_name_the_look_that_has_them),
        cmocka_unit_test(a_leak_is_seen_on_both_sides_of_a_restart),
        cmocka_unit_test(a_restart_with_the_same_pid_is_no_leak),
        cmocka_unit_test(snapshots_are_put_in_order),
        cmocka_unit_test(what_was_redacted_is_refused),
        cmocka_unit_test(nothing_selected_is_said),
        cmocka_unit_test(a_title_does_not_join_two_processes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
