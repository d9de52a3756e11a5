#include "source/capture/saved/redact.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#include "fixture.h"
#include "source/capture/saved/redact_text.h"
#include "source/capture/format.h"

static const struct redact_key key = { { { UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908) } } };

static struct ip address(const char *text)
{
    struct ip_net net;
    assert_int_equal(ip_net_parse(text, &net), 0);
    return net.address;
}

static struct ip redacted(const char *text)
{
    struct ip ip = address(text);
    return redact_address(&ip, &key);
}

/* The last test vector of the paper: the bytes 0 … 14. */
static void siphash_is_siphash(void **state)
{
    (void)state;
    uint8_t bytes[15];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    assert_true(siphash(&key.hash, bytes, sizeof bytes) == UINT64_C(0xa129ca6149be45e5));
    assert_true(siphash(&key.hash, bytes, 0) == UINT64_C(0x726fdb47dd0e0e31));
}

static void what_is_everybodys_stays(void **state)
{
    (void)state;
    static const char *const texts[] = { "0.0.0.0", "::", "127.0.0.1", "127.0.0.53", "::1" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct ip before = address(texts[i]), after = redacted(texts[i]);
        assert_true(ip_equal(&before, &after));
    }
}

/* The number of leading bits that two addresses share. */
static unsigned shared_bits(const struct ip *one, const struct ip *other)
{
    unsigned bits = 0;
    while (bits < 128 && ((one->bytes[bits / 8] ^ other->bytes[bits / 8]) >> (7 - bits % 8) & 1) == 0)
        bits++;
    return bits;
}

static void networks_stay_networks(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        { "10.0.0.5", "10.0.0.6" },
        { "10.0.0.5", "10.0.0.133" },
        { "10.0.0.5", "10.0.1.5" },
        { "192.168.7.1", "192.168.200.1" },
        { "2001:db8::1", "2001:db8::2" },
        { "2001:db8:0:1::1", "2001:db8:0:2::1" },
        { "fe80::1", "fe80::abcd" },
        { "fd00::1", "fd00:1::1" },
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct ip one = address(pairs[i][0]), other = address(pairs[i][1]);
        struct ip hidden = redacted(pairs[i][0]), hidden_other = redacted(pairs[i][1]);
        assert_false(ip_equal(&one, &hidden));
        assert_int_equal(shared_bits(&hidden, &hidden_other), shared_bits(&one, &other));
        assert_int_equal(ip_is_v4(&hidden), ip_is_v4(&one));
        assert_false(ip_is_any(&hidden) || ip_is_loopback(&hidden));
    }
}

/* Link-local and multicast addresses keep their kind, and no other address gets it. */
static void kinds_stay_kinds(void **state)
{
    (void)state;
    struct ip link = redacted("fe80::1"), many = redacted("ff02::2"), many4 = redacted("224.0.0.9");
    assert_int_equal(link.bytes[0], 0xfe);
    assert_int_equal(link.bytes[1], 0x80);
    assert_int_equal(many.bytes[0], 0xff);
    assert_true(many4.bytes[12] >= 224);
    for (unsigned i = 1; i < 224; i++) {
        struct ip ip = ip_from_v4((const uint8_t[]){ (uint8_t)i, 1, 2, 3 });
        struct ip hidden = redact_address(&ip, &key);
        assert_true(i == 127 || (hidden.bytes[12] != 0 && hidden.bytes[12] != 127 && hidden.bytes[12] < 224));
    }
}

static int compare_ips(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct ip));
}

static void no_two_become_one(void **state)
{
    (void)state;
    enum { COUNT = 50000 };
    struct ip *all = calloc(COUNT, sizeof *all);
    for (uint32_t i = 0; i < COUNT; i++) {
        uint32_t number = i * 85817; /* over the whole range */
        struct ip ip = ip_from_v4((const uint8_t[]){
            (uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number });
        all[i] = redact_address(&ip, &key);
    }
    qsort(all, COUNT, sizeof *all, compare_ips);
    for (size_t i = 1; i < COUNT; i++)
        assert_false(ip_equal(&all[i - 1], &all[i]));
    free(all);
}

static void another_key_makes_other_names(void **state)
{
    (void)state;
    static const struct redact_key other = { { { 5, 6 } } };
    struct ip ip = address("10.0.0.5");
    struct ip one = redact_address(&ip, &key), two = redact_address(&ip, &other);
    assert_false(ip_equal(&one, &two));
}

static void names_are_the_same_for_the_same(void **state)
{
    (void)state;
    struct snapshot snapshot;
    fixture_must(&snapshot,
        "process 812 nginx user=www uid=33 unit=web@1.service command=\"nginx -g secret\"\n"
        "wait 812 S call=read fd=3 target=\"the ESTABLISHED connection to 10.1.2.3:5432\"\n"
        "wait 812 D call=read fd=4 target=/srv/secret\n"
        "wait 812 S call=read fd=5 target=pipe:[17]\n"
        "process 813 nginx user=root uid=0\n"
        "process 814 systemd\n"
        "conn ESTABLISHED 10.0.0.5:80 10.1.2.3:5432 holders=812:4\n");
    snapshot_redact(&snapshot, &key);
    const struct process *one = &snapshot.processes[0], *other = &snapshot.processes[1];
    assert_string_equal(one->name, other->name);
    assert_null(strstr(one->name, "nginx"));
    assert_null(strstr(one->command, "secret"));
    assert_null(strstr(one->user, "www"));
    assert_non_null(strstr(one->unit, ".service"));
    assert_null(strstr(one->unit, "web"));
    assert_string_not_equal(one->command + strlen("command"), one->name + strlen("proc"));
    assert_string_equal(other->user, "root");
    assert_int_equal(other->uid, 0);
    assert_true(one->uid >= 100000);
    assert_int_equal(one->uid, snapshot.conns[0].uid);
    assert_string_equal(snapshot.processes[2].name, "systemd");
    struct buf expected = { 0 };
    buf_str(&expected, "the ESTABLISHED connection to ");
    ip_port_format(&expected, &snapshot.conns[0].remote, 5432);
    assert_string_equal(one->waits[0].target, buf_text(&expected));
    buf_deinit(&expected);
    assert_null(strstr(one->waits[1].target, "secret"));
    assert_string_equal(one->waits[2].target, "pipe:[17]");
    assert_int_equal(snapshot.conns[0].local_port, 80);
    snapshot_deinit(&snapshot);
}

/* A file may come from anybody. Text stays only if its value or form is known, wherever it is. */
static void what_is_not_known_goes(void **state)
{
    (void)state;
    struct snapshot snapshot;
    fixture_must(&snapshot,
        "netns net:[secret inode=7\nnetns net:[4026532281] inode=8\nprocess 812 nginx\n"
        "wait 812 S channel=secret call=secret fd=1 target=pipe:[secret\n"
        "wait 812 S channel=ep_poll call=epoll_wait fd=2 target=socket:[secret]\n"
        "wait 812 S call=read fd=3 target=\"the secret on 10.1.2.3:80\"\n"
        "wait 812 S call=read fd=4 target=\"the listener on 10.1.2.3:secret\"\n"
        "wait 812 S call=read fd=5 target=\"the SECRET connection to 10.1.2.3:80\"\n"
        "wait 812 S call=read fd=6 target=anon_inode:[secret]\n"
        "wait 812 S call=read fd=7 target=\"the listener on 0.0.0.0:80\"\n"
        "wait 812 S call=read fd=8 target=socket:[17]\n"
        "conn LISTEN *:80 holders=812:4\ngap secret text=secret remedy=secret\n"
        "gap owners-hidden text=secret remedy=root\n");
    snapshot.os = "secret";
    snapshot.source = "secret";
    snapshot.kernel = "6.1.0-13-secret";
    snapshot.gaps[0].is_read = true;
    snapshot_redact(&snapshot, &key);
    assert_null(snapshot.os);
    assert_null(snapshot.source);
    assert_string_equal(snapshot.kernel, "6.1.0-13");
    const struct process *process = &snapshot.processes[0];
    for (size_t i = 0; i < process->wait_count; i++) {
        const struct wait_place *wait = &process->waits[i];
        assert_true(wait->channel == NULL || strstr(wait->channel, "secret") == NULL);
        assert_null(strstr(wait->call, "secret"));
        assert_true(strstr(wait->target, "secret") == NULL && strstr(wait->target, "SECRET") == NULL);
    }
    assert_string_equal(process->waits[1].channel, "ep_poll");
    assert_string_equal(process->waits[1].call, "epoll_wait");
    assert_string_equal(process->waits[6].target, "the listener on 0.0.0.0:80");
    assert_string_equal(process->waits[7].target, "socket:[17]");
    assert_null(strstr(snapshot.netns[0].name, "secret"));
    assert_string_equal(snapshot.netns[1].name, "net:[4026532281]");
    assert_null(strstr(snapshot.gaps[0].id, "secret"));
    assert_null(strstr(snapshot.gaps[0].text, "secret"));
    assert_null(strstr(snapshot.gaps[0].remedy, "secret"));
    assert_string_equal(snapshot.gaps[1].id, "owners-hidden");
    assert_string_equal(snapshot.gaps[1].remedy, "root");
    snapshot_deinit(&snapshot);
}

/* A new format must be added there. Otherwise a redacted snapshot would not say where it comes from. */
static void every_source_is_known(void **state)
{
    (void)state;
    for (const struct format *format = formats; format->id != NULL; format++)
        assert_true(redact_is_source(format->id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash_is_siphash),
        cmocka_unit_test(what_is_everybodys_stays),
        cmocka_unit_test(networks_stay_networks),
        cmocka_unit_test(kinds_stay_kinds),
        cmocka_unit_test(no_two_become_one),
        cmocka_unit_test(another_key_makes_other_names),
        cmocka_unit_test(names_are_the_same_for_the_same),
        cmocka_unit_test(what_is_not_known_goes),
        cmocka_unit_test(every_source_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
