#pragma once
/* The connections that the user asked for. An empty selection contains all. */
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "model/snapshot.h"

enum {
    SELECT_TERMS_MAX = 32,
    SELECT_WORD_MAX = 256, /* bytes of one name, with its NUL */
};

struct select_ports {
    uint16_t first, last;
};

struct select_endpoint {
    bool has_net, has_port;
    struct ip_net net;
    struct select_ports ports;
};

struct selection {
    uint32_t states; /* STATE_BIT()s; 0: all */
    bool ipv4, ipv6; /* by the packets: IPv4 through an IPv6 socket is IPv4; both false: any */

    /* Terms of one kind are alternatives; different kinds must all hold. */
    uint32_t pids[SELECT_TERMS_MAX];
    unsigned pid_count;
    const char *names[SELECT_TERMS_MAX]; /* process names; shell wildcards (fnmatch); each ends at a comma or NUL */
    unsigned name_count;
    struct select_ports ports[SELECT_TERMS_MAX]; /* either end */
    unsigned port_count;
    struct select_endpoint locals[SELECT_TERMS_MAX], peers[SELECT_TERMS_MAX];
    unsigned local_count, peer_count;
    const char *causes[SELECT_TERMS_MAX]; /* "normal" or finding ids; wildcards; each ends at a comma or NUL */
    unsigned cause_count;
    const char *netns; /* NULL or "all", "self", a name, or a PID */
    uint64_t older_ms; /* lowest age_judged_ms(), which leaves out connections of unknown age; 0: any age */
};

/*
 * These parse option values and add the terms. A value is a comma-separated list. They return 0, or -EINVAL, or -E2BIG
 * (too many terms), with err filled. They keep pointers into `text`, so it must outlive the selection.
 */
int selection_add_states(struct selection *selection, const char *text, struct error *err);
int selection_add_pids(struct selection *selection, const char *text, struct error *err);
int selection_add_names(struct selection *selection, const char *text, struct error *err);
int selection_add_ports(struct selection *selection, const char *text, struct error *err);
int selection_add_local(struct selection *selection, const char *text, struct error *err);
int selection_add_peer(struct selection *selection, const char *text, struct error *err);
int selection_add_causes(struct selection *selection, const char *text, struct error *err);
int selection_set_older(struct selection *selection, const char *text, struct error *err);

/* Parses "80", "8000-8099" or "https". Returns 0 or -EINVAL. */
int select_parse_ports(const char *text, struct select_ports *ret_ports);
/* Appends "80" or "8000-8099". */
void select_format_ports(struct buf *out, const struct select_ports *ports);

bool selection_is_empty(const struct selection *selection);
/* Checks all terms except the cause, which is known only after a diagnosis. */
bool selection_matches(const struct selection *selection, const struct snapshot *snapshot, const struct conn *conn);
/* True if the name fits one of the names, or if there are no names. NULL: the name is unknown. */
bool selection_matches_name(const struct selection *selection, const char *name);
bool selection_matches_cause(const struct selection *selection, const char *cause);

/* Copies one of names or causes up to its end. It always fits: the parsers refuse longer ones. */
void selection_word(const char *word, char ret_word[SELECT_WORD_MAX]);
/* False if netns names neither a namespace nor a process of the snapshot: then no connection can match. */
bool selection_netns_exists(const struct selection *selection, const struct snapshot *snapshot);
