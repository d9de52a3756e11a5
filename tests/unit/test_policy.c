/* The effect of a configuration on a diagnosis. */
#include <string.h>

#include "unit.h"

#include "cmd/inspect.h"
#include "diagnose/diagnose.h"
#include "fixture.h"

#define HOST                                                                                                           \
    "netns host own\n"                                                                                                 \
    "process 812 spoolsvc parent=1 fds=100/1024 threads=1 running=2d\n"                                                \
    "process 900 backupd parent=1 fds=100/1024 threads=1 running=2d\n"                                                 \
    "conn LISTEN *:9100 recv_q=0 send_q=128 holders=812:3\n"                                                           \
    "conn LISTEN *:873 recv_q=0 send_q=128 holders=900:3\n"
#define LEAK " recv_q=0 send_q=0 timer=none last_data_sent=10m last_data_recv=10m last_ack_recv=10m bytes_received=100 "
#define SPOOL_30 "conn CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:40000 x30" LEAK "holders=812:20\n"
#define BLIND_1200 "conn CLOSE_WAIT 10.0.0.5:9100 10.1.2.3:40000 x1200 recv_q=0 send_q=0 holders=812:20\n"
#define BACKUP_200 "conn CLOSE_WAIT 10.0.0.5:873 10.1.2.4:40000 x200" LEAK "holders=900:20\n"

enum { FINDINGS_MAX = 100 };

struct judged {
    struct snapshot snapshot;
    struct policy policy;
    struct diagnosis diagnosis;
};

static void judge(struct judged *judged, const char *host, const char *configuration)
{
    struct config_finding known[FINDINGS_MAX];
    struct config_findings findings = { .items = known };
    while (findings.count < FINDINGS_MAX && cmd_config_finding((unsigned)findings.count, &known[findings.count]))
        findings.count++;
    struct error err = { 0 };
    policy_init(&judged->policy);
    if (config_parse(configuration, strlen(configuration), "test.conf", &findings, &judged->policy, &err) < 0)
        fail_msg("%s: %s", err.subject, err.message);
    fixture_must(&judged->snapshot, host);
    diagnose(&judged->snapshot, NULL, &judged->policy, &judged->diagnosis);
}

static void judged_deinit(struct judged *judged)
{
    diagnosis_deinit(&judged->diagnosis);
    snapshot_deinit(&judged->snapshot);
    policy_deinit(&judged->policy);
}

/* "close-wait-leak 200 critical; …"; ignored findings with their ignore; then the verdict. */
static void expect(const char *host, const char *configuration, const char *expected)
{
    struct judged judged;
    struct buf text = { 0 };
    judge(&judged, host, configuration);
    const struct diagnosis *diagnosis = &judged.diagnosis;
    for (size_t i = 0; i < diagnosis->finding_count + diagnosis->ignored_count; i++) {
        bool of_ignored = i >= diagnosis->finding_count;
        const struct finding *finding = of_ignored ? &diagnosis->ignored[i - diagnosis->finding_count]
                                                   : &diagnosis->findings[i];
        const struct ignore *ignored = finding->ignored;
        assert_int_equal(ignored != NULL, of_ignored);
        buf_printf(&text, "%s %llu %s%s%s; ", finding->id, (unsigned long long)finding->count,
            severity_name(finding->severity), ignored != NULL ? " ignored by " : "",
            ignored != NULL ? ignored->name : "");
    }
    buf_str(&text, verdict_name(diagnosis->verdict));
    if (strcmp(buf_text(&text), expected) != 0)
        fail_msg("%s\n%s\nexpected: %s", configuration, buf_text(&text), expected);
    buf_deinit(&text);
    judged_deinit(&judged);
}

static void limits_decide_the_severity(void **state)
{
    (void)state;
    expect(HOST SPOOL_30 BACKUP_200, "", "close-wait-leak 200 critical; close-wait-leak 30 warning; critical");
    expect(HOST SPOOL_30, "[close-wait-leak]\nwarning_count=31\n", "close-wait-leak 30 info; healthy");
    expect(HOST SPOOL_30, "[close-wait-leak]\nwarning_count=0\n", "close-wait-leak 30 info; healthy");
    expect(
        HOST SPOOL_30, "[close-wait-leak]\nwarning_count=0\nwarning_age=10m\n", "close-wait-leak 30 warning; warning");
    expect(HOST SPOOL_30, "[close-wait-leak]\nwarning_count=0\nwarning_age=11m\n", "close-wait-leak 30 info; healthy");
    expect(HOST SPOOL_30, "[close-wait-leak]\ncritical_count=30\n", "close-wait-leak 30 critical; critical");
    expect(HOST SPOOL_30, "[close-wait-leak]\ncritical_count=30\ncritical_age=11m\n",
        "close-wait-leak 30 warning; warning");
    expect(HOST SPOOL_30, "[close-wait-leak]\nsettle=11m\n", "healthy");
    expect(HOST SPOOL_30, "[close-wait-leak]\nleast_count=31\n", "healthy");
    expect(HOST SPOOL_30 BACKUP_200, "[close-wait-leak]\nseverity_at_most=info\n",
        "close-wait-leak 200 info; close-wait-leak 30 info; healthy");
    expect(HOST SPOOL_30, "[close-wait-unread]\nwarning_count=1\n", "close-wait-leak 30 warning; warning");
    /* Without ages the number decides, but never with a lower limit than the one that applies with ages. */
    expect(HOST BLIND_1200, "", "close-wait-leak 1200 critical; critical");
    expect(HOST BLIND_1200, "[close-wait-leak]\ncritical_count_blind=1201\n", "close-wait-leak 1200 warning; warning");
    expect(HOST BLIND_1200, "[close-wait-leak]\ncritical_count_blind=0\n", "close-wait-leak 1200 warning; warning");
    expect(HOST BLIND_1200, "[close-wait-leak]\ncritical_count=2000\n", "close-wait-leak 1200 warning; warning");
    expect(HOST BLIND_1200, "[close-wait-leak]\ncritical_count=0\n", "close-wait-leak 1200 warning; warning");
}

static void a_service_has_limits_of_its_own(void **state)
{
    (void)state;
    expect(HOST SPOOL_30 BACKUP_200, "[service b]\nprocess=backup*\nclose-wait-leak.critical_count=201\n",
        "close-wait-leak 200 warning; close-wait-leak 30 warning; warning");
    expect(HOST SPOOL_30 BACKUP_200, "[service b]\nport=873\nclose-wait-leak.severity_at_most=info\n",
        "close-wait-leak 30 warning; close-wait-leak 200 info; warning");
    expect(HOST SPOOL_30 BACKUP_200,
        "[close-wait-leak]\nwarning_count=1000\ncritical_count=0\n[service s]\nport=9100\n"
        "close-wait-leak.warning_count=5\n",
        "close-wait-leak 30 warning; close-wait-leak 200 info; warning");
    /* The first service that matches. */
    expect(HOST SPOOL_30,
        "[service one]\nport=9100\nclose-wait-leak.settle=11m\n[service two]\nprocess=spoolsvc\n"
        "close-wait-leak.settle=1\n",
        "healthy");
    /* The two parts of an override are judged separately, although they have one owner and one service. */
    expect(HOST SPOOL_30 "conn CLOSE_WAIT 10.0.0.5:9100 192.168.0.1:40000 x20" LEAK "holders=812:60\n",
        "[service far]\npeer=192.168.0.0/16\nclose-wait-leak.critical_count=20\n",
        "close-wait-leak 20 critical; close-wait-leak 30 warning; critical");
}

/* Connections on many ports are one finding. But a listener that has limits of its own has a finding of its own. */
static void ports_with_limits_of_their_own_are_not_folded(void **state)
{
    (void)state;
    static const char own[] = "[service s]\nprocess=spoolsvc\nclose-wait-leak.critical_count=0\n";
    static const char data[] = HOST "conn CLOSE_WAIT 10.0.0.5:20000 10.1.2.3:50000 x200 vary=ports" LEAK
                                    "holders=812:20\n";
    static const char listened[] = HOST "conn LISTEN *:9200 x40 vary=local_port recv_q=0 send_q=128 holders=812:300\n"
                                        "conn CLOSE_WAIT 10.0.0.5:9200 10.1.2.3:50000 x40 vary=ports" LEAK
                                        "holders=812:20\n";
    expect(data, "", "close-wait-leak 200 critical; critical");
    expect(data, own, "close-wait-leak 200 warning; warning");
    expect(listened, "", "close-wait-leak 40 warning; warning");
    struct judged judged;
    judge(&judged, listened, own);
    assert_int_equal(judged.diagnosis.finding_count, 40);
    judged_deinit(&judged);
}

static void what_runs_out_has_its_percent(void **state)
{
    (void)state;
#define NEARLY                                                                                                         \
    "netns host own\nprocess 812 spoolsvc parent=1 fds=850/1000 threads=1 running=2d\n"                                \
    "conn ESTABLISHED 10.0.0.5:9100 10.1.2.3:40000 x800 recv_q=0 send_q=0 holders=812:20\n"
    expect(NEARLY, "", "descriptor-exhaustion 800 warning; warning");
    expect(NEARLY, "[descriptor-exhaustion]\nwarning_percent=86\n", "healthy");
    expect(NEARLY, "[descriptor-exhaustion]\ncritical_percent=85\n", "descriptor-exhaustion 800 critical; critical");
    expect(NEARLY, "[service s]\nprocess=spoolsvc\ndescriptor-exhaustion.warning_percent=86\n", "healthy");
    expect(NEARLY, "[service s]\nprocess=other\ndescriptor-exhaustion.warning_percent=86\n",
        "descriptor-exhaustion 800 warning; warning");
    expect(
        NEARLY, "[ignore s]\nprocess=spoolsvc\nreason=x\n", "descriptor-exhaustion 800 warning ignored by s; healthy");
    expect(NEARLY, "[ignore s]\nfinding=descriptor-*\nreason=x\n",
        "descriptor-exhaustion 800 warning ignored by s; healthy");
    expect(NEARLY, "[ignore s]\nfinding=close-wait-*\nprocess=spoolsvc\nreason=x\n",
        "descriptor-exhaustion 800 warning; warning");
}

static void what_is_ignored_is_shown_and_does_not_count(void **state)
{
    (void)state;
    static const char *const same[] = { "process=backupd", "port=873", "peer=10.1.2.4", "peer=10.1.2.4/31\nport=873",
        "local=:873", "process=back*\nstate=close-wait\nfinding=close-wait-leak", "process=nobody,backupd" };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        char text[200];
        snprintf(text, sizeof text, "[ignore b]\nreason=known\n%s\n", same[i]);
        expect(HOST SPOOL_30 BACKUP_200, text,
            "close-wait-leak 30 warning; close-wait-leak 200 critical ignored by b; warning");
    }
    expect(
        HOST BACKUP_200, "[ignore b]\nreason=known\nport=873\n", "close-wait-leak 200 critical ignored by b; healthy");
    expect(HOST BACKUP_200, "[ignore b]\nreason=known\nport=873\nfinding=close-wait-unread\n",
        "close-wait-leak 200 critical; critical");
    /* Some peers of one service. */
    expect(HOST SPOOL_30 "conn CLOSE_WAIT 10.0.0.5:9100 192.168.0.1:40000 x20" LEAK "holders=812:60\n",
        "[ignore far]\npeer=192.168.0.0/16\nreason=x\n",
        "close-wait-leak 30 warning; close-wait-leak 20 warning ignored by far; warning");
}

static void an_ignore_ends(void **state)
{
    (void)state;
    /* The fixture's time is 2026-01-31T12:03:11Z. */
    expect(HOST BACKUP_200, "[ignore b]\nreason=known\nport=873\nuntil=2026-01-31\n",
        "close-wait-leak 200 critical ignored by b; healthy");
    expect(HOST BACKUP_200, "[ignore b]\nreason=known\nport=873\nuntil=2026-01-30\n",
        "close-wait-leak 200 critical; critical");
    struct judged judged;
    judge(&judged, HOST BACKUP_200, "[ignore b]\nreason=ticket 7\nport=873\nuntil=2026-01-30\n");
    assert_string_equal(judged.diagnosis.notes.items[judged.diagnosis.notes.count - 1],
        "The ignore 'b' (ticket 7) was meant until 2026-01-30: what it took in is judged again.");
    judged_deinit(&judged);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_decide_the_severity),
        cmocka_unit_test(a_service_has_limits_of_its_own),
        cmocka_unit_test(ports_with_limits_of_their_own_are_not_folded),
        cmocka_unit_test(what_runs_out_has_its_percent),
        cmocka_unit_test(what_is_ignored_is_shown_and_does_not_count),
        cmocka_unit_test(an_ignore_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
