"""Healthy loads that look like faults. Each runs in its own network namespace, with both ends in it.

A load is a function. It starts its programs and returns a second function, which is called at the end with the
diagnoses. That function asserts that there was load, and returns a note for the table.
"""

from dataclasses import dataclass
from typing import Callable

from software import PORT, REQUEST
from sockets import sockets, wait_for

HERE = "127.0.0.1"
CHUNK = 64 << 10


@dataclass(frozen=True)
class Load:
    name: str
    start: Callable
    tools: tuple
    looks_like: tuple  # findings that must not be reported
    every_s: float  # between two runs of tcpwhy


LOADS = []


def load(*tools, looks_like, every_s=2.3):
    def register(start):
        LOADS.append(Load(start.__name__.replace("_", "-"), start, tools, looks_like, every_s))
        return start
    return register


def most(runs, state):
    return max(run["totals"]["by_state"].get(state, 0) for run in runs)


# --- full speed ------------------------------------------------------------------------------------------------------

@load("nginx", "wrk", looks_like=("established-unread", "established-unanswered", "accept-queue-overflow"))
def nginx_with_keepalive(software, netns):
    software.nginx(netns, keepalive_timeout=5)
    software.wrk(netns, HERE)

    def loaded(runs):
        assert most(runs, "ESTABLISHED") >= 100
        return f"{most(runs, 'ESTABLISHED'):,} ESTABLISHED"
    return loaded


@load("nginx", "wrk", looks_like=("time-wait-churn", "fin-wait-2-orphaned", "close-wait-leak", "last-ack-unanswered"))
def nginx_without_keepalive(software, netns):
    software.nginx(netns, keepalive_timeout=0)
    software.wrk(netns, HERE, connections=20)

    def loaded(runs):
        assert most(runs, "TIME_WAIT") >= 5000
        return f"{most(runs, 'TIME_WAIT'):,} TIME_WAIT, nginx closes first"
    return loaded


@load("haproxy", "nginx", "wrk", looks_like=("syn-sent-unanswered", "close-wait-unread", "fin-wait-1-unanswered"))
def haproxy_before_nginx(software, netns):
    software.nginx(netns, keepalive_timeout=5)
    software.haproxy(netns, HERE)
    software.wrk(netns, HERE, PORT + 1, connections=30)

    def loaded(runs):
        assert most(runs, "ESTABLISHED") >= 60
        return f"{most(runs, 'ESTABLISHED'):,} ESTABLISHED"
    return loaded


@load("nginx", "wrk", looks_like=("port-exhaustion", "time-wait-overflow", "time-wait-churn", "tcp-memory-pressure"))
def short_connections_at_full_speed(software, netns):
    """The clients close first, so their ports stay in TIME_WAIT."""
    software.nginx(netns, keepalive_timeout=5)
    crowds = {f"127.0.0.{i}": software.crowd(netns) for i in (1, 2)}
    for address, crowd in crowds.items():
        crowd.do("always_come_and_go", address=address, port=PORT, text=REQUEST)

    def loaded(runs):
        said = [crowd.do("tell") for crowd in crowds.values()]
        done = sum(s["done"] for s in said)
        assert sum(s["failed"] for s in said) == 0, said
        assert most(runs, "TIME_WAIT") >= 20_000
        return f"{most(runs, 'TIME_WAIT'):,} TIME_WAIT, {done:,} connections, none failed"
    return loaded


# --- pools of idle connections ---------------------------------------------------------------------------------------

@load("redis-server", "redis-benchmark", looks_like=("descriptor-exhaustion", "established-idle", "established-unread"))
def redis_with_2000_pooled(software, netns, pooled=2000):
    software.redis(netns)
    pool = software.crowd(netns)
    pool.do("open", address=HERE, port=6379, count=pooled)
    pool.do("send", text="PING\r\n")
    pool.do("receive", until="+PONG\r\n")
    software.start(netns, "redis-benchmark", "-p", 6379, "-c", 50, "-l", "-t", "set,get", "-q")

    def loaded(runs):
        assert min(run["totals"]["by_state"]["ESTABLISHED"] for run in runs) >= 2 * pooled
        return f"{most(runs, 'ESTABLISHED'):,} ESTABLISHED"
    return loaded


@load("postgres", looks_like=("established-idle", "close-wait-inherited", "established-unread"))
def postgres_with_500_pooled(software, netns, pooled=500):
    software.postgres(netns)
    pool = software.crowd(netns)
    pool.do("open", address=HERE, port=5432, count=pooled)
    pool.do("send", text=software.startup_of_postgres())
    pool.do("receive", until="Z\0\0\0\5I")
    bench = [software.postgres_program("pgbench"), "-h", HERE, "-U", "tester"]
    software.start(netns, *bench, "-i", "-q", "postgres").wait(60)
    software.start(netns, *bench, "-c", 8, "-T", 120, "postgres")

    def loaded(runs):
        assert min(run["totals"]["by_state"]["ESTABLISHED"] for run in runs) >= 2 * pooled
        return f"{most(runs, 'ESTABLISHED'):,} ESTABLISHED"
    return loaded


# --- slow, silent and one-way, but alive -----------------------------------------------------------------------------

@load("nginx", "curl", looks_like=("established-zero-window", "established-unread"), every_s=5)
def slow_download(software, netns, count=12):
    """Each curl reads 64 KB a second of 64 MB. Most of the time nginx waits for its window to open, but it always makes
    progress."""
    software.nginx(netns, sendfile="on", send_timeout=600)
    for _ in range(count):
        software.start(netns, "curl", "-s", "--limit-rate", "64k", "-o", "/dev/null", f"http://{HERE}:{PORT}/big")
    wait_for(lambda: blocked(netns), "nginx is blocked", 20)
    first = acknowledged(netns)

    def loaded(runs):
        moved = acknowledged(netns) - first
        assert moved >= count * 4 * CHUNK, "the downloads went on"  # a window of megabytes opens in large steps
        assert blocked(netns), "and nginx has more to send than curl takes"
        return f"{moved >> 10:,} KB in the meantime, {blocked(netns)} blocked"
    return loaded


def blocked(netns):
    return len([s for s in sockets(netns) if s.local[1] == PORT and s.state == "ESTABLISHED" and s.send_q > CHUNK])


def acknowledged(netns):
    """Bytes that the clients of nginx have acknowledged, over all connections."""
    words = " ".join(s.extra for s in sockets(netns, extra="i") if s.local[1] == PORT).split()
    return sum(int(word.partition(":")[2]) for word in words if word.startswith("bytes_acked:"))


@load("node", looks_like=("established-idle", "established-unanswered", "established-unread"), every_s=5)
def idle_with_keepalive(software, netns, count=200):
    """As WebSockets or SSH: a short exchange, then silence. Both sides send keepalives every 2 s."""
    software.node_server(netns, "echoes")
    crowd = software.crowd(netns)
    crowd.do("open", address=HERE, port=PORT, count=count, keepalive_s=2)
    crowd.do("send", text="hello\r\n")
    crowd.do("receive", until="hello\r\n")

    def loaded(runs):
        assert {run["totals"]["by_state"]["ESTABLISHED"] for run in runs} == {2 * count}
        timers = [s for s in sockets(netns, extra="o") if "timer:(keepalive" in s.extra]
        assert len(timers) >= count
        return f"{2 * count} ESTABLISHED, idle since the beginning"
    return loaded


@load("node", looks_like=("fin-wait-2-held", "close-wait-leak", "close-wait-blocked-writer"), every_s=5)
def half_closed_transfer(software, netns, count=20):
    """As rsh does: the client has sent all and shuts down its sending side; the server streams for a minute."""
    software.node_server(netns, "streams")
    crowd = software.crowd(netns)
    crowd.do("open", address=HERE, port=PORT, count=count)
    crowd.do("send", text="run\r\n")
    crowd.do("shutdown")
    crowd.do("always_read")
    wait_for(lambda: crowd.do("tell")["received"], "the server streams")
    first = crowd.do("tell")["received"]

    def loaded(runs):
        for run in runs:
            states = run["totals"]["by_state"]
            assert (states["CLOSE_WAIT"], states["FIN_WAIT_2"]) == (count, count)
        moved = crowd.do("tell")["received"] - first
        assert moved > 0
        return f"{count} CLOSE_WAIT, {count} FIN_WAIT_2, {moved >> 10:,} KB in the meantime"
    return loaded
