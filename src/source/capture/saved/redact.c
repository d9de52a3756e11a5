#include "source/capture/saved/redact.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "model/host.h"
#include "source/capture/saved/redact_text.h"

/* --- addresses -------------------------------------------------------------------------------------------------- */

enum { BITS = 128, V4_FROM = 96 };

static unsigned bit_at(const struct ip *ip, unsigned at)
{
    return ip->bytes[at / 8] >> (7 - at % 8) & 1;
}

/*
 * Replaces the bits from `first` on. A hash of the bits before it, with the key, decides whether a bit is inverted. So
 * addresses that share their first n bits share the first n bits of the result, and different addresses stay different
 * (Xu, Fan, Ammar, Moon: "Prefix-preserving IP address anonymization", 2002).
 */
static struct ip turn_bits(const struct ip *ip, unsigned first, const struct siphash_key *key)
{
    struct ip turned = *ip, before = { { 0 } };
    for (unsigned at = 0; at < BITS; at++) {
        if (at >= first) {
            uint8_t block[sizeof before.bytes + 1];
            memcpy(block, before.bytes, sizeof before.bytes);
            block[sizeof before.bytes] = (uint8_t)at;
            turned.bytes[at / 8] ^= (uint8_t)((siphash(key, block, sizeof block) & 1) << (7 - at % 8));
        }
        before.bytes[at / 8] |= (uint8_t)(bit_at(ip, at) << (7 - at % 8));
    }
    return turned;
}

/* The number of leading bits that tell the kind of address. They are not changed. */
static unsigned kind_bits(const struct ip *ip)
{
    if (ip_is_any(ip) || ip_is_loopback(ip))
        return BITS;
    if (ip_is_v4(ip))
        return ip->bytes[12] >= 224 ? V4_FROM + 4 : ip->bytes[12] == 0 ? V4_FROM + 8 : V4_FROM;
    if (ip->bytes[0] == 0)
        return V4_FROM; /* IPv6 with an embedded IPv4 address */
    if (ip->bytes[0] == 0xff)
        return 16; /* multicast, its flags and scope */
    if (ip->bytes[0] == 0xfe && (ip->bytes[1] & 0xc0) == 0x80)
        return 64; /* link-local: fe80::/64 */
    return 0;
}

/*
 * Replaces a name that stands in the place of an address. A masked address may still contain a part of a name
 * ("*.corp.example"), so it is replaced too.
 */
static struct ip redact_word(const struct ip *ip, const struct redact_key *key)
{
    char name[16];
    bool redacted = ip_is_redacted(ip);
    snprintf(name, sizeof name, "%s-%08x", redacted ? "any" : "host",
        (unsigned)siphash(&key->hash, ip->bytes, sizeof ip->bytes));
    return ip_from_word(name, strlen(name), redacted);
}

struct ip redact_address(const struct ip *ip, const struct redact_key *key)
{
    if (ip_is_word(ip))
        return redact_word(ip, key);
    unsigned kind = kind_bits(ip);
    if (kind == BITS)
        return *ip;
    /*
     * The result may be an address of another kind. Then it is replaced again, until the kind fits. Different addresses
     * still stay different.
     */
    struct ip turned = turn_bits(ip, kind, &key->hash);
    while (kind_bits(&turned) != kind || ip_is_v4(&turned) != ip_is_v4(ip))
        turned = turn_bits(&turned, kind, &key->hash);
    return turned;
}

/* --- words ------------------------------------------------------------------------------------------------------ */

struct redaction {
    struct snapshot *snapshot;
    const struct redact_key *key;
};

/* Makes "kind-3f2a91c04d". NULL (unknown) stays NULL. */
static const char *pseudonym(const struct redaction *redaction, const char *kind, const char *text)
{
    if (text == NULL)
        return NULL;
    uint64_t hash = siphash(&redaction->key->hash, text, strlen(text)) & UINT64_C(0xffffffffff);
    return arena_printf(&redaction->snapshot->arena, "%s-%010" PRIx64, kind, hash);
}

/* The suffix stays, because it tells how the unit can be restarted. */
static const char *unit_pseudonym(const struct redaction *redaction, const char *unit)
{
    const char *name = pseudonym(redaction, "unit", unit);
    const char *kind = unit != NULL ? strrchr(unit, '.') : NULL;
    static const char *const kinds[] = { ".service", ".scope", ".socket", ".slice" };
    for (size_t i = 0; kind != NULL && i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kind, kinds[i]) == 0)
            return arena_printf(&redaction->snapshot->arena, "%s%s", name, kind);
    }
    return name;
}

/* "systemd" stays: a diagnosis recognises it by its name, because it keeps sockets that it does not serve. */
static const char *process_pseudonym(const struct redaction *redaction, const char *name)
{
    return name != NULL && strcmp(name, "systemd") == 0 ? name : pseudonym(redaction, "proc", name);
}

static const char *user_pseudonym(const struct redaction *redaction, const char *user)
{
    bool common = user != NULL && (strcmp(user, "root") == 0 || strcmp(user, "?") == 0);
    return common ? user : pseudonym(redaction, "user", user);
}

static uint32_t redact_uid(const struct redaction *redaction, uint32_t uid)
{
    enum { FIRST = 100000, RANGE = 1 << 30 };
    return uid == 0 ? 0 : FIRST + (uint32_t)(siphash(&redaction->key->hash, &uid, sizeof uid) % RANGE);
}

static const char *netns_pseudonym(const struct redaction *redaction, const char *name)
{
    return name != NULL && redact_is_netns(name) ? name : pseudonym(redaction, "netns", name);
}

static const char *target_pseudonym(const struct redaction *redaction, const char *target)
{
    if (target == NULL || redact_is_object(target))
        return target;
    struct ip address;
    const char *port;
    size_t length = redact_parse_target(target, &address, &port);
    if (length == 0)
        return pseudonym(redaction, "file", target);
    address = redact_address(&address, redaction->key);
    struct buf text = { 0 };
    buf_add(&text, target, length);
    if (!ip_is_v4(&address))
        buf_char(&text, '[');
    ip_format(&text, &address);
    if (!ip_is_v4(&address))
        buf_char(&text, ']');
    buf_str(&text, port);
    const char *copy = arena_strdup(&redaction->snapshot->arena, buf_text(&text));
    buf_deinit(&text);
    return copy;
}

/* A known name stays and an unknown one stays unknown: the diagnosis uses them to decide whether a thread serves. */
static void redact_wait(const struct redaction *redaction, struct wait_place *wait)
{
    if (wait->channel != NULL && !redact_is_channel(wait->channel))
        wait->channel = pseudonym(redaction, "channel", wait->channel);
    if (wait->call != NULL && !redact_is_call(wait->call))
        wait->call = pseudonym(redaction, "call", wait->call);
    wait->target = target_pseudonym(redaction, wait->target);
}

static const char *version_of(const struct redaction *redaction, const char *kernel)
{
    size_t length = kernel != NULL ? redact_version_length(kernel) : 0;
    return length > 0 ? arena_strndup(&redaction->snapshot->arena, kernel, length) : NULL;
}

/* --- the snapshot ----------------------------------------------------------------------------------------------- */

static void redact_process(const struct redaction *redaction, struct process *process)
{
    process->name = process_pseudonym(redaction, process->name);
    process->tracer = process_pseudonym(redaction, process->tracer);
    process->command = pseudonym(redaction, "command", process->command);
    process->user = user_pseudonym(redaction, process->user);
    process->uid = redact_uid(redaction, process->uid);
    process->unit = unit_pseudonym(redaction, process->unit);
    process->container = pseudonym(redaction, "container", process->container);
    if (process->wait_count == 0)
        return;
    struct wait_place *waits = arena_alloc(&redaction->snapshot->arena, process->wait_count * sizeof *waits);
    memcpy(waits, process->waits, process->wait_count * sizeof *waits);
    for (size_t i = 0; i < process->wait_count; i++)
        redact_wait(redaction, &waits[i]);
    process->waits = waits;
}

static void redact_cgroup(const struct redaction *redaction, struct cgroup *cgroup)
{
    if (cgroup->path != NULL && strcmp(cgroup->path, "/") != 0)
        cgroup->path = arena_printf(&redaction->snapshot->arena, "/%s", pseudonym(redaction, "cgroup", cgroup->path));
    cgroup->unit = unit_pseudonym(redaction, cgroup->unit);
    cgroup->container = pseudonym(redaction, "container", cgroup->container);
}

/* The text of a gap may contain names. A remedy that was read from a file may too; tcpwhy's own remedies do not. */
static void redact_gap(const struct redaction *redaction, struct gap *gap)
{
    if (gap->is_read) {
        gap->id = gap_find(gap->id) != GAP_KIND_COUNT ? gap->id : pseudonym(redaction, "gap", gap->id);
        gap->remedy = "look at the snapshot with its names";
    }
    gap->text = arena_printf(&redaction->snapshot->arena, "%s (what it says was removed: it may name things)", gap->id);
}

static void redact_host(const struct redaction *redaction, struct host *host)
{
    host->name = pseudonym(redaction, "host", host->name);
    host->os = host->os != NULL && redact_is_os(host->os) ? host->os : NULL;
    host->kernel = version_of(redaction, host->kernel);
    host->source = host->source != NULL && redact_is_source(host->source) ? host->source : NULL;
    host->redacted = true;
}

/* Redacts what describes the snapshot; with several hosts, what they have in common and each host. */
static void redact_head(const struct redaction *redaction)
{
    struct snapshot *snapshot = redaction->snapshot;
    struct host head = {
        .name = snapshot->host_name, .os = snapshot->os, .kernel = snapshot->kernel, .source = snapshot->source
    };
    redact_host(redaction, &head);
    snapshot->host_name = head.name;
    snapshot->os = head.os;
    snapshot->kernel = head.kernel;
    snapshot->source = head.source;
    snapshot->origin = pseudonym(redaction, "capture", snapshot->origin);
    snapshot->redacted = true;
    for (size_t i = 0; i < snapshot->host_count; i++)
        redact_host(redaction, &snapshot->hosts[i]);
}

void snapshot_redact(struct snapshot *snapshot, const struct redact_key *key)
{
    const struct redaction redaction = { snapshot, key };
    redact_head(&redaction);
    for (size_t i = 0; i < snapshot->netns_count; i++)
        snapshot->netns[i].name = netns_pseudonym(&redaction, snapshot->netns[i].name);
    for (size_t i = 0; i < snapshot->cgroup_count; i++)
        redact_cgroup(&redaction, &snapshot->cgroups[i]);
    for (size_t i = 0; i < snapshot->process_count; i++)
        redact_process(&redaction, &snapshot->processes[i]);
    for (size_t i = 0; i < snapshot->gap_count; i++)
        redact_gap(&redaction, &snapshot->gaps[i]);
    for (size_t i = 0; i < snapshot->total_count; i++)
        snapshot->totals[i].key = pseudonym(&redaction, "key", snapshot->totals[i].key);
    for (size_t i = 0; i < snapshot->conn_count; i++) {
        struct conn *conn = &snapshot->conns[i];
        conn->local = redact_address(&conn->local, key);
        conn->remote = redact_address(&conn->remote, key);
        conn->uid = conn_has(conn, CONN_UID) ? redact_uid(&redaction, conn->uid) : conn->uid;
    }
}
