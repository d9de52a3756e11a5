#include "source/capture/repeats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/conn_hash.h"
#include "model/holders.h"

void looks_deinit(struct looks *looks)
{
    hash_index_deinit(&looks->sample);
    free(looks->cut);
    free(looks->starts);
    *looks = (struct looks){ 0 };
}

/* Listeners may share a port (SO_REUSEPORT), and what is bound only may be there twice too. */
static bool has_two_ends(const struct conn *conn)
{
    return conn->remote_port != 0 && conn->local_port != 0 && !conn_is_listener(conn);
}

/* The same ends and family; where both rows know the inode, it tells namespaces and successors apart. */
static bool are_one(const struct conn *one, const struct conn *other)
{
    uint32_t inode = conn_has(one, CONN_INODE) ? one->inode : 0;
    uint32_t other_inode = conn_has(other, CONN_INODE) ? other->inode : 0;
    return one->ipv6 == other->ipv6 && one->local_port == other->local_port && one->remote_port == other->remote_port &&
        ip_equal(&one->local, &other->local) && ip_equal(&one->remote, &other->remote) &&
        (inode == 0 || other_inode == 0 || inode == other_inode);
}

/* --- while it is read --------------------------------------------------------------------------------------------- */

enum { SAMPLE_MAX = 4096 };

/* Most connections end here, so that this has to be quick: which ones are in the sample matters little. */
static bool is_wanted(const struct looks *looks, const struct conn *conn)
{
    uint32_t address;
    memcpy(&address, conn->remote.bytes + sizeof conn->remote.bytes - sizeof address, sizeof address);
    uint64_t ends = (uint64_t)address << 32 ^ (uint64_t)conn->remote_port << 16 ^ conn->local_port;
    return (ends * 0x9e3779b97f4a7c15ULL & looks->unwanted) == 0;
}

/* Leaves out every other one. */
static void thin_out(struct looks *looks, const struct snapshot *snapshot)
{
    struct hash_index all = looks->sample;
    looks->unwanted = looks->unwanted >> 1 | 1ULL << 63; /* the high bits of a product depend on all others */
    looks->sampled = 0;
    hash_index_init(&looks->sample, SAMPLE_MAX);
    for (size_t slot = 0; slot <= all.mask; slot++) {
        uint32_t index = all.slots[slot];
        if (index == HASH_NONE || !is_wanted(looks, &snapshot->conns[index]))
            continue;
        hash_index_add(&looks->sample, conn_hash_ends(&snapshot->conns[index]), index);
        looks->sampled++;
    }
    hash_index_deinit(&all);
}

static void add_to_sample(struct looks *looks, const struct snapshot *snapshot, uint32_t index)
{
    uint64_t hash = conn_hash_ends(&snapshot->conns[index]);
    if (looks->sample.slots == NULL)
        hash_index_init(&looks->sample, SAMPLE_MAX);
    struct hash_walk walk = hash_index_walk(&looks->sample, hash);
    uint32_t before;
    while ((before = hash_walk_next(&looks->sample, &walk)) != HASH_NONE) {
        looks->repeats = are_one(&snapshot->conns[before], &snapshot->conns[index]);
        if (looks->repeats)
            return;
    }
    hash_index_add(&looks->sample, hash, index);
    if (++looks->sampled >= SAMPLE_MAX)
        thin_out(looks, snapshot);
}

static void note_start(struct looks *looks, uint32_t index)
{
    looks->at_start = false;
    xvec_grow((void **)&looks->starts, looks->start_count, &looks->start_capacity, sizeof *looks->starts);
    looks->starts[looks->start_count++] = index;
}

static void note_cut(struct looks *looks, uint32_t index)
{
    xvec_grow((void **)&looks->cut, looks->cut_count, &looks->cut_capacity, sizeof *looks->cut);
    looks->cut[looks->cut_count++] = index;
}

void looks_note(struct looks *looks, const struct snapshot *snapshot, bool is_cut)
{
    uint32_t index = (uint32_t)snapshot->conn_count - 1;
    const struct conn *conn = &snapshot->conns[index];
    if (looks->at_start)
        note_start(looks, index);
    if (is_cut)
        note_cut(looks, index);
    else if (!looks->repeats && has_two_ends(conn) && is_wanted(looks, conn))
        add_to_sample(looks, snapshot, index);
}

/* --- when all is read --------------------------------------------------------------------------------------------- */

/* What a look shows. */
struct extent {
    uint32_t start, end;
    unsigned richness; /* a command with fewer options tells less */
    uint32_t states;
};

/*
 * Where a connection comes again, a look may have begun: at the interruption before, or where there is none, with it.
 * That it was one is certain when a good part of what follows comes again, too: two rows alike may be of two
 * namespaces, or of a port that was taken again; and a busy kernel shows some sockets twice (/proc/net/tcp).
 */
struct search {
    const struct snapshot *snapshot;
    const struct looks *looks;
    size_t cut_at;           /* the next of those that were cut */
    struct hash_index table; /* the last row of each connection */
    uint32_t look;           /* where the present look begins */
    uint32_t candidate;      /* where another may have begun since; NO_INDEX: nowhere */
    bool interrupted;        /* the text was, at the candidate */
    uint32_t inspect_rows;   /* with two ends, from there to the candidate */
    uint32_t rows, repeats;  /* since the candidate: rows with two ends, and those that had come before */
    uint32_t not_local;      /* … from another host, whose address stands in one namespace only */
    int count;
    struct extent best; /* the look that is taken */
};

/* Whether the row tells a connection. Is asked for one after the other. */
static bool tells(struct search *search, uint32_t index)
{
    const struct looks *looks = search->looks;
    while (search->cut_at < looks->cut_count && looks->cut[search->cut_at] < index)
        search->cut_at++;
    bool is_cut = search->cut_at < looks->cut_count && looks->cut[search->cut_at] == index;
    return !is_cut && has_two_ends(&search->snapshot->conns[index]);
}

/* Takes in a row with two ends. Returns the row of the same connection before, or NO_INDEX. */
static uint32_t take_row(struct search *search, uint32_t index)
{
    const struct conn *conns = search->snapshot->conns;
    uint64_t hash = conn_hash_ends(&conns[index]);
    struct hash_walk walk = hash_index_walk(&search->table, hash);
    uint32_t before;
    while ((before = hash_walk_next(&search->table, &walk)) != HASH_NONE) {
        if (!are_one(&conns[before], &conns[index]))
            continue;
        hash_walk_replace(&search->table, &walk, index);
        return before >= search->look ? before : NO_INDEX;
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
 * The present look ends here. The best one is taken: the last, but not one with less than half of the rows, which has
 * been filtered or cut, nor one of one state behind one of several, nor one that shows less, nor one with fewer rows
 * that was cut for certain.
 */
static void choose_look(struct search *search, uint32_t end, bool is_cut)
{
    const struct extent look = measure(search->snapshot, search->look, end), best = search->best;
    uint32_t rows = look.end - look.start, best_rows = best.end - best.start;
    bool is_filtered = rows * 2 < best_rows || (rows < best_rows && is_cut) ||
        (rows < best_rows && __builtin_popcount(look.states) == 1 && __builtin_popcount(best.states) > 1);
    if (best_rows == 0 || rows > best_rows * 2 || (!is_filtered && look.richness >= best.richness))
        search->best = look;
}

/* Was what began at the candidate a look? */
static void settle(struct search *search)
{
    enum { SIZE_SHARE = 4, SURE = 2 };
    bool is_look = search->interrupted
        ? search->repeats * 10 >= search->rows || search->not_local >= SURE
        : search->repeats * 2 >= search->rows && search->rows * SIZE_SHARE >= search->inspect_rows;
    if (search->candidate != NO_INDEX && is_look) {
        choose_look(search, search->candidate, false);
        search->look = search->candidate;
        search->inspect_rows = 0;
        search->count++;
    }
    search->inspect_rows += search->rows;
    search->candidate = NO_INDEX;
    search->rows = search->repeats = search->not_local = 0;
}

/* Programs show listeners first: those directly before belong to what follows. */
static uint32_t with_listeners(const struct search *search, uint32_t index)
{
    while (index > search->look && conn_is_listener(&search->snapshot->conns[index - 1]))
        index--;
    return index;
}

/* From one interruption to the next. `begin` is where a look begins that this belongs to if it is one. */
static void search_part(struct search *search, uint32_t begin, uint32_t start, uint32_t end)
{
    uint32_t last = NO_INDEX;
    for (uint32_t i = start; i < end; i++) {
        if (!tells(search, i))
            continue;
        uint32_t before = take_row(search, i);
        bool again = before != NO_INDEX && before != last; /* twice in a row: both have lost what differs */
        last = i;
        if (again && search->candidate != NO_INDEX && before >= search->candidate)
            settle(search); /* and the next one, without an interruption */
        if (again && search->candidate == NO_INDEX) {
            search->interrupted = begin > search->look;
            search->candidate = search->interrupted ? begin : with_listeners(search, i);
            if (!search->interrupted) {
                search->inspect_rows += search->rows;
                search->rows = 0;
            }
        }
        search->rows++;
        search->repeats += again;
        search->not_local += again && !ip_is_loopback(&search->snapshot->conns[i].remote);
    }
    settle(search);
}

static bool has_listeners_only(const struct snapshot *snapshot, uint32_t start, uint32_t end)
{
    for (uint32_t i = start; i < end; i++) {
        if (has_two_ends(&snapshot->conns[i]))
            return false;
    }
    return true;
}

/* Marks rows that come again before the text is interrupted. Returns how many there are. */
static size_t find_repeats(const struct looks *looks, struct search *search, bool *repeated)
{
    size_t repeats = 0, part = 0;
    for (uint32_t i = search->best.start; i < search->best.end; i++) {
        for (; part < looks->start_count && looks->starts[part] <= i; part++)
            search->look = looks->starts[part];
        uint32_t before = tells(search, i) ? take_row(search, i) : NO_INDEX;
        if (before == NO_INDEX || before < search->best.start)
            continue;
        repeated[before] = true;
        repeats++;
    }
    return repeats;
}

/*
 * A kernel that is busy shows some sockets twice, where /proc/net/tcp is read piece by piece: the later row counts.
 * Where many are alike, something has cut from them what differs.
 */
static void drop_repeats(const struct looks *looks, struct snapshot *snapshot, const struct extent *best)
{
    uint32_t start = best->start, end = best->end;
    enum { FEW = 20 };
    struct search search = { .snapshot = snapshot, .looks = looks, .best = *best };
    bool *repeated = xcalloc(snapshot->conn_count, sizeof *repeated);
    hash_index_init(&search.table, snapshot->conn_count);
    size_t repeats = find_repeats(looks, &search, repeated), kept = 0;
    bool drops = repeats * FEW <= end - start;
    for (uint32_t i = 0; i < snapshot->conn_count; i++) {
        if (i >= start && i < end && !(drops && repeated[i]))
            snapshot->conns[kept++] = snapshot->conns[i];
        else
            holders_drop(snapshot, &snapshot->conns[i]);
    }
    snapshot->conn_count = kept;
    hash_index_deinit(&search.table);
    free(repeated);
}

unsigned looks_keep_best(const struct looks *looks, struct snapshot *snapshot, bool ends_in_line)
{
    struct search search = { .snapshot = snapshot, .looks = looks, .candidate = NO_INDEX, .count = 1 };
    bool interrupted = looks->start_count > 0 && looks->starts[looks->start_count - 1] > 0;
    if (!looks->repeats && !interrupted)
        return 1;
    hash_index_init(&search.table, snapshot->conn_count);
    uint32_t begin = 0;
    for (size_t part = 0; part <= looks->start_count; part++) {
        uint32_t start = part > 0 ? looks->starts[part - 1] : 0;
        uint32_t end = part < looks->start_count ? looks->starts[part] : (uint32_t)snapshot->conn_count;
        search_part(&search, begin, start, end);
        /* Listeners that have a table of their own belong to what follows. */
        if (!has_listeners_only(snapshot, start, end))
            begin = end;
    }
    hash_index_deinit(&search.table);
    choose_look(&search, (uint32_t)snapshot->conn_count, ends_in_line);
    drop_repeats(looks, snapshot, &search.best);
    return search.count;
}
