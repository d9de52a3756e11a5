#pragma once
/*
 * Get-NetTCPConnection, as PowerShell prints it: a table, a list, CSV or JSON. Names of properties and states are never
 * translated.
 */
#include "source/capture/format.h"

enum property {
    PROPERTY_NONE, /* a property that is not used */
    PROPERTY_LOCAL_ADDRESS,
    PROPERTY_LOCAL_PORT,
    PROPERTY_REMOTE_ADDRESS,
    PROPERTY_REMOTE_PORT,
    PROPERTY_STATE,
    PROPERTY_PID,
    PROPERTY_CREATED, /* CreationTime: the moment at which the connection was made */
    PROPERTY_LIFE,    /* the time since then, which people compute: (Get-Date) - CreationTime */
    PROPERTY_PROCESS, /* the name of the process, which people add as a calculated property */
    PROPERTY_COUNT
};

/* The properties of one connection. `text` is NULL for a missing one. */
struct conn_record {
    struct token values[PROPERTY_COUNT];
};

/* Finds a property by name: "LocalAddress". Case does not matter. */
enum property property_find(const char *name, size_t length);
/*
 * True if a heading or record with these properties (one bit each) is about connections. conn_record_add() may need
 * more properties than these: then the rows are reported as incomplete.
 */
bool properties_are_of_conn(unsigned properties);
/* The local address of a record without that property: any address of the host. */
extern const struct token any_address;
/* Adds the connection if both endpoints and a state are known. Returns LINE_ROW, or LINE_MALFORMED and adds nothing. */
enum line_kind conn_record_add(struct capture *capture, const struct conn_record *record);

/* True for "10.0.0.5" and for an address that a narrow table has cut: "2a02:8108:8a…". */
bool word_is_address(const struct token *word);
/* True if a record that conn_record_add() refused is an incomplete connection; false if it is other text. */
bool conn_record_is_incomplete(struct capture *capture, const struct conn_record *record);

/* A record whose values come from several lines or buffers, so that they must be copied. */
enum { VALUE_MAX = 127 }; /* the most bytes of a value; the rest is cut */
struct stored_record {
    struct conn_record record;
    char text[PROPERTY_COUNT][VALUE_MAX + 1];
};
void stored_record_set(struct stored_record *stored, enum property property, const char *text, size_t length);

enum line_kind powershell_table_row(struct capture *capture, const struct line *line);
enum line_kind powershell_list_row(struct capture *capture, const struct line *line);
void powershell_list_finish(struct capture *capture);
enum line_kind powershell_csv_row(struct capture *capture, const struct line *line);
unsigned powershell_json_recognise(const struct format *self, const char *bytes, size_t length, bool repairs);
int powershell_json_parse(const struct format *self, struct capture *capture, struct error *err);

struct table_column {
    enum property property;
    size_t start, end; /* of the dashes below the heading; before they are read, of the heading itself */
};
enum { TABLE_COLUMNS_MAX = 24 };
struct powershell_table {
    struct table_column columns[TABLE_COLUMNS_MAX];
    unsigned count;      /* 0: no headings were read */
    unsigned properties; /* bits of the properties that have a column */
    bool has_rule;       /* the line of dashes was read */
};
struct powershell_list {
    struct stored_record record;
    unsigned seen;        /* bits of the properties of the record, also of empty ones; 0: no record is open */
    bool begins_with_end; /* the first property after a blank line was LocalAddress, which begins a whole record */
    bool mixed;           /* it may contain parts of several records */
    struct first_line begin;
};
struct powershell_csv {
    enum property columns[64];
    unsigned count;      /* 0: no headings were read */
    unsigned properties; /* bits of the properties that have a column */
    char separator;
};
