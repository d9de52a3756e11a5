#pragma once
/* The options of every command that reads connections: which ones, and how they are read. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/place.h"
#include "base/error.h"
#include "cmd/option.h"
#include "model/select.h"
#include "source/source.h"

enum { INSPECT_FROM_MAX = 64 };

/* Options as they were given, for commands that are printed: " --netns web --port 80". */
struct again {
    struct buf reading;   /* what is read: --from, --config */
    struct buf selection; /* without --cause: a printed command may have one of its own */
    struct buf causes;
};

/* The options of every command that reads connections. */
struct inspect_options {
    struct source_options source;
    struct selection selection;
    uint64_t confirm_ms; /* read a second snapshot after this time, to confirm the first one; 0: read only one */
    uint64_t timeout_ms; /* the command ends after this time; 0: the default */
    const char *output;  /* the file that will be written, or NULL; with its link as in base/atomic_file.h */
    enum place_link output_link;
    bool reads_again; /* this host will be read again: all capabilities are kept */
    bool json;
    bool causes_only;     /* only the cause of each connection is needed, no findings: these need more connections */
    bool owners_if_stuck; /* find the owners of sockets only if something is stuck */
    const char *from[INSPECT_FROM_MAX]; /* captures to read instead of this host; "-": standard input */
    unsigned from_count;
    const char *tasks;          /* a list of processes, which gives the PIDs of the capture their names; or NULL */
    const char *state_names[8]; /* words for states in a capture: "LETZTE_ACK=LAST_ACK" */
    unsigned state_name_count;
    bool names_source; /* --source was given */
    bool needs_rows;   /* the command shows single connections: a capture that has only counts is refused */
    /*
     * Called before this host's connections are diagnosed. It fills snapshot.stayed_ms with what earlier runs have
     * stored. NULL: nothing was stored.
     */
    void (*recall)(struct snapshot *snapshot, void *data);
    void *recall_data;
    const char *config;  /* the configuration file to read instead of the usual ones, or NULL */
    struct again *again; /* if not NULL, what was said is added here */
};

/* The rows of struct inspect_options. */
extern const struct option_row inspect_option_rows[];
/* The same rows without some of them, for commands that have such options of their own. `names` ends with NULL. */
enum { INSPECT_ROWS_MAX = 64 };
void inspect_rows_but(const char *const *names, struct option_row ret_rows[INSPECT_ROWS_MAX]);
/* True if the row selects connections; false if it says how they are read. A copy of a row of this table will do. */
bool cmd_option_selects(const struct option_row *row);

/*
 * Copies the rows with these names to ret_rows, in the order of `rows`. `names` ends with NULL. ret_rows has room for
 * `most` rows; the last one written has no name.
 */
void options_pick(const struct option_row *rows, const char *const *names, struct option_row *ret_rows, size_t most);

/* Stores an option that selects connections, for commands that are printed and must select the same ones. */
void inspect_add_again(const struct inspect_options *options, const char *name, const char *value);
/* True if the option is stored by inspect_add_again(). */
bool cmd_option_is_said_again(const struct option_row *row);

/* Adds a capture, as --from does. Returns 0, or a negative errno with err filled. */
int options_add_from(struct inspect_options *options, const char *path, struct error *err);

/* Parses "10", "10s" or "5m" as the time between two snapshots. It must be from min_ms to one day. */
int cmd_set_interval(const char *value, uint64_t min_ms, uint64_t *ret_ms, struct error *err);
