#pragma once
/*
 * Parses an endpoint as the different netstats print it: "10.0.0.5:80", "[fe80::1%3]:80", "::1:80", "*:80"; with a dot
 * before the port "10.0.0.5.80", "fe80::1%lo0.80", "*.80".
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/ip.h"

enum endpoint_result {
    END_OK,
    END_CUT,   /* only the beginning of an IPv6 address is present; the rest is zero */
    END_NAMED, /* a word stands in the place of a number: the capture was made without -n, or something was redacted */
    END_BAD,
};

struct end {
    struct ip address;
    uint16_t port; /* 0 for "*" */
    bool ipv6;     /* written as IPv6 */
    bool any;      /* "*": the family is not known; `address` is 0.0.0.0 */
    bool service;  /* the port was the name of a known service */
    bool no_port;  /* the port was an unknown word; `port` is 0 */
};

/* Parses the whole text of `length` bytes. `separator` is the character before the port: ':' or '.'. */
enum endpoint_result endpoint_parse(const char *text, size_t length, char separator, struct end *ret_end);
/*
 * Parses the most frequent form, "10.0.0.5:80", fast. Returns false for any other form, which endpoint_parse() must
 * parse.
 */
bool endpoint_parse_plain(const char *text, size_t length, char separator, struct ip *ret_address, uint16_t *ret_port);
/* Parses an address without a port. It may have a zone: "fe80::1%3". */
enum endpoint_result address_parse(const char *text, size_t length, struct ip *ret_ip, bool *ret_ipv6);
