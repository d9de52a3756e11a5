#pragma once
/* Phrases and fixes that several rules use. */
#include "diagnose/group.h"

/* These return text in the arena. */
const char *phrases_count(struct arena *arena, uint64_t number); /* "1,204" */
const char *phrases_conns(struct arena *arena, uint64_t number); /* "1,204 connections", "1 connection" */
const char *phrases_duration(struct arena *arena, uint64_t ms);  /* "4 h 12 min" */
const char *phrases_bytes(struct arena *arena, uint64_t bytes);
const char *phrases_address(struct arena *arena, const struct ip *address);
/*
 * Options of tcpwhy that select connections with this remote end: " --peer ADDRESS". If the source shows a word instead
 * of the address, " --port PORT", or "" if the port is 0.
 */
const char *phrases_select_end(struct arena *arena, const struct ip *address, uint16_t port);
const char *phrases_end(struct arena *arena, const struct ip *address, uint16_t port); /* "10.0.0.9:5432" */
/* "nginx (pid 812)", "Process 812"; NULL: "A process that could not be seen" */
const char *phrases_process(struct arena *arena, const struct process *process);
/* The first process of the finding that has an obstacle (phrases_obstacle()); the owner is checked first. Or NULL. */
const struct process *phrases_obstructed(struct arena *arena, const struct finding *finding);
/* Adds, for a live snapshot, why no holder of the connections was found although there must be one. */
void phrases_unseen(
    struct arena *arena, const struct context *context, const struct group *group, struct lines *evidence);
/* phrases_process() within a sentence: "process 812"; NULL: "the process". */
const char *phrases_process_within(struct arena *arena, const struct process *process);
/* "the peer has", "the peers have" */
const char *phrases_peers_have(const struct group *group);
/* "on port 9100", "to 10.0.0.9:5432", "on 800 local ports" */
const char *phrases_service(struct arena *arena, const struct context *context, const struct group *group);
/* "port", "ports" */
const char *phrases_ports(const struct group *group);
/* Why the process does not act on its sockets now ("is stopped (state T…"); NULL if no reason is known. */
const char *phrases_obstacle(struct arena *arena, const struct process *process);

/* True if the source shows the state of the process. Most captures show only its name and PID. */
bool phrases_is_state_known(const struct process *process);
/* True if it is stopped, frozen, traced, a zombie, or stuck in the kernel: obstacle_is_halt(). */
bool phrases_is_halted(const struct process *process);
/*
 * Calls obstacle_fix() for the obstacle of this process, with all processes of the finding. Returns false if nothing
 * halts the process, or if there is no such fix.
 */
bool phrases_fix_obstacle(struct arena *arena, const struct context *context, const struct finding *finding,
    const struct process *obstructed, struct fixes *fixes);
/*
 * Adds how to restart or end the process: its container, its service ("systemctl restart X"), or "kill -TERM PID".
 * NULL: adds how to find out which process it is.
 */
void phrases_fix_restart(
    struct arena *arena, const struct context *context, const struct process *process, struct fixes *fixes);
/* The same without obstacle_keep_evidence(), if that was added for other processes: a master whose workers hang. */
void phrases_fix_restart_only(
    struct arena *arena, const struct context *context, const struct process *process, struct fixes *fixes);
/* Adds how to see where the threads of the process wait. NULL: adds nothing. */
void phrases_fix_threads(
    struct arena *arena, const struct context *context, const struct process *process, struct fixes *fixes);
/* Adds, for good, that every path of the program closes its socket, and where the pattern for its language is. */
void phrases_fix_close_always(struct arena *arena, struct finding *finding);
/*
 * How to get a second snapshot, which shows whether connections stay as they are: an option of tcpwhy, or for a capture
 * the request to take it again. It is a part of a sentence, and constant.
 */
const char *phrases_second_snapshot(const struct snapshot *snapshot);
/* Adds how many descriptors the process has open, and its limit. Nothing if that is not known. */
void phrases_descriptors(struct arena *arena, const struct process *process, struct lines *evidence);
