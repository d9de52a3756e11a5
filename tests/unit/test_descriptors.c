/* The descriptors of a process in a paste: as ls lists them, as wc counts them, and the limit beside them. */
#include "diagnose/diagnose.h"

#include <string.h>

#include "captured.h"
#include "unit.h"

#define LINK(fd, target) "lrwx------ 1 tomcat7 tomcat7 64 Feb 22 19:23 " fd " -> " target "\n"
#define FOUR LINK("0", "/dev/null") LINK("1", "socket:[11]") LINK("2", "socket:[12]") LINK("3", "socket:[13]")
#define LIMITS(soft)                                                                                                   \
    "Limit                     Soft Limit           Hard Limit           Units\n"                                      \
    "Max open files            " soft "                 4096                 files\n"
#define ROW(port) "ESTAB 0 0 10.0.0.5:" port " 10.0.0.9:5432 users:((\"java\",pid=812,fd=" port "))\n"

/* "PID: open sockets limit; …", then the findings. */
struct scene {
    const char *what, *text, *processes, *findings;
};

static const struct scene scenes[] = {
    { "ls -l of a process that is named nowhere", FOUR, "0: 4 3 0; ", "" },
    { "the command names it", "$ ls -l /proc/812/fd\ntotal 0\n" FOUR, "812: 4 3 0; ", "" },
    { "the heading that ls prints names it", "/proc/812/fd:\ntotal 0\n" FOUR "\n/proc/813/fd/:\n" LINK("7", "pipe:[1]"),
        "812: 4 3 0; 813: 1 0 0; ", "" },
    { "a second list of the same takes the place of the first",
        "# ls -l /proc/812/fd\n" FOUR "# ls -l /proc/812/fd\n" LINK("0", "socket:[9]"), "812: 1 1 0; ", "" },
    { "its limits stand beside it, and it comes near",
        "# ls -l /proc/812/fd\n" FOUR "# cat /proc/812/limits\n" LIMITS("4"), "812: 4 3 4; ",
        "descriptor-exhaustion critical certain\n" },
    { "it is far from its limit", "# ls -l /proc/812/fd\n" FOUR "# cat /proc/812/limits\n" LIMITS("1024"),
        "812: 4 3 1024; ", "" },
    { "the limits of another process",
        "# ls -l /proc/812/fd\n" FOUR "# ls -l /proc/7/fd\n" FOUR "# cat /proc/7/limits\n" LIMITS("1024"),
        "812: 4 3 0; 7: 4 3 1024; ", "" },
    { "wc -l counts them, and the line \"total\" with ls -l",
        "$ ls /proc/812/fd | wc -l\n1019\n$ ls -l /proc/812/fd | grep socket | wc -l\n1001\n"
        "$ ls -l /proc/7/fd | wc -l\n9\n",
        "812: 1019 1001 0; 7: 8 0 0; ", "" },
    { "ulimit -n is of the shell: likely at most",
        "$ ls /proc/812/fd | wc -l\n1019\n$ ls -l /proc/812/fd | grep -c "
        "socket\n$ ls /proc/812/fd | grep socket | wc -l\n1001\n$ ulimit -n\n1024\n",
        "812: 1019 1001 1024; ", "descriptor-exhaustion critical likely\n" },
    { "more is open than the shell may have: its limit is another",
        "$ ls /proc/812/fd | wc -l\n5000\n$ ulimit -n\n1024\n", "812: 5000 0 0; ", "" },
    { "rows that show as many sockets as ulimit allows",
        "$ ulimit -n\n5\n" ROW("1") ROW("2") ROW("3") ROW("4") ROW("5"), "812: 5 0 5; ",
        "descriptor-exhaustion critical likely\n" },
    { "rows far below it", "$ ulimit -n\n1024\n" ROW("1") ROW("2"), "812: 0 0 0; ", "" },
    { "links of a folder are none of a process",
        "lrwxrwxrwx 1 root root 7 Feb 22 19:23 bin -> usr/bin\nCLOSE-WAIT 1 0 10.0.0.5:1 10.0.0.9:2\n", "", NULL },
};

static void check(const struct scene *scene)
{
    struct buf processes = { 0 }, findings = { 0 };
    struct snapshot snapshot;
    struct diagnosis diagnosis;
    captured(&snapshot, scene->text, strlen(scene->text));
    for (size_t i = 0; i < snapshot.process_count; i++) {
        const struct process *process = &snapshot.processes[i];
        buf_printf(
            &processes, "%u: %u %u %u; ", process->pid, process->fds_open, process->fds_sockets, process->fds_limit);
    }
    diagnose(&snapshot, NULL, NULL, &diagnosis);
    for (size_t i = 0; i < diagnosis.finding_count; i++)
        buf_printf(&findings, "%s %s %s\n", diagnosis.findings[i].id, severity_name(diagnosis.findings[i].severity),
            confidence_name(diagnosis.findings[i].confidence));
    if (strcmp(buf_text(&processes), scene->processes) != 0)
        fail_msg("%s: expected %s, found %s", scene->what, scene->processes, buf_text(&processes));
    if (scene->findings != NULL && strcmp(buf_text(&findings), scene->findings) != 0)
        fail_msg("%s: expected %s, found %s", scene->what, scene->findings, buf_text(&findings));
    diagnosis_deinit(&diagnosis);
    snapshot_deinit(&snapshot);
    buf_deinit(&processes);
    buf_deinit(&findings);
}

static void descriptors_are_counted_against_their_limit(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++)
        check(&scenes[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptors_are_counted_against_their_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
