/* What is advised where many processes of one program are stopped: all of them are named, up to a number. */
#include <string.h>

#include "diagnose/diagnose.h"
#include "fixture.h"
#include "unit.h"

/* How many PIDs the command names that continues so many stopped clients; each leaves one connection unread. */
static unsigned continued(unsigned stopped, bool *ret_says_first)
{
    struct snapshot snapshot;
    struct diagnosis diagnosis;
    struct buf text = { 0 };
    buf_str(&text, "netns host own\nprocess 800 shell parent=1 running=2d\n");
    for (unsigned i = 0; i < stopped; i++)
        buf_printf(&text,
            "process %u reader parent=800 fds=6/1024 state=T running=1d\n"
            "conn ESTABLISHED 10.0.0.5:%u 10.0.0.9:9100 recv_q=500 send_q=0 timer=none last_data_sent=40s "
            "last_data_recv=40s last_ack_recv=40s holders=%u:3\n",
            1000 + i, 40000 + i, 1000 + i);
    fixture_must(&snapshot, buf_text(&text));
    diagnose(&snapshot, NULL, NULL, &diagnosis);
    assert_int_equal(diagnosis.finding_count, 1);
    const struct fix *fix = &diagnosis.findings[0].fix_now.items[0];
    assert_non_null(fix->command);
    assert_int_equal(strncmp(fix->command, "kill -CONT ", strlen("kill -CONT ")), 0);
    unsigned pids = 0;
    for (const char *at = strchr(fix->command + strlen("kill -"), ' '); at != NULL; at = strchr(at + 1, ' '))
        pids++;
    *ret_says_first = strstr(fix->text, "the first of them") != NULL;
    diagnosis_deinit(&diagnosis);
    snapshot_deinit(&snapshot);
    buf_deinit(&text);
    return pids;
}

static void all_that_are_stopped_are_continued(void **state)
{
    (void)state;
    bool says_first;
    assert_int_equal(continued(1, &says_first), 1);
    assert_int_equal(continued(12, &says_first), 12);
    assert_false(says_first);
}

static void a_command_is_no_longer_than_can_be_read(void **state)
{
    (void)state;
    bool says_first;
    assert_int_equal(continued(64, &says_first), 64);
    assert_false(says_first);
    assert_int_equal(continued(500, &says_first), 64);
    assert_true(says_first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_are_stopped_are_continued),
        cmocka_unit_test(a_command_is_no_longer_than_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
