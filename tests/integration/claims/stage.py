"""What the measurements need: namespaces, a path between two of them, sockets, and the kernel's tables and counters."""

import contextlib
import ctypes
import errno
import os
import select
import socket
import struct
import subprocess
import time

CLONE_NEWNET = 0x40000000
# include/net/tcp_states.h
ESTABLISHED, SYN_SENT, SYN_RECV, FIN_WAIT_1, FIN_WAIT_2, TIME_WAIT, CLOSED, CLOSE_WAIT, LAST_ACK, LISTEN = range(1, 11)
PERSIST = 4  # a timer of /proc/net/tcp
PATIENCE_S = 60  # for a busy machine; no result depends on it

IP_BIND_ADDRESS_NO_PORT, IP_LOCAL_PORT_RANGE = 24, 51
TCP_LINGER2, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_USER_TIMEOUT = 8, 4, 5, 6, 18

_libc = ctypes.CDLL(None, use_errno=True)


class NotHere(Exception):
    """This kernel or host cannot show it. The message is the reason."""


def ip(*words, netns=None):
    entry = ["nsenter", f"--net=/proc/{os.getpid()}/fd/{netns}"] if netns is not None else []
    subprocess.run([*entry, "ip", *words], check=True, stdin=subprocess.DEVNULL)


def _own_netns():
    return os.open("/proc/self/ns/net", os.O_RDONLY)


def enter(netns):
    if _libc.setns(netns, CLONE_NEWNET) < 0:
        raise OSError(ctypes.get_errno(), "setns")


def new_netns():
    """Enters a new namespace, which has only loopback. The old one remains if something holds it."""
    if _libc.unshare(CLONE_NEWNET) < 0:
        raise NotHere("needs to make a network namespace")
    ip("link", "set", "lo", "up")
    return _own_netns()


class Path:
    """Two hosts, `here` (10.9.0.1) and `there` (10.9.0.2). The process is in `here`."""

    here_address, there_address = "10.9.0.1", "10.9.0.2"

    def __init__(self):
        self.there = new_netns()
        self.here = new_netns()
        cards = "02:00:00:00:00:01", "02:00:00:00:00:02"
        ip("link", "add", "cable", "address", cards[0], "type", "veth", "peer", "name", "far", "address", cards[1])
        ip("link", "set", "far", "netns", f"/proc/{os.getpid()}/fd/{self.there}")
        for netns, link, address in ((self.here, "cable", self.here_address), (self.there, "far", self.there_address)):
            ip("address", "add", f"{address}/24", "dev", link, netns=netns)
            ip("link", "set", link, "up", netns=netns)
        # Static neighbours: no packet has to wait for an answer of ARP, which may come late on a busy machine.
        ip("neighbor", "add", self.there_address, "lladdr", cards[1], "dev", "cable", "nud", "permanent")
        ip("neighbor", "add", self.here_address, "lladdr", cards[0], "dev", "far", "nud", "permanent", netns=self.there)
        for end in self.connect():  # waits until the link is up
            end.close()

    def listen(self, backlog=16):
        enter(self.there)
        try:
            return socket.create_server((self.there_address, 0), backlog=backlog)
        finally:
            enter(self.here)

    def connect(self, **options):
        """Returns both ends: that of `here`, which connects, and that of `there`."""
        with self.listen() as listener:
            conn = connected(listener.getsockname(), **options)
            return conn, listener.accept()[0]

    def accept(self):
        """Returns both ends: that of `here`, which accepts, and that of `there`, which connects."""
        with socket.create_server((self.here_address, 0)) as listener:
            enter(self.there)
            try:
                there = connected(listener.getsockname())
            finally:
                enter(self.here)
            return listener.accept()[0], there

    def vanish(self, hooks=("input", "output")):
        """Silences `there`. With "input" alone it receives nothing, but what its programs send still goes out."""
        rules = "table ip gone {\n%s}\n" % "".join(
            f"chain {hook} {{ type filter hook {hook} priority 0; policy drop; }}\n" for hook in hooks)
        done = subprocess.run(["nsenter", f"--net=/proc/{os.getpid()}/fd/{self.there}", "nft", "-f", "-"], input=rules,
                              text=True, capture_output=True)
        if "not supported" in done.stderr:
            raise NotHere("this kernel has no nf_tables for IPv4")
        assert done.returncode == 0, done.stderr


def connected(address, **options):
    """`options`: NAME=value for setsockopt() of TCP before connecting; keepalive=True."""
    conn = socket.socket()
    if options.pop("keepalive", False):
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in options.items():
        conn.setsockopt(socket.IPPROTO_TCP, globals().get(name) or getattr(socket, name), value)
    conn.settimeout(PATIENCE_S)
    conn.connect(address)
    return conn


def pair(**options):
    """Returns both ends of a connection over loopback: the connecting one and the accepting one."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        conn = connected(listener.getsockname(), **options)
        return conn, listener.accept()[0]


def trying(address):
    """A socket that has begun to connect."""
    conn = socket.socket()
    conn.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        conn.connect(address)
    return conn


def error_of(call, *arguments):
    """The name of the errno with which a call fails, or "none"."""
    try:
        call(*arguments)
    except OSError as e:
        return errno.errorcode.get(e.errno, type(e).__name__)
    return "none"


# --- tables and counters ----------------------------------------------------------------------------------------------


class Row:
    def __init__(self, line):
        fields = line.split()
        self.local, self.remote = (int(end.split(":")[1], 16) for end in fields[1:3])
        self.state = int(fields[3], 16)
        self.send_q, self.recv_q = (int(number, 16) for number in fields[4].split(":"))
        self.timer, self.timer_ticks = (int(number, 16) for number in fields[5].split(":"))
        self.retransmits = int(fields[6], 16)
        self.inode = int(fields[9])


def rows(state=None):
    with open("/proc/self/net/tcp") as table:
        found = [Row(line) for line in table.read().splitlines()[1:]]
    return [row for row in found if state is None or row.state == state]


def rto_s(conn):
    """The retransmission timeout. It depends on how busy the machine was when the round trip was measured."""
    return struct.unpack_from("I", conn.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104), 8)[0] / 1e6


def row_of(conn):
    """The row of a socket. If the socket may be closed, pass its ports_of()."""
    ports = conn if isinstance(conn, tuple) else ports_of(conn)
    found = [row for row in rows() if (row.local, row.remote) == ports]
    return found[0] if found else None


def ports_of(conn):
    return conn.getsockname()[1], conn.getpeername()[1]


def queue_of(listener):
    """The number of connections that wait for accept(), and the backlog, as ss shows them."""
    shown = subprocess.run(["ss", "-Hltn", f"sport = :{listener.getsockname()[1]}"], check=True, capture_output=True,
                           text=True).stdout.split()
    return int(shown[1]), int(shown[2])


def counter(name):
    """A counter of /proc/net/netstat or snmp in this namespace."""
    for file in ("netstat", "snmp"):
        with open(f"/proc/self/net/{file}") as table:
            lines = table.read().splitlines()
        for names, values in zip(lines[::2], lines[1::2]):
            if name in names.split():
                return int(values.split()[names.split().index(name)])
    raise NotHere(f"no counter {name}")


def read_setting(name):
    try:
        with open("/proc/sys/" + name.replace(".", "/")) as file:
            return file.read().strip()
    except FileNotFoundError as e:
        raise NotHere(f"{name} does not exist here") from e


def setting(name, value):
    """Sets a setting of this namespace."""
    read_setting(name)
    with open("/proc/sys/" + name.replace(".", "/"), "w") as file:
        file.write(str(value))


# --- time -------------------------------------------------------------------------------------------------------------


def wait_for(condition, what="it"):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {PATIENCE_S} s")
        time.sleep(0.02)


def seconds_until(condition, begun=None):
    """Seconds until the condition is true, from `begun` or from now."""
    begun = time.monotonic() if begun is None else begun
    wait_for(condition)
    return round(time.monotonic() - begun, 2)


def seconds_until_error(conn, begun=None):
    """Seconds until poll() reports that the connection is over, and its error."""
    begun = time.monotonic() if begun is None else begun
    poll = select.poll()
    poll.register(conn, 0)  # POLLERR and POLLHUP are always reported
    if not poll.poll(PATIENCE_S * 1000):
        raise TimeoutError("no error came")
    return round(time.monotonic() - begun, 2), errno.errorcode[conn.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)]
