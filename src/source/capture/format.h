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
#include "source/capture/input.h"
#include "source/capture/lines.h"

/* What a line turned out to be. */
enum line_kind {
    LINE_OTHER,     /* nothing of this format: a heading, a prompt, prose */
    LINE_ROW,       /* a connection, which was added */
    LINE_DETAIL,    /* belongs to the row before */
    LINE_FOREIGN,   /* well-formed, but not TCP: a UDP or UNIX socket */
    LINE_MALFORMED, /* would be a row, but is cut or mangled */
};

struct format;

/* A capture that is being read. */
struct capture {
    struct snapshot *snapshot;
    struct snapshot *earlier; /* an empty one, for a look that was taken before */
    const struct format *format;
    struct input *input;
    const char *os; /* as in snapshot.os, as far as the text tells; NULL: unknown */

    uint64_t lines, rows, foreign, other, malformed;
    uint64_t first_malformed; /* its number */
    char first_malformed_text[80];
    bool out_of_memory;
};

struct format {
    const char *id;    /* of snapshot.source: "capture-ss" */
    const char *title; /* "the output of ss" */
    const char *os;    /* that prints it, as in snapshot.os; NULL: several do */
    bool is_snapshot;  /* it says itself what host it is of, when and how it was taken, and its namespaces */
    /* How sure it is that these are the beginning of such a capture; 0: not at all. */
    unsigned (*recognise)(const struct format *self, const char *bytes, size_t length);
    /* Reads the input to its end. Returns 0 or a negative errno. */
    int (*parse)(const struct format *self, struct capture *capture, struct error *err);
    /* Of formats that have a row for each connection. May write to the line; adds the connection to the snapshot. */
    enum line_kind (*row)(struct capture *capture, const struct line *line);
};

/* All that are known, up to one without an id. */
extern const struct format formats[];

/* recognise and parse of formats that have rows: rows.c */
unsigned rows_recognise(const struct format *self, const char *bytes, size_t length);
int rows_parse(const struct format *self, struct capture *capture, struct error *err);

/* Adds a connection, or notes that there is no memory for it and returns NULL. */
struct conn *capture_add_conn(struct capture *capture);

/* Counts a line that is not understood, and keeps the first. */
void capture_note_malformed(struct capture *capture, const struct line *line);

/* saved_read.c */
unsigned saved_recognise(const struct format *self, const char *bytes, size_t length);
int saved_parse(const struct format *self, struct capture *capture, struct error *err);

enum line_kind proc_net_tcp_row(struct capture *capture, const struct line *line);
