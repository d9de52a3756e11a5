"""Connections that stay in CLOSE_WAIT: the peer has closed, this side has not."""

import os
import resource
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time

from faults.stage import die_with_parent, is_maker, set_name, unshare_netns
from faults.wire import (
    ANSWER, REQUEST, SMALL_BUFFER, accept_all, accepting, connect, listen, lose_packets, port_of, read_to_end,
    wait_until_half_closed, write_until_full)

LOOPBACK = "127.0.0.1"


# --- parts -----------------------------------------------------------------------------------------------------------

def reads_to_the_end_and_keeps(address, count, dual_stack=False, fds_limit=None):
    if fds_limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (fds_limit, fds_limit))
    listener, kept = yield from accepting(address, count, dual_stack=dual_stack)
    for conn in kept:
        read_to_end(conn)
    yield {"fds": [conn.fileno() for conn in kept]}


def asks_and_closes(address, port, count, payload=REQUEST):
    """Closes in its second step, so that the service can get the connections before."""
    conns = [connect(address, port) for _ in range(count)]
    for conn in conns:
        conn.sendall(payload)
    yield {"ports": [port_of(conn) for conn in conns]}
    for conn in conns:
        conn.close()
    yield


# --- read to the end, never closed -----------------------------------------------------------------------------------

@is_maker
def close_wait_leak(stage, count=3, address=LOOPBACK, peer_address=None, service_netns=None, peer_netns=None,
                    fds_limit=None, name="leak-service"):
    """The usual leak: the server reads the request and the end of the stream, and forgets to close.

    With address "::" and peer_address "127.0.0.1" the listener is a dual-stack one."""
    server = reads_to_the_end_and_keeps(address, count, dual_stack=address == "::", fds_limit=fds_limit)
    service, peers, port = stage.start_pair(
        name, server, "leak-peer",
        lambda port: asks_and_closes(peer_address or address, port, count), service_netns, peer_netns)
    peer_ports = peers.said["ports"]
    peers.step()
    service.step()
    yield {"pid": service.pid, "peer_pid": peers.pid, "port": port, "count": count, "peer_ports": peer_ports}


@is_maker
def close_wait_leak_client(stage, count=4, address=LOOPBACK):
    """A connection pool whose server has closed. The pool noticed it, and dropped its references without closing."""

    def server():
        listener = listen(address)
        yield {"port": port_of(listener)}
        for conn in accept_all(listener, count):
            conn.recv(len(REQUEST))
            conn.sendall(ANSWER)
            conn.close()
        yield

    def pool(port):
        conns = [connect(address, port) for _ in range(count)]
        for conn in conns:
            conn.sendall(REQUEST)
        yield
        for conn in conns:
            read_to_end(conn)
        yield

    service, client, port = stage.start_pair("pool-server", server(), "leak-pool", pool)
    service.step()
    client.step()
    yield {"pid": client.pid, "peer_pid": service.pid, "port": port, "count": count}


def leaks_in_own_netns(count, ports, cgroup=None):
    """Both ends in one process, in a network namespace without a name; also in a cgroup, if one is given."""
    if cgroup:
        with open(os.path.join(cgroup, "cgroup.procs"), "w") as procs:
            procs.write(str(os.getpid()))
    unshare_netns()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with open("/proc/sys/net/ipv4/ip_local_port_range", "w") as port_range:
        port_range.write("{} {}".format(*ports))
    listener = listen(LOOPBACK)
    peers = [connect(LOOPBACK, port_of(listener)) for _ in range(count)]
    kept = accept_all(listener, count)
    for peer in peers:
        peer.close()
    for conn in kept:
        read_to_end(conn)
    yield {"port": port_of(listener), "netns_inode": os.stat("/proc/self/ns/net").st_ino}


@is_maker
def close_wait_leak_unshared(stage, count=3, ports=(20000, 21999), cgroup=None):
    """A leak in a network namespace that is known only from /proc/PID/ns/net, as that of a container."""
    service = stage.start("unshared-leak", leaks_in_own_netns(count, ports, cgroup))
    yield {"pid": service.pid, "count": count, **service.said}


# --- the end of the stream waits unread ------------------------------------------------------------------------------

@is_maker
def close_wait_unread(stage, count=3, extra_bytes=0, how="sleeping", address=LOOPBACK):
    """Accepted and never read. `how` is the reason: sleeping (it does not poll), stopped (SIGSTOP), locked (every
    thread waits for a lock) or elsewhere (it waits for the answer of a database)."""

    def server(database_port):
        listener, kept = yield from accepting(address, count)
        lock = threading.Lock()
        database = connect(address, database_port) if database_port else None
        yield {"database": database and database.getpeername()}
        if how == "locked":
            lock.acquire()
            for _ in range(2):
                threading.Thread(target=lock.acquire, daemon=True).start()
            lock.acquire()
        if database:
            database.recv(1)
        time.sleep(3600)
        del kept

    def silent_database():
        listener = listen(address)
        yield {"port": port_of(listener)}
        conn = listener.accept()
        yield
        del conn

    database = stage.start("silent-db", silent_database()) if how == "elsewhere" else None
    service, peers, port = stage.start_pair(
        f"unread-{how}"[:15], server(database and database.said["port"]), "unread-peer",
        lambda port: asks_and_closes(address, port, count, b"x" * extra_bytes))
    service.step()
    if database:
        database.step()
    service.go()
    service.wait_until("S")
    if how == "stopped":
        service.stop()
    peers.step()
    yield {"pid": service.pid, "peer_pid": peers.pid, "port": port, "count": count, "recv_q": extra_bytes + 1,
           "database_port": database and service.said["database"][1]}


@is_maker
def close_wait_tls_notify(stage, count=3):
    """Pooled TLS 1.3 connections that the server ended properly: a close_notify alert of 24 bytes, then FIN."""
    with tempfile.TemporaryDirectory() as folder:
        key, certificate = os.path.join(folder, "key.pem"), os.path.join(folder, "certificate.pem")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "1", "-subj", "/CN=localhost", "-keyout", key, "-out", certificate],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server_context.load_cert_chain(certificate, key)
        client_context = ssl.create_default_context(cafile=certificate)

    def server():
        listener = listen(LOOPBACK)
        yield {"port": port_of(listener)}
        conns = []
        for conn in accept_all(listener, count):
            conns.append(server_context.wrap_socket(conn, server_side=True))
            conns[-1].recv(len(REQUEST))
            conns[-1].sendall(ANSWER)
        for conn in conns:
            conn.settimeout(0.05)
            try:
                conn.unwrap()  # sends close_notify, and would then wait for the client's
            except TimeoutError:
                pass
            conn.close()
        yield

    def pool(port):
        idle = [connect(LOOPBACK, port) for _ in range(count)]
        yield
        for i, conn in enumerate(idle):
            idle[i] = client_context.wrap_socket(conn, server_hostname="localhost")
            idle[i].sendall(REQUEST)
            idle[i].recv(len(ANSWER))
        yield

    service, client, port = stage.start_pair("tls-server", server(), "tls-pool", pool)
    service.go()
    client.step()
    service.listen()
    yield {"pid": client.pid, "peer_pid": service.pid, "port": port, "count": count, "recv_q": 24 + 1}


# --- never accepted --------------------------------------------------------------------------------------------------

@is_maker
def close_wait_not_accepted(stage, count=3, address=LOOPBACK):
    """A listener whose process never calls accept()."""

    def server():
        listener = listen(address, backlog=count + 10)
        yield {"port": port_of(listener)}

    service, peers, port = stage.start_pair(
        "never-accepts", server(), "queued-peer",
        lambda port: asks_and_closes(address, port, count))
    peers.step()
    yield {"pid": service.pid, "peer_pid": peers.pid, "port": port, "count": count, "recv_q": len(REQUEST) + 1}


# --- held by more than one process -----------------------------------------------------------------------------------

@is_maker
def close_wait_inherited(stage, count=3, address=LOOPBACK):
    """A forked child still has the descriptors. If one process closes, the connection stays."""

    def server():
        listener, kept = yield from accepting(address, count)
        child = os.fork()
        if child == 0:
            die_with_parent()
            set_name("inherit-child")
            signal.pause()
        yield {"child_pid": child}
        for conn in kept:
            read_to_end(conn)
        yield

    service, peers, port = stage.start_pair(
        "inherit-parent", server(), "inherit-peer",
        lambda port: asks_and_closes(address, port, count))
    child_pid = service.step()["child_pid"]
    peers.step()
    service.step()
    yield {"pid": service.pid, "child_pid": child_pid, "peer_pid": peers.pid, "port": port, "count": count}


@is_maker
def close_wait_inherited_exec(stage, count=3, address=LOOPBACK):
    """The server closes properly, but a helper program that it started still has the descriptors."""

    def server():
        listener, conns = yield from accepting(address, count)
        for conn in conns:
            conn.set_inheritable(True)
        helper = subprocess.Popen(["sleep", "3600"], close_fds=False, preexec_fn=die_with_parent)
        yield {"helper_pid": helper.pid}
        for conn in conns:
            read_to_end(conn)
            conn.close()
        yield

    service, peers, port = stage.start_pair(
        "exec-parent", server(), "exec-peer",
        lambda port: asks_and_closes(address, port, count))
    helper_pid = service.step()["helper_pid"]
    peers.step()
    service.step()
    yield {"pid": helper_pid, "parent_pid": service.pid, "peer_pid": peers.pid, "port": port, "count": count}


# --- a writer that cannot go on --------------------------------------------------------------------------------------

@is_maker
def close_wait_blocked_writer(stage, count=3, address=LOOPBACK):
    """The peer has half-closed and stopped reading. The server is blocked in the middle of its answer."""

    def server():
        listener, conns = yield from accepting(address, count)
        for conn in conns:
            read_to_end(conn)
            write_until_full(conn)
        yield
        while True:
            conns[0].send(b"x" * 65536)

    service, peers, port = stage.start_pair(
        "blocked-writer", server(), "deaf-peer",
        lambda port: half_closes_and_stops_reading(address, port, count))
    service.step()
    service.go()
    yield {"pid": service.pid, "peer_pid": peers.pid, "port": port, "count": count}


def half_closes_and_stops_reading(address, port, count):
    conns = [connect(address, port, receive_buffer=SMALL_BUFFER) for _ in range(count)]
    for conn in conns:
        conn.sendall(REQUEST)
        conn.shutdown(socket.SHUT_WR)
    yield


@is_maker
def close_wait_unanswered_writer(stage, address, service_netns, peer_netns, count=3):
    """The peer has half-closed, then the path loses all packets: data is retransmitted."""

    def server():
        listener, conns = yield from accepting(address, count)
        for conn in conns:
            read_to_end(conn)
        yield
        for conn in conns:
            conn.sendall(b"x" * 5000)
        yield

    def peer(port):
        conns = [connect(address, port) for _ in range(count)]
        for conn in conns:
            conn.sendall(REQUEST)
            conn.shutdown(socket.SHUT_WR)
        yield
        wait_until_half_closed(conns)
        lose_packets(port)
        yield

    service, peers, port = stage.start_pair("lost-writer", server(), "lost-peer", peer, service_netns, peer_netns)
    service.step()
    peers.step()
    service.step()
    yield {"pid": service.pid, "peer_pid": peers.pid, "port": port, "count": count}
