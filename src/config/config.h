#pragma once
/*
 * Configuration files: /etc/tcpwhy.conf, then the user's own, in the INI format. tcpwhy.conf(5) describes them. What is
 * in them may be anything: it is bounded, and what is not understood is refused with its line.
 */
#include "model/policy.h"

/* A finding that may be configured: what the program knows, for what the files may say. */
struct config_finding {
    const char *id;
    const struct limits *defaults;
    uint32_t limits; /* bits, by index into limit_infos: which have a meaning for it */
};

struct config_findings {
    const struct config_finding *items;
    size_t count;
};

enum { CONFIG_BYTES_MAX = 256 << 10 };

/*
 * Adds what the text says to an initialised policy: a single value replaces an earlier file's, a section of a service
 * or an ignore of the same name replaces that as a whole. Returns 0, or -EINVAL (-E2BIG) with err filled, its subject
 * "FILE:LINE"; the policy is then of no use.
 */
int config_parse(const char *bytes, size_t length, const char *file, const struct config_findings *findings,
    struct policy *policy, struct error *err);

/*
 * Reads the files into an initialised policy: this one, or where NULL /etc/tcpwhy.conf and the user's own, which need
 * not exist but must not be anybody else's. Returns 0, or a negative errno with err filled.
 */
int config_read(const char *file, const struct config_findings *findings, struct policy *policy, struct error *err);

/* Where config_read() looks by itself: a path or NULL past the last; the user's in `out`. */
extern const char config_system_file[];
bool config_user_file(struct buf *out);
