#include "diagnose/restart.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/text.h"
#include "diagnose/platform.h"

/* --- containers ------------------------------------------------------------------------------------------------- */

#define ITS_CONNECTIONS "that closes every one of these connections."

/*
 * The part of a control group's path that shows the container runtime, and how to restart the container, {}, with its
 * tool. Kubernetes comes first: if it uses Docker, the path contains both, and the kubelet must restart the container.
 */
static const struct {
    const char *in_path, *text, *command;
} runtimes[] = {
    { "kubepods",
        "Stop the container, " ITS_CONNECTIONS " The kubelet starts it again, where the pod's restartPolicy lets it; "
        "'kubectl delete pod' replaces the whole pod.",
        "crictl stop {}" },
    { "docker", "Restart the container: " ITS_CONNECTIONS, "docker restart {}" },
    { "libpod", "Restart the container: " ITS_CONNECTIONS, "podman restart {}" },
    { "lxc.payload", "Restart the container: " ITS_CONNECTIONS,
        "lxc restart {}   # Incus: incus restart; LXC: lxc-stop -r -n" },
    { "/lxc/", "Restart the container: " ITS_CONNECTIONS,
        "lxc restart {}   # Proxmox: pct reboot; LXC: lxc-stop -r -n" },
    { "machine-qemu",
        "It runs a virtual machine of libvirt: end the connections within, or restart the machine (virsh reboot).",
        "virsh list" },
    { "systemd-nspawn@", "Restart the container: " ITS_CONNECTIONS, "machinectl reboot {}" },
    { "machine-", "Restart the container: " ITS_CONNECTIONS, "machinectl reboot {}" },
};

/* A name from outside, quoted for a shell. NULL if it cannot be quoted. */
static const char *shell_word(struct arena *arena, const char *name)
{
    struct buf text = { 0 };
    const char *word = text_shell_quote(&text, name) ? arena_strdup(arena, buf_text(&text)) : NULL;
    buf_deinit(&text);
    return word;
}

bool restart_container(
    struct arena *arena, const struct snapshot *snapshot, const struct process *process, struct fixes *fixes)
{
    if (process->container == NULL)
        return false;
    const char *word = shell_word(arena, process->container);
    const char *path = process->cgroup < snapshot->cgroup_count ? snapshot->cgroups[process->cgroup].path : NULL;
    for (size_t i = 0; path != NULL && word != NULL && i < sizeof runtimes / sizeof *runtimes; i++) {
        if (strstr(path, runtimes[i].in_path) == NULL)
            continue;
        fixes_add(fixes, arena, runtimes[i].text, platform_fill(arena, runtimes[i].command, word));
        return true;
    }
    fixes_add(fixes, arena,
        word == NULL ? "Restart its container with what started it: " ITS_CONNECTIONS
                     : arena_printf(arena,
                           "Restart its container, %s, with what started it (Docker, Podman, Kubernetes, "
                           "systemd): " ITS_CONNECTIONS,
                           process->container),
        NULL);
    return true;
}

/* --- Windows ---------------------------------------------------------------------------------------------------- */

/* Processes of Windows that must not be ended, or that run several services; and what shows whose sockets they hold. */
static const struct {
    const char *name;
    uint32_t pid; /* 0: any process with this name */
    struct platform_fix fix;
} systems[] = {
    { "System", 4,
        { "The sockets of PID 4 are the kernel's: of HTTP.sys (IIS, WinRM, ADFS, Exchange), or of file shares (SMB). "
          "It cannot be ended. See which request queue and which process it is, and restart that service or "
          "application pool.",
            "netsh http show servicestate view=requestq verbose=yes; Get-SmbSession; Get-SmbConnection" } },
    { "svchost.exe", 0,
        { "Several services may run in one svchost. See which, and restart the one that it is (Restart-Service).",
            "tasklist /svc /fi \"PID eq {}\"" } },
    { "lsass.exe", 0,
        { "Do not end lsass: Windows restarts with it. A domain controller's LDAP and Kerberos run in it.", NULL } },
    { "wininit.exe", 0, { "Do not end wininit: Windows stops with it.", NULL } },
    { "csrss.exe", 0, { "Do not end csrss: Windows stops with it.", NULL } },
    { "services.exe", 0, { "Do not end services.exe, which runs all services: Windows restarts with it.", NULL } },
};

static bool is_named(const struct process *process, const char *name)
{
    if (process->name == NULL)
        return false;
    size_t length = strcspn(name, "."); /* Get-Process leaves ".exe" out */
    return strcasecmp(process->name, name) == 0 ||
        (strncasecmp(process->name, name, length) == 0 && process->name[length] == '\0');
}

bool restart_windows_system(
    struct arena *arena, const struct snapshot *snapshot, const struct process *process, struct fixes *fixes)
{
    const char *os = platform_of(snapshot)->os;
    if (os == NULL || strcmp(os, "windows") != 0)
        return false;
    for (size_t i = 0; i < sizeof systems / sizeof *systems; i++) {
        bool is_it = systems[i].pid != 0 ? process->pid == systems[i].pid : is_named(process, systems[i].name);
        if (!is_it)
            continue;
        fixes_add(fixes, arena, systems[i].fix.text,
            platform_fill(arena, systems[i].fix.command, arena_printf(arena, "%" PRIu32, process->pid)));
        return true;
    }
    return false;
}
