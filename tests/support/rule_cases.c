#include "rule_cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h> // NOLINT(llvm-include-order)

#include "fixture.h"

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

void rule_cases_check(const struct rule_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct snapshot snapshot;
        struct diagnosis diagnosis;
        char found[1024];
        fixture_must(&snapshot, cases[i].host);
        assert_int_equal(diagnose(&snapshot, NULL, &diagnosis), 0);
        describe(&diagnosis, found, sizeof found);
        if (strcmp(found, cases[i].expected) != 0)
            fail_msg("%s:\nexpected:\n%sfound:\n%s", cases[i].what, cases[i].expected, found);
        assert_int_equal(diagnosis.verdict == VERDICT_HEALTHY,
            diagnosis.finding_count == 0 || diagnosis.findings[0].severity == SEVERITY_INFO);
        diagnosis_deinit(&diagnosis);
        snapshot_deinit(&snapshot);
    }
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
