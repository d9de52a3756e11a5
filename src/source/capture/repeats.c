#include "source/capture/repeats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/conn_hash.h"
#include "model/holders.h"
#include "source/capture/fill_in.h"

void repeats_deinit(struct repeats *repeats)
{
    hash_index_deinit(&repeats->sample);
    free(repeats->cut);
    free(repeats->starts);
    *repeats = (struct repeats){ 0 };
}

/* False for listeners, which may share a port (SO_REUSEPORT), and for bound sockets, which may be there twice too. */
static bool has_two_ends(const struct conn *conn)
{
    return conn->remote_port != 0 && conn->local_port != 0 && !conn_is_listener(conn);
}

/*
 * True for the same endpoints and family. If both rows have an inode, it tells connections of two namespaces apart, and
 * a connection from its successor.
 */
static bool are_one(const struct conn *one, const struct conn *other)
{
    uint32_t inode = conn_has(one, CONN_INODE) ? one->inode : 0;
    uint32_t other_inode = conn_has(other, CONN_INODE) ? other->inode : 0;
    return one->ipv6 == other->ipv6 && one->local_port == other->local_port && one->remote_port == other->remote_port &&
        ip_equal(&one->local, &other->local) && ip_equal(&one->remote, &other->remote) &&
        (inode == 0 || other_inode == 0 || inode == other_inode);
}

/* --- while the text is read --------------------------------------------------------------------------------------- */

enum { SAMPLE_MAX = 4096 };

/* Most rows end here, so it must be fast. It does not matter which connections are in the sample. */
static bool is_wanted(const struct repeats *repeats, const struct conn *conn)
{
    uint32_t address;
    memcpy(&address, conn->remote.bytes + sizeof conn->remote.bytes - sizeof address, sizeof address);
    uint64_t ends = (uint64_t)address << 32 ^ (uint64_t)conn->remote_port << 16 ^ conn->local_port;
    return (ends * 0x9e3779b97f4a7c15ULL & repeats->unwanted) == 0;
}

/* Removes half of the sample. */
static void thin_out(struct repeats *repeats, const struct snapshot *snapshot)
{
    struct hash_index all = repeats->sample;
    repeats->unwanted = repeats->unwanted >> 1 | 1ULL << 63; /* the high bits of a product depend on all lower bits */
    repeats->sampled = 0;
    hash_index_init(&repeats->sample, SAMPLE_MAX);
    for (size_t slot = 0; slot <= all.mask; slot++) {
        uint32_t index = all.slots[slot];
        if (index == HASH_NONE || !is_wanted(repeats, &snapshot->conns[index]))
            continue;
        hash_index_add(&repeats->sample, conn_hash_ends(&snapshot->conns[index]), index);
        repeats->sampled++;
    }
    hash_index_deinit(&all);
}

static void add_to_sample(struct repeats *repeats, const struct snapshot *snapshot, uint32_t index)
{
    uint64_t hash = conn_hash_ends(&snapshot->conns[index]);
    if (repeats->sample.slots == NULL)
        hash_index_init(&repeats->sample, SAMPLE_MAX);
    struct hash_walk walk = hash_index_walk(&repeats->sample, hash);
    uint32_t before;
    while ((before = hash_walk_next(&repeats->sample, &walk)) != HASH_NONE) {
        repeats->found = are_one(&snapshot->conns[before], &snapshot->conns[index]);
        if (repeats->found)
            return;
    }
    hash_index_add(&repeats->sample, hash, index);
    if (++repeats->sampled >= SAMPLE_MAX)
        thin_out(repeats, snapshot);
}

static void add_start(struct repeats *repeats, uint32_t index)
{
    repeats->at_start = false;
    xvec_grow((void **)&repeats->starts, repeats->start_count, &repeats->start_capacity, sizeof *repeats->starts);
    repeats->starts[repeats->start_count++] = index;
}

static void add_cut(struct repeats *repeats, uint32_t index)
{
    xvec_grow((void **)&repeats->cut, repeats->cut_count, &repeats->cut_capacity, sizeof *repeats->cut);
    repeats->cut[repeats->cut_count++] = index;
}

void repeats_add(struct repeats *repeats, const struct snapshot *snapshot, bool is_cut)
{
    uint32_t index = (uint32_t)snapshot->conn_count - 1;
    const struct conn *conn = &snapshot->conns[index];
    if (repeats->at_start)
        add_start(repeats, index);
    if (is_cut)
        add_cut(repeats, index);
    else if (!repeats->found && has_two_ends(conn) && is_wanted(repeats, conn))
        add_to_sample(repeats, snapshot, index);
}

/* --- when all rows are read --------------------------------------------------------------------------------------- */

/* A snapshot in the text. */
struct extent {
    uint32_t start, end;
    unsigned richness; /* how much its rows tell: a command with fewer options shows less */
    uint32_t states;
};

/*
 * If a connection is seen again, another snapshot may have begun: at the interruption before it, or, without one, with
 * this row. The candidate is a snapshot if many of the following rows are seen again too. Two equal rows alone may be
 * of two namespaces, or of a port that was used again. And a busy kernel shows some sockets twice in /proc/net/tcp.
 */
struct search {
    const struct snapshot *snapshot;
    const struct repeats *repeats;
    size_t cut_at;             /* the next element of repeats->cut */
    struct hash_index table;   /* the last row of each connection */
    uint32_t start;            /* where the current snapshot begins */
    uint32_t candidate;        /* where another one may have begun since then; NO_INDEX: nowhere */
    bool interrupted;          /* the text was interrupted at the candidate */
    uint32_t snapshot_rows;    /* rows with two ends, from the start to the candidate */
    uint32_t rows, seen_again; /* since the candidate: rows with two ends, and those that were seen before */
    uint32_t not_local;        /* those of them from another host, whose address exists in one namespace only */
    int count;
    struct extent best; /* the snapshot to use */
};

/* True if the row identifies a connection. The indexes must be passed in order. */
static bool identifies(struct search *search, uint32_t index)
{
    const struct repeats *repeats = search->repeats;
    while (search->cut_at < repeats->cut_count && repeats->cut[search->cut_at] < index)
        search->cut_at++;
    bool is_cut = search->cut_at < repeats->cut_count && repeats->cut[search->cut_at] == index;
    return !is_cut && has_two_ends(&search->snapshot->conns[index]);
}

/* Adds a row with two ends. Returns the previous row of the same connection in this snapshot, or NO_INDEX. */
static uint32_t add_row(struct search *search, uint32_t index)
{
    const struct conn *conns = search->snapshot->conns;
    uint64_t hash = conn_hash_ends(&conns[index]);
    struct hash_walk walk = hash_index_walk(&search->table, hash);
    uint32_t before;
    while ((before = hash_walk_next(&search->table, &walk)) != HASH_NONE) {
        if (!are_one(&conns[before], &conns[index]))
            continue;
        hash_walk_replace(&search->table, &walk, index);
        return before >= search->start ? before : NO_INDEX;
    }
    hash_index_add(&search->table, hash, index);
    return NO_INDEX;
}

static struct extent measure(const struct snapshot *snapshot, uint32_t start, uint32_t end)
{
    static const unsigned asked_for = CONN_QUEUES | CONN_TIMER | CONN_INODE | CONN_TCP_INFO | CONN_SKMEM;
    unsigned present = 0, owners = 0;
    struct extent extent = { .start = start, .end = end };
    for (uint32_t i = start; i < end; i++) {
        const struct conn *conn = &snapshot->conns[i];
        present |= conn->present;
        owners |= conn->holder != NO_INDEX;
        extent.states |= STATE_BIT(conn->state);
    }
    extent.richness = (unsigned)__builtin_popcount(present & asked_for) + owners;
    return extent;
}

/*
 * The current snapshot ends here. Choose the better of it and the best so far. The later one is better, except in these
 * cases: it has less than half of the rows (filtered or cut); it has fewer rows and is known to be cut; it has one
 * state and the other several; it shows less.
 */
static void choose_snapshot(struct search *search, uint32_t end, bool is_cut)
{
    const struct extent last = measure(search->snapshot, search->start, end), best = search->best;
    uint32_t rows = last.end - last.start, best_rows = best.end - best.start;
    bool is_filtered = rows * 2 < best_rows || (rows < best_rows && is_cut) ||
        (rows < best_rows && __builtin_popcount(last.states) == 1 && __builtin_popcount(best.states) > 1);
    if (best_rows == 0 || rows > best_rows * 2 || (!is_filtered && last.richness >= best.richness))
        search->best = last;
}

/* Decides whether a snapshot began at the candidate. */
static void check_candidate(struct search *search)
{
    enum { SIZE_SHARE = 4, SURE = 2 };
    bool is_snapshot = search->interrupted
        ? search->seen_again * 10 >= search->rows || search->not_local >= SURE
        : search->seen_again * 2 >= search->rows && search->rows * SIZE_SHARE >= search->snapshot_rows;
    if (search->candidate != NO_INDEX && is_snapshot) {
        choose_snapshot(search, search->candidate, false);
        search->start = search->candidate;
        search->snapshot_rows = 0;
        search->count++;
    }
    search->snapshot_rows += search->rows;
    search->candidate = NO_INDEX;
    search->rows = search->seen_again = search->not_local = 0;
}

/* Programs print listeners first. Those directly before a row belong to the same snapshot. */
static uint32_t with_listeners(const struct search *search, uint32_t index)
{
    while (index > search->start && conn_is_listener(&search->snapshot->conns[index - 1]))
        index--;
    return index;
}

/*
 * Reads the rows from one interruption to the next. `begin` is where the snapshot begins if a new one begins in this
 * part.
 */
static void search_part(struct search *search, uint32_t begin, uint32_t start, uint32_t end)
{
    uint32_t last = NO_INDEX;
    for (uint32_t i = start; i < end; i++) {
        if (!identifies(search, i))
            continue;
        uint32_t before = add_row(search, i);
        bool again = before != NO_INDEX && before != last; /* twice in a row: both rows have lost what differs */
        last = i;
        if (again && search->candidate != NO_INDEX && before >= search->candidate)
            check_candidate(search); /* another snapshot follows without an interruption */
        if (again && search->candidate == NO_INDEX) {
            search->interrupted = begin > search->start;
            search->candidate = search->interrupted ? begin : with_listeners(search, i);
            if (!search->interrupted) {
                search->snapshot_rows += search->rows;
                search->rows = 0;
            }
        }
        search->rows++;
        search->seen_again += again;
        search->not_local += again && !ip_is_loopback(&search->snapshot->conns[i].remote);
    }
    check_candidate(search);
}

static bool has_listeners_only(const struct snapshot *snapshot, uint32_t start, uint32_t end)
{
    for (uint32_t i = start; i < end; i++) {
        if (has_two_ends(&snapshot->conns[i]))
            return false;
    }
    return true;
}

/*
 * True if the row is of the same connection as an equal one before it, however many there are: its ends are numbers,
 * and no other namespace has them.
 */
static bool is_surely_one(const struct conn *one, const struct conn *other)
{
    bool is_told = !ip_is_word(&one->local) && !ip_is_word(&one->remote) && !ip_is_redacted(&one->local) &&
        !ip_is_redacted(&one->remote);
    return is_told && one->state == other->state && !ip_is_loopback(&one->remote) &&
        !ip_equal(&one->local, &one->remote);
}

/* What is known of a row that is seen again. */
enum repeat { SEEN_ONCE, SEEN_AGAIN, SURELY_ONE };

/* Marks rows that are seen again before the text is interrupted. Returns their number. */
static size_t find_repeats(const struct repeats *repeats, struct search *search, uint8_t *repeated)
{
    size_t count = 0, part = 0;
    for (uint32_t i = search->best.start; i < search->best.end; i++) {
        for (; part < repeats->start_count && repeats->starts[part] <= i; part++)
            search->start = repeats->starts[part];
        uint32_t before = identifies(search, i) ? add_row(search, i) : NO_INDEX;
        if (before == NO_INDEX || before < search->best.start)
            continue;
        const struct conn *conns = search->snapshot->conns;
        repeated[before] = is_surely_one(&conns[before], &conns[i]) ? SURELY_ONE : SEEN_AGAIN;
        count++;
    }
    return count;
}

/* Gives the connection the holders of another row, if it has none. Returns true if they were taken. */
static bool take_holders(struct conn *conn, struct conn *other)
{
    if (conn->holder != NO_INDEX || other->holder == NO_INDEX || conn_is_unheld(conn))
        return false;
    conn->holder = other->holder;
    other->holder = NO_INDEX;
    return true;
}

/*
 * People run a program several times with other options: "ss -tan", then "ss -tanp", then "ss -tani". Fills in what
 * only the other snapshots show of the connections of this one. Returns how many got anything.
 */
static size_t take_from_others(struct snapshot *snapshot, const struct extent *best)
{
    struct hash_index table;
    size_t filled = 0;
    hash_index_init(&table, best->end - best->start);
    for (uint32_t i = best->start; i < best->end; i++)
        hash_index_add(&table, conn_hash_ends(&snapshot->conns[i]), i);
    for (uint32_t i = best->start > 0 ? 0 : best->end; i < snapshot->conn_count;
         i = i + 1 == best->start ? best->end : i + 1) {
        struct conn *other = &snapshot->conns[i];
        struct hash_walk walk = hash_index_walk(&table, conn_hash_ends(other));
        for (uint32_t index; (index = hash_walk_next(&table, &walk)) != HASH_NONE;) {
            struct conn *conn = &snapshot->conns[index];
            if (conn->state != other->state || !are_one(conn, other))
                continue;
            uint16_t present = conn->present;
            conn_fill_in(conn, other);
            filled += take_holders(conn, other) || conn->present != present;
            break;
        }
    }
    hash_index_deinit(&table);
    return filled;
}

/*
 * When the kernel is busy, /proc/net/tcp, which is read in pieces, shows some sockets twice; the later row is right. If
 * many rows are equal, something has removed what differs in them, and all are kept whose ends are not told.
 */
static void drop_repeats(const struct repeats *repeats, struct snapshot *snapshot, const struct extent *best)
{
    uint32_t start = best->start, end = best->end;
    enum { FEW = 20 };
    struct search search = { .snapshot = snapshot, .repeats = repeats, .best = *best };
    uint8_t *repeated = xcalloc(snapshot->conn_count, sizeof *repeated);
    hash_index_init(&search.table, snapshot->conn_count);
    size_t count = find_repeats(repeats, &search, repeated), kept = 0;
    bool drops = count * FEW <= end - start;
    for (uint32_t i = 0; i < snapshot->conn_count; i++) {
        if (i >= start && i < end && !(drops && repeated[i] != SEEN_ONCE) && repeated[i] != SURELY_ONE)
            snapshot->conns[kept++] = snapshot->conns[i];
        else
            holders_drop(snapshot, &snapshot->conns[i]);
    }
    snapshot->conn_count = kept;
    hash_index_deinit(&search.table);
    free(repeated);
}

unsigned repeats_keep_best(struct repeats *repeats, struct snapshot *snapshot, bool ends_in_line)
{
    struct search search = { .snapshot = snapshot, .repeats = repeats, .candidate = NO_INDEX, .count = 1 };
    bool interrupted = repeats->start_count > 0 && repeats->starts[repeats->start_count - 1] > 0;
    if (!repeats->found && !interrupted)
        return 1;
    hash_index_init(&search.table, snapshot->conn_count);
    uint32_t begin = 0;
    for (size_t part = 0; part <= repeats->start_count; part++) {
        uint32_t start = part > 0 ? repeats->starts[part - 1] : 0;
        uint32_t end = part < repeats->start_count ? repeats->starts[part] : (uint32_t)snapshot->conn_count;
        search_part(&search, begin, start, end);
        /* A table of listeners alone belongs to the rows that follow. */
        if (!has_listeners_only(snapshot, start, end))
            begin = end;
    }
    hash_index_deinit(&search.table);
    choose_snapshot(&search, (uint32_t)snapshot->conn_count, ends_in_line);
    repeats->filled = search.count > 1 ? take_from_others(snapshot, &search.best) : 0;
    drop_repeats(repeats, snapshot, &search.best);
    return search.count;
}
