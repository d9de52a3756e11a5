#include "diagnose/command.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

/* --- the namespace of a command --------------------------------------------------------------------------------- */

/* True for the host's own network namespace, or an unknown one: files in /etc/sysctl.d are for that namespace. */
static bool is_of_host(const struct netns *netns)
{
    return netns == NULL || (netns->is_own && (netns->name == NULL || strcmp(netns->name, "host") == 0));
}

static bool starts_with(const char *text, const char *word)
{
    size_t length = strlen(word);
    return strncmp(text, word, length) == 0 && (text[length] == ' ' || text[length] == '\0' || text[length] == ';');
}

/*
 * True if the command is about a setting of the whole kernel (ipv4_table in net/ipv4/sysctl_net_ipv4.c). Such a setting
 * does not exist in another network namespace.
 */
static bool is_of_kernel(const char *part, size_t length)
{
    static const char *const keys[] = { "net.ipv4.tcp_mem", "net.ipv4.tcp_max_orphans" };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *found = strstr(part, keys[i]);
        if (found != NULL && found < part + length)
            return true;
    }
    return false;
}

/* True if this command, one of a line, acts on the network namespace that it runs in. */
static bool acts_on_netns(const char *part, size_t length)
{
    static const char *const programs[] = { "sysctl", "tcpdump", "ip", "nft", "iptables", "ss", "nstat", "netstat",
        "ping", "tracepath", "conntrack" };
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        if (starts_with(part, programs[i]))
            return !is_of_kernel(part, length);
    }
    return false;
}

static const char *shell_word(struct arena *arena, const char *name)
{
    struct buf text = { 0 };
    const char *word = name != NULL && text_shell_quote(&text, name) ? arena_strdup(arena, buf_text(&text)) : NULL;
    buf_deinit(&text);
    return word;
}

/* The prefix that runs a command in the finding's namespace: "nsenter -t 812 -n ". NULL if there is none. */
static const char *entry_to(struct arena *arena, const struct finding *finding)
{
    const struct netns *netns = finding->netns;
    if (netns->pid != 0 && netns->by_descriptor)
        return arena_printf(arena, "nsenter --net=/proc/%" PRIu32 "/fd/%" PRIu32 " ", netns->pid, netns->fd);
    if (netns->pid != 0)
        return arena_printf(arena, "nsenter -t %" PRIu32 " -n ", netns->pid);
    bool has_no_name = netns->name == NULL || strncmp(netns->name, "net:[", 5) == 0 || strcmp(netns->name, "host") == 0;
    const char *name = has_no_name ? NULL : shell_word(arena, netns->name);
    return name == NULL ? NULL : arena_printf(arena, "ip netns exec %s ", name);
}

/* The end of the command that begins here. Commands are separated by "; " outside of quotes. */
static const char *end_of_part(const char *part)
{
    bool quoted = false;
    for (; *part != '\0'; part++) {
        quoted ^= *part == '\'';
        if (!quoted && part[0] == ';' && part[1] == ' ')
            return part;
    }
    return part;
}

static bool any_acts_on_netns(const char *line)
{
    for (const char *part = line; *part != '\0';) {
        const char *end = end_of_part(part);
        const char *program = starts_with(part, "sudo") ? part + strlen("sudo ") : part;
        if (acts_on_netns(program, (size_t)(end - program)))
            return true;
        part = *end == '\0' ? end : end + strlen("; ");
    }
    return false;
}

static const char *enter_netns(struct arena *arena, const char *line, const char *entry)
{
    const char *placed = "";
    for (const char *part = line; *part != '\0';) {
        const char *end = end_of_part(part);
        const char *program = starts_with(part, "sudo") ? part + strlen("sudo ") : part;
        placed = arena_printf(arena, "%s%.*s%s%.*s%s", placed, (int)(program - part), part,
            acts_on_netns(program, (size_t)(end - program)) ? entry : "", (int)(end - program), program,
            *end == '\0' ? "" : "; ");
        part = *end == '\0' ? end : end + strlen("; ");
    }
    return placed;
}

static void enter_netns_all(struct arena *arena, const struct finding *finding, const char *entry, struct fixes *fixes)
{
    for (size_t i = 0; i < fixes->count; i++) {
        struct fix *fix = &fixes->items[i];
        if (fix->command == NULL || !any_acts_on_netns(fix->command))
            continue;
        if (strstr(fix->command, "sysctl -w ") != NULL)
            fix->text = arena_printf(arena,
                "%s It is a setting of that network namespace and goes with it: in a container it belongs in the "
                "definition (docker run --sysctl, securityContext.sysctls of a pod).",
                fix->text);
        if (entry != NULL) {
            fix->command = enter_netns(arena, fix->command, entry);
            continue;
        }
        fix->text = arena_printf(arena, "%s In the network namespace %s, not here: %s", fix->text,
            finding->netns->name != NULL ? finding->netns->name : "that it was found in", fix->command);
        fix->command = NULL;
    }
}

void command_place(struct arena *arena, struct finding *finding)
{
    if (finding->netns == NULL || finding->netns->is_own)
        return;
    const char *entry = entry_to(arena, finding);
    enter_netns_all(arena, finding, entry, &finding->fix_now);
    enter_netns_all(arena, finding, entry, &finding->fix_for_good);
}

/* --- settings --------------------------------------------------------------------------------------------------- */

void command_keep_setting(struct arena *arena, const struct finding *finding, struct fixes *fixes, const char *text,
    const char *key, const char *value)
{
    static const char file[] = "/etc/sysctl.d/90-tcp.conf";
    if (is_of_host(finding->netns))
        fixes_add(fixes, arena, text, arena_printf(arena, "echo '%s = %s' >>%s; sysctl -p %s", key, value, file, file));
    else
        fixes_add(fixes, arena, text, arena_printf(arena, "sysctl -w %s='%s'", key, value));
}

/* --- descriptors ------------------------------------------------------------------------------------------------ */

/* An fd_set of select() has this many bits. A higher descriptor is written beyond its end (select(2), BUGS). */
enum { FD_SETSIZE_USUAL = 1024 };

void command_raise_descriptors(
    struct arena *arena, const struct process *process, unsigned times, const char *text, struct fixes *fixes)
{
    if (!process_has_limit(process) || process->pid == 0)
        return;
    uint64_t wanted = (uint64_t)process->fds_limit * times;
    uint64_t hard = process->fds_hard;
    bool is_capped = hard != 0 && hard != UINT32_MAX && wanted > hard;
    if (is_capped && hard > process->fds_limit)
        wanted = hard;
    const char *select_hint = process->fds_limit <= FD_SETSIZE_USUAL
        ? " Not if the program uses select(): that corrupts its memory from descriptor 1,024 on."
        : "";
    /* A single number would set both limits, and so lower the hard limit: prlimit(1). */
    if (is_capped && hard <= process->fds_limit)
        fixes_add(fixes, arena,
            arena_printf(arena,
                "%s Its hard limit is no higher: raising that takes CAP_SYS_RESOURCE, and fs.nr_open bounds it.%s",
                text, select_hint),
            arena_printf(
                arena, "prlimit --pid %" PRIu32 " --nofile=%" PRIu64 ":%" PRIu64, process->pid, wanted, wanted));
    else
        fixes_add(fixes, arena, arena_printf(arena, "%s%s", text, select_hint),
            arena_printf(arena,
                "prlimit --pid %" PRIu32 " --nofile=%" PRIu64 ":   # the soft limit; the hard one stays", process->pid,
                wanted));
}
