/* The commands that findings print act in the network namespace of the finding, and do not lower limits. */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diagnose/command.h"
#include "diagnose/context.h"
#include "diagnose/diagnose.h"
#include "diagnose/phrases.h"
#include "diagnose/restart.h"
#include "fixture.h"
#include "unit.h"

/* Commands that read or set something that each network namespace has of its own. */
static const char *const acts_there[] = { "sysctl -w net.ipv4.", "sysctl net.ipv4.", "tcpdump ", "ip route ",
    "nft list", "ping ", "tracepath ", "nstat" };

/* Finds `what` only at the beginning of a word: "route get" is not found in "ip route get". */
static const char *next_of(const char *line, const char *what)
{
    const char *found = strstr(line, what);
    while (found != NULL && found > line && found[-1] != ' ')
        found = strstr(found + 1, what);
    return found;
}

static unsigned check_line(const char *line, const char *entry)
{
    unsigned seen = 0;
    for (size_t i = 0; i < sizeof acts_there / sizeof *acts_there; i++) {
        for (const char *at = line; (at = next_of(at, acts_there[i])) != NULL; at++) {
            if (strncmp(at, "sysctl -w net.ipv4.tcp_m", 24) ==
                0) /* tcp_mem and tcp_max_orphans are the kernel's; tcp_max_tw_buckets is the namespace's */
                if (strncmp(at, "sysctl -w net.ipv4.tcp_max_tw", 29) != 0)
                    continue;
            seen++;
            size_t before = (size_t)(at - line), length = strlen(entry);
            if (length > 0 && (before < length || memcmp(at - length, entry, length) != 0))
                fail_msg("acts on the caller's namespace: %s", line);
            if (length == 0 && strstr(line, "nsenter") != NULL)
                fail_msg("enters its own namespace: %s", line);
        }
    }
    return seen;
}

static unsigned check_fixes(const struct fixes *fixes, const char *entry)
{
    unsigned seen = 0;
    for (size_t i = 0; i < fixes->count; i++) {
        if (fixes->items[i].command == NULL)
            continue;
        assert_null(strstr(fixes->items[i].command, "{}"));
        seen += check_line(fixes->items[i].command, entry);
        if (*entry != '\0') /* a file of the host says nothing about another namespace */
            assert_null(strstr(fixes->items[i].command, "/etc/sysctl.d"));
    }
    return seen;
}

static unsigned check_case(const char *path, bool foreign)
{
    struct snapshot snapshot;
    struct error err;
    snapshot_init(&snapshot);
    if (fixture_load(&snapshot, path, &err) < 0)
        fail_msg("%s", path);
    for (size_t i = 0; i < snapshot.netns_count; i++) {
        snapshot.netns[i].is_own = !foreign;
        snapshot.netns[i].pid = 4711;
    }
    struct diagnosis diagnosis;
    diagnose(&snapshot, NULL, NULL, &diagnosis);
    const char *entry = foreign ? "nsenter -t 4711 -n " : "";
    unsigned seen = 0;
    for (size_t i = 0; i < diagnosis.finding_count; i++) {
        if (diagnosis.findings[i].netns == NULL) /* about the whole kernel */
            continue;
        seen += check_fixes(&diagnosis.findings[i].fix_now, entry);
        seen += check_fixes(&diagnosis.findings[i].fix_for_good, entry);
    }
    diagnosis_deinit(&diagnosis);
    snapshot_deinit(&snapshot);
    return seen;
}

static void every_command_acts_where_the_fault_is(void **state)
{
    (void)state;
    char pattern[4096];
    snprintf(pattern, sizeof pattern, "%s/*.fixture", getenv("TCPWHY_CASES"));
    glob_t cases;
    assert_int_equal(glob(pattern, 0, NULL, &cases), 0);
    unsigned own = 0, foreign = 0;
    for (size_t i = 0; i < cases.gl_pathc; i++) {
        own += check_case(cases.gl_pathv[i], false);
        foreign += check_case(cases.gl_pathv[i], true);
    }
    globfree(&cases);
    assert_in_range(own, 15, 1000);
    assert_in_range(foreign, 15, 1000);
}

struct placed {
    struct arena arena;
    struct netns netns;
    struct finding finding;
};

static struct placed *placed_new(const char *command)
{
    static struct placed placed;
    placed = (struct placed){ .netns = { .name = "blue", .pid = 812 } };
    arena_init(&placed.arena);
    placed.finding.netns = &placed.netns;
    fixes_add(&placed.finding.fix_now, &placed.arena, "Do it.", command);
    return &placed;
}

static void assert_placed(struct placed *placed, const char *expected)
{
    command_place(&placed->arena, &placed->finding);
    assert_string_equal(placed->finding.fix_now.items[0].command, expected);
    arena_deinit(&placed->arena);
}

static void each_part_of_a_line_is_placed(void **state)
{
    (void)state;
    assert_placed(placed_new("ip route get 10.0.0.9; nft list ruleset"),
        "nsenter -t 812 -n ip route get 10.0.0.9; nsenter -t 812 -n nft list ruleset");
    assert_placed(placed_new("sudo ss -tanpie | grep 'a; ss'"), "sudo nsenter -t 812 -n ss -tanpie | grep 'a; ss'");
    assert_placed(placed_new("systemctl restart 'ip.service'; ls -l /proc/7/fd"),
        "systemctl restart 'ip.service'; ls -l /proc/7/fd");
    /* This setting exists once for all namespaces. */
    assert_placed(placed_new("sysctl -w net.ipv4.tcp_max_orphans=4096"), "sysctl -w net.ipv4.tcp_max_orphans=4096");
}

static void a_namespace_is_entered_by_what_is_known_of_it(void **state)
{
    (void)state;
    struct placed *placed = placed_new("nft list ruleset");
    placed->netns = (struct netns){ .name = "blue 'moon" };
    assert_placed(placed, "ip netns exec 'blue '\\''moon' nft list ruleset");
    placed = placed_new("nft list ruleset");
    placed->netns = (struct netns){ .name = "net:[4026532281]", .pid = 9, .by_descriptor = true, .fd = 33 };
    assert_placed(placed, "nsenter --net=/proc/9/fd/33 nft list ruleset");
    placed = placed_new("nft list ruleset");
    placed->netns = (struct netns){ .name = "net:[4026532281]" };
    command_place(&placed->arena, &placed->finding);
    assert_null(placed->finding.fix_now.items[0].command);
    assert_non_null(strstr(placed->finding.fix_now.items[0].text, "net:[4026532281]"));
    arena_deinit(&placed->arena);
}

static void assert_raised(const struct process *process, const char *expected)
{
    struct arena arena;
    arena_init(&arena);
    struct fixes fixes = { 0 };
    command_raise_descriptors(&arena, process, 4, "Raise it.", &fixes);
    assert_int_equal(fixes.count, expected != NULL);
    if (expected != NULL)
        assert_string_equal(fixes.items[0].command, expected);
    arena_deinit(&arena);
}

static void no_hard_limit_is_lowered_or_passed(void **state)
{
    (void)state;
    struct process process = { .pid = 812, .fds_limit = 1024, .fds_hard = 524288 };
    assert_raised(&process, "prlimit --pid 812 --nofile=4096:   # the soft limit; the hard one stays");
    process.fds_hard = 2048;
    assert_raised(&process, "prlimit --pid 812 --nofile=2048:   # the soft limit; the hard one stays");
    process.fds_hard = 1024; /* then both limits are raised, which needs a capability */
    assert_raised(&process, "prlimit --pid 812 --nofile=4096:4096");
    process.fds_hard = 0;
    assert_raised(&process, "prlimit --pid 812 --nofile=4096:   # the soft limit; the hard one stays");
    process.fds_limit = UINT32_MAX;
    assert_raised(&process, NULL);
}

/* --- commands that end a process -------------------------------------------------------------------------------- */

static void check_container(const char *path, const char *container, const char *command)
{
    struct arena arena;
    arena_init(&arena);
    struct cgroup cgroup = { .path = path };
    struct snapshot snapshot = { .cgroups = &cgroup, .cgroup_count = path != NULL };
    struct process process = { .pid = 812, .container = container, .cgroup = path != NULL ? 0 : NO_INDEX };
    struct fixes fixes = { 0 };
    assert_true(restart_container(&arena, &snapshot, &process, &fixes));
    assert_int_equal(fixes.count, 1);
    if (command == NULL)
        assert_null(fixes.items[0].command);
    else
        assert_string_equal(fixes.items[0].command, command);
    arena_deinit(&arena);
}

static void a_container_is_restarted_by_what_runs_it(void **state)
{
    (void)state;
    static const struct {
        const char *path, *container, *command;
    } each[] = {
        { "/system.slice/docker-0123456789abcdef.scope", "0123456789ab", "docker restart '0123456789ab'" },
        { "/machine.slice/libpod-0123456789abcdef.scope", "0123456789ab", "podman restart '0123456789ab'" },
        { "/kubepods.slice/kubepods-pod1.slice/cri-containerd-0123456789ab.scope", "0123456789ab",
            "crictl stop '0123456789ab'" },
        { "/kubepods/besteffort/pod1/docker-0123456789ab.scope", "0123456789ab", "crictl stop '0123456789ab'" },
        { "/machine.slice/machine-qemu\\x2d1\\x2dweb.scope/libvirt/emulator", "qemu\\x2d1\\x2dweb", "virsh list" },
        { "/machine.slice/systemd-nspawn@web.service/payload", "web", "machinectl reboot 'web'" },
        { "/machine.slice/machine-web.scope", "web", "machinectl reboot 'web'" },
        { "/lxc.payload.web/system.slice", "web", "lxc restart 'web'   # Incus: incus restart; LXC: lxc-stop -r -n" },
        { "/something/0123456789ab", "0123456789ab", NULL }, /* the path is not known, so nothing is guessed */
        { NULL, "0123456789ab", NULL },
    };
    for (size_t i = 0; i < sizeof each / sizeof *each; i++)
        check_container(each[i].path, each[i].container, each[i].command);
}

/* The command that is printed to end the process; "" if there is none. */
static void check_windows(uint32_t pid, const char *name, const char *says, bool may_end)
{
    struct arena arena;
    arena_init(&arena);
    struct snapshot snapshot = { .os = "windows", .origin = "netstat" };
    const struct process process = { .pid = pid, .name = name, .cgroup = NO_INDEX };
    const struct context context = { .snapshot = &snapshot };
    struct fixes fixes = { 0 };
    phrases_fix_restart(&arena, &context, &process, &fixes);
    const char *all = "";
    for (size_t i = 0; i < fixes.count; i++)
        all = arena_printf(
            &arena, "%s%s %s\n", all, fixes.items[i].text, fixes.items[i].command ? fixes.items[i].command : "");
    if (strstr(all, says) == NULL)
        fail_msg("%s does not say: %s", all, says);
    assert_int_equal(strstr(all, "taskkill /F /PID") != NULL, may_end);
    assert_int_equal(strstr(all, "procdump") != NULL, may_end);
    arena_deinit(&arena);
}

static void nobody_is_told_to_end_windows_itself(void **state)
{
    (void)state;
    check_windows(4, NULL, "netsh http show servicestate", false);
    check_windows(4, "System", "netsh http show servicestate", false);
    check_windows(912, "svchost.exe", "tasklist /svc /fi \"PID eq 912\"", false);
    check_windows(700, "lsass", "Do not end lsass", false);
    check_windows(701, "CSRSS.EXE", "Do not end csrss", false);
    check_windows(4312, "java.exe", "Restart-Service -Name", true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_acts_where_the_fault_is),
        cmocka_unit_test(each_part_of_a_line_is_placed),
        cmocka_unit_test(a_namespace_is_entered_by_what_is_known_of_it),
        cmocka_unit_test(no_hard_limit_is_lowered_or_passed),
        cmocka_unit_test(a_container_is_restarted_by_what_runs_it),
        cmocka_unit_test(nobody_is_told_to_end_windows_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
