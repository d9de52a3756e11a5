/* A file of saved snapshots as a whole: whether all of it could be read, and whether it contains several hosts. */
#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "hosts/join.h"
#include "model/host.h"
#include "source/capture/saved/reading.h"

static int refuse_empty(const struct reading *reading, struct error *err)
{
    struct buf count = { 0 };
    text_count(&count, reading->announced);
    if (reading->ended)
        error_set(err, -EBADMSG, NULL, "is damaged: of its %s connection%s not one can be read", buf_text(&count),
            reading->announced == 1 ? "" : "s");
    else
        error_set(err, -EBADMSG, NULL, "was cut short before its first connection");
    buf_deinit(&count);
    return -EBADMSG;
}

/* Appends what is missing; nothing if the snapshot is complete. */
static void describe_missing(const struct reading *reading, struct buf *text)
{
    uint64_t count = reading->snapshot->conn_count;
    const char *name = reading->capture->path != NULL ? reading->capture->path : "the snapshot";
    if (!reading->ended) {
        buf_str(text, "how many connections there were: ");
        text_escape(text, name);
        buf_str(text, " has no last line, it was cut short after ");
        text_count(text, count);
    } else if (count < reading->announced) {
        buf_str(text, "all connections: of ");
        text_count(text, reading->announced);
        buf_str(text, " in ");
        text_escape(text, name);
        buf_char(text, ' ');
        text_count(text, count);
        buf_str(text, " could be read");
    } else if (count > reading->announced) {
        buf_str(text, "whether these are the connections that there were: ");
        text_escape(text, name);
        buf_str(text, " was changed after it was saved, it holds ");
        text_count(text, count);
        buf_str(text, " and says ");
        text_count(text, reading->announced);
    }
}

int saved_finish(struct reading *reading, struct error *err)
{
    struct snapshot *snapshot = reading->snapshot;
    if (snapshot->conn_count == 0 && (reading->announced > 0 || !reading->ended))
        return refuse_empty(reading, err);
    struct buf text = { 0 };
    describe_missing(reading, &text);
    if (reading->is_previous) {
        reading->previous_is_cut = text.length > 0;
    } else if (reading->previous_is_cut) {
        buf_str(
            &text, text.length > 0 ? "; nor is the earlier look whole" : "the earlier look: not all of it was read");
        reading->previous_is_cut = false;
    }
    if (text.length > 0 && !reading->is_previous)
        snapshot_note_gap(snapshot, GAP_SNAPSHOT_INCOMPLETE, buf_text(&text), NULL);
    buf_deinit(&text);
    return 0;
}

static int add_part(struct reading *reading, struct error *err)
{
    struct snapshot *snapshot = reading->snapshot, *previous = reading->capture->previous;
    if (reading->part_count == HOSTS_MAX)
        return error_set(err, -E2BIG, NULL, "holds more than %d hosts", HOSTS_MAX);
    xvec_grow((void **)&reading->parts, reading->part_count, &reading->part_capacity, sizeof *reading->parts);
    /* In a snapshot of several hosts, their previous snapshots are not used. */
    snapshot->previous = NULL;
    snapshot->confirms = false;
    if (previous != NULL) {
        snapshot_deinit(previous);
        snapshot_init(previous);
    }
    reading->has_previous = false;
    reading->parts[reading->part_count++] = *snapshot;
    snapshot_init(snapshot);
    return 0;
}

int saved_next_part(struct reading *reading, struct error *err)
{
    /* used until the first line of the next snapshot gives its time */
    uint64_t taken_at_ms = reading->snapshot->taken_at_ms;
    int result = add_part(reading, err);
    reading->snapshot->taken_at_ms = taken_at_ms;
    return result;
}

static void note_missing_hosts(const struct reading *reading, uint64_t count)
{
    if (count >= reading->hosts)
        return;
    struct buf text = { 0 };
    buf_str(&text, "all hosts: of ");
    text_count(&text, reading->hosts);
    buf_str(&text, " that the snapshot was made of it holds ");
    text_count(&text, count);
    snapshot_note_gap(reading->snapshot, GAP_HOSTS_INCOMPLETE, buf_text(&text), NULL);
    buf_deinit(&text);
}

int saved_join_parts(struct reading *reading, struct error *err)
{
    int result = 0;
    if (reading->part_count > 0) {
        result = add_part(reading, err);
        for (size_t i = 0; i < reading->part_count; i++)
            reading->parts[i].from = reading->capture->path;
        if (result == 0)
            result = hosts_join(reading->parts, NULL, reading->part_count, reading->snapshot, err);
    }
    if (result == 0)
        note_missing_hosts(reading, hosts_count(reading->snapshot));
    return result;
}
