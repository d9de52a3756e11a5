#pragma once
/* Two hosts that were seen at about the same time, in one snapshot. For tests with cmocka: what fails ends the test. */
#include "model/diagnosis.h"
#include "model/select.h"
#include "model/snapshot.h"

struct two_hosts {
    struct snapshot joined;
    struct diagnosis diagnosis;
};

/* Joins two fixtures (fixture.h), whose files are called "a" and "b". The caller releases the snapshot. */
struct snapshot two_hosts_join(const char *one, const char *other);

/* Joins and diagnoses them. selection: NULL selects all. Release with two_hosts_deinit(). */
void two_hosts_diagnose(struct two_hosts *hosts, const char *one, const char *other, const struct selection *selection);
void two_hosts_deinit(struct two_hosts *hosts);

/* The finding with this id; NULL if there is none. */
const struct finding *two_hosts_finding(const struct diagnosis *diagnosis, const char *id);
