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
    struct word values[PROPERTY_COUNT];
};

/* "LocalAddress", in any case. */
enum property property_find(const char *name, size_t length);
/* Whether these are enough to be a connection. */
bool record_is_conn(const struct record *record);
/* Adds it. Returns LINE_ROW, or what it is instead. */
enum line_kind record_add(struct capture *capture, const struct record *record);

/* A record that is made up from several pieces, and so has to be kept. */
enum { VALUE_MOST = 127 }; /* bytes of a value; the rest is cut off */
struct kept_record {
    struct record record;
    char text[PROPERTY_COUNT][VALUE_MOST + 1];
};
void kept_record_set(struct kept_record *kept, enum property property, const char *text, size_t length);

enum line_kind powershell_table_row(struct capture *capture, const struct line *line);
enum line_kind powershell_list_row(struct capture *capture, const struct line *line);
void powershell_list_finish(struct capture *capture);
enum line_kind powershell_csv_row(struct capture *capture, const struct line *line);
unsigned powershell_json_recognise(const struct format *self, const char *bytes, size_t length);
int powershell_json_parse(const struct format *self, struct capture *capture, struct error *err);

struct table_column {
    enum property property;
    size_t start, end; /* where its rule of dashes stands */
};
struct powershell_table {
    struct table_column columns[24];
    unsigned count;
    bool has_rule; /* the dashes below the headings were seen */
};
struct powershell_list {
    struct kept_record record;
    enum property first; /* with which a record begins */
};
struct powershell_csv {
    enum property columns[64];
    unsigned count; /* 0: no headings yet */
    char separator;
};
