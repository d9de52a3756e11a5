#include "rule_cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h> // NOLINT(llvm-include-order)

#include "diagnose/diagnose.h"
#include "fixture.h"
#include "model/earlier.h"

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

static void check(const struct rule_case *one)
{
    enum { EARLIER_MS = 1000 };
    struct snapshot snapshot, earlier;
    struct diagnosis diagnosis;
    char found[1024];
    fixture_must(&snapshot, one->host);
    fixture_must(&earlier, one->earlier ? one->earlier : "");
    earlier.taken_at_ms = snapshot.taken_at_ms - EARLIER_MS;
    snapshot.earlier = one->earlier ? &earlier : NULL;
    if (earlier.conn_count > 0)
        assert_int_equal(snapshot_confirm(&snapshot, &earlier), 0);
    assert_int_equal(diagnose(&snapshot, NULL, NULL, &diagnosis), 0);
    describe(&diagnosis, found, sizeof found);
    if (strcmp(found, one->expected) != 0)
        fail_msg("%s:\nexpected:\n%sfound:\n%s", one->what, one->expected, found);
    if (diagnosis.wants_rates != one->wants_rates)
        fail_msg("%s: %s a second reading", one->what, diagnosis.wants_rates ? "wants" : "does not want");
    assert_int_equal(diagnosis.verdict == VERDICT_HEALTHY,
        diagnosis.finding_count == 0 || diagnosis.findings[0].severity == SEVERITY_INFO);
    diagnosis_deinit(&diagnosis);
    snapshot_deinit(&snapshot);
    snapshot_deinit(&earlier);
}

void rule_cases_check(const struct rule_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check(&cases[i]);
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
