#include "source/linux/bpf/bpf_parse.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "unit.h"

enum { HZ = 250, KERNEL_LAST_ACK = 9, KERNEL_LISTEN = 10, KERNEL_NEW_SYN_RECV = 12, KERNEL_CLOSE = 7 };

static struct bpf_socket a_record(void)
{
    return (struct bpf_socket){
        .head = { .cookie = (1ULL << 32) + 7,
            .local = { htonl(0x0a000005) },
            .remote = { htonl(0x0a010203) },
            .local_port = 9100,
            .remote_port = htons(50122),
            .kind = BPF_SOCKET_FULL,
            .family = AF_INET,
            .state = KERNEL_LAST_ACK,
            .timer = TIMER_RETRANSMIT,
            .timer_ticks = 775,
            .retransmits = 4,
            .shutdown = 3,
            .knows = BPF_KNOWS_RTO_TIME },
        .state = { .cgroup_id = 4026532000,
            .uid = 33,
            .inode = 4711,
            .netns = 4026531840,
            .recv_q = 1,
            .send_q = 2,
            .skmem_rmem = 11,
            .skmem_wmem = 22,
            .skmem_drops = 33 },
        .info = { .bytes_received = 1ULL << 40,
            .bytes_acked = 5000,
            .rto_ticks = 1600,
            .srtt_us_8 = 8 * 1234,
            .mdev_us_4 = 4 * 99,
            .unacked = 3,
            .notsent = 555,
            .snd_wnd = 65535,
            .sent_ticks = 25,
            .received_ticks = 50,
            .acked_ticks = 75,
            .total_retrans = 6,
            .rto_time_ms = 6095,
            .rwnd_limited_ticks = 250,
            .rto_recoveries = 300,
            .probes = 2,
            .backoff = 5 },
    };
}

static void a_whole_record(void **state)
{
    (void)state;
    struct bpf_socket record = a_record();
    struct conn conn;
    assert_int_equal(bpf_parse_socket(&record, sizeof record, HZ, &conn), sizeof record);
    assert_int_equal(conn.state, STATE_LAST_ACK);
    assert_false(conn.ipv6);
    assert_memory_equal(conn.local.bytes + 12, "\x0a\x00\x00\x05", 4);
    assert_true(ip_is_v4(&conn.remote));
    assert_int_equal(conn.local_port, 9100);
    assert_int_equal(conn.remote_port, 50122);
    assert_int_equal(conn.cookie, (1ULL << 32) + 7);
    assert_int_equal(conn.timer, TIMER_RETRANSMIT);
    assert_int_equal(conn.timer_ms, 3100);
    assert_int_equal(conn.retransmits, 4);
    assert_int_equal(conn.shutdown, SHUTDOWN_RECEIVE | SHUTDOWN_SEND);
    assert_int_equal(conn.uid, 33);
    assert_int_equal(conn.inode, 4711);
    assert_int_equal(conn.cgroup_id, 4026532000);
    assert_int_equal(conn.recv_q_bytes, 1);
    assert_int_equal(conn.send_q_bytes, 2);
    assert_int_equal(conn.skmem_rmem_bytes, 11);
    assert_int_equal(conn.skmem_wmem_bytes, 22);
    assert_int_equal(conn.skmem_drops, 33);
    assert_int_equal(conn.rto_ms, 6400);
    assert_int_equal(conn.rtt_us, 1234);
    assert_int_equal(conn.rttvar_us, 99);
    assert_int_equal(conn.unacked, 3);
    assert_int_equal(conn.notsent_bytes, 555);
    assert_int_equal(conn.snd_wnd_bytes, 65535);
    assert_int_equal(conn.last_data_sent_ms, 100);
    assert_int_equal(conn.last_data_recv_ms, 200);
    assert_int_equal(conn.last_ack_recv_ms, 300);
    assert_int_equal(conn.total_retrans, 6);
    assert_int_equal(conn.total_rto_time_ms, 6095);
    assert_int_equal(conn.rto_recoveries, 255); /* more than fit */
    assert_int_equal(conn.rwnd_limited_ms, 1000);
    assert_int_equal(conn.bytes_received, 1ULL << 40);
    assert_int_equal(conn.bytes_acked, 5000);
    assert_int_equal(conn.probes, 2);
    assert_int_equal(conn.backoff, 5);
    assert_int_equal(conn.holder, NO_INDEX);
    assert_int_equal(conn.present,
        CONN_QUEUES | CONN_TIMER | CONN_UID | CONN_INODE | CONN_COOKIE | CONN_CGROUP | CONN_SHUTDOWN | CONN_TCP_INFO |
            CONN_SND_WND | CONN_RTO_TIME | CONN_SKMEM | CONN_RTO | CONN_BYTES);
}

static void an_older_kernel(void **state)
{
    (void)state;
    struct bpf_socket record = a_record();
    record.head.knows = 0;
    record.state.cgroup_id = 0;
    struct conn conn;
    assert_true(bpf_parse_socket(&record, sizeof record, HZ, &conn) > 0);
    assert_false(conn_has(&conn, CONN_RTO_TIME));
    assert_false(conn_has(&conn, CONN_CGROUP));
    assert_true(conn_has(&conn, CONN_SND_WND));
}

static void an_orphan(void **state)
{
    (void)state;
    struct bpf_socket record = a_record();
    record.state.inode = 0;
    struct conn conn;
    bpf_parse_socket(&record, sizeof record, HZ, &conn);
    assert_true(conn_has(&conn, CONN_UID)); /* the user who made it: Linux 6.17 */
    record.state.uid = 0;
    bpf_parse_socket(&record, sizeof record, HZ, &conn);
    assert_false(conn_has(&conn, CONN_UID));
}

static void overdue_and_long_ago(void **state)
{
    (void)state;
    struct bpf_socket record = a_record();
    record.head.timer_ticks = -3;
    record.info.sent_ticks = UINT32_MAX; /* garbage, as the kernel has in SYN_SENT */
    struct conn conn;
    bpf_parse_socket(&record, sizeof record, HZ, &conn);
    assert_int_equal(conn.timer_ms, 0);
    assert_int_equal(conn.last_data_sent_ms, (uint32_t)(UINT32_MAX * 4ULL)); /* as the kernel's 32 bits wrap */
}

static void a_listener(void **state)
{
    (void)state;
    struct bpf_socket record = a_record();
    record.head.kind = BPF_SOCKET_IDLE;
    record.head.state = KERNEL_LISTEN;
    struct conn conn;
    size_t length = offsetof(struct bpf_socket, info);
    assert_int_equal(bpf_parse_socket(&record, sizeof record, HZ, &conn), length);
    assert_int_equal(conn.state, STATE_LISTEN);
    assert_true(conn_has(&conn, CONN_BACKLOG | CONN_SKMEM | CONN_UID));
    assert_false(conn_has(&conn, CONN_TCP_INFO));
    assert_int_equal(conn.rto_ms, 0);
}

static void a_mini_socket(void **state)
{
    (void)state;
    struct bpf_socket record = a_record();
    record.head.kind = BPF_SOCKET_MINI;
    record.head.state = KERNEL_NEW_SYN_RECV;
    record.head.family = AF_INET6;
    struct conn conn;
    assert_int_equal(bpf_parse_socket(&record, sizeof record, HZ, &conn), sizeof record.head);
    assert_int_equal(conn.state, STATE_SYN_RECEIVED);
    assert_true(conn.ipv6);
    assert_int_equal(conn.local.bytes[0], 10);
    assert_int_equal(conn.inode, 0);
    assert_int_equal(conn.present, CONN_QUEUES | CONN_TIMER | CONN_INODE | CONN_COOKIE);
}

static void what_is_cut_off(void **state)
{
    (void)state;
    struct bpf_socket record = a_record();
    struct conn conn = { .cookie = 42 };
    for (size_t length = 0; length < sizeof record; length++)
        assert_int_equal(bpf_parse_socket(&record, length, HZ, &conn), 0);
    assert_int_equal(conn.cookie, 42);
}

static void what_is_none(void **state)
{
    (void)state;
    struct conn conn = { .cookie = 42 };
    struct bpf_socket record = a_record();
    record.head.kind = 0;
    assert_int_equal(bpf_parse_socket(&record, sizeof record, HZ, &conn), -EBADMSG);
    record.head.kind = BPF_SOCKET_MINI + 1;
    assert_int_equal(bpf_parse_socket(&record, sizeof record, HZ, &conn), -EBADMSG);
    record = a_record();
    record.head.family = AF_UNIX;
    assert_int_equal(bpf_parse_socket(&record, sizeof record, HZ, &conn), -EBADMSG);
    record = a_record();
    record.head.state = 99;
    assert_int_equal(bpf_parse_socket(&record, sizeof record, HZ, &conn), -EBADMSG);
    assert_int_equal(conn.cookie, 42);
}

static void a_descriptor(void **state)
{
    (void)state;
    struct bpf_file record = { .kind = BPF_FILE_STREAM, .pid = 812, .tid = 812, .fd = 7, .inode = 4711 }, file;
    struct bpf_bound_conn bound;
    assert_int_equal(bpf_parse_file(&record, sizeof record, HZ, &file, &bound), sizeof record);
    assert_memory_equal(&file, &record, sizeof file);
    assert_int_equal(bpf_parse_file(&record, sizeof record - 1, HZ, &file, &bound), 0);
    record.kind = BPF_FILE_BOUND + 1;
    assert_int_equal(bpf_parse_file(&record, sizeof record, HZ, &file, &bound), -EBADMSG);
    record.kind = BPF_FILE_OTHER;
    record.fd = 1U << 31;
    assert_int_equal(bpf_parse_file(&record, sizeof record, HZ, &file, &bound), -EBADMSG);
}

static void a_bound_socket(void **state)
{
    (void)state;
    struct bpf_socket socket = a_record();
    socket.head.kind = BPF_SOCKET_IDLE;
    socket.head.state = KERNEL_CLOSE;
    socket.head.remote_port = 0;
    struct bpf_bound record = {
        .file = { .kind = BPF_FILE_BOUND, .pid = 812, .tid = 812, .fd = 7, .inode = 4711 },
        .head = socket.head,
        .state = socket.state,
    };
    struct bpf_file file;
    struct bpf_bound_conn bound;
    assert_int_equal(bpf_parse_file(&record, sizeof record, HZ, &file, &bound), sizeof record);
    assert_int_equal(bound.conn.state, STATE_BOUND);
    assert_int_equal(bound.conn.inode, 4711);
    assert_int_equal(bound.netns_inode, 4026531840);
    for (size_t length = 0; length < sizeof record; length++)
        assert_int_equal(bpf_parse_file(&record, length, HZ, &file, &bound), 0);
    record.head.remote_port = htons(50122); /* it was connected and then reset */
    assert_int_equal(bpf_parse_file(&record, sizeof record, HZ, &file, &bound), sizeof record);
    assert_int_equal(bound.conn.state, STATE_CLOSED);
    record.head.kind = BPF_SOCKET_MINI; /* a bound socket is never a mini-socket */
    assert_int_equal(bpf_parse_file(&record, sizeof record, HZ, &file, &bound), -EBADMSG);
}

static void a_socket_whose_connection_is_gone(void **state)
{
    (void)state;
    struct bpf_closed record = { .cookie = 77,
        .bytes_received = 9,
        .local = { htonl(0x0a000005) },
        .remote = { htonl(0x0a010203) },
        .inode = 4711,
        .uid = 33,
        .netns = 4026531840,
        .ended_ticks = 1500,
        .local_port = htons(9100),
        .remote_port = htons(50122),
        .family = AF_INET,
        .was = BPF_CLOSED_CONNECTED,
        .shutdown = 3,
        .is_dated = 1 };
    struct bpf_closed_conn closed;
    assert_int_equal(bpf_parse_closed(&record, sizeof record, HZ, &closed), sizeof record);
    assert_int_equal(closed.conn.state, STATE_CLOSED);
    assert_int_equal(closed.conn.local_port, 9100);
    assert_int_equal(closed.conn.remote_port, 50122);
    assert_int_equal(closed.conn.last_ack_recv_ms, 6000);
    assert_true(conn_has(&closed.conn, CONN_TCP_INFO | CONN_COOKIE | CONN_INODE));
    assert_int_equal(closed.netns_inode, 4026531840);
    assert_int_equal(closed.was, BPF_CLOSED_CONNECTED);
    record.is_dated = 0; /* without is_dated the time since then is not known */
    assert_int_equal(bpf_parse_closed(&record, sizeof record, HZ, &closed), sizeof record);
    assert_false(conn_has(&closed.conn, CONN_TCP_INFO));
    for (size_t length = 0; length < sizeof record; length++)
        assert_int_equal(bpf_parse_closed(&record, length, HZ, &closed), 0);
    record.was = 9;
    assert_int_equal(bpf_parse_closed(&record, sizeof record, HZ, &closed), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_record),
        cmocka_unit_test(an_older_kernel),
        cmocka_unit_test(an_orphan),
        cmocka_unit_test(overdue_and_long_ago),
        cmocka_unit_test(a_listener),
        cmocka_unit_test(a_mini_socket),
        cmocka_unit_test(what_is_cut_off),
        cmocka_unit_test(what_is_none),
        cmocka_unit_test(a_descriptor),
        cmocka_unit_test(a_bound_socket),
        cmocka_unit_test(a_socket_whose_connection_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
