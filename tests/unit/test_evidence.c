/*
 * More evidence never gives less. Every golden case, with a finding of each kind, is diagnosed with each combination of
 * what a source may show: owners, details of them, inodes, timers, tcp_info, queues, settings. Each connection of a
 * finding must, with more evidence, be in a finding that is at least as severe, or be cited by one. The only exceptions
 * are those in the table below: there the added evidence itself shows why.
 */
#include "diagnose/diagnose.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "fixture.h"
#include "model/holders.h"
#include "source/capture/capture.h"
#include "unit.h"

enum evidence {
    OWNERS = 1 << 0,
    DETAILS = 1 << 1, /* details of the owners: descriptors, threads, states */
    INODES = 1 << 2,
    TIMERS = 1 << 3,
    INFO = 1 << 4,
    QUEUES = 1 << 5,
    SETTINGS = 1 << 6,
    ALL = (1 << 7) - 1,
};

static const char *const evidence_names[] = { "owners", "details", "inodes", "timers", "info", "queues", "settings" };

enum { FINDINGS_MAX = 40, NONE = 0, REASON_MAX = 16 };

/* The result for each connection: 0 if nothing was found, else severity + 1; and the finding that it is in. */
struct result {
    uint8_t *severities;
    uint8_t *findings;          /* 1 + index into the names of findings */
    uint8_t *cited;             /* severity + 1 of a finding that cites it as the other end */
    uint8_t host[FINDINGS_MAX]; /* of findings without connections */
};

struct scene {
    const char *path;
    struct snapshot snapshot;
    /* The data with all its evidence: */
    struct conn *conns;
    struct process *processes;
    struct net_values *values;
    unsigned has; /* the evidence that it has */
    struct result results[ALL + 1];
    bool made[ALL + 1];
};

/* --- with less evidence ------------------------------------------------------------------------------------------- */

static uint16_t bits_without(unsigned evidence)
{
    unsigned bits = 0;
    bits |= (evidence & INODES) == 0 ? CONN_INODE | CONN_COOKIE | CONN_UID : 0;
    bits |= (evidence & TIMERS) == 0 ? CONN_TIMER : 0;
    bits |= (evidence & INFO) == 0 ? CONN_TCP_INFO | CONN_SND_WND | CONN_RTO_TIME | CONN_SKMEM | CONN_RTO | CONN_BYTES
                                   : 0;
    bits |= (evidence & QUEUES) == 0 ? CONN_QUEUES | CONN_BACKLOG : 0;
    return (uint16_t)bits;
}

static void show(struct scene *scene, unsigned evidence)
{
    struct snapshot *snapshot = &scene->snapshot;
    if (snapshot->conn_count > 0)
        memcpy(snapshot->conns, scene->conns, snapshot->conn_count * sizeof *scene->conns);
    if (snapshot->process_count > 0)
        memcpy(snapshot->processes, scene->processes, snapshot->process_count * sizeof *scene->processes);
    if (snapshot->netns_count > 0)
        memcpy(snapshot->net_values, scene->values, snapshot->netns_count * sizeof *scene->values);
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        struct conn *conn = &snapshot->conns[i];
        conn->present &= (uint16_t)~bits_without(evidence);
        if ((evidence & OWNERS) == 0)
            conn->holder = NO_INDEX;
    }
    for (size_t i = 0; i < snapshot->process_count && (evidence & DETAILS) == 0; i++) {
        struct process *process = &snapshot->processes[i];
        process->fds_open = process->fds_limit = process->fds_sockets = 0;
        process->running_ms = 0;
        process->state = '?';
        process->waits = NULL;
        process->wait_count = 0;
    }
    for (size_t i = 0; i < snapshot->netns_count && (evidence & SETTINGS) == 0; i++) {
        memset(snapshot->net_values[i].has_setting, 0, sizeof snapshot->net_values[i].has_setting);
        memset(snapshot->net_values[i].has_counter, 0, sizeof snapshot->net_values[i].has_counter);
    }
}

/*
 * Combinations that no source shows: details without owners, or without the inodes and timers that a live host has;
 * timers or tcp_info without the queues that are printed before them.
 */
static bool is_possible(unsigned evidence)
{
    enum { LIVE = OWNERS | INODES | TIMERS | QUEUES };
    if ((evidence & DETAILS) != 0 && (evidence & LIVE) != LIVE)
        return false;
    return (evidence & QUEUES) != 0 || (evidence & (TIMERS | INFO)) == 0;
}

static unsigned evidence_of(const struct snapshot *snapshot)
{
    unsigned has = SETTINGS;
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        const struct conn *conn = &snapshot->conns[i];
        has |= conn->holder != NO_INDEX ? OWNERS | DETAILS : 0;
        has |= conn_has(conn, CONN_INODE) ? INODES : 0;
        has |= conn_has(conn, CONN_TIMER) ? TIMERS : 0;
        has |= conn_has(conn, CONN_TCP_INFO) ? INFO : 0;
        has |= conn_has(conn, CONN_QUEUES) ? QUEUES : 0;
    }
    return has;
}

/* --- results ------------------------------------------------------------------------------------------------------ */

static uint8_t finding_number(const char *id)
{
    const char *name;
    for (unsigned i = 0; (name = diagnose_finding_id(i)) != NULL; i++) {
        if (strcmp(name, id) == 0)
            return (uint8_t)(i + 1);
    }
    fail_msg("no finding is called %s", id);
    return 0;
}

static void raise_to(uint8_t *severity, unsigned to)
{
    if (*severity < to)
        *severity = (uint8_t)to;
}

static const struct result *result_of(struct scene *scene, unsigned evidence)
{
    struct result *result = &scene->results[evidence];
    if (scene->made[evidence])
        return result;
    scene->made[evidence] = true;
    size_t count = scene->snapshot.conn_count;
    result->severities = xcalloc(count + 1, 1);
    result->findings = xcalloc(count + 1, 1);
    result->cited = xcalloc(count + 1, 1);
    show(scene, evidence);
    struct diagnosis diagnosis;
    diagnose(&scene->snapshot, NULL, NULL, &diagnosis);
    for (size_t f = 0; f < diagnosis.finding_count; f++) {
        const struct finding *finding = &diagnosis.findings[f];
        uint8_t number = finding_number(finding->id);
        unsigned severity = finding->severity + 1U;
        raise_to(&result->host[number], severity);
        for (size_t i = 0; i < finding->conn_count; i++) {
            uint32_t conn = finding->conns[i];
            if (severity > result->severities[conn])
                result->findings[conn] = number;
            raise_to(&result->severities[conn], severity);
        }
        for (size_t i = 0; i < finding->other_end_count; i++)
            raise_to(&result->cited[finding->other_ends[i]], severity);
    }
    diagnosis_deinit(&diagnosis);
    return result;
}

/* --- the reasons why more evidence may give less ------------------------------------------------------------------ */

/* The connection with more evidence, and what was found with less. */
struct loss {
    const struct snapshot *snapshot;
    const struct conn *conn;
    const char *id; /* of the finding with less evidence */
    unsigned added; /* the added evidence */
    unsigned severity_then, severity_now;
    const struct result *now;
};

struct reason {
    const char *why;
    bool (*is_given)(const struct loss *loss);
};

static const struct limits *limits_of(const char *id)
{
    return diagnose_finding_limits(finding_number(id) - 1U);
}

/* The row itself is checked, because the program's computation from it is what the test examines. */
static bool has_just_come(const struct loss *loss)
{
    enum { ATTEMPTS = 3 };
    const struct conn *conn = loss->conn;
    uint64_t settle_ms = limits_of(loss->id)->settle_ms;
    if (loss->added == INFO)
        return conn->last_ack_recv_ms < settle_ms || conn->last_data_recv_ms < settle_ms ||
            conn->last_data_sent_ms < settle_ms;
    if (loss->added != TIMERS)
        return false;
    bool is_retrying = conn->timer == TIMER_RETRANSMIT || conn->timer == TIMER_PERSIST;
    if (is_retrying)
        return conn->timer_ms < settle_ms && conn->retransmits < ATTEMPTS;
    struct age age = conn_age(loss->snapshot, conn);
    return age.kind != AGE_UNKNOWN && age_judged_ms(&age) < settle_ms;
}

static bool is(const struct loss *loss, const char *id)
{
    return strcmp(loss->id, id) == 0;
}

static bool is_of_not_accepted(const struct loss *loss)
{
    return is(loss, "accept-queue-overflow") &&
        loss->now->host[finding_number("close-wait-not-accepted")] >= loss->severity_then;
}

static bool is_awaited(const struct loss *loss)
{
    enum { CERTAIN_LEAK_MS = 5 * 60 * 1000 };
    struct age age = conn_age(loss->snapshot, loss->conn);
    return is(loss, "close-wait-leak") && loss->added == INFO && loss->conn->bytes_received > 1 &&
        loss->conn->bytes_acked == 0 && age.ms < CERTAIN_LEAK_MS;
}

static bool is_told_apart(const struct loss *loss)
{
    for (size_t i = 0; i < loss->snapshot->conn_count; i++) {
        const struct conn *other = &loss->snapshot->conns[i];
        if (other->state == loss->conn->state && other->local_port == loss->conn->local_port &&
            loss->now->severities[i] >= loss->severity_then)
            return loss->severity_now > NONE;
    }
    return false;
}

/* The connection to the next server is stuck, so its holder does not close this one. That finding cites it. */
static bool is_blocked_further_on(const struct loss *loss)
{
    const struct process *owner = snapshot_owner(loss->snapshot, loss->conn);
    if (!is(loss, "close-wait-leak") || owner == NULL)
        return false;
    for (size_t i = 0; i < loss->snapshot->conn_count; i++) {
        const struct conn *other = &loss->snapshot->conns[i];
        if (other->state == STATE_ESTABLISHED && snapshot_owner(loss->snapshot, other) == owner &&
            loss->now->severities[i] >= loss->severity_then)
            return true;
    }
    return false;
}

static const struct reason reasons[] = {
    { "its holder passes on what comes over a connection that is stuck itself", is_blocked_further_on },
    { "peers have given up: the finding about what was not accepted is that about the listener", is_of_not_accepted },
    { "tcp_info shows a request without an answer, and a program may be at work on it for so long", is_awaited },
    { "two causes are told apart, and the greater part bears the number of both", is_told_apart },
    { "its own clock shows that it has just come", has_just_come },
};

/* --- the comparison ----------------------------------------------------------------------------------------------- */

static const char *reason_for(const struct loss *loss)
{
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        if (reasons[i].is_given(loss))
            return reasons[i].why;
    }
    return NULL;
}

static void describe_evidence(unsigned evidence, char *text, size_t size)
{
    size_t length = 0;
    text[0] = '\0';
    for (size_t i = 0; i < sizeof evidence_names / sizeof *evidence_names; i++) {
        if ((evidence & (1U << i)) != 0)
            length += (size_t)snprintf(text + length, size - length, " %s", evidence_names[i]);
    }
}

static unsigned compare(struct scene *scene, unsigned less, unsigned added)
{
    const struct result *then = result_of(scene, less), *now = result_of(scene, less | added);
    unsigned lost = 0;
    uint8_t reported[FINDINGS_MAX][FINDINGS_MAX] = { 0 };
    show(scene, less | added);
    for (size_t i = 0; i < scene->snapshot.conn_count; i++) {
        unsigned was = then->severities[i];
        if (was == NONE || now->severities[i] >= was || now->cited[i] >= was)
            continue;
        struct loss loss = { &scene->snapshot, &scene->snapshot.conns[i], diagnose_finding_id(then->findings[i] - 1U),
            added, was, now->severities[i], now };
        if (reason_for(&loss) != NULL)
            continue;
        lost++;
        if (reported[then->findings[i]][now->findings[i]]++ > 0)
            continue;
        char shown[128], more[128];
        describe_evidence(less, shown, sizeof shown);
        describe_evidence(added, more, sizeof more);
        print_error("%s:%s, and then%s: %s (%u) becomes %s (%u)\n", strrchr(scene->path, '/') + 1, shown, more, loss.id,
            was, now->findings[i] > 0 ? diagnose_finding_id(now->findings[i] - 1U) : "nothing", loss.severity_now);
    }
    return lost;
}

static unsigned compare_all(struct scene *scene)
{
    unsigned lost = 0;
    for (unsigned less = 0; less <= ALL; less++) {
        for (unsigned added = 1; added <= ALL; added <<= 1) {
            unsigned more = less | added;
            if ((less & added) == 0 && (more & ~scene->has) == 0 && is_possible(less) && is_possible(more))
                lost += compare(scene, less, added);
        }
    }
    return lost;
}

/* --- cases -------------------------------------------------------------------------------------------------------- */

static void open_scene(struct scene *scene, const char *path)
{
    struct error err;
    *scene = (struct scene){ .path = path };
    struct snapshot *snapshot = &scene->snapshot;
    snapshot_init(snapshot);
    bool is_capture = strstr(path, ".capture") != NULL;
    const struct capture_options options = { .path = path };
    if ((is_capture ? capture_read(&options, snapshot, &err) : fixture_load(snapshot, path, &err)) < 0)
        fail_msg("%s: %s", err.subject, err.message);
    snapshot->origin = "a capture";
    scene->has = evidence_of(snapshot);
    scene->conns = xcalloc(snapshot->conn_count + 1, sizeof *scene->conns);
    if (snapshot->conn_count > 0)
        memcpy(scene->conns, snapshot->conns, snapshot->conn_count * sizeof *scene->conns);
    scene->processes = xcalloc(snapshot->process_count + 1, sizeof *scene->processes);
    if (snapshot->process_count > 0)
        memcpy(scene->processes, snapshot->processes, snapshot->process_count * sizeof *scene->processes);
    scene->values = xcalloc(snapshot->netns_count + 1, sizeof *scene->values);
    if (snapshot->netns_count > 0)
        memcpy(scene->values, snapshot->net_values, snapshot->netns_count * sizeof *scene->values);
}

static void close_scene(struct scene *scene)
{
    for (unsigned i = 0; i <= ALL; i++) {
        free(scene->results[i].severities);
        free(scene->results[i].findings);
        free(scene->results[i].cited);
    }
    free(scene->conns);
    free(scene->processes);
    free(scene->values);
    snapshot_deinit(&scene->snapshot);
}

/* `pattern` is relative to the folder that the build names. */
static unsigned check_files(const char *pattern, unsigned *ret_count)
{
    const char *cases = getenv("TCPWHY_CASES");
    glob_t files;
    unsigned lost = 0;
    char path[1024];
    snprintf(path, sizeof path, "%s/../%s", cases != NULL ? cases : "tests/golden/cases", pattern);
    assert_int_equal(glob(path, 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        struct scene *scene = xcalloc(1, sizeof *scene);
        open_scene(scene, files.gl_pathv[i]);
        lost += compare_all(scene);
        close_scene(scene);
        free(scene);
    }
    *ret_count = (unsigned)files.gl_pathc;
    globfree(&files);
    return lost;
}

static void more_evidence_never_gives_less(void **state)
{
    (void)state;
    unsigned cases, captures;
    unsigned lost = check_files("cases/*.fixture", &cases);
    lost += check_files("captures/*.capture", &captures);
    assert_true(cases > 30 && captures > 30);
    assert_int_equal(lost, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_evidence_never_gives_less),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
