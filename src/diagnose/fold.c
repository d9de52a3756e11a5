/*
 * Folding keys of groups: what one owner has to many addresses, or on many ports, is one story and not hundreds. A
 * service behind many servers; the data connections of FTP, RPC or a peer-to-peer program, each on a port of its own; a
 * capture whose LISTEN rows were filtered away (`netstat -ano | findstr CLOSE_WAIT`), so that nothing says which ports
 * are services.
 *
 * Folded are only connections of one cause, one owner and one namespace. Where the owner was not seen, nothing but the
 * user tells them apart; where nobody holds them, nothing does.
 */
#include "diagnose/fold.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "diagnose/rule.h"

enum {
    ENDS_MAX = 8, /* addresses, or ports, that are told one by one */
    /*
     * Ports on which somebody listens are services that were set up as such, and people know them by their numbers:
     * nine services of one process, with a few stuck connections each, are nine findings. More than these are a range
     * from which listeners are taken as they are needed.
     */
    LISTENED_MAX = 32,
    /* Addresses of as many processes: to each job its own printer. */
    KIN_ADDRESSES_MAX = 2,
    /* A port that has so large a part of all is a service that stands out, listener or not, and is told by itself. */
    APART_PART = 4,
};

/* --- keys ------------------------------------------------------------------------------------------------------- */

static uint64_t hash_of(const struct fold_key *key)
{
    uint64_t words[sizeof *key / sizeof(uint64_t)];
    memcpy(words, key, sizeof words);
    return hash_words(0, words, sizeof words / sizeof *words);
}
_Static_assert(sizeof(struct fold_key) == 40, "no padding, and whole words");

uint32_t fold_key_number(struct fold_key_table *table, const struct fold_key *key)
{
    uint64_t hash = hash_of(key);
    struct hash_walk walk = hash_index_walk(&table->index, hash);
    for (uint32_t number; (number = hash_walk_next(&table->index, &walk)) != HASH_NONE;) {
        if (memcmp(&table->keys[number], key, sizeof *key) == 0)
            return number;
    }
    xvec_grow((void **)&table->keys, table->count, &table->capacity, sizeof *table->keys);
    table->keys[table->count] = *key;
    hash_index_add(&table->index, hash, (uint32_t)table->count);
    return (uint32_t)table->count++;
}

void fold_key_table_deinit(struct fold_key_table *table)
{
    free(table->keys);
    hash_index_deinit(&table->index);
    *table = (struct fold_key_table){ 0 };
}

/* For each key the wider one that takes its place, where that takes in many; and how many. */
struct folding {
    struct fold_key_table wide;
    uint32_t *wide_of;
    uint32_t *ends; /* for each wide key: how many ends, addresses or ports, it takes in */
    bool *stays;    /* for each key: whether it stands apart all the same */
};

static void folding_init(struct folding *folding, const struct fold_key_table *keys)
{
    *folding = (struct folding){
        .wide_of = xcalloc(keys->count, sizeof *folding->wide_of),
        .ends = xcalloc(keys->count, sizeof *folding->ends),
        .stays = xcalloc(keys->count, sizeof *folding->stays),
    };
}

static void folding_deinit(struct folding *folding)
{
    fold_key_table_deinit(&folding->wide);
    free(folding->wide_of);
    free(folding->ends);
    free(folding->stays);
}

static uint32_t ends_told_apart(const struct fold_key *wide)
{
    if (wide->kin)
        return wide->any_port ? ENDS_MAX : KIN_ADDRESSES_MAX;
    return wide->listened ? LISTENED_MAX : ENDS_MAX;
}

static void folding_apply(const struct folding *folding, struct stuck *stuck, size_t count, struct fold_key_table *keys)
{
    struct fold_key_table folded = { 0 };
    uint32_t *number = xcalloc(keys->count, sizeof *number);
    for (size_t i = 0; i < keys->count; i++) {
        const struct fold_key *wide = &folding->wide.keys[folding->wide_of[i]];
        bool many = folding->ends[folding->wide_of[i]] > ends_told_apart(wide);
        number[i] = fold_key_number(&folded, many && !folding->stays[i] ? wide : &keys->keys[i]);
    }
    for (size_t i = 0; i < count; i++)
        stuck[i].group = number[stuck[i].group];
    free(number);
    fold_key_table_deinit(keys);
    *keys = folded;
}

/* --- over addresses --------------------------------------------------------------------------------------------- */

/* Outgoing connections of one owner to one port of many addresses are one story: a service behind many servers. */
static void fold_addresses(struct stuck *stuck, size_t count, struct fold_key_table *keys)
{
    struct folding folding;
    folding_init(&folding, keys);
    for (size_t i = 0; i < keys->count; i++) {
        struct fold_key key = keys->keys[i];
        memset(&key.remote, 0, sizeof key.remote);
        key.any_address = !key.incoming;
        folding.wide_of[i] = fold_key_number(&folding.wide, &key);
        folding.ends[folding.wide_of[i]]++;
    }
    folding_apply(&folding, stuck, count, keys);
    folding_deinit(&folding);
}

/* --- over ports ------------------------------------------------------------------------------------------------- */

/* What the connections of a key have in common beside it; taken from its first. */
struct trait {
    uint32_t count;
    uint32_t uid;
    bool listened, guessed;
};

static struct trait *find_traits(
    const struct snapshot *snapshot, const struct stuck *stuck, size_t count, const struct fold_key_table *keys)
{
    struct trait *traits = xcalloc(keys->count, sizeof *traits);
    for (size_t i = 0; i < count; i++) {
        struct trait *trait = &traits[stuck[i].group];
        const struct conn *conn = &snapshot->conns[stuck[i].conn];
        bool unseen = keys->keys[stuck[i].group].owner == NO_INDEX && !conn_is_unheld(conn);
        if (trait->count++ == 0)
            *trait = (struct trait){
                .count = 1,
                .uid = unseen && conn_has(conn, CONN_UID) ? conn->uid : 0,
                .listened = stuck[i].listened,
                .guessed = stuck[i].guessed,
            };
    }
    return traits;
}

/* Without ends and direction. */
static struct fold_key base_of(const struct fold_key *key, const struct trait *trait)
{
    struct fold_key base = *key;
    memset(&base.remote, 0, sizeof base.remote);
    base.port = 0;
    base.incoming = base.any_address = 0;
    base.any_port = 1;
    base.uid = trait->uid;
    base.listened = trait->listened;
    return base;
}

/*
 * A direction that is only guessed, from which port is lower, would cut one story in two. It follows those whose
 * direction is known; else it counts as incoming: that connections have these local ports is true of any.
 */
static struct fold_key *directed(const struct fold_key_table *keys, const struct trait *traits)
{
    struct fold_key_table bases = { 0 };
    struct fold_key *wide = xcalloc(keys->count, sizeof *wide);
    int64_t *outgoing = xcalloc(keys->count, sizeof *outgoing); /* more than incoming */
    for (size_t i = 0; i < keys->count; i++) {
        wide[i] = base_of(&keys->keys[i], &traits[i]);
        uint32_t base = fold_key_number(&bases, &wide[i]);
        if (!traits[i].guessed)
            outgoing[base] += keys->keys[i].incoming ? -(int64_t)traits[i].count : (int64_t)traits[i].count;
    }
    for (size_t i = 0; i < keys->count; i++) {
        bool incoming = traits[i].guessed ? outgoing[fold_key_number(&bases, &wide[i])] <= 0 : keys->keys[i].incoming;
        wide[i].incoming = incoming;
        wide[i].any_address = !incoming;
    }
    free(outgoing);
    fold_key_table_deinit(&bases);
    return wide;
}

/* Of a rule whose words are about one port; or a service that was given limits of its own, and is meant to be seen. */
static bool keeps_port(const struct fold_key *key, const struct trait *trait)
{
    return rules[key->rule].one_port || (trait->listened && key->service != 0);
}

static void mark_apart(struct folding *folding, const struct fold_key_table *keys, const struct trait *traits)
{
    uint64_t *totals = xcalloc(keys->count, sizeof *totals);
    for (size_t i = 0; i < keys->count; i++)
        totals[folding->wide_of[i]] += traits[i].count;
    for (size_t i = 0; i < keys->count; i++) {
        uint64_t count = traits[i].count;
        folding->stays[i] = keeps_port(&keys->keys[i], &traits[i]) ||
            (count > ENDS_MAX && count * APART_PART >= totals[folding->wide_of[i]]);
    }
    free(totals);
}

static void count_ports(struct folding *folding, const struct fold_key_table *keys)
{
    struct fold_key_table ports = { 0 };
    for (size_t i = 0; i < keys->count; i++) {
        struct fold_key port = folding->wide.keys[folding->wide_of[i]];
        port.port = keys->keys[i].port;
        size_t before = ports.count;
        if (!folding->stays[i])
            fold_key_number(&ports, &port);
        folding->ends[folding->wide_of[i]] += ports.count > before;
    }
    fold_key_table_deinit(&ports);
}

static void fold_ports(const struct snapshot *snapshot, struct stuck *stuck, size_t count, struct fold_key_table *keys)
{
    struct trait *traits = find_traits(snapshot, stuck, count, keys);
    struct fold_key *wide = directed(keys, traits);
    struct folding folding;
    folding_init(&folding, keys);
    for (size_t i = 0; i < keys->count; i++)
        folding.wide_of[i] = fold_key_number(&folding.wide, &wide[i]);
    mark_apart(&folding, keys, traits);
    count_ports(&folding, keys);
    folding_apply(&folding, stuck, count, keys);
    folding_deinit(&folding);
    free(wide);
    free(traits);
}

void fold_keys(const struct snapshot *snapshot, struct stuck *stuck, size_t count, struct fold_key_table *keys)
{
    if (keys->count > KIN_ADDRESSES_MAX)
        fold_addresses(stuck, count, keys);
    if (keys->count > ENDS_MAX)
        fold_ports(snapshot, stuck, count, keys);
}
