/*
 * Connections that this host opened and whose end of stream is unread. An idle pool is harmless; one that grows and is
 * not used again is a leak. It is judged for each process, with its threads and descriptors.
 */
#include "rule_cases.h"
#include "unit.h"

#define CLIENT "netns host own\nsetting net.ipv4.ip_local_port_range 32768 60999\n"
#define POOLED "conn CLOSE_WAIT 10.0.0.5:40000 10.9.0.7:443 "
#define UNREAD "recv_q=25 send_q=0 timer=none "
#define SINCE(age) "last_ack_recv=" age " last_data_sent=" age " last_data_recv=" age " "
/* They became idle one after the other: the oldest ten minutes ago, the youngest ten seconds ago. */
#define GROWING(each, holder)                                                                                          \
    POOLED "x" #each " vary=local_port " UNREAD SINCE(                                                                 \
        "10m") "holders=" holder "\n"                                                                                  \
               "conn CLOSE_WAIT 10.0.0.5:42000 10.9.0.7:443 x" #each                                                   \
               " vary=local_port " UNREAD SINCE("4m") "holders=" holder "\n"                                           \
                                                      "conn CLOSE_WAIT 10.0.0.5:44000 10.9.0.7:443 x" #each            \
                                                      " vary=local_port " UNREAD SINCE("10s") "holders=" holder "\n"
#define APACHE(pid)                                                                                                    \
    "process " #pid " apache2 parent=700 command=\"apache2 -k start\" fds=35/20000 threads=27 running=2d\n"
#define STALE(port, age, holder)                                                                                       \
    "conn CLOSE_WAIT 10.0.0.5:" #port " 10.9.0.7:443 x25 vary=local_port " UNREAD SINCE(age) "holders=" holder "\n"

static const struct rule_case cases[] = {
    { "ten Apache processes with 25 stale connections each: mod_proxy keeps them by design",
        CLIENT APACHE(801) APACHE(802) APACHE(803) APACHE(804) APACHE(805) APACHE(806) APACHE(807) APACHE(808)
            APACHE(809) APACHE(810) STALE(40000, "10m", "801:20") STALE(40100, "9m", "802:20")
                STALE(40200, "8m", "803:20") STALE(40300, "7m", "804:20") STALE(40400, "6m", "805:20")
                    STALE(40500, "5m", "806:20") STALE(40600, "4m", "807:20") STALE(40700, "3m", "808:20")
                        STALE(40800, "2m", "809:20") STALE(40900, "10s", "810:20"),
        "close-wait-unread 250 801 info certain\n" },
    { "a large pool at rest: all fell silent at once",
        CLIENT "process 901 java parent=1 fds=300/4096 threads=40 running=1d\n" POOLED
               "x90 vary=local_port " UNREAD SINCE("10m") "holders=901:20\n",
        "close-wait-unread 90 901 info certain\n" },
    { "more than a pool has",
        CLIENT "process 901 java parent=1 fds=300/4096 threads=40 running=1d\n" POOLED
               "x130 vary=local_port " UNREAD SINCE("10m") "holders=901:20\n",
        "close-wait-unread 130 901 critical certain\n" },
    { "fewer, but they use up the descriptors",
        CLIENT "process 901 java parent=1 fds=70/128 threads=40 running=1d\n" POOLED
               "x60 vary=local_port " UNREAD SINCE("10m") "holders=901:20\n",
        "close-wait-unread 60 901 warning certain\n" },
    { "never used again and still growing: a leak, though it is small so far",
        CLIENT "process 901 worker parent=1 fds=300/4096 threads=1 running=1d\n" GROWING(8, "901:20"),
        "close-wait-unread 24 901 warning certain\n" },
    { "the same in a program that has as many threads: one each",
        CLIENT "process 901 worker parent=1 fds=300/4096 threads=30 running=1d\n" GROWING(8, "901:20"),
        "close-wait-unread 24 901 info certain\n" },
    { "and a growing one of hundreds is critical",
        CLIENT "process 901 worker parent=1 fds=400/4096 threads=4 running=1d\n" GROWING(60, "901:20"),
        "close-wait-unread 180 901 critical certain\n" },
    { "unused for hours: nothing tidies them up",
        CLIENT "process 901 java parent=1 fds=300/4096 threads=40 running=1d\n" POOLED
               "x30 vary=local_port " UNREAD SINCE("3h") "holders=901:20\n",
        "close-wait-unread 30 901 warning certain\n" },
    { "the program at the other end waits for them: the server's half is there too",
        CLIENT "process 901 worker parent=1 fds=300/4096 threads=40 running=1d\n"
               "process 950 serviced parent=1 fds=300/4096 threads=4 running=1d\n"
               "conn CLOSE_WAIT 10.0.0.5:40000 10.0.0.5:8443 x20 vary=local_port recv_q=1 send_q=0 timer=none " SINCE(
                   "10m") "holders=901:20\n"
                          "conn FIN_WAIT_2 10.0.0.5:8443 10.0.0.5:40000 x20 vary=peer_port recv_q=0 send_q=0 "
                          "timer=none " SINCE("10m") "holders=950:20\n",
        "close-wait-unread 20 901 warning certain\n" },
};

static void every_case_is_judged_as_expected(void **state)
{
    (void)state;
    rule_cases_check(cases, sizeof cases / sizeof *cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_case_is_judged_as_expected) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
