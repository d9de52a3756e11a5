#include "query/group_key.h"

#include "base/suggest.h"
#include "base/text.h"

static struct value get_peer(const struct key_source *source, const struct conn *conn)
{
    (void)source;
    return conn_is_listener(conn) ? value_unknown() : value_address(&conn->remote);
}

static struct value get_peer_net(const struct key_source *source, const struct conn *conn)
{
    if (conn_is_listener(conn))
        return value_unknown();
    struct ip_net net = ip_net_of(&conn->remote, source->v4_prefix, source->v6_prefix);
    return (struct value){ .kind = VALUE_NET, .ip = net.address, .prefix = net.prefix };
}

static struct value get_peer_port(const struct key_source *source, const struct conn *conn)
{
    (void)source;
    return conn->remote_port == 0 ? value_unknown() : value_number(conn->remote_port);
}

static struct value get_local(const struct key_source *source, const struct conn *conn)
{
    (void)source;
    return value_address(&conn->local);
}

static struct value get_local_port(const struct key_source *source, const struct conn *conn)
{
    (void)source;
    return value_number(conn->local_port);
}

static struct value get_service(const struct key_source *source, const struct conn *conn)
{
    if (listeners_find(&source->listeners, conn) != NULL)
        return (struct value){ .kind = VALUE_SERVICE_IN, .port = conn->local_port };
    if (conn->remote_port == 0) /* a bound or closed socket has no peer */
        return value_unknown();
    return (struct value){ .kind = VALUE_SERVICE_OUT, .ip = conn->remote, .port = conn->remote_port };
}

static const struct key keys[] = {
    { .name = "state", .field = "state", .help = "as in RFC 9293" },
    { .name = "cause", .field = "cause", .help = "normal, or the finding it belongs to" },
    { .name = "process", .field = "process", .help = "name of the process that holds it" },
    { .name = "pid", .field = "pid", .help = "that process" },
    { .name = "user", .field = "user", .help = "its user" },
    { .name = "unit", .field = "unit", .help = "its systemd unit" },
    { .name = "container", .field = "container", .help = "its container" },
    { .name = "netns", .field = "netns", .help = "network namespace" },
    { .name = "host", .field = "host", .help = "its host, if there are several" },
    { .name = "peer", .get = get_peer, .help = "remote address" },
    { .name = "peer-net", .get = get_peer_net, .help = "its network: /24 and /64, or as --net says" },
    { .name = "peer-port", .get = get_peer_port, .help = "remote port" },
    { .name = "local", .get = get_local, .help = "local address" },
    { .name = "local-port", .get = get_local_port, .help = "local port" },
    { .name = "service",
        .get = get_service,
        .help = "*:PORT (in) where this host listens on the local port, else where it goes: ADDR:PORT (out)" },
};
enum { KEY_COUNT = sizeof keys / sizeof *keys };

const struct key *key_at(size_t index)
{
    return index < KEY_COUNT ? &keys[index] : NULL;
}

bool key_find(const char *name, struct key_use *ret_use)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (text_same_word(keys[i].name, name)) {
            *ret_use = (struct key_use){ .key = &keys[i],
                .field = keys[i].field != NULL ? field_find(keys[i].field) : NULL };
            return true;
        }
    }
    return false;
}

const char *key_nearest(const char *name)
{
    struct suggestion suggestion = { .wanted = name };
    for (size_t i = 0; i < KEY_COUNT; i++)
        suggest(&suggestion, keys[i].name);
    return suggestion.nearest;
}

struct value key_value(const struct key_use *use, struct key_source *source, uint32_t conn_index)
{
    if (use->field != NULL)
        return field_value(use->field, &source->fields, conn_index);
    return use->key->get(source, &source->fields.snapshot->conns[conn_index]);
}
