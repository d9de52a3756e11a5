#pragma once
/*
 * What the files of this folder share: the kinds of captures, and what is filled in while one is read. Nothing outside
 * includes it.
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

/* What a line turned out to be. */
enum line_kind {
    LINE_OTHER,     /* nothing of this format: a heading, a prompt, prose */
    LINE_ROW,       /* a connection, which was added */
    LINE_DETAIL,    /* belongs to the row before */
    LINE_HEADING,   /* that only this format has; it makes an empty capture one */
    LINE_FOREIGN,   /* well-formed, but not TCP: a UDP or UNIX socket */
    LINE_MALFORMED, /* would be a row, but is cut or mangled */
    LINE_PART,      /* no row, but has the end of a connection or the like: perhaps a part of one */
    LINE_KINDS
};

/* What a row counts when formats are compared, and all numbers together where there are no rows. */
enum { ROW_WEIGHT = 4, SURE_OF_NUMBERS = 3 };

struct format;

/* Rows in which words stand where addresses and ports belong. */
struct word_ends {
    uint64_t rows, local, remote, services, ports; /* ports that are no known service's */
    uint64_t redacted;                             /* rows with a word that may stand for any address */
    char first[80];
};

/* The first of the lines of some kind. */
struct first_line {
    uint64_t number; /* 0: there is none */
    char text[80];
};

/* A list of processes that was read. */
struct task_list {
    uint64_t count;
    bool has_idle, has_system; /* PIDs 0 and 4 of Windows, which filters leave out */
    bool has_end;              /* what stands near the end: tasklist and wmic themselves, Get-Process's last letters */
    uint64_t marks;            /* lines that say that it was shortened */
};

/* A capture that is being read. */
struct capture {
    struct snapshot *snapshot;
    struct snapshot *previous; /* an empty one, for a look that was taken before; NULL: not wanted */
    const struct format *format;
    const struct format *other_format; /* that some of the beginning may be as well, or NULL */
    unsigned other_rows;               /* how many lines */
    struct input *input;
    const char *path;    /* of the input, for people; NULL: it has none */
    const char *os;      /* as in snapshot.os, as far as the text tells; NULL: unknown */
    const char *charset; /* of its words beyond ASCII, for iconv(); NULL: UTF-8 or unknown */
    void *state;         /* the format's own, in the snapshot's arena */
    struct pids pids;
    struct looks looks;
    int snapshot_count; /* of which one was taken */
    struct state_words state_words;
    struct left_out left_out;
    struct leftovers leftovers; /* where it keeps_leftovers */
    struct leftovers *left_by;  /* the lines are those; who reads them marks what it understands. NULL: another input */
    struct buf joined;          /* for people: which other tables told of the same connections */
    struct task_list task_list; /* count is 0: there was none */
    struct numbers numbers;     /* what stands beside the rows, or instead of them */

    uint64_t lines;
    uint64_t kinds[LINE_KINDS]; /* how many lines of each */
    uint16_t present;           /* enum conn_field: what is known of some connection */
    struct host_prefix host_prefix;
    uint64_t too_long;   /* rows of which the end was not read */
    uint64_t cut_before; /* `cut` and `alike`, when the row began */
    uint64_t cut;        /* rows with an address of which only the beginning is there */
    uint64_t alike;      /* rows with an end that may be another than one that is written the same */
    struct word_ends word_ends;
    struct first_line first_malformed;
    bool after_row;    /* the line before was a row, or belonged to one */
    bool after_damage; /* it was not understood */
    bool repairs;      /* lines that are not understood as they stand are mended */
    bool keeps_leftovers;
    bool only_recognises; /* what the rows are of is asked, and nothing that stands beside them */
    bool out_of_memory;
    struct conn nowhere; /* what is filled in then */
};

struct format {
    const char *id;          /* of snapshot.source: "capture-ss" */
    const char *title;       /* "the output of ss" */
    const char *os;          /* that prints it, as in snapshot.os; NULL: several do */
    bool is_snapshot;        /* it says itself what host it is of, when and how it was taken, and its namespaces */
    bool row_for_descriptor; /* of which a connection may have several */
    bool is_counts;          /* it has numbers of connections instead of rows: numbers_found.h */
    bool is_of_any_system;   /* what prints it is not known, and no command of a system can be asked for */
    bool takes_blank_lines;  /* row() sees them too; LINE_OTHER is nothing then, and not counted */
    /*
     * How sure it is that these are the beginning of such a capture; 0: not at all. `repairs`: also of one that has
     * been through something (repair.h), which takes longer.
     */
    unsigned (*recognise)(const struct format *self, const char *bytes, size_t length, bool repairs);
    /* Reads the input to its end. Returns 0 or a negative errno. */
    int (*parse)(const struct format *self, struct capture *capture, struct error *err);
    /* Of formats that have a row for each connection. Adds it to the snapshot. */
    enum line_kind (*row)(struct capture *capture, const struct line *line);
    size_t state_bytes; /* of capture.state, which is zeroed */
    /* When all lines are read: what only the whole tells. May be NULL. */
    void (*finish)(struct capture *capture);
};

/* All that are known, up to one without an id. */
extern const struct format formats[];

/* recognise and parse of formats that have rows: rows.c */
unsigned rows_recognise(const struct format *self, const char *bytes, size_t length, bool repairs);
int rows_parse(const struct format *self, struct capture *capture, struct error *err);

/* read.c; where the file is refused, err says why. */
unsigned saved_recognise(const struct format *self, const char *bytes, size_t length, bool repairs);
int saved_parse(const struct format *self, struct capture *capture, struct error *err);

/* capture_read() of an input that is open. */
struct capture_options;
int capture_read_input(
    const struct capture_options *options, struct input *input, struct snapshot *snapshot, struct error *err);

void capture_deinit(struct capture *capture);
/* Counts a line of a kind, and what the connection shows that it is about. */
void capture_count(struct capture *capture, enum line_kind kind);
/* The same, and keeps the first that was not understood. */
void capture_note_line(struct capture *capture, const struct line *line, enum line_kind kind);
/*
 * A connection to fill in, of which nothing is known yet. It is none of the snapshot's until capture_add(), and gone
 * with the next one if that is never called. Never NULL: without memory, which is noted, it leads nowhere.
 */
struct conn *capture_draft(struct capture *capture);
/* The draft becomes a connection of the snapshot; it stays where it is until the next draft. */
void capture_add(struct capture *capture);
/* The connection that was added last is none after all. */
void capture_take_back(struct capture *capture);
/* Who holds the connection that was added last is not known after all. */
void capture_drop_owners(struct capture *capture);
/*
 * The state that a word stands for, in a row whose ends were read: no number, and no "CLOSE" between two ends, which is
 * CLOSE_WAIT that was cut.
 */
enum conn_state capture_state(struct capture *capture, const struct token *word, const struct conn *conn);
/* The connection of the row before, or NULL. */
struct conn *capture_last_conn(const struct capture *capture);
/*
 * Both ends of a row. Returns LINE_ROW with the ends, ports and family of *conn filled in, or what the line is instead.
 * "*" is taken for any address of the other end's family, or of IPv6's where that says nothing either.
 */
enum line_kind capture_ends(
    struct capture *capture, const struct token *local, const struct token *remote, char separator, struct conn *conn);
/* The process of that PID, or of that name where the PID is 0; the name may be empty. NO_INDEX without memory. */
uint32_t capture_process(struct capture *capture, uint32_t pid, const char *name, size_t length);
/* Names the process of that PID, where the capture has it and no name for it. */
void capture_name(struct capture *capture, uint32_t pid, const char *name, size_t length);
/* The connection is held by a process; the same. */
void capture_hold(
    struct capture *capture, struct conn *conn, uint32_t pid, const char *name, size_t length, uint32_t fd);
