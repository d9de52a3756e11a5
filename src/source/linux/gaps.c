#include "source/linux/gaps.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"

bool gaps_is_unowned(const struct conn *conn)
{
    enum { NEW_MS = 2000 };
    bool is_new = conn->state == STATE_SYN_SENT ||
        (conn_has(conn, CONN_TCP_INFO) && conn->last_data_sent_ms < NEW_MS && conn->last_data_recv_ms < NEW_MS);
    return conn->inode != 0 && conn->holder == NO_INDEX && !is_new;
}

/*
 * Of what root, too, may not do: that of a user namespace, as in a rootless container, has no rights over what is
 * outside of it; other containers take capabilities away. NULL for others: the usual remedy, to be root.
 */
static const char *remedy_for_root(const char *remedy)
{
    return geteuid() == 0 ? remedy : NULL;
}

void gaps_add_netns(struct snapshot *snapshot, unsigned refused, const char *example, int why)
{
    if (refused == 0)
        return;
    char text[400];
    snprintf(text, sizeof text, "the connections of %u other network namespace%s (%s%s) were not looked at: %s",
        refused, refused == 1 ? "" : "s", refused == 1 ? "" : "one is ", example, strerror(-why));
    snapshot_note_gap(snapshot, GAP_NETNS_HIDDEN, text,
        remedy_for_root("this root is that of a user namespace or container, or lacks CAP_SYS_ADMIN or CAP_SYS_PTRACE: "
                        "run tcpwhy outside of it, as the host's root"));
}

void gaps_add_owners(struct snapshot *snapshot, const struct walk_hidden *hidden)
{
    uint64_t unowned = 0;
    for (size_t i = 0; i < snapshot->conn_count; i++)
        unowned += gaps_is_unowned(&snapshot->conns[i]);
    if (unowned == 0)
        return;
    struct buf text = { 0 };
    buf_str(&text, "who holds ");
    text_count(&text, unowned);
    buf_printf(&text, " of the sockets is not known: ");
    if (hidden->processes == 0 && hidden->unsettled > 0) {
        buf_str(&text, "the processes could not be read in peace; ");
        text_count(&text, hidden->unsettled);
        buf_str(&text, " of them began or ended meanwhile, and may have handed descriptors on");
        snapshot_note_gap(snapshot, GAP_OWNERS_UNSETTLED, buf_text(&text), NULL);
    } else if (hidden->processes == 0) {
        buf_str(&text, "every process was searched, none has them open");
        snapshot_note_gap(snapshot, GAP_OWNERS_ELSEWHERE, buf_text(&text), NULL);
    } else {
        buf_printf(&text, "the descriptors of %u process%s (pid %" PRIu32 ", ", hidden->processes,
            hidden->processes == 1 ? "" : "es", hidden->pid);
        buf_str(&text, hidden->name);
        buf_str(&text, hidden->processes > 1 ? ", and others) may not be read" : ") may not be read");
        snapshot_note_gap(snapshot, GAP_OWNERS_HIDDEN, buf_text(&text),
            remedy_for_root("this root is that of a user namespace or container, or lacks CAP_SYS_PTRACE or "
                            "CAP_DAC_READ_SEARCH: run tcpwhy outside of it, as the host's root"));
    }
    buf_deinit(&text);
}

void gaps_add_counters(struct snapshot *snapshot, unsigned unread, int why)
{
    if (unread == 0)
        return;
    char text[200];
    snprintf(text, sizeof text,
        "how fast the counters of %u network namespace%s rise: the second reading, a moment later, failed: %s", unread,
        unread == 1 ? "" : "s", strerror(-why));
    snapshot_note_gap(snapshot, GAP_RATES_UNKNOWN, text, NULL);
}

void gaps_add_proc(struct snapshot *snapshot, int netlink_refusal)
{
    if (netlink_refusal == 0) {
        snapshot_note_gap(snapshot, GAP_AGES_UNKNOWN,
            "/proc/net/tcp, which was asked for, knows neither ages nor windows nor cookies", NULL);
        return;
    }
    char text[256];
    snprintf(text, sizeof text,
        "netlink was refused (NETLINK_SOCK_DIAG: %s); read /proc/net/tcp instead, which knows neither ages nor "
        "windows nor cookies",
        strerror(-netlink_refusal));
    snapshot_note_gap(snapshot, GAP_NETLINK_REFUSED, text, NULL);
}
