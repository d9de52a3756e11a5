/* Lines between the rows, damaged rows, and texts that are not captures: all are counted and reported. */
#include "source/capture/capture.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "captured.h"
#include "source/capture/format.h"
#include "unit.h"
#include "source/capture/input/open.h"

#define ROW "  TCP    10.0.0.5:9100         10.1.2.3:50122         CLOSE_WAIT      4312\n"
#define NEXT_ROW "  TCP    10.0.0.5:9100         10.1.2.3:50123         CLOSE_WAIT      4312\n"

static const struct gap *find_gap(const struct snapshot *snapshot, const char *id)
{
    for (size_t i = 0; i < snapshot->gap_count; i++) {
        if (strcmp(snapshot->gaps[i].id, id) == 0)
            return &snapshot->gaps[i];
    }
    return NULL;
}

static void expect_gap(const char *text, const char *id, const char *part)
{
    struct snapshot snapshot;
    captured(&snapshot, text, strlen(text));
    const struct gap *gap = find_gap(&snapshot, id);
    if (gap == NULL || strstr(gap->text, part) == NULL)
        fail_msg("%s\nexpected %s: %s, found %s", text, id, part, gap ? gap->text : "none");
    snapshot_deinit(&snapshot);
}

static void expect_origin(const char *text, const char *origin)
{
    struct snapshot snapshot;
    captured(&snapshot, text, strlen(text));
    assert_string_equal(snapshot.origin, origin);
    assert_null(find_gap(&snapshot, "lines-not-understood"));
    snapshot_deinit(&snapshot);
}

static void what_stands_around_is_counted(void **state)
{
    (void)state;
    expect_origin(ROW, "Windows netstat: 1 row");
    expect_origin("C:\\>netstat -ano\n\nActive Connections\n" ROW "  UDP    0.0.0.0:123  *:*  1100\n\nC:\\>\n",
        "Windows netstat: 1 row, 1 row of other protocols, 3 other lines");
    expect_origin("Microsoft Windows [Version 10.0.20348.2322]\nFri Nov 20 14:00:23 UTC 2026\n" ROW,
        "Windows netstat: 1 row, 2 other lines");
    expect_origin("[root@10-0-0-5 ~]# ss -tan\nState Recv-Q Send-Q Local Address:Port Peer Address:Port\n"
                  "ESTAB 0 0 10.0.0.5:80 10.1.2.3:5\n",
        "ss: 1 row, 2 other lines");
}

static void damaged_lines_are_named(void **state)
{
    (void)state;
    expect_gap("x\n" ROW "  TCP    10.0.0.5:91\n" ROW, "lines-not-understood",
        "read 2 rows, 1 line not understood: at line 3");
    expect_gap(ROW "  TCP    10.0.0.5:9100         10.1.2.3:50122\nCLOSE_WAIT      4312\n" ROW, "lines-not-understood",
        "2 lines not understood: first at line 2");
    expect_gap(
        ROW "  TCP    10.0.0.5:9100         10.1.2.3:99999         CLOSE_WAIT\n" ROW, "lines-not-understood", "line 2");
    expect_gap(ROW "10.0.0.5:9100 10.1.2.3:50122\n" ROW, "lines-not-understood", "line 2");
    expect_gap("ESTAB 0 0 10.0.0.5:80 10.1.2.3:5\nESTAB 0 0 10.0.0.5:80\n", "lines-not-understood", "line 2");
    expect_gap(
        "[{\"LocalAddress\":\"::\",\"LocalPort\":1,\"RemoteAddress\":\"::\",\"RemotePort\":2,\"State\":5},\n{\"Local",
        "lines-not-understood", "at line 2, \"the end");
}

/* A record is reported by its first line, although only the blank line after it ends it. */
static void records_are_named_by_their_first_line(void **state)
{
    (void)state;
#define RECORD "LocalAddress : ::1\nLocalPort : 80\nRemoteAddress : ::1\nRemotePort : 5\nState : Bound\n"
    expect_gap("RemotePort : 5\nState : Bound\n\n" RECORD "\n", "lines-not-understood",
        "read 1 row, 1 line not understood: at line 1, \"RemotePort : 5\"");
    expect_gap(RECORD "\nLocalAddress : ::1\nLocalPort : 80\n", "lines-not-understood",
        "read 1 row, 1 line not understood: at line 7, \"LocalAddress : ::1\"");
    expect_origin("PS C:\\> Get-NetTCPConnection | fl\n\n\n" RECORD "\n\n" RECORD "\n\n\n",
        "Get-NetTCPConnection | Format-List: 2 rows, 1 other line");
}

static void names_and_cut_addresses_are_said(void **state)
{
    (void)state;
    expect_gap("tcp 0 0 10.0.0.5:80 10.1.2.3:5 ESTABLISHED\ntcp 0 0 web:http 10.1.2.3:5 ESTABLISHED\n",
        "names-for-addresses",
        "in 1 row words stand where numbers belong (local address in 1, name of a known service in the place of its "
        "port in 1), first \"web:http, 10.1.2.3:5\"");
    expect_gap("tcp6 0 0 2001:db8:85a3:8d3:1:443 ::1:5 CLOSE_WAIT\n", "addresses-cut", "in 1 row");
}

static void any_line_end_and_encoding(void **state)
{
    (void)state;
    static const char lf[] = ROW NEXT_ROW,
                      crlf[] = "  TCP 1.2.3.4:5 1.2.3.4:6 TIME_WAIT\r\n  TCP 1.2.3.4:5 1.2.3.4:7 TIME_WAIT\r\n",
                      cr[] = "  TCP 1.2.3.4:5 1.2.3.4:6 TIME_WAIT\r  TCP 1.2.3.4:5 1.2.3.4:7 TIME_WAIT\r",
                      double_cr[] =
                          "  TCP 1.2.3.4:5 1.2.3.4:6 TIME_WAIT\r\r\n  TCP 1.2.3.4:5 1.2.3.4:7 TIME_WAIT\r\r\n",
                      no_end[] = ROW "  TCP 1.2.3.4:5 1.2.3.4:6 TIME_WAIT", bom[] = "\xef\xbb\xbf" ROW NEXT_ROW;
    static const char *const texts[] = { lf, crlf, cr, double_cr, no_end, bom };
    struct snapshot snapshot;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        captured(&snapshot, texts[i], strlen(texts[i]));
        assert_int_equal(snapshot.conn_count, 2);
        snapshot_deinit(&snapshot);
    }
    for (int form = 0; form < 3; form++) { /* UTF-16: little-endian with a mark, big-endian with one, little without */
        char wide[2 + 2 * sizeof crlf];
        size_t length = 0;
        if (form != 2) {
            wide[length++] = form == 0 ? '\xff' : '\xfe';
            wide[length++] = form == 0 ? '\xfe' : '\xff';
        }
        for (size_t i = 0; i < sizeof crlf - 1; i++) {
            wide[length++] = form == 1 ? '\0' : crlf[i];
            wide[length++] = form == 1 ? crlf[i] : '\0';
        }
        captured(&snapshot, wide, length);
        assert_int_equal(snapshot.conn_count, 2);
        snapshot_deinit(&snapshot);
    }
}

static void names_are_decoded(void **state)
{
    (void)state;
    static const struct {
        const char *text, *name;
    } cases[] = {
        { "  Proto  Lokale Adresse\n  TCP 0.0.0.0:1 0.0.0.0:0 ABH\x99REN 7\n [\x9a"
          "berwachung.exe]\n",
            "Überwachung.exe" },
        { "  TCP 0.0.0.0:1 0.0.0.0:0 ABH\xd6REN 7\n [\xdc"
          "berwachung.exe]\n",
            "Überwachung.exe" },
        { "  \x88\xac\xef  \x80\xa4\xe0\xa5\xe1\n  \x8b\xae\xaa\xa0\xab\xec\xad\xeb\xa9 \xa0\xa4\xe0\xa5\xe1\n"
          "  TCP 0.0.0.0:1 0.0.0.0:0 LISTENING 7\n [\xe1\xab\xe3\xa6\xa1\xa0.exe]\n",
            "служба.exe" },
    };
    struct snapshot snapshot;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        captured(&snapshot, cases[i].text, strlen(cases[i].text));
        assert_int_equal(snapshot.process_count, 1);
        assert_string_equal(snapshot.processes[0].name, cases[i].name);
        snapshot_deinit(&snapshot);
    }
}

static void a_line_without_an_end_is_bounded(void **state)
{
    (void)state;
    enum { LENGTH = 3 * 1024 * 1024 };
    char *text = malloc(LENGTH);
    assert_non_null(text);
    memset(text, 'x', LENGTH);
    static const char row[] = { ROW "\n" NEXT_ROW };
    const size_t length = strlen(ROW);
    memcpy(text, row, length);
    memcpy(text + LENGTH - length - 1, row + length, length + 1); /* a newline, and the row */
    struct snapshot snapshot;
    captured(&snapshot, text, LENGTH);
    assert_int_equal(snapshot.conn_count, 2);
    snapshot_deinit(&snapshot);
    free(text);
}

static void expect_refusal(const char *text, size_t length, const char *part)
{
    struct snapshot snapshot;
    struct input input;
    struct error err = { 0 };
    const struct capture_options options = { .path = "some.file" };
    snapshot_init(&snapshot);
    input_open_bytes(&input, text, length);
    assert_true(capture_read_input(&options, &input, &snapshot, &err) < 0);
    if (strstr(err.message, part) == NULL || strstr(err.message, "netstat") == NULL)
        fail_msg("expected %s, found %s", part, err.message);
    assert_string_equal(err.subject, "some.file");
    input_close(&input);
    snapshot_deinit(&snapshot);
}

static void what_is_none_of_these_is_refused(void **state)
{
    (void)state;
    expect_refusal("", 0, "empty");
    expect_refusal("\x1f\x8b\x08\0\0", 5, "gzip");
    expect_refusal("PK\3\4\0\0", 6, "ZIP");
    expect_refusal("<html>", 6, "HTML");
    expect_refusal("{\"a\": 1}", 8, "JSON");
    expect_refusal("a\0b\1", 4, "binary");
    expect_refusal("dear all,\nnothing works\n", 24, "text without a row");
    expect_refusal("root:x:0:0:root:/root:/bin/bash\n", 32, "text without a row");
    expect_refusal("[root@web ~]# uptime\n", 21, "text without a row");
    expect_refusal("[ {\"a\": 1} ]", 12, "JSON");
    expect_refusal("<snip>\n", 7, "text without a row");
}

static void every_kind_has_an_id_of_its_own(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < GAP_KIND_COUNT; kind++) {
        assert_non_null(gap_infos[kind].id);
        assert_int_equal(gap_find(gap_infos[kind].id), kind);
    }
    assert_int_equal(gap_find("owners"), GAP_KIND_COUNT);
    assert_int_equal(gap_find(""), GAP_KIND_COUNT);
}

static void a_gap_is_noted_once(void **state)
{
    (void)state;
    enum { GAPS = 3000 };
    struct snapshot snapshot;
    snapshot_init(&snapshot);
    for (unsigned i = 0; i < 2 * GAPS; i++) {
        char id[32];
        snprintf(id, sizeof id, "of-another-version-%u", i % GAPS);
        snapshot_add_gap(&snapshot, id, i < GAPS ? "first" : "second", "");
    }
    snapshot_note_gap(&snapshot, GAP_RATES_UNKNOWN, "first", NULL);
    snapshot_note_gap(&snapshot, GAP_RATES_UNKNOWN, "second", NULL);
    assert_int_equal(snapshot.gap_count, GAPS + 1);
    for (unsigned i = 0; i <= GAPS; i++)
        assert_string_equal(snapshot.gaps[i].text, "first");
    assert_string_equal(snapshot.gaps[GAPS].remedy, gap_infos[GAP_RATES_UNKNOWN].remedy);
    snapshot_deinit(&snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stands_around_is_counted),
        cmocka_unit_test(damaged_lines_are_named),
        cmocka_unit_test(records_are_named_by_their_first_line),
        cmocka_unit_test(names_and_cut_addresses_are_said),
        cmocka_unit_test(any_line_end_and_encoding),
        cmocka_unit_test(names_are_decoded),
        cmocka_unit_test(a_line_without_an_end_is_bounded),
        cmocka_unit_test(what_is_none_of_these_is_refused),
        cmocka_unit_test(every_kind_has_an_id_of_its_own),
        cmocka_unit_test(a_gap_is_noted_once),
    };
    return cmocka_run_group_tests_name("capture_gaps", tests, NULL, NULL);
}
