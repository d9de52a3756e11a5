/* Hosts whose snapshots were taken at different times. Each time is from the host's own clock, which may be wrong. */
#include "hosts/clock_skew.h"

#include "base/buf.h"
#include "base/text.h"

enum {
    NOTED_MS = 60 * 1000,       /* the length of TIME_WAIT: after it, the port may belong to another connection */
    PAIRED_MS = 60 * 60 * 1000, /* after it, the state of one end says nothing about the other end */
};

bool hosts_are_apart(const struct host *one, const struct host *other)
{
    return one != other &&
        (one->taken_at_ms == 0 || other->taken_at_ms == 0 || hosts_clock_skew_ms(one, other) > PAIRED_MS);
}

/* Finds the two hosts that are furthest apart in time. Returns false if the difference is not worth a note. */
static bool find_furthest(const struct snapshot *snapshot, const struct host **ret_one, const struct host **ret_other)
{
    uint64_t most = 0;
    for (size_t i = 0; i < snapshot->host_count; i++) {
        for (size_t j = 0; j < i; j++) {
            const struct host *one = &snapshot->hosts[j], *other = &snapshot->hosts[i];
            if (hosts_clock_skew_ms(one, other) < most)
                continue;
            most = hosts_clock_skew_ms(one, other);
            *ret_one = one;
            *ret_other = other;
        }
    }
    return most >= NOTED_MS || hosts_are_apart(*ret_one, *ret_other);
}

static void write_gap_text(struct buf *text, const struct host *one, const struct host *other)
{
    buf_str(text, "the same moment on all hosts: ");
    if (one->taken_at_ms == 0 || other->taken_at_ms == 0) {
        buf_printf(text, "when %s was looked at is not known", one->taken_at_ms == 0 ? one->name : other->name);
    } else {
        buf_str(text, "by their clocks they were looked at ");
        text_duration(text, hosts_clock_skew_ms(one, other));
        buf_str(text, " apart");
    }
    buf_str(text,
        hosts_are_apart(one, other)
            ? "; which ends are of one connection is not concluded for such hosts: ports are used again"
            : ", so that one end of a connection may have changed since the other was seen");
}

void hosts_note_times(struct snapshot *snapshot)
{
    const struct host *one = snapshot->hosts, *other = snapshot->hosts;
    if (!find_furthest(snapshot, &one, &other))
        return;
    struct buf text = { 0 };
    write_gap_text(&text, one, other);
    snapshot_note_gap(snapshot, GAP_HOSTS_APART, buf_text(&text), NULL);
    buf_deinit(&text);
}
