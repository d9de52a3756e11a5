/*
 * A configuration file: it is understood, or refused with a line number. A policy that was read can be applied to any
 * connection.
 */
#include "fuzz.h"

#include "cmd/inspect.h"

enum { FINDINGS_MAX = 100 };

static void ask(const struct policy *policy)
{
    struct config_finding finding;
    for (unsigned i = 0; cmd_config_finding(i, &finding); i++) {
        struct limits limits = cmd_limits(policy, finding.id);
        FUZZ_EXPECT(limits.severity_at_most <= SEVERITY_CRITICAL && limits.warning_percent <= 100);
    }
    struct snapshot snapshot;
    snapshot_init(&snapshot);
    struct conn *conn = snapshot_add_conn(&snapshot);
    FUZZ_EXPECT(
        conn != NULL && policy->service_count <= POLICY_SERVICES_MAX && policy->ignore_count <= POLICY_IGNORES_MAX);
    for (size_t i = 0; i < policy->service_count; i++)
        selection_matches(&policy->services[i].selection, &snapshot, conn);
    for (size_t i = 0; i < policy->ignore_count; i++) {
        FUZZ_EXPECT(policy->ignores[i].reason != NULL && !selection_is_empty(&policy->ignores[i].selection));
        selection_matches(&policy->ignores[i].selection, &snapshot, conn);
        selection_matches_cause(&policy->ignores[i].selection, "normal");
    }
    snapshot_deinit(&snapshot);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config_finding known[FINDINGS_MAX];
    struct config_findings findings = { .items = known };
    while (findings.count < FINDINGS_MAX && cmd_config_finding((unsigned)findings.count, &known[findings.count]))
        findings.count++;
    uint8_t *bytes = fuzz_bytes(data, size);
    struct policy policy;
    struct error err = { 0 };
    policy_init(&policy);
    int result = config_parse((const char *)bytes, size, "file", &findings, &policy, &err);
    if (result == 0) {
        ask(&policy);
    } else {
        FUZZ_EXPECT(result < 0 && err.code == result && err.message[0] != '\0');
        FUZZ_EXPECT(strncmp(err.subject, "file:", 5) == 0 && atoi(err.subject + 5) > 0);
    }
    policy_deinit(&policy);
    free(bytes);
    return 0;
}
