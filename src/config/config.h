#pragma once
/*
 * Reads configuration files in the INI format: /etc/tcpwhy.conf, then the user's own. tcpwhy.conf(5) describes them.
 * The size is limited. A line that is not understood is refused, and its number is reported.
 */
#include "model/policy.h"

/* A finding that files may configure. */
struct config_finding {
    const char *id;
    const struct limits *defaults;
    uint32_t limits; /* one bit for each index into limit_infos: this limit has a meaning for the finding */
};

struct config_findings {
    const struct config_finding *items;
    size_t count;
};

enum { CONFIG_BYTES_MAX = 256 << 10 };

/*
 * Adds the text of a file to an initialised policy. A limit replaces the same limit of an earlier file. A service or an
 * ignore replaces the whole section of the same name. Returns 0, or -EINVAL (-E2BIG) with err filled; its subject is
 * "FILE:LINE". After an error the caller must not use the policy.
 */
int config_parse(const char *bytes, size_t length, const char *file, const struct config_findings *findings,
    struct policy *policy, struct error *err);

/*
 * Reads `file` into an initialised policy. If `file` is NULL, reads /etc/tcpwhy.conf and the user's own file. These
 * need not exist, but must belong to root or the caller. Returns 0, or a negative errno with err filled.
 */
int config_read(const char *file, const struct config_findings *findings, struct policy *policy, struct error *err);

/* The files that config_read() reads if `file` is NULL. config_user_file() appends the user's path to `out`. */
extern const char config_system_file[];
bool config_user_file(struct buf *out);
