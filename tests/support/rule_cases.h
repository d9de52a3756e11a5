#pragma once
/*
 * Cases for rules: a host as a fixture (fixture.h), and what the diagnosis must find. Each file of cases is about one
 * family of states.
 */
#include <stdbool.h>
#include <stddef.h>

#include "diagnose/diagnose.h"

/* A server with a listener on 9100, whose process runs and watches its sockets. */
#define SERVER                                                                                                         \
    "netns host own\n"                                                                                                 \
    "setting net.ipv4.tcp_max_orphans 65536\n"                                                                         \
    "setting net.ipv4.ip_local_port_range 32768 60999\n"                                                               \
    "process 800 systemd parent=0 running=9d\n"                                                                        \
    "process 812 spoolsvc parent=800 fds=1267/20000 state=S running=2d command=\"/usr/sbin/spoolsvc\"\n"               \
    "wait 812 S channel=ep_poll call=epoll_wait threads=1\n"                                                           \
    "conn LISTEN *:9100 recv_q=0 send_q=128 holders=812:3\n"

struct rule_case {
    const char *what;
    const char *host;
    const char *expected; /* "id count pid severity confidence", one on each line; "": nothing is found */
    const char *previous; /* the host one second before, or NULL */
    bool wants_rates;     /* the rule must ask for a second reading of the counters */
};

/*
 * Diagnoses each host. Fails (cmocka) if the findings differ from the expected ones. Also fails if the connections in
 * one state are judged differently when only the states of diagnose_states() are read.
 */
void rule_cases_check(const struct rule_case *cases, size_t count);
/* Fails if an id (the last is NULL) is not expected in any case: then the rule has no case in which it fires. */
void rule_cases_need(const struct rule_case *cases, size_t count, const char *const *ids);
