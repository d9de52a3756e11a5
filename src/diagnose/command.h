#pragma once
/*
 * Commands of a finding that a person may paste into a shell. They must act in the network namespace of the finding,
 * which may not be the reader's: most settings, routes and packet filters belong to one network namespace.
 */
#include <stdbool.h>

#include "model/diagnosis.h"

/*
 * Makes the commands of the finding run in its network namespace: those that act on a namespace, or show it, get a
 * prefix (nsenter, ip netns exec). If no command can enter the namespace, the command becomes a part of the fix's text,
 * with the name of the namespace. Call it once, when the finding is complete.
 */
void command_place(struct arena *arena, struct finding *finding);

/*
 * Adds a fix that sets a kernel setting, for example "net.ipv4.tcp_fin_timeout". For the host's own namespace it is
 * written to a file, so that it survives a reboot. In another namespace it is set with sysctl -w.
 */
void command_keep_setting(struct arena *arena, const struct finding *finding, struct fixes *fixes, const char *text,
    const char *key, const char *value);

/*
 * Adds a fix that raises the limit of open descriptors of the process to `times` its value. A hard limit that is lower
 * than that, but higher than the limit, bounds it; a hard limit that is no higher is raised too. The hard limit is
 * never lowered. Adds nothing if the limit, or the PID, is not known.
 */
void command_raise_descriptors(
    struct arena *arena, const struct process *process, unsigned times, const char *text, struct fixes *fixes);
