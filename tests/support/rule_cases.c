#include "rule_cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h> // NOLINT(llvm-include-order)

#include "diagnose/diagnose.h"
#include "fixture.h"
#include "model/previous.h"

static void describe(const struct diagnosis *diagnosis, char *text, size_t size)
{
    size_t length = 0;
    text[0] = '\0';
    for (size_t i = 0; i < diagnosis->finding_count; i++) {
        const struct finding *finding = &diagnosis->findings[i];
        length += (size_t)snprintf(text + length, size - length, "%s %llu %u %s %s\n", finding->id,
            (unsigned long long)finding->count, finding->owner ? finding->owner->pid : 0,
            severity_name(finding->severity), confidence_name(finding->confidence));
    }
}

/* The host of a case, and the host one second before. */
struct host {
    struct snapshot snapshot, previous;
};

static void host_init(struct host *host, const struct rule_case *one)
{
    enum { EARLIER_MS = 1000 };
    fixture_must(&host->snapshot, one->host);
    fixture_must(&host->previous, one->previous ? one->previous : "");
    host->previous.taken_at_ms = host->snapshot.taken_at_ms - EARLIER_MS;
    host->snapshot.previous = one->previous ? &host->previous : NULL;
    if (host->previous.conn_count > 0)
        snapshot_confirm(&host->snapshot, &host->previous);
}

static void host_deinit(struct host *host)
{
    snapshot_deinit(&host->snapshot);
    snapshot_deinit(&host->previous);
}

static void check(const struct rule_case *one)
{
    struct host host;
    struct diagnosis diagnosis;
    char found[1024];
    host_init(&host, one);
    diagnose(&host.snapshot, NULL, NULL, &diagnosis);
    describe(&diagnosis, found, sizeof found);
    if (strcmp(found, one->expected) != 0)
        fail_msg("%s:\nexpected:\n%sfound:\n%s", one->what, one->expected, found);
    if (diagnosis.wants_rates != one->wants_rates)
        fail_msg("%s: %s a second reading", one->what, diagnosis.wants_rates ? "wants" : "does not want");
    assert_int_equal(diagnosis.verdict == VERDICT_HEALTHY,
        diagnosis.finding_count == 0 || diagnosis.findings[0].severity == SEVERITY_INFO);
    diagnosis_deinit(&diagnosis);
    host_deinit(&host);
}

/* --- the same from fewer connections ---------------------------------------------------------------------------- */

/* Leaves only the connections that a source reads if it is asked for these states. */
static void keep_states(struct snapshot *snapshot, uint32_t states)
{
    size_t kept = 0;
    snapshot->states = states;
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        if ((snapshot_states(snapshot) & STATE_BIT(snapshot->conns[i].state)) != 0)
            snapshot->conns[kept++] = snapshot->conns[i];
    }
    snapshot->conn_count = kept;
}

/* The findings about the connections in this state, and the cause of each connection. */
static void describe_state(
    const struct rule_case *one, enum conn_state state, uint32_t states, bool causes, char *text, size_t size)
{
    struct host host;
    struct diagnosis diagnosis;
    const struct selection selection = { .states = STATE_BIT(state) };
    host_init(&host, one);
    keep_states(&host.snapshot, states);
    diagnose(&host.snapshot, &selection, NULL, &diagnosis);
    size_t length = 0;
    text[0] = '\0';
    for (size_t i = 0; causes && i < host.snapshot.conn_count && length + 32 < size; i++) {
        if (host.snapshot.conns[i].state == state)
            length += (size_t)snprintf(text + length, size - length, "%s ", diagnosis_cause(&diagnosis, i));
    }
    /* A finding about a limit of the host is not reported for a selection of states that do not show it. */
    size_t kept = 0;
    for (size_t i = 0; i < diagnosis.finding_count; i++) {
        const char *id = diagnosis.findings[i].id;
        if (strcmp(id, "port-exhaustion") != 0 && strcmp(id, "descriptor-exhaustion") != 0 &&
            strcmp(id, "orphan-limit") != 0)
            diagnosis.findings[kept++] = diagnosis.findings[i];
    }
    diagnosis.finding_count = kept;
    if (!causes)
        describe(&diagnosis, text, size);
    diagnosis_deinit(&diagnosis);
    host_deinit(&host);
}

static void check_narrowed(const struct rule_case *one)
{
    enum { ALL = 0 };
    static char narrowed[4096], expected[4096];
    for (int state = 0; state < STATE_COUNT; state++) {
        const struct selection selection = { .states = STATE_BIT(state) };
        for (int findings = 0; findings <= 1; findings++) {
            uint32_t states = diagnose_states(&selection, findings != 0);
            describe_state(one, (enum conn_state)state, states, findings == 0, narrowed, sizeof narrowed);
            describe_state(one, (enum conn_state)state, ALL, findings == 0, expected, sizeof expected);
            if (strcmp(narrowed, expected) != 0)
                fail_msg("%s: of %s, with all connections:\n%s\nwith those that it takes:\n%s", one->what,
                    state_name((enum conn_state)state), expected, narrowed);
        }
    }
}

void rule_cases_check(const struct rule_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check(&cases[i]);
    for (size_t i = 0; i < count; i++)
        check_narrowed(&cases[i]);
}

void rule_cases_need(const struct rule_case *cases, size_t count, const char *const *ids)
{
    for (; *ids != NULL; ids++) {
        bool fires = false;
        size_t length = strlen(*ids);
        for (size_t c = 0; c < count; c++) {
            for (const char *line = cases[c].expected; line != NULL && *line != '\0';) {
                fires |= strncmp(line, *ids, length) == 0 && line[length] == ' ';
                line = strchr(line, '\n');
                line = line != NULL ? line + 1 : NULL;
            }
        }
        if (!fires)
            fail_msg("no case for %s", *ids);
    }
}
