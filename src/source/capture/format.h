#pragma once
/*
 * What the files of this folder share: the formats of captures, and the state while one is read. No file outside of
 * this folder includes it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/snapshot.h"
#include "source/capture/endpoint.h"
#include "source/capture/formats/numbers_found.h"
#include "source/capture/input/input.h"
#include "source/capture/input/lines.h"
#include "source/capture/left_out.h"
#include "source/capture/leftovers.h"
#include "source/capture/repeats.h"
#include "source/capture/repair.h"
#include "source/capture/process_names.h"
#include "source/capture/state_names.h"
#include "source/text/tokens.h"

/* The kind of a line. */
enum line_kind {
    LINE_OTHER,     /* not a line of this format: a heading, a prompt, prose */
    LINE_ROW,       /* a connection; it was added */
    LINE_DETAIL,    /* belongs to the row before */
    LINE_HEADING,   /* a heading that only this format has: it identifies a capture without rows */
    LINE_FOREIGN,   /* a well-formed row that is not TCP: a UDP or UNIX socket */
    LINE_MALFORMED, /* a row that is cut or damaged */
    LINE_PART,      /* not a row, but it contains an endpoint or a state: perhaps a part of a row */
    LINE_KINDS
};

/* The weight of a row when formats are compared; and the score of a text that contains numbers without rows. */
enum { ROW_WEIGHT = 4, SURE_OF_NUMBERS = 3 };

struct format;

/* Rows with words in the place of addresses or ports. */
struct word_ends {
    uint64_t rows, local, remote, services, ports; /* `ports` are ports that are no known service */
    uint64_t redacted;                             /* rows with a masked address, which may be any address */
    char first[80];
};

/* The first line of some kind. */
struct first_line {
    uint64_t number; /* 0: no such line */
    char text[80];
};

/* A list of processes that was read. */
struct task_list {
    uint64_t count;
    bool has_idle, has_system; /* PIDs 0 and 4 of Windows, which a filtered list does not have */
    /* processes that stand at the end of a complete list: tasklist and wmic themselves, names with the last letters */
    bool has_end;
    uint64_t marks; /* lines that say that the list was shortened */
};

/* A capture that is being read. */
struct capture {
    struct snapshot *snapshot;
    struct snapshot *previous; /* receives the previous snapshot, if a saved one has it; NULL: not wanted */
    const struct format *format;
    const struct format *other_format; /* the second-best format for the beginning of the text, or NULL */
    unsigned other_rows;               /* how many lines it understands there */
    struct input *input;
    const char *path;    /* of the input, for messages; NULL: none */
    const char *os;      /* as snapshot.os, as far as the text shows it; NULL: unknown */
    const char *charset; /* of words beyond ASCII, as iconv() calls it; NULL: UTF-8 or unknown */
    void *state;         /* data of the format, in the snapshot's arena */
    struct pids pids;
    struct repeats repeats;
    int snapshot_count; /* snapshots in the text; one of them is used */
    struct state_words state_words;
    const char *const *state_names; /* "LETZTE_ACK=LAST_ACK" */
    unsigned state_name_count;
    struct unknown_states unknown_states;
    struct left_out left_out;
    struct leftovers leftovers; /* filled if keeps_leftovers is set */
    /* the input consists of these lines, and understood ones are marked in it; NULL: another input */
    struct leftovers *left_by;
    struct buf joined;          /* for the report: which other tables had rows of the same connections */
    struct task_list task_list; /* count is 0 if there is none */
    struct numbers numbers;     /* numbers beside the rows, or without rows */

    uint64_t lines;
    uint64_t kinds[LINE_KINDS]; /* number of lines of each kind */
    uint16_t present;           /* enum conn_field: the fields that at least one connection has */
    struct host_prefix host_prefix;
    uint64_t too_long;   /* rows whose end was not read because the line is too long */
    uint64_t cut_before; /* cut + alike before the current row */
    uint64_t cut;        /* rows with an address of which only the beginning is present */
    uint64_t alike;      /* rows with an endpoint that may differ from another with the same text */
    struct word_ends word_ends;
    struct first_line first_malformed;
    bool after_row;    /* the previous line was a row or belonged to one */
    bool after_damage; /* the previous line was not understood */
    bool repairs;      /* repair lines that are not understood */
    bool keeps_leftovers;
    bool only_recognises; /* only the rows are wanted, not the numbers beside them */
    bool out_of_memory;
    struct conn nowhere; /* a draft to write to when there is no memory */
};

struct format {
    const char *id;          /* for snapshot.source: "capture-ss" */
    const char *title;       /* "the output of ss" */
    const char *os;          /* the system that prints it, as in snapshot.os; NULL: several do */
    bool is_snapshot;        /* it contains the host, the time, the source and the namespaces itself */
    bool row_for_descriptor; /* a connection has a row for each descriptor */
    bool is_counts;          /* it has counts of connections instead of rows: numbers_found.h */
    bool is_of_any_system;   /* the system is unknown, so no command of a system can be recommended */
    bool takes_blank_lines;  /* row() also gets blank lines; one that is LINE_OTHER is not counted */
    /*
     * The score of this format for the beginning of a text; 0: it does not fit. With `repairs` damaged lines are
     * repaired first (repair.h), which takes longer.
     */
    unsigned (*recognise)(const struct format *self, const char *bytes, size_t length, bool repairs);
    /* Reads the input to its end. Returns 0 or a negative errno. */
    int (*parse)(const struct format *self, struct capture *capture, struct error *err);
    /* For formats with a row for each connection: parses a line, and adds a connection to the snapshot. */
    enum line_kind (*row)(struct capture *capture, const struct line *line);
    size_t state_bytes; /* size of capture.state, which is zeroed */
    /* Called when all lines are read, for what only the whole text shows. May be NULL. */
    void (*finish)(struct capture *capture);
};

/* All known formats. The last one has no id. */
extern const struct format formats[];

/* recognise() and parse() of formats that have rows: rows.c. */
unsigned rows_recognise(const struct format *self, const char *bytes, size_t length, bool repairs);
int rows_parse(const struct format *self, struct capture *capture, struct error *err);

/* The same for saved snapshots: saved/read.c. If the file is refused, err says why. */
unsigned saved_recognise(const struct format *self, const char *bytes, size_t length, bool repairs);
int saved_parse(const struct format *self, struct capture *capture, struct error *err);

/* As capture_read(), for an input that is already open. */
struct capture_options;
int capture_read_input(
    const struct capture_options *options, struct input *input, struct snapshot *snapshot, struct error *err);

void capture_deinit(struct capture *capture);
/* Counts a line of this kind. After a row it also notes which fields the last connection has. */
void capture_count(struct capture *capture, enum line_kind kind);
/* As capture_count(). It also stores the first line that was not understood. */
void capture_note_line(struct capture *capture, const struct line *line, enum line_kind kind);
/*
 * Reserves a connection to fill in; nothing is known of it. It belongs to the snapshot only after capture_add();
 * without that, the next draft replaces it. Never NULL: without memory, capture->out_of_memory is set and the draft is
 * discarded.
 */
struct conn *capture_draft(struct capture *capture);
/* Makes the draft a connection of the snapshot. It does not move until the next draft. */
void capture_add(struct capture *capture);
/* Removes the connection that was added last. */
void capture_take_back(struct capture *capture);
/* Removes the holders of the connection that was added last. */
void capture_drop_owners(struct capture *capture);
/*
 * The state of a word in a row, or STATE_UNKNOWN. A number is no state. "CLOSE" in a row with a remote port is unknown:
 * it may be a CLOSE_WAIT that was cut.
 */
enum conn_state capture_state(struct capture *capture, const struct token *word, const struct conn *conn);
/* The connection that was added last, or NULL. */
struct conn *capture_last_conn(const struct capture *capture);
/*
 * Parses both endpoints of a row. Returns LINE_ROW and fills in the addresses, ports and family of *conn; otherwise it
 * returns the kind of the line. "*" is any address in the family of the other endpoint; if that is "*" too, in
 * conn->ipv6.
 */
enum line_kind capture_ends(
    struct capture *capture, const struct token *local, const struct token *remote, char separator, struct conn *conn);
/*
 * Finds or adds the process with that PID; if it is 0, the one with that name. The name may be empty. Returns its
 * index.
 */
uint32_t capture_process(struct capture *capture, uint32_t pid, const char *name, size_t length);
/* Gives the process with that PID this name, if the capture has the process and no name for it. */
void capture_name(struct capture *capture, uint32_t pid, const char *name, size_t length);
/* Adds the process, as found by capture_process(), as a holder of the connection. */
void capture_hold(
    struct capture *capture, struct conn *conn, uint32_t pid, const char *name, size_t length, uint32_t fd);
