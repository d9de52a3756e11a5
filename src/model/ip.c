#include "model/ip.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/text.h"

static const uint8_t mapped_prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
enum { MAPPED_BITS = 96 };

struct ip ip_from_v6(const uint8_t bytes[16])
{
    struct ip ip;
    memcpy(ip.bytes, bytes, 16);
    return ip;
}

/*
 * The address that stands for a word: a zero byte, the kind, and 14 bytes with up to 16 letters of 7 bits
 * ("xxx.xxx.xxx.xxx"). A longer word has its first letters and a hash of all.
 */
enum word_kind { WORD_REDACTED_CUT = 0xfc, WORD_REDACTED = 0xfd, WORD_NAME_CUT = 0xfe, WORD_NAME = 0xff };
enum { WORD_START = 2, WORD_LETTERS = 16, WORD_HASH_AT = 12, WORD_CUT_LETTERS = (WORD_HASH_AT - WORD_START) * 8 / 7 };

static void put_letter(struct ip *ip, size_t at, char letter)
{
    for (size_t bit = 0; bit < 7; bit++) {
        size_t to = at * 7 + bit;
        ip->bytes[WORD_START + to / 8] |= (uint8_t)(((unsigned)letter >> bit & 1) << to % 8);
    }
}

static char get_letter(const struct ip *ip, size_t at)
{
    unsigned letter = 0;
    for (size_t bit = 0; bit < 7; bit++) {
        size_t from = at * 7 + bit;
        letter |= (ip->bytes[WORD_START + from / 8] >> from % 8 & 1U) << bit;
    }
    return (char)letter;
}

struct ip ip_from_word(const char *word, size_t length, bool redacted)
{
    struct ip ip = { 0 };
    bool cut = length > WORD_LETTERS;
    ip.bytes[1] = redacted ? (cut ? WORD_REDACTED_CUT : WORD_REDACTED) : (cut ? WORD_NAME_CUT : WORD_NAME);
    size_t kept = cut ? WORD_CUT_LETTERS : length;
    for (size_t i = 0; i < kept; i++)
        put_letter(&ip, i, word[i]);
    if (cut) {
        uint32_t hash = 2166136261U; /* FNV-1a */
        for (size_t i = 0; i < length; i++)
            hash = (hash ^ (uint8_t)word[i]) * 16777619U;
        memcpy(ip.bytes + WORD_HASH_AT, &hash, sizeof hash);
    }
    return ip;
}

bool ip_is_word(const struct ip *ip)
{
    return ip->bytes[0] == 0 && ip->bytes[1] >= WORD_REDACTED_CUT;
}

bool ip_is_redacted(const struct ip *ip)
{
    return ip_is_word(ip) && ip->bytes[1] <= WORD_REDACTED;
}

static void format_word(struct buf *out, const struct ip *ip)
{
    bool cut = ip->bytes[1] == WORD_REDACTED_CUT || ip->bytes[1] == WORD_NAME_CUT;
    size_t letters = cut ? WORD_CUT_LETTERS : WORD_LETTERS;
    for (size_t i = 0; i < letters && get_letter(ip, i) != 0; i++) {
        char letter = get_letter(ip, i);
        buf_char(out, letter > ' ' && letter < 0x7f ? letter : '?');
    }
    buf_str(out, cut ? "\u2026" : "");
}

bool ip_is_v4(const struct ip *ip)
{
    return memcmp(ip->bytes, mapped_prefix, sizeof mapped_prefix) == 0;
}

bool ip_is_any(const struct ip *ip)
{
    static const uint8_t zero[16];
    return ip_is_v4(ip) ? memcmp(ip->bytes + 12, zero, 4) == 0 : memcmp(ip->bytes, zero, 16) == 0;
}

bool ip_is_loopback(const struct ip *ip)
{
    static const uint8_t one[16] = { [15] = 1 };
    return ip_is_v4(ip) ? ip->bytes[12] == 127 : memcmp(ip->bytes, one, 16) == 0;
}

bool ip_equal(const struct ip *a, const struct ip *b)
{
    return memcmp(a->bytes, b->bytes, 16) == 0;
}

bool ip_is_same(const struct ip *a, const struct ip *b)
{
    return ip_equal(a, b) && !ip_is_redacted(a);
}

int ip_compare(const struct ip *a, const struct ip *b)
{
    bool v4_a = ip_is_v4(a), v4_b = ip_is_v4(b);
    if (v4_a != v4_b)
        return v4_a ? -1 : 1;
    return memcmp(a->bytes, b->bytes, 16);
}

static void clear_host_part(struct ip *ip, unsigned prefix)
{
    for (unsigned i = 0; i < 16; i++) {
        unsigned first_bit = i * 8;
        if (first_bit >= prefix)
            ip->bytes[i] = 0;
        else if (prefix - first_bit < 8)
            ip->bytes[i] &= (uint8_t)(0xff << (8 - (prefix - first_bit)));
    }
}

bool ip_in_net(const struct ip *ip, const struct ip_net *net)
{
    struct ip masked = *ip;
    clear_host_part(&masked, net->prefix);
    return ip_equal(&masked, &net->address);
}

struct ip_net ip_net_of(const struct ip *ip, uint8_t v4_prefix, uint8_t v6_prefix)
{
    struct ip_net net = { .address = *ip, .prefix = ip_is_v4(ip) ? (uint8_t)(MAPPED_BITS + v4_prefix) : v6_prefix };
    clear_host_part(&net.address, net.prefix);
    return net;
}

void ip_format(struct buf *out, const struct ip *ip)
{
    char text[INET6_ADDRSTRLEN];
    if (ip_is_word(ip)) {
        format_word(out, ip);
        return;
    }
    if (ip_is_v4(ip))
        inet_ntop(AF_INET, ip->bytes + 12, text, sizeof text);
    else
        inet_ntop(AF_INET6, ip->bytes, text, sizeof text);
    buf_str(out, text);
}

void ip_port_format(struct buf *out, const struct ip *ip, uint16_t port)
{
    bool brackets = !ip_is_v4(ip) && !ip_is_word(ip);
    if (brackets)
        buf_char(out, '[');
    ip_format(out, ip);
    buf_str(out, brackets ? "]:" : ":");
    if (port == 0)
        buf_char(out, '*');
    else
        buf_printf(out, "%u", port);
}

void ip_net_format(struct buf *out, const struct ip_net *net)
{
    ip_format(out, &net->address);
    buf_printf(out, "/%u", ip_is_v4(&net->address) ? net->prefix - MAPPED_BITS : net->prefix);
}

int ip_net_parse(const char *text, struct ip_net *ret_net)
{
    char address[INET6_ADDRSTRLEN + 2];
    const char *slash = strchr(text, '/');
    size_t length = slash ? (size_t)(slash - text) : strlen(text);
    if (length >= 2 && text[0] == '[' && text[length - 1] == ']') {
        text++;
        length -= 2;
    }
    if (length >= sizeof address)
        return -EINVAL;
    memcpy(address, text, length);
    address[length] = '\0';

    struct ip_net net;
    uint8_t bytes[16];
    unsigned base, most;
    if (inet_pton(AF_INET, address, bytes) == 1) {
        net.address = ip_from_v4(bytes);
        base = MAPPED_BITS;
        most = 32;
    } else if (inet_pton(AF_INET6, address, bytes) == 1) {
        net.address = ip_from_v6(bytes);
        if (ip_is_word(&net.address)) /* no host can have such an address: ip_from_word() */
            return -EINVAL;
        base = 0;
        most = 128;
    } else {
        return -EINVAL;
    }
    uint64_t prefix = most;
    if (slash != NULL && text_parse_number(slash + 1, most, &prefix) < 0)
        return -EINVAL;
    net.prefix = (uint8_t)(base + prefix);
    clear_host_part(&net.address, net.prefix);
    *ret_net = net;
    return 0;
}
