/* Endpoints as the different netstats print them. */
#include "source/capture/endpoint.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

/* "10.0.0.5:80", "any:80", "cut …", "named …", "bad" */
static void describe(const char *text, char separator, struct buf *out)
{
    struct end end;
    switch (endpoint_parse(text, strlen(text), separator, &end)) {
    case END_BAD:
        buf_str(out, "bad");
        return;
    case END_NAMED:
        buf_str(out, end.no_port ? "named, no port " : ip_is_redacted(&end.address) ? "redacted " : "named ");
        break;
    case END_CUT:
        buf_str(out, "cut ");
        break;
    case END_OK:
        break;
    }
    if (end.any)
        buf_printf(out, "any:%u", end.port);
    else
        ip_port_format(out, &end.address, end.port);
    buf_str(out, end.ipv6 ? " v6" : "");
}

static void expect(const char *text, char separator, const char *expected)
{
    struct buf found = { 0 };
    describe(text, separator, &found);
    if (strcmp(buf_text(&found), expected) != 0)
        fail_msg("%s: expected %s, found %s", text, expected, buf_text(&found));
    buf_deinit(&found);
}

static void with_a_colon(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "10.0.0.5:80", "10.0.0.5:80" },
        { "0.0.0.0:0", "0.0.0.0:*" },
        { "0.0.0.0:*", "0.0.0.0:*" },
        { "255.255.255.255:65535", "255.255.255.255:65535" },
        { "192.168.1.1%eth0:68", "192.168.1.1:68" },
        { "*:80", "any:80" },
        { "*:*", "any:0" },
        { "[::1]:443", "[::1]:443 v6" },
        { "[::]:0", "[::]:* v6" },
        { "[fe80::5c9a:1d2%7]:445", "[fe80::5c9a:1d2]:445 v6" },
        { "[fe80::1]%eth0:22", "[fe80::1]:22 v6" },
        { "[::ffff:127.0.0.1]:51511", "127.0.0.1:51511 v6" },
        { "::1:36501", "[::1]:36501 v6" },
        { ":::51511", "[::]:51511 v6" },
        { ":::*", "[::]:* v6" },
        { "::ffff:10.0.0.5:443", "10.0.0.5:443 v6" },
        { "2001:db8:1:2:3:4:5:6:443", "[2001:db8:1:2:3:4:5:6]:443 v6" },
        { "2001:db8:85a3:8d3:1:443", "cut [2001:db8:85a3:8d3:1::]:443 v6" },
        { "localhost:ssh", "named 127.0.0.1:22" },
        { "10.0.0.5:http", "named 10.0.0.5:80" },
        { "10.0.0.5:no-such", "named, no port 10.0.0.5:*" },
        { "web-3:443", "named web-3:443" },
        { "[::1]:https", "named [::1]:443 v6" },
        { "xxx.xxx.xxx.xxx:1433", "redacted xxx.xxx.xxx.xxx:1433" },
        { "62.x.x.141:443", "redacted 62.x.x.141:443" },
        { "10.0.*.*:80", "redacted 10.0.*.*:80" },
        { "<IPAddress>:80", "redacted <IPAddress>:80" },
        { "{service}:{port}", "named, no port {service}:*" },
        { "[redacted]:80", "redacted [redacted]:80" },
        { "a.b.c.d:80", "redacted a.b.c.d:80" },
        { "db1.lan.example.net:80", "named db1.lan.exa…:80" },
        { "web.example.org:443", "named web.example.org:443" },
        { "10.0.0.256:80", "bad" },
        { "10.0.0.5:65536", "bad" },
        { "10.0.0.5:", "bad" },
        { "10.0.0.5", "bad" },
        { ":80", "bad" },
        { "", "bad" },
        { "[::1:443", "bad" },
        { "[]:80", "bad" },
        { "1::2::3:80", "bad" },
        { "1:2:3:4:5:6:7:8:9:80", "bad" },
        { "12345::1:80", "bad" },
        { "(10.0.0.5):80", "bad" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect(cases[i][0], ':', cases[i][1]);
}

static void with_a_dot(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "192.168.1.5.52345", "192.168.1.5:52345" },
        { "127.0.0.1.*", "127.0.0.1:*" },
        { "*.8080", "any:8080" },
        { "*.*", "any:0" },
        { "::1.1024", "[::1]:1024 v6" },
        { "fe80::1%lo0.1024", "[fe80::1]:1024 v6" },
        { "2a02:8108:50c0:7.50523", "cut [2a02:8108:50c0:7::]:50523 v6" },
        { "2a02:8108:50c0:.50523", "cut [2a02:8108:50c0::]:50523 v6" },
        { "localhost.ssh", "named 127.0.0.1:22" },
        { "10.0.0.5", "bad" },
        { "10.0", "bad" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect(cases[i][0], '.', cases[i][1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_a_colon),
        cmocka_unit_test(with_a_dot),
    };
    return cmocka_run_group_tests_name("endpoint", tests, NULL, NULL);
}
