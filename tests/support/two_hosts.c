#include "two_hosts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h> // NOLINT(llvm-include-order)

#include "diagnose/diagnose.h"
#include "fixture.h"
#include "hosts/join.h"

struct snapshot two_hosts_join(const char *one, const char *other)
{
    static const char *const files[] = { "a", "b" };
    struct snapshot parts[2], joined;
    struct error err = { 0 };
    fixture_must(&parts[0], one);
    fixture_must(&parts[1], other);
    snapshot_init(&joined);
    int result = hosts_join(parts, files, 2, &joined, &err);
    if (result < 0)
        print_error("%s: %s\n", err.subject, err.message);
    assert_int_equal(result, 0);
    for (size_t i = 0; i < 2; i++)
        snapshot_deinit(&parts[i]);
    return joined;
}

void two_hosts_diagnose(struct two_hosts *hosts, const char *one, const char *other, const struct selection *selection)
{
    hosts->joined = two_hosts_join(one, other);
    diagnose(&hosts->joined, selection, NULL, &hosts->diagnosis);
}

void two_hosts_deinit(struct two_hosts *hosts)
{
    diagnosis_deinit(&hosts->diagnosis);
    snapshot_deinit(&hosts->joined);
}

const struct finding *two_hosts_finding(const struct diagnosis *diagnosis, const char *id)
{
    for (size_t i = 0; i < diagnosis->finding_count; i++) {
        if (strcmp(diagnosis->findings[i].id, id) == 0)
            return &diagnosis->findings[i];
    }
    return NULL;
}
