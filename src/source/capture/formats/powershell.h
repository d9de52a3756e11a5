#pragma once
/*
 * Get-NetTCPConnection, however PowerShell has printed it: as a table, a list, CSV or JSON. The names of the properties
 * and the states are never translated.
 */
#include "source/capture/format.h"

enum property {
    PROPERTY_NONE, /* one that is of no use here */
    PROPERTY_LOCAL_ADDRESS,
    PROPERTY_LOCAL_PORT,
    PROPERTY_REMOTE_ADDRESS,
    PROPERTY_REMOTE_PORT,
    PROPERTY_STATE,
    PROPERTY_PID,
    PROPERTY_PROCESS, /* its name, which people add as a calculated property */
    PROPERTY_COUNT
};

/* One connection's properties; text NULL: it has not got that one. */
struct record {
    struct token values[PROPERTY_COUNT];
};

/* "LocalAddress", in any case. */
enum property property_find(const char *name, size_t length);
/*
 * Of the properties that something has, a bit each: enough for a heading or a record of connections. Less may be
 * missing than record_add() needs: what is to be said is that its rows are none.
 */
bool properties_are_of_conn(unsigned properties);
/* The local address of a record of something that has no such column: any of the host. */
extern const struct token any_address;
/* Adds it, if it has both ends and a state. Returns LINE_ROW, or LINE_MALFORMED with nothing added. */
enum line_kind record_add(struct capture *capture, const struct record *record);

/* "10.0.0.5"; "2a02:8108:8a…", of which a narrow table has cut the end. */
bool word_is_address(const struct token *word);
/* What record_add() refused is a connection of which something is missing or cut, and not other text. */
bool record_looks_like_conn(struct capture *capture, const struct record *record);

/* A record that is made up from several pieces, and so has to be kept. */
enum { VALUE_MAX = 127 }; /* bytes of a value; the rest is cut off */
struct kept_record {
    struct record record;
    char text[PROPERTY_COUNT][VALUE_MAX + 1];
};
void kept_record_set(struct kept_record *kept, enum property property, const char *text, size_t length);

enum line_kind powershell_table_row(struct capture *capture, const struct line *line);
enum line_kind powershell_list_row(struct capture *capture, const struct line *line);
void powershell_list_finish(struct capture *capture);
enum line_kind powershell_csv_row(struct capture *capture, const struct line *line);
unsigned powershell_json_recognise(const struct format *self, const char *bytes, size_t length, bool repairs);
int powershell_json_parse(const struct format *self, struct capture *capture, struct error *err);

struct table_column {
    enum property property;
    size_t start, end; /* where its rule of dashes stands; before that is seen, its heading */
};
enum { TABLE_COLUMNS_MAX = 24 };
struct powershell_table {
    struct table_column columns[TABLE_COLUMNS_MAX];
    unsigned count;      /* 0: no headings yet */
    unsigned properties; /* bits of those that have a column */
    bool has_rule;       /* the dashes below the headings were seen */
};
struct powershell_list {
    struct kept_record record;
    unsigned seen;        /* bits of the properties of the record, also of those without a value; 0: none is open */
    bool begins_with_end; /* the first property since a blank line was LocalAddress, as those of a whole record are */
    bool mixed;           /* where it begins is not known: it may be of several records */
    struct first_line begin;
};
struct powershell_csv {
    enum property columns[64];
    unsigned count;      /* 0: no headings yet */
    unsigned properties; /* bits of those that have a column */
    char separator;
};
