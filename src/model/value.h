#pragma once
/*
 * One value of a connection, with its type, to show, sort or group by; and how each type is written in text, JSON and
 * CSV. A value points to strings of the snapshot and owns nothing.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/json.h"
#include "model/ip.h"
#include "model/snapshot.h"

enum value_kind {
    VALUE_UNKNOWN = 0, /* text "-", JSON null, CSV empty */
    VALUE_NUMBER,      /* number */
    VALUE_MS,          /* number: a time in ms; JSON and CSV in seconds */
    VALUE_US,          /* number: a time in us; JSON and CSV in seconds */
    VALUE_TEXT,        /* text from outside, which is escaped; sorted by `number` first, then by text */
    VALUE_ADDRESS,     /* ip */
    VALUE_NET,         /* ip, prefix */
    VALUE_ENDPOINT,    /* ip, port */
    VALUE_SERVICE_IN,  /* port that this host listens on */
    VALUE_SERVICE_OUT, /* ip, port that this host connects to */
    VALUE_HOLDERS,     /* number: index of the first of a list of holders */
};

struct value {
    uint8_t kind; /* enum value_kind */
    uint8_t prefix;
    uint16_t port;
    uint64_t number;
    const char *text;
    struct ip ip;
};

struct value value_unknown(void);
struct value value_number(uint64_t number);
struct value value_ms(uint64_t ms);
struct value value_us(uint64_t us);
struct value value_text(const char *text); /* NULL: unknown */
struct value value_address(const struct ip *ip);
struct value value_endpoint(const struct ip *ip, uint16_t port);

bool value_equal(const struct value *a, const struct value *b);
uint64_t value_hash(const struct value *value, uint64_t seed);
/* Compares for sorting: numbers by size, addresses by number, text by bytes, unknown last. Returns <0, 0, >0. */
int value_compare(const struct value *a, const struct value *b);

/* Only VALUE_HOLDERS needs the snapshot; it may be NULL for other kinds. */
void value_write_text(const struct value *value, const struct snapshot *snapshot, struct buf *out);
void value_write_json(const struct value *value, const struct snapshot *snapshot, struct json *json);
void value_write_csv(const struct value *value, const struct snapshot *snapshot, struct buf *out);

/* A time for a table, without spaces: "840ms", "14s", "4m2s", "4h12m", "2d3h". */
void value_format_ms(struct buf *out, uint64_t ms);
