#include "source/capture/endpoint.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

#include "model/service_names.h"

enum { GROUPS = 8 };

/* The value of the digit at `at`. For anything else, and at the end, it is more than 9. */
static inline unsigned digit_at(const char *at, const char *end)
{
    return at < end ? (unsigned)(*at - '0') : UINT_MAX;
}

/* Reads "10.0.0.5" up to the first character that does not belong to it. Returns its length, or 0. */
static inline size_t scan_v4(const char *text, size_t length, uint8_t out[4])
{
    enum { NINE = 9 };
    if (length == 0)
        return 0;
    const char *at = text, *end = text + length;
    for (unsigned part = 0; part < 4; part++) {
        unsigned value = digit_at(at, end), digit;
        if (value > NINE)
            return 0;
        if ((digit = digit_at(++at, end)) <= NINE) {
            value = value * 10 + digit;
            if ((digit = digit_at(++at, end)) <= NINE) {
                value = value * 10 + digit;
                at++;
            }
        }
        if (value > UINT8_MAX || (part < 3 && (at == end || *at++ != '.')))
            return 0;
        out[part] = (uint8_t)value;
    }
    return digit_at(at, end) > NINE ? (size_t)(at - text) : 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Parses the whole text as an IPv6 address (RFC 4291 §2.2), also with an IPv4 address at its end. */
static enum endpoint_result parse_v6(const char *text, size_t length, struct ip *ret_ip)
{
    uint8_t bytes[2 * GROUPS] = { 0 };
    unsigned groups = 0;
    int gap = -1; /* the group before which "::" stands */
    size_t at = 0;
    if (length >= 2 && text[0] == ':' && text[1] == ':') {
        gap = 0;
        at = 2;
    }
    while (at < length && groups < GROUPS) {
        uint8_t v4[4];
        unsigned value = 0, digits = 0;
        size_t start = at;
        for (int digit; at < length && digits < 5 && (digit = hex_digit(text[at])) >= 0; at++, digits++)
            value = value << 4 | (unsigned)digit;
        if (at < length && text[at] == '.' && groups <= GROUPS - 2 &&
            scan_v4(text + start, length - start, v4) == length - start) {
            memcpy(bytes + (size_t)groups * 2, v4, sizeof v4);
            groups += 2;
            at = length;
            break;
        }
        if (digits == 0 || digits > 4)
            return END_BAD;
        bytes[groups * 2] = (uint8_t)(value >> 8);
        bytes[groups * 2 + 1] = (uint8_t)value;
        groups++;
        if (at == length)
            break;
        if (text[at++] != ':')
            return END_BAD;
        if (at < length && text[at] == ':') {
            if (gap >= 0)
                return END_BAD;
            gap = (int)groups;
            at++;
        } else if (at == length && gap < 0) {
            break; /* the text ends after a colon: it is cut */
        }
    }
    if (at < length)
        return END_BAD;
    if (gap >= 0 && groups < GROUPS) {
        size_t behind = (groups - (size_t)gap) * 2;
        memmove(bytes + sizeof bytes - behind, bytes + (size_t)gap * 2, behind);
        memset(bytes + (size_t)gap * 2, 0, (GROUPS - groups) * 2);
    }
    *ret_ip = ip_from_v6(bytes);
    return gap < 0 && groups < GROUPS ? END_CUT : END_OK;
}

/* --- words -------------------------------------------------------------------------------------------------------- */

/* Printable characters. One of them is a letter, or one that people use to mask: "web-3", "<IPAddress>", "10.0.*.*". */
static bool is_word(const char *text, size_t length)
{
    enum { LENGTH_MAX = 255 };
    bool tells = false;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (c <= ' ' || c >= 0x7f || c == ':' || c == ',' || c == ';' || c == '"' || c == '=')
            return false;
        tells |= ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || strchr("*<{#?$", c) != NULL;
    }
    return tells && length <= LENGTH_MAX;
}

/* "xxx.xxx.xxx.xxx", "62.x.x.141", "a.b.c.d": four parts; letters may stand for their numbers. */
static bool is_masked_v4(const char *text, size_t length)
{
    unsigned parts = 1, in_part = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '.') {
            parts++;
            in_part = 0;
        } else if (++in_part > 3 ||
            (in_part > 1 && text[i - 1] != text[i] &&
                !(text[i] >= '0' && text[i] <= '9' && text[i - 1] >= '0' && text[i - 1] <= '9'))) {
            return false;
        }
    }
    return parts == 4;
}

/* True for a word that masks an address: it may stand for any address. */
static bool is_redacted(const char *text, size_t length)
{
    static const char *const words[] = { "ip", "ipaddress", "ip-address", "ip_address", "redacted", "removed", "hidden",
        "masked", "censored", "myip", "my-ip", "my_ip", "serverip", "server-ip", "server_ip", "clientip", "client-ip",
        "client_ip", "localip", "local-ip", "remoteip", "remote-ip", "publicip", "public-ip", "x", "xx", "xxx",
        "xxxx" };
    for (size_t i = 0; i < length; i++) {
        if (strchr("*<>{}[]#?$", text[i]) != NULL)
            return true;
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strlen(words[i]) == length && strncasecmp(words[i], text, length) == 0)
            return true;
    }
    bool only_x = true;
    for (size_t i = 0; i < length; i++)
        only_x &= (text[i] | 0x20) == 'x' || text[i] == '.' || text[i] == '-';
    return only_x || is_masked_v4(text, length);
}

/* Names that every host has for itself. */
static bool is_localhost(const char *text, size_t length)
{
    static const char *const names[] = { "localhost", "localhost.localdomain", "localhost.local", "localhost6",
        "ip6-localhost", "ip6-loopback", "localhost.localdom", "localhost6.localdomain6" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strlen(names[i]) == length && strncasecmp(names[i], text, length) == 0)
            return true;
    }
    return false;
}

static enum endpoint_result parse_word(const char *text, size_t length, struct ip *ret_ip)
{
    static const uint8_t loopback[4] = { 127, 0, 0, 1 };
    if (!is_word(text, length))
        return END_BAD;
    if (is_localhost(text, length))
        *ret_ip = ip_from_v4(loopback);
    else
        *ret_ip = ip_from_word(text, length, is_redacted(text, length));
    return END_NAMED;
}

enum endpoint_result address_parse(const char *text, size_t length, struct ip *ret_ip, bool *ret_ipv6)
{
    uint8_t v4[4];
    *ret_ipv6 = false;
    if (length == 0)
        return END_BAD;
    size_t bare = scan_v4(text, length, v4);
    if (bare > 0 && (bare == length || text[bare] == '%')) {
        *ret_ip = ip_from_v4(v4);
        return END_OK;
    }
    const char *zone = memchr(text, '%', length);
    bare = zone != NULL ? (size_t)(zone - text) : length;
    if (memchr(text, ':', bare) != NULL) {
        *ret_ipv6 = true;
        return parse_v6(text, bare, ret_ip);
    }
    return parse_word(text, bare, ret_ip);
}

/* Parses "80", "*", or the name of a service. For any other word the port is 0. */
static enum endpoint_result parse_port(const char *text, size_t length, uint16_t *ret_port)
{
    unsigned value = 0;
    if (length == 1 && text[0] == '*') {
        *ret_port = 0;
        return END_OK;
    }
    if (length == 0)
        return END_BAD;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') {
            *ret_port = service_port(text, length);
            return is_word(text, length) ? END_NAMED : END_BAD;
        }
        value = value * 10 + (unsigned)(text[i] - '0');
        if (value > UINT16_MAX)
            return END_BAD;
    }
    *ret_port = (uint16_t)value;
    return END_OK;
}

bool endpoint_parse_plain(const char *text, size_t length, char separator, struct ip *ret_address, uint16_t *ret_port)
{
    enum { DIGITS_MAX = 5 };
    uint8_t v4[4];
    size_t at = scan_v4(text, length, v4);
    if (at == 0 || at + 1 >= length || length - at > 1 + DIGITS_MAX || text[at] != separator)
        return false;
    unsigned port = 0;
    for (const char *next = text + at + 1, *end = text + length; next < end; next++) {
        unsigned digit = (unsigned)(*next - '0');
        if (digit > 9)
            return false;
        port = port * 10 + digit;
    }
    if (port > UINT16_MAX)
        return false;
    *ret_address = ip_from_v4(v4);
    *ret_port = (uint16_t)port;
    return true;
}

enum endpoint_result endpoint_parse(const char *text, size_t length, char separator, struct end *ret_end)
{
    static const uint8_t any[4];
    struct end end = { 0 };
    if (endpoint_parse_plain(text, length, separator, &end.address, &end.port)) {
        *ret_end = end;
        return END_OK;
    }
    const char *last = memrchr(text, separator, length);
    if (last == NULL || last == text)
        return END_BAD;
    size_t address_length = (size_t)(last - text);
    enum endpoint_result port = parse_port(last + 1, length - address_length - 1, &end.port);
    if (port == END_BAD)
        return END_BAD;
    end.service = port == END_NAMED && end.port != 0;
    end.no_port = port == END_NAMED && end.port == 0;
    enum endpoint_result address = END_OK;
    if (address_length == 1 && text[0] == '*') {
        end.any = true;
        end.address = ip_from_v4(any);
    } else if (text[0] == '[') {
        const char *close = memchr(text, ']', address_length); /* a zone may follow: "[fe80::1]%eth0:80" */
        if (close == NULL)
            return END_BAD;
        if (memchr(text, ':', address_length) == NULL) /* "[redacted]" */
            address = parse_word(text, address_length, &end.address);
        else
            address = address_parse(text + 1, (size_t)(close - text) - 1, &end.address, &end.ipv6);
    } else {
        address = address_parse(text, address_length, &end.address, &end.ipv6);
    }
    *ret_end = end;
    return address == END_OK || address == END_CUT ? (port == END_NAMED ? port : address) : address;
}
