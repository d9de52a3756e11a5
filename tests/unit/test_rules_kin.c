/*
 * A program that runs once for each job or session, with a stuck connection in each process. It is judged as one,
 * whatever the processes are called and whoever started them. Processes that have only the cause in common stay
 * separate.
 */
#include "rule_cases.h"
#include "unit.h"

#define HOST "netns host own\nsetting net.ipv4.ip_local_port_range 32768 60999\n"
#define CURL(pid, parent, job)                                                                                         \
    "process " #pid " curl parent=" #parent " command=\"curl -T job http://10.9.9.9/" job                              \
    "\" fds=9/1024 unit=cron.service "                                                                                 \
    "running=1h\n"
#define LEFT "recv_q=0 send_q=0 timer=none last_ack_recv=10m last_data_sent=10m last_data_recv=10m "
#define TO(local, peer, holder) "conn CLOSE_WAIT 10.0.0.5:" #local " " peer " " LEFT "holders=" #holder ":5\n"
#define JOBS(program, place)                                                                                           \
    HOST "process 801 " program " parent=701 " place " fds=9/1024 running=1h\n"                                        \
         "process 802 " program " parent=702 " place " fds=9/1024 running=1h\n"                                        \
         "process 803 " program " parent=703 " place " fds=9/1024 running=1h\n"

static const struct rule_case cases[] = {
    { "cron jobs: a shell each, and other arguments",
        HOST CURL(801, 701, "1") CURL(802, 702, "2") CURL(803, 703,
            "3") "conn CLOSE_WAIT 10.0.0.5:40000 10.9.9.9:80 x4 "
                 "vary=local_port " LEFT
                 "holders=801:5\nconn CLOSE_WAIT 10.0.0.5:41000 10.9.9.9:80 x4 vary=local_port " LEFT
                 "holders=802:5\nconn CLOSE_WAIT 10.0.0.5:42000 10.9.9.9:80 x4 vary=local_port " LEFT "holders=803:5\n",
        "close-wait-leak 12 801 warning certain\n" },
    { "two of them may be chance",
        HOST CURL(801, 701, "1") CURL(802, 702, "2") TO(40000, "10.9.9.9:80", 801) TO(40001, "10.9.9.9:80", 802),
        "close-wait-leak 1 801 info certain\nclose-wait-leak 1 802 info certain\n" },
    { "to each job its own printer",
        HOST CURL(801, 701, "1") CURL(802, 701, "2") CURL(803, 701, "3") TO(40000, "10.9.9.1:9100", 801)
            TO(40001, "10.9.9.2:9100", 802) TO(40002, "10.9.9.3:9100", 803),
        "close-wait-leak 3 801 info certain\n" },
    { "services of their own stay apart, though one program runs them",
        HOST CURL(801, 701, "1") CURL(802, 702, "2") CURL(803, 703, "3") TO(40000, "10.9.9.9:5432", 801)
            TO(40001, "10.9.9.9:80", 802) TO(40002, "10.9.9.9:25", 803),
        "close-wait-leak 1 801 info certain\nclose-wait-leak 1 802 info certain\n"
        "close-wait-leak 1 803 info certain\n" },
    { "three programs that have nothing to do with each other",
        HOST "process 801 one parent=1 fds=9/1024 running=1h\nprocess 802 two parent=1 fds=9/1024 running=1h\n"
             "process 803 three parent=1 fds=9/1024 running=1h\n" TO(40000, "10.9.9.9:80", 801)
                 TO(40001, "10.9.9.9:80", 802) TO(40002, "10.9.9.9:80", 803),
        "close-wait-leak 1 801 info certain\nclose-wait-leak 1 802 info certain\n"
        "close-wait-leak 1 803 info certain\n" },
    { "one interpreter, three scripts",
        HOST "process 801 python3 parent=1 command=\"python3 /opt/one.py 1\" fds=9/1024 running=1h\n"
             "process 802 python3 parent=2 command=\"python3 -u /opt/two.py 1\" fds=9/1024 running=1h\n"
             "process 803 python3 parent=3 command=\"python3 -c import-three\" fds=9/1024 running=1h\n" TO(
                 40000, "10.9.9.9:80", 801) TO(40001, "10.9.9.9:80", 802) TO(40002, "10.9.9.9:80", 803),
        "close-wait-leak 1 801 info certain\nclose-wait-leak 1 802 info certain\n"
        "close-wait-leak 1 803 info certain\n" },
    { "one script with other arguments",
        HOST "process 801 python3 parent=1 command=\"python3 /opt/one.py 1\" fds=9/1024 running=1h\n"
             "process 802 python3 parent=2 command=\"python3 -u /opt/one.py 2\" fds=9/1024 running=1h\n"
             "process 803 python3 parent=3 command=\"/usr/bin/python3 -B /opt/one.py\" fds=9/1024 running=1h\n" TO(
                 40000, "10.9.9.9:80", 801) TO(40001, "10.9.9.9:80", 802) TO(40002, "10.9.9.9:80", 803),
        "close-wait-leak 3 801 info certain\n" },
    { "instances of one unit",
        HOST "process 801 ftpd parent=1 unit=ftp@1-10.0.0.5:21.service fds=9/1024 running=1h\n"
             "process 802 ftpd parent=1 unit=ftp@2-10.0.0.5:21.service fds=9/1024 running=1h\n"
             "process 803 ftpd parent=1 unit=ftp@3-10.0.0.5:21.service fds=9/1024 running=1h\n" TO(
                 40000, "10.9.9.9:80", 801) TO(40001, "10.9.9.9:80", 802) TO(40002, "10.9.9.9:80", 803),
        "close-wait-leak 3 801 info certain\n" },
    { "one program in three units: three services",
        HOST "process 801 proxy parent=1 unit=one.service command=\"proxy one\" fds=9/1024 running=1h\n"
             "process 802 proxy parent=1 unit=two.service command=\"proxy two\" fds=9/1024 running=1h\n"
             "process 803 proxy parent=1 unit=three.service command=\"proxy three\" fds=9/1024 running=1h\n" TO(
                 40000, "10.9.9.9:80", 801) TO(40001, "10.9.9.9:80", 802) TO(40002, "10.9.9.9:80", 803),
        "close-wait-leak 1 801 info certain\nclose-wait-leak 1 802 info certain\n"
        "close-wait-leak 1 803 info certain\n" },
    { "and in three containers",
        JOBS("proxy", "container=abc") "process 804 proxy parent=1 container=def fds=9/1024 running=1h\n" TO(
            40000, "10.9.9.9:80", 801) TO(40001, "10.9.9.9:80", 802) TO(40002, "10.9.9.9:80", 803)
            TO(40003, "10.9.9.9:80", 804),
        "close-wait-leak 3 801 info certain\nclose-wait-leak 1 804 info certain\n" },
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
