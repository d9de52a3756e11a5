#pragma once
/*
 * What several rules say.
 */
#include "diagnose/group.h"

/* These return text in the arena. */
const char *phrases_count(struct arena *arena, uint64_t number); /* "1,204" */
const char *phrases_conns(struct arena *arena, uint64_t number); /* "1,204 connections", "1 connection" */
const char *phrases_duration(struct arena *arena, uint64_t ms);  /* "4 h 12 min" */
const char *phrases_bytes(struct arena *arena, uint64_t bytes);
const char *phrases_address(struct arena *arena, const struct ip *address);
/*
 * For a command that selects what has this remote end: " --peer ADDRESS"; " --port PORT", or nothing, where a word
 * stands.
 */
const char *phrases_select_end(struct arena *arena, const struct ip *address, uint16_t port);
const char *phrases_end(struct arena *arena, const struct ip *address, uint16_t port); /* "10.0.0.9:5432" */
const char *phrases_process(struct arena *arena, const struct process *process); /* "nginx (pid 812)", "a process" */
/* Of its processes the one that cannot act now, the owner first; or NULL. */
const struct process *phrases_obstructed(struct arena *arena, const struct finding *finding);
/* Evidence where nobody was found to hold the connections although somebody must. */
void phrases_unseen(
    struct arena *arena, const struct context *context, const struct group *group, struct lines *evidence);
/* phrases_process(), but not at the beginning of a sentence: "the process", where it is not known which. */
const char *phrases_process_within(struct arena *arena, const struct process *process);
/* "the peer has", "the peers have" */
const char *phrases_peers_have(const struct group *group);
/* "on port 9100", "to 10.0.0.9:5432", "on 800 local ports" */
const char *phrases_service(struct arena *arena, const struct context *context, const struct group *group);
/* "port", "ports" */
const char *phrases_ports(const struct group *group);
/* Why the process cannot act on its sockets now ("is stopped (state T)"), or NULL where nothing shows that. */
const char *phrases_obstacle(struct arena *arena, const struct process *process);

/*
 * Whether it was looked at, so that "it runs" can be said of it: most captures show a name and a number, and no state.
 */
bool phrases_is_state_known(const struct process *process);
/* Stopped, frozen, held by a debugger, ended or stuck in the kernel: nothing that comes to it makes it act. */
bool phrases_is_halted(const struct process *process);
/* What removes that of the process, and of all others of the finding that have the same; false where it has none. */
bool phrases_fix_obstacle(struct arena *arena, const struct context *context, const struct finding *finding,
    const struct process *obstructed, struct fixes *fixes);
/*
 * "systemctl restart X", else "kill PID": what ends the process properly; where nobody is known, how to find out who.
 */
void phrases_fix_restart(
    struct arena *arena, const struct context *context, const struct process *process, struct fixes *fixes);
/* The same where the evidence is that of other processes, and has been named: a master whose workers hang. */
void phrases_fix_restart_only(
    struct arena *arena, const struct context *context, const struct process *process, struct fixes *fixes);
/* Where its threads hang; nothing where nobody is known. */
void phrases_fix_threads(
    struct arena *arena, const struct context *context, const struct process *process, struct fixes *fixes);
/* What tells those that stay from those that pass: a second look, or a second capture. */
const char *phrases_look_again(const struct snapshot *snapshot);
/* Evidence that any finding about descriptors wants: open ones against the limit. */
void phrases_descriptors(struct arena *arena, const struct process *process, struct lines *evidence);
