/*
 * Folds the keys of groups: the connections of one owner to many addresses, or on many ports, become one group instead
 * of hundreds. Examples: a service with many servers; the data connections of FTP, RPC or a peer-to-peer program, each
 * on its own port; a capture without LISTEN rows (`netstat -ano | findstr CLOSE_WAIT`), which does not show which ports
 * are services.
 *
 * Only connections with the same cause, owner and namespace are folded. If the owner was not seen, the user of the
 * socket takes its place. If no process holds the connections, nothing does.
 */
#include "diagnose/fold.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "diagnose/rule.h"

enum {
    ENDS_MAX = 8, /* up to this many addresses, or ports, keep their own groups */
    /*
     * The same for ports with a listener. These are usually services that somebody has configured and knows by their
     * port numbers: nine services of one process with a few stuck connections each are nine findings. More of them are
     * probably a range from which the program takes ports as it needs them.
     */
    LISTENED_MAX = 32,
    /*
     * The same for the remote addresses of kin (kin.c): for example, each job of a spooler prints on its own printer.
     */
    KIN_ADDRESSES_MAX = 2,
    /* A port with more than ENDS_MAX connections, and at least this part (a quarter) of all, keeps its own group. */
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

/* For each key a wide key, without address or port. It replaces the keys that have it if these are many. */
struct folding {
    struct fold_key_table wide;
    uint32_t *wide_of; /* for each key: number of its wide key */
    uint32_t *ends;    /* for each wide key: how many addresses or ports it stands for */
    bool *stays;       /* for each key: it is not replaced */
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

static uint32_t ends_max(const struct fold_key *wide)
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
        bool many = folding->ends[folding->wide_of[i]] > ends_max(wide);
        number[i] = fold_key_number(&folded, many && !folding->stays[i] ? wide : &keys->keys[i]);
    }
    for (size_t i = 0; i < count; i++)
        stuck[i].group = number[stuck[i].group];
    free(number);
    fold_key_table_deinit(keys);
    *keys = folded;
}

/* --- over addresses --------------------------------------------------------------------------------------------- */

/* Folds outgoing connections of one owner to one port of many addresses: a service with many servers. */
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

/* Further properties of the connections of a key; all but count are taken from its first connection. */
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

/* The wide key, without ends and direction. */
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
 * Makes the wide keys. A guessed direction (from the port numbers) would split a group in two. So guessed connections
 * get the direction that most of the connections with a known direction have. If there are none, they count as
 * incoming, because "on these local ports" is true of any connection. The caller frees the array.
 */
static struct fold_key *make_wide_keys(const struct fold_key_table *keys, const struct trait *traits)
{
    struct fold_key_table bases = { 0 };
    struct fold_key *wide = xcalloc(keys->count, sizeof *wide);
    int64_t *outgoing = xcalloc(keys->count, sizeof *outgoing); /* outgoing connections minus incoming ones */
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

/* True if the rule describes one port, or if the port is a service with its own limits, which the user wants to see. */
static bool keeps_its_port(const struct fold_key *key, const struct trait *trait)
{
    return rules[key->rule].one_port || (trait->listened && key->service != 0);
}

static void mark_staying(struct folding *folding, const struct fold_key_table *keys, const struct trait *traits)
{
    uint64_t *totals = xcalloc(keys->count, sizeof *totals);
    for (size_t i = 0; i < keys->count; i++)
        totals[folding->wide_of[i]] += traits[i].count;
    for (size_t i = 0; i < keys->count; i++) {
        uint64_t count = traits[i].count;
        folding->stays[i] = keeps_its_port(&keys->keys[i], &traits[i]) ||
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
    struct fold_key *wide = make_wide_keys(keys, traits);
    struct folding folding;
    folding_init(&folding, keys);
    for (size_t i = 0; i < keys->count; i++)
        folding.wide_of[i] = fold_key_number(&folding.wide, &wide[i]);
    mark_staying(&folding, keys, traits);
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
