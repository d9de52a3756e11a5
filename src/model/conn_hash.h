#pragma once
/* Hashes of a connection's ends, for tables (base/hash_index.h). */
#include <string.h>

#include "base/hash.h"
#include "model/conn.h"

static inline uint64_t conn_hash_between(
    const struct ip *one, uint16_t one_port, const struct ip *other, uint16_t other_port)
{
    uint64_t words[4];
    memcpy(words, one->bytes, sizeof one->bytes);
    memcpy(words + 2, other->bytes, sizeof other->bytes);
    return hash_words((uint64_t)one_port << 16 | other_port, words, 4);
}

static inline uint64_t conn_hash_ends(const struct conn *conn)
{
    return conn_hash_between(&conn->local, conn->local_port, &conn->remote, conn->remote_port);
}

/* The conn_hash_ends() of the other end of this connection. */
static inline uint64_t conn_hash_opposite(const struct conn *conn)
{
    return conn_hash_between(&conn->remote, conn->remote_port, &conn->local, conn->local_port);
}
