/* A message of NETLINK_SOCK_DIAG: struct inet_diag_msg and its attributes. */
#include "fuzz.h"

#include "model/age.h"
#include "source/linux/inet_diag.h"

/* Ages are computed from whatever the message says. */
static void judge(const struct conn *conn)
{
    struct snapshot snapshot;
    snapshot_init(&snapshot);
    FUZZ_EXPECT(snapshot_add_netns(&snapshot) != NULL);
    struct conn *copy = snapshot_add_conn(&snapshot);
    FUZZ_EXPECT(copy != NULL);
    *copy = *conn;
    copy->netns = 0;

    struct age age = conn_age(&snapshot, copy);
    FUZZ_EXPECT(age.kind == AGE_UNKNOWN || age.kind == AGE_AT_LEAST || age.kind == AGE_EXACT);
    conn_retransmitting_for(&snapshot, copy);
    uint64_t ms = 0;
    conn_give_up_ms(&snapshot, copy, &ms);
    snapshot_deinit(&snapshot);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *payload = fuzz_bytes(data, size);
    enum { UNTOUCHED = 0xa5 };
    struct conn conn;
    memset(&conn, UNTOUCHED, sizeof conn);
    if (inet_diag_parse(payload, size, &conn) == 0) {
        FUZZ_EXPECT(conn.state < STATE_COUNT);
        FUZZ_EXPECT(conn.holder == NO_INDEX);
        judge(&conn);
    } else {
        for (size_t i = 0; i < sizeof conn; i++)
            FUZZ_EXPECT(((const uint8_t *)&conn)[i] == UNTOUCHED);
    }
    free(payload);
    return 0;
}
