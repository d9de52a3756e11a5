/* The counters of this host, read twice, with new connections between. */
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "source/source.h"
#include "unit.h"

static void connect_over_loopback(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    close(client);
    close(listener);
}

static void a_second_reading_tells_how_counters_rise(void **state)
{
    (void)state;
    struct snapshot snapshot, previous;
    struct error err;
    struct source_options options = { .own_netns_only = true };
    snapshot_init(&snapshot);
    snapshot_init(&previous);
    assert_int_equal(source_read(&options, &snapshot, &err), 0);
    connect_over_loopback();
    usleep(20 * 1000);
    source_read_counters(&snapshot, &previous);
    snapshot.previous = &previous;

    assert_int_equal(previous.conn_count, 0);
    assert_int_equal(previous.netns_count, 1); /* only namespaces that were read */
    bool seen = false;
    for (uint32_t i = 0; i < snapshot.netns_count; i++) {
        int64_t rise = 0;
        uint64_t ms = 0;
        bool known = snapshot_counter_rise(&snapshot, i, COUNTER_ACTIVE_OPENS, &rise, &ms);
        assert_int_equal(known, snapshot.netns[i].is_own);
        if (!known)
            continue;
        seen = true;
        assert_true(rise >= 1);
        assert_in_range(ms, 20, 10 * 1000);
    }
    assert_true(seen);
    snapshot_deinit(&snapshot);
    snapshot_deinit(&previous);
}

static void what_cannot_be_entered_again_has_no_rate(void **state)
{
    (void)state;
    struct snapshot snapshot, previous;
    snapshot_init(&snapshot);
    snapshot_init(&previous);
    struct netns *gone = snapshot_add_netns(&snapshot);
    *gone = (struct netns){ .inode = 1, .name = "no-such-namespace" };
    snapshot.net_values[0].has_counter[COUNTER_ACTIVE_OPENS] = true;
    snapshot.net_values[0].counters_at_ms = 1000;
    source_read_counters(&snapshot, &previous);
    snapshot.previous = &previous;
    snapshot.net_values[0].counters_at_ms = 2000;
    int64_t rise;
    uint64_t ms;
    assert_false(snapshot_counter_rise(&snapshot, 0, COUNTER_ACTIVE_OPENS, &rise, &ms));
    assert_int_equal(snapshot.gap_count, 0); /* the namespace is gone, so its rates are not missed */
    snapshot_deinit(&snapshot);
    snapshot_deinit(&previous);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_reading_tells_how_counters_rise),
        cmocka_unit_test(what_cannot_be_entered_again_has_no_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
