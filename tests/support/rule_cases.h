#pragma once
/*
 * Cases for rules: a host as a fixture (fixture.h), and what the diagnosis must find there. Files of cases differ by
 * the state family that they are about.
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
    const char *expected; /* "id count pid severity confidence", a line each; "": healthy, nothing to say */
    const char *previous; /* the host as it was a second before, or NULL */
    bool wants_rates;     /* a second reading of the counters is asked for */
};

/*
 * Diagnoses each host and fails (cmocka) where anything else is found than expected, or where the connections in one
 * state are judged otherwise by no more connections than diagnose_states() asks for.
 */
void rule_cases_check(const struct rule_case *cases, size_t count);
/* Fails where one of the ids (the last is NULL) is not expected in any case: a rule without a case that it fires in. */
void rule_cases_need(const struct rule_case *cases, size_t count, const char *const *ids);
