#include "source/capture/endpoint.h"

#include <limits.h>
#include <string.h>

enum { GROUPS = 8 };

/* The value of a digit that is there; anything else is more than 9. */
static inline unsigned digit_at(const char *at, const char *end)
{
    return at < end ? (unsigned)(*at - '0') : UINT_MAX;
}

/* "10.0.0.5" up to the first character that does not belong to it. Returns its length, or 0. */
static inline size_t take_v4(const char *text, size_t length, uint8_t out[4])
{
    enum { NINE = 9 };
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

/* The whole text as IPv6 (RFC 4291 §2.2), dotted end and all. */
static enum endpoint_result parse_v6(const char *text, size_t length, struct ip *ret_ip)
{
    uint8_t bytes[2 * GROUPS] = { 0 };
    unsigned groups = 0;
    int gap = -1; /* the group that "::" stands before */
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
            take_v4(text + start, length - start, v4) == length - start) {
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
            break; /* cut behind a colon */
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

static bool is_name_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
        c == '_' || c == '+' || c == '/';
}

static bool is_name(const char *text, size_t length)
{
    bool letter = false;
    for (size_t i = 0; i < length; i++) {
        if (!is_name_character(text[i]))
            return false;
        letter |= (text[i] | 0x20) >= 'a' && (text[i] | 0x20) <= 'z';
    }
    return letter;
}

enum endpoint_result address_parse(const char *text, size_t length, struct ip *ret_ip, bool *ret_ipv6)
{
    uint8_t v4[4];
    size_t bare = take_v4(text, length, v4);
    *ret_ipv6 = false;
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
    return is_name(text, bare) ? END_NAMED : END_BAD;
}

/* "80", "*"; a name of a service. */
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
        if (text[i] < '0' || text[i] > '9')
            return is_name(text, length) ? END_NAMED : END_BAD;
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
    size_t at = take_v4(text, length, v4);
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
    enum endpoint_result address = END_OK;
    if (address_length == 1 && text[0] == '*') {
        end.any = true;
        end.address = ip_from_v4(any);
    } else if (text[0] == '[') {
        const char *close = memchr(text, ']', address_length); /* a zone may follow: "[fe80::1]%eth0:80" */
        if (close == NULL)
            return END_BAD;
        address = address_parse(text + 1, (size_t)(close - text) - 1, &end.address, &end.ipv6);
    } else {
        address = address_parse(text, address_length, &end.address, &end.ipv6);
    }
    *ret_end = end;
    return address == END_OK || address == END_CUT ? (port == END_NAMED ? port : address) : address;
}
