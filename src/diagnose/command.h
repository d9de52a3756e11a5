#pragma once
/*
 * Commands that a finding prints to be pasted into a shell. They must act where the fault is: most settings, routes,
 * packet filters and packets belong to one network namespace, and the finding's need not be the one of whoever reads
 * it.
 */
#include <stdbool.h>

#include "model/diagnosis.h"

/*
 * Puts in front of every command of the finding that acts on a network namespace, or looks into one, what enters the
 * finding's (nsenter, ip netns exec). Where no command can enter it, it becomes a part of the sentence, with the name
 * of the namespace. To be called once, when the finding is whole.
 */
void command_place(struct arena *arena, struct finding *finding);

/* A setting of the kernel as a fix that outlives a reboot; key "net.ipv4.tcp_fin_timeout". */
void command_keep_setting(struct arena *arena, const struct finding *finding, struct fixes *fixes, const char *text,
    const char *key, const char *value);

/*
 * Raises the limit of open descriptors of the process to so many times what it is, as far as its hard limit allows, and
 * never lowers that. Nothing where the limit is not known.
 */
void command_raise_descriptors(
    struct arena *arena, const struct process *process, unsigned times, const char *text, struct fixes *fixes);
