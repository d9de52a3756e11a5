#pragma once
/*
 * An end of a connection as the different netstats write it: "10.0.0.5:80", "[fe80::1%3]:80", "::1:80", "*:80", and
 * with a dot before the port "10.0.0.5.80", "fe80::1%lo0.80", "*.80".
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/ip.h"

enum endpoint_result {
    END_OK,
    END_CUT,   /* an IPv6 address of which only the beginning is there; the rest is zero */
    END_NAMED, /* a word stands where a number belongs: the capture was taken without -n, or something was redacted */
    END_BAD,
};

struct end {
    struct ip address;
    uint16_t port; /* 0 where there is "*" */
    bool ipv6;     /* as it was written */
    bool any;      /* "*": the family is not said; address is 0.0.0.0 */
    bool service;  /* the port is the name of a service that is known */
    bool no_port;  /* a word stands there that is no known service: port is 0 */
};

/* The whole text, `length` bytes. `separator` stands before the port: ':' or '.'. */
enum endpoint_result endpoint_parse(const char *text, size_t length, char separator, struct end *ret_end);
/*
 * By far the most, fast: "10.0.0.5:80". False, with the outputs untouched, for anything else, which endpoint_parse()
 * then looks at with care.
 */
bool endpoint_parse_plain(const char *text, size_t length, char separator, struct ip *ret_address, uint16_t *ret_port);
/* An address alone, a zone behind it or not. */
enum endpoint_result address_parse(const char *text, size_t length, struct ip *ret_ip, bool *ret_ipv6);
