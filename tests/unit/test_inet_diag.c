#include "source/linux/inet_diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <string.h>

#include "unit.h"

struct message {
    _Alignas(8) unsigned char bytes[1024];
    size_t length;
};

static void begin(struct message *message, uint8_t family, uint8_t state)
{
    struct inet_diag_msg head = { .idiag_family = family,
        .idiag_state = state,
        .idiag_timer = 1,
        .idiag_retrans = 4,
        .idiag_expires = 3100,
        .idiag_rqueue = 1,
        .idiag_wqueue = 2,
        .idiag_uid = 33,
        .idiag_inode = 4711 };
    head.id.idiag_sport = htons(9100);
    head.id.idiag_dport = htons(50122);
    head.id.idiag_src[0] = htonl(0x0a000005);
    head.id.idiag_dst[0] = htonl(0x0a010203);
    head.id.idiag_cookie[0] = 7;
    head.id.idiag_cookie[1] = 1;
    memset(message, 0, sizeof *message);
    memcpy(message->bytes, &head, sizeof head);
    message->length = NLMSG_ALIGN(sizeof head);
}

static void attribute(struct message *message, unsigned type, const void *value, size_t length)
{
    struct nlattr head = { .nla_len = (uint16_t)(NLA_HDRLEN + length), .nla_type = (uint16_t)type };
    memcpy(message->bytes + message->length, &head, sizeof head);
    memcpy(message->bytes + message->length + NLA_HDRLEN, value, length);
    message->length += NLA_ALIGN(head.nla_len);
}

static void put_u32(unsigned char *bytes, size_t offset, uint32_t value)
{
    memcpy(bytes + offset, &value, sizeof value);
}

static void a_whole_message(void **state)
{
    (void)state;
    struct message message;
    unsigned char info[280] = { [3] = 2, [4] = 5 };
    put_u32(info, 8, 6400000); /* rto */
    put_u32(info, 44, 100);    /* last_data_sent */
    put_u32(info, 56, 300);    /* last_ack_recv */
    put_u32(info, 144, 555);   /* notsent_bytes */
    put_u32(info, 228, 0);     /* snd_wnd */
    put_u32(info, 244, 6095);  /* total_rto_time */
    uint32_t skmem[9] = { 11, 0, 0, 0, 0, 22, 0, 0, 33 };
    uint64_t cgroup = 4026532000;
    uint8_t shutdown = 3;
    begin(&message, AF_INET, 9);
    attribute(&message, INET_DIAG_SHUTDOWN, &shutdown, sizeof shutdown);
    attribute(&message, INET_DIAG_INFO, info, sizeof info);
    attribute(&message, INET_DIAG_SKMEMINFO, skmem, sizeof skmem);
    attribute(&message, 99, skmem, 4); /* an attribute of a newer kernel */
    attribute(&message, INET_DIAG_CGROUP_ID, &cgroup, sizeof cgroup);

    struct conn conn;
    assert_int_equal(inet_diag_parse(message.bytes, message.length, &conn), 0);
    assert_int_equal(conn.state, STATE_LAST_ACK);
    assert_int_equal(conn.local_port, 9100);
    assert_int_equal(conn.timer, TIMER_RETRANSMIT);
    assert_int_equal(conn.retransmits, 4);
    assert_int_equal(conn.timer_ms, 3100);
    assert_int_equal(conn.cookie, (1ULL << 32) + 7);
    assert_int_equal(conn.probes, 2);
    assert_int_equal(conn.backoff, 5);
    assert_int_equal(conn.rto_ms, 6400);
    assert_int_equal(conn.last_ack_recv_ms, 300);
    assert_int_equal(conn.notsent_bytes, 555);
    assert_int_equal(conn.total_rto_time_ms, 6095);
    assert_int_equal(conn.skmem_rmem_bytes, 11);
    assert_int_equal(conn.skmem_wmem_bytes, 22);
    assert_int_equal(conn.skmem_drops, 33);
    assert_int_equal(conn.cgroup_id, cgroup);
    assert_int_equal(conn.shutdown, SHUTDOWN_RECEIVE | SHUTDOWN_SEND);
    assert_int_equal(conn.holder, NO_INDEX);
    assert_true(conn_has(&conn,
        CONN_QUEUES | CONN_TIMER | CONN_UID | CONN_INODE | CONN_COOKIE | CONN_CGROUP | CONN_SHUTDOWN | CONN_TCP_INFO |
            CONN_SND_WND | CONN_RTO_TIME | CONN_SKMEM));
}

static void an_older_kernel_sends_less(void **state)
{
    (void)state;
    struct message message;
    struct conn conn;
    unsigned char info[200] = { 0 };
    begin(&message, AF_INET6, 8);
    attribute(&message, INET_DIAG_INFO, info, sizeof info);
    assert_int_equal(inet_diag_parse(message.bytes, message.length, &conn), 0);
    assert_true(conn.ipv6);
    assert_true(conn_has(&conn, CONN_TCP_INFO));
    assert_false(conn_has(&conn, CONN_SND_WND));
    assert_false(conn_has(&conn, CONN_RTO_TIME));
    begin(&message, AF_INET, 8);
    attribute(&message, INET_DIAG_INFO, info, 100);
    assert_int_equal(inet_diag_parse(message.bytes, message.length, &conn), 0);
    assert_false(conn_has(&conn, CONN_TCP_INFO));
    /* Linux 3.10: the ages are there; fields that were added up to 4.10 are unknown. */
    begin(&message, AF_INET, 8);
    put_u32(info, 56, 90000);
    attribute(&message, INET_DIAG_INFO, info, 104);
    assert_int_equal(inet_diag_parse(message.bytes, message.length, &conn), 0);
    assert_true(conn_has(&conn, CONN_TCP_INFO | CONN_RTO));
    assert_int_equal(conn.last_ack_recv_ms, 90000);
    assert_false(conn_has(&conn, CONN_BYTES));
}

static void a_mini_socket_has_no_user(void **state)
{
    (void)state;
    struct message message;
    struct conn conn;
    begin(&message, AF_INET, 6);
    struct inet_diag_msg head;
    memcpy(&head, message.bytes, sizeof head);
    head.idiag_uid = 0;
    head.idiag_inode = 0;
    memcpy(message.bytes, &head, sizeof head);
    assert_int_equal(inet_diag_parse(message.bytes, message.length, &conn), 0);
    assert_int_equal(conn.state, STATE_TIME_WAIT);
    assert_false(conn_has(&conn, CONN_UID));
    assert_true(conn_has(&conn, CONN_INODE));
}

static void broken_messages(void **state)
{
    (void)state;
    struct message message;
    struct conn conn = { .local_port = 77 };
    begin(&message, AF_INET, 8);
    assert_int_equal(inet_diag_parse(message.bytes, sizeof(struct inet_diag_msg) - 1, &conn), -EBADMSG);
    begin(&message, AF_INET, 14);
    assert_int_equal(inet_diag_parse(message.bytes, message.length, &conn), -EBADMSG);
    begin(&message, AF_UNIX, 8);
    assert_int_equal(inet_diag_parse(message.bytes, message.length, &conn), -EBADMSG);
    assert_int_equal(conn.local_port, 77);
    /* Attributes that end early, or claim to reach beyond the end, are ignored; the others are used. */
    uint64_t cgroup = 5;
    for (unsigned claimed = 0; claimed < 40; claimed++) {
        begin(&message, AF_INET, 8);
        attribute(&message, INET_DIAG_CGROUP_ID, &cgroup, sizeof cgroup);
        uint16_t length = (uint16_t)claimed;
        memcpy(message.bytes + NLMSG_ALIGN(sizeof(struct inet_diag_msg)), &length, sizeof length);
        assert_int_equal(inet_diag_parse(message.bytes, message.length, &conn), 0);
        assert_int_equal(conn_has(&conn, CONN_CGROUP), claimed == NLA_HDRLEN + sizeof cgroup);
    }
}

/* TCP_BOUND_INACTIVE exists only in requests; Linux 6.18 sends such a socket as TCP_CLOSE. */
static void a_bound_socket_comes_as_closed(void **state)
{
    (void)state;
    struct message message;
    struct conn conn;
    begin(&message, AF_INET, 7);
    assert_int_equal(inet_diag_parse(message.bytes, message.length, &conn), 0);
    assert_int_equal(conn.state, STATE_CLOSED); /* it had a peer, so its connection is gone */
    memset(message.bytes + offsetof(struct inet_diag_msg, id.idiag_dport), 0, sizeof(uint16_t));
    assert_int_equal(inet_diag_parse(message.bytes, message.length, &conn), 0);
    assert_true(conn.local_port != 0);
    assert_int_equal(conn.state, STATE_BOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_message),
        cmocka_unit_test(a_bound_socket_comes_as_closed),
        cmocka_unit_test(an_older_kernel_sends_less),
        cmocka_unit_test(a_mini_socket_has_no_user),
        cmocka_unit_test(broken_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
