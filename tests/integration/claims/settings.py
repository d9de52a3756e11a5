"""Defaults of settings, and settings that each namespace has."""

import os
import socket

from claims import claim
from claims import stage


def default(name, says, value, page="sysctls", since=None):
    """Claims the value of a setting in a new namespace."""
    def measure():
        stage.new_netns()
        return " ".join(stage.read_setting(name).split())
    measure.__name__ = "default_of_" + name.rsplit(".", 1)[1]
    claim(page, says, value, since=since)(measure)


default("net.ipv4.tcp_fin_timeout", "Default 60 s; per namespace since Linux 4.6.", "60")
default("net.ipv4.tcp_tw_reuse", "2 on for loopback (default since 4.19; before 0)", "2", since="4.19")
default("net.ipv4.tcp_tw_reuse_delay", "older than tcp_tw_reuse_delay (1000 ms; Linux 6.14", "1000", since="6.14")
default("net.ipv4.tcp_orphan_retries", "Default 0, which counts as 8", "0")
default("net.ipv4.tcp_retries1", "retries1 (3)", "3")
default("net.ipv4.tcp_retries2", "retries2: default 15.", "15")
default("net.ipv4.tcp_rto_max_ms", "The longest retransmission time-out, 120,000 ms (Linux 6.15)",
        "120000", since="6.15")
default("net.ipv4.tcp_rto_min_us", "the shortest, 200,000 us (6.11;", "200000", since="6.11")
default("net.ipv4.tcp_syn_retries", "6 retransmissions of a SYN", "6")
default("net.ipv4.tcp_syn_linear_timeouts", "from Linux 6.5 the first 4 come a second apart", "4", since="6.5")
default("net.ipv4.tcp_synack_retries", "5 retransmissions of a SYN-ACK: 63 s", "5")
default("net.ipv4.tcp_syncookies", "syncookies: 1 (default): when the SYN queue is full", "1")
default("net.core.somaxconn", "4096 since Linux 5.4, 128 before.", "4096", since="5.4")
default("net.ipv4.tcp_abort_on_overflow", "- 0: ", "0")
default("net.ipv4.ip_local_port_range", "32768 60999: the ports that `connect()`", "32768 60999")
default("net.ipv4.ip_autobind_reuse", "0 (Linux 5.7): without it `bind(address, 0)` gives each port once",
        "0", since="5.7")
default("net.ipv4.tcp_keepalive_time", "7200 s, 75 s, 9: the defaults", "7200")
default("net.ipv4.tcp_keepalive_intvl", "7200 s, 75 s, 9: the defaults", "75")
default("net.ipv4.tcp_keepalive_probes", "7200 s, 75 s, 9: the defaults", "9")
default("net.ipv4.tcp_mtu_probing", "0 (default) off; 1: after a black hole", "0")
default("net.ipv4.tcp_timestamps", "1 (default). tcp_tw_reuse needs them.", "1")


@claim("sysctls", "start with the kernel's defaults, not the host's values", "60")
def a_new_namespace_has_the_defaults():
    stage.new_netns()
    stage.setting("net.ipv4.tcp_fin_timeout", 33)
    stage.new_netns()
    return stage.read_setting("net.ipv4.tcp_fin_timeout")


@claim("orphan-limit", "shown in the host's first namespace only", [False, False])
def settings_of_the_whole_host_are_not_in_others():
    stage.new_netns()
    return [os.path.exists(f"/proc/sys/net/ipv4/{name}") for name in ("tcp_max_orphans", "tcp_mem")]


@claim("socket-options", "Off unless the program switches it on.", 0)
def keepalive_is_off():
    stage.new_netns()
    return stage.pair()[0].getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


@claim("socket-options", "Linux: 2 hours, then 9 probes 75 s apart", [7200, 75, 9])
def a_socket_has_the_defaults_of_keepalive():
    stage.new_netns()
    conn = stage.pair()[0]
    return [conn.getsockopt(socket.IPPROTO_TCP, option)
            for option in (stage.TCP_KEEPIDLE, stage.TCP_KEEPINTVL, stage.TCP_KEEPCNT)]


@claim("socket-options", "The accept queue takes the smaller of the backlog and `net.core.somaxconn`, plus one.", 2)
def somaxconn_bounds_the_backlog():
    stage.new_netns()
    stage.setting("net.core.somaxconn", 2)
    return stage.queue_of(socket.create_server(("127.0.0.1", 0), backlog=50))[1]


@claim("sysctls", "A change counts for `listen()` calls made after it", [2, 2, 50])
def somaxconn_counts_for_later_listens():
    stage.new_netns()
    stage.setting("net.core.somaxconn", 2)
    listener = socket.create_server(("127.0.0.1", 0), backlog=50)
    seen = [stage.queue_of(listener)[1]]
    stage.setting("net.core.somaxconn", 100)
    seen.append(stage.queue_of(listener)[1])
    listener.listen(50)
    return [*seen, stage.queue_of(listener)[1]]


@claim("sysctls", "Above it a connection ends without TIME_WAIT.", [4, 6])
def more_than_max_tw_buckets():
    stage.new_netns()
    stage.setting("net.ipv4.tcp_max_tw_buckets", 4)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        for _ in range(10):
            conn = stage.connected(listener.getsockname())
            other = listener.accept()[0]
            conn.close()
            other.recv(1)
            other.close()
    stage.wait_for(lambda: len(stage.rows()) == len(stage.rows(stage.TIME_WAIT)))
    return [len(stage.rows(stage.TIME_WAIT)), stage.counter("TCPTimeWaitOverflow")]
