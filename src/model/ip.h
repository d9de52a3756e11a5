#pragma once
/*
 * Addresses. An IPv4 address is kept as the IPv4-mapped IPv6 address ::ffff:a.b.c.d (RFC 4291 §2.5.5.2), so that an
 * IPv6 socket that talks IPv4 and its IPv4 counterpart compare as equal.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"

struct ip {
    uint8_t bytes[16]; /* network order */
};

struct ip_net {
    struct ip address;
    uint8_t prefix; /* 0…128; an IPv4 length plus 96 */
};

static inline struct ip ip_from_v4(const uint8_t bytes[4])
{
    struct ip ip = { .bytes = { [10] = 0xff, [11] = 0xff } };
    memcpy(ip.bytes + 12, bytes, 4);
    return ip;
}
struct ip ip_from_v6(const uint8_t bytes[16]);
/*
 * Makes an address from a word that was printed instead of an address: a host name, or a redacted address. The word is
 * kept in an address that no host can have (::/8 is reserved, RFC 4291 §2.4). It is shown as the word, or as its
 * beginning. Equal names are one host. Equal redacted words ("xxx.xxx.xxx.xxx") may be different hosts.
 */
struct ip ip_from_word(const char *word, size_t length, bool redacted);
bool ip_is_word(const struct ip *ip);
bool ip_is_redacted(const struct ip *ip);
bool ip_is_v4(const struct ip *ip);
bool ip_is_any(const struct ip *ip); /* 0.0.0.0 or :: */
bool ip_is_loopback(const struct ip *ip);
bool ip_equal(const struct ip *a, const struct ip *b);
/* True if both are surely one address: equal, and not redacted. */
bool ip_is_same(const struct ip *a, const struct ip *b);
/* Compares for sorting: IPv4 before IPv6, each by number. Returns <0, 0, >0. */
int ip_compare(const struct ip *a, const struct ip *b);
bool ip_in_net(const struct ip *ip, const struct ip_net *net);
/* The address with the host part cleared: IPv4 to /v4_prefix, IPv6 to /v6_prefix. */
struct ip_net ip_net_of(const struct ip *ip, uint8_t v4_prefix, uint8_t v6_prefix);

/* "10.0.0.5", "2001:db8::1" (RFC 5952) */
void ip_format(struct buf *out, const struct ip *ip);
/* "10.0.0.5:80", "[2001:db8::1]:80"; port 0 prints as "*" */
void ip_port_format(struct buf *out, const struct ip *ip, uint16_t port);
void ip_net_format(struct buf *out, const struct ip_net *net);

/* "10.1.2.3", "10.0.0.0/8", "2001:db8::/32", "[::1]". Returns 0 or -EINVAL. */
int ip_net_parse(const char *text, struct ip_net *ret_net);
