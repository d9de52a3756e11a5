"""The sockets as `ss` shows them, to compare with tcpwhy."""

import subprocess
import time
from dataclasses import dataclass

STATES = {
    "ESTAB": "ESTABLISHED", "UNCONN": "CLOSED", "SYN-RECV": "SYN_RECEIVED", "SYN-SENT": "SYN_SENT",
    "FIN-WAIT-1": "FIN_WAIT_1", "FIN-WAIT-2": "FIN_WAIT_2", "CLOSE-WAIT": "CLOSE_WAIT", "LAST-ACK": "LAST_ACK",
    "TIME-WAIT": "TIME_WAIT",
}


@dataclass(frozen=True)
class Socket:
    state: str
    recv_q: int
    send_q: int
    local: tuple  # (address, port); an IPv4-mapped address as IPv4; port 0 for "*"
    remote: tuple
    extra: str


def _endpoint(text):
    address, _, port = text.rpartition(":")
    address = address.strip("[]").partition("%")[0].removeprefix("::ffff:")
    return (address, 0 if port == "*" else int(port))


def sockets(netns=None, extra=""):
    """All TCP sockets of a named namespace (None: that of the tests). `extra` has options of ss, such as "iemo"."""
    where = ["-N", netns] if netns else []
    out = subprocess.run(["ss", *where, "-tanHO" + extra], capture_output=True, text=True, check=True).stdout
    rows = []
    for line in out.splitlines():
        state, recv_q, send_q, local, remote, *rest = line.split(None, 5)
        rows.append(Socket(STATES.get(state, state), int(recv_q), int(send_q), _endpoint(local), _endpoint(remote),
                           rest[0] if rest else ""))
    return rows


def on_port(port, state=None, netns=None, extra=""):
    """Connections of a service, without listeners: its port is the local one."""
    return [s for s in sockets(netns, extra)
            if s.local[1] == port and s.state != "LISTEN" and (state is None or s.state == state)]


def wait_for(condition, what, seconds=10.0):
    """Polls until condition() is true. Fails with `what` in its message if that takes too long."""
    give_up = time.monotonic() + seconds
    in_time = True
    while in_time:
        in_time = time.monotonic() < give_up  # one more try after the time is over: the machine may have paused
        result = condition()
        if result:
            return result
        time.sleep(0.1)
    raise AssertionError(f"waited {seconds:.0f} s in vain for: {what}")
