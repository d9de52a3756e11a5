"""Real software that gets stuck, between two network namespaces, `service` and `peer`.

A scene is a generator. It starts its programs and yields while all is healthy. Then it breaks something and yields
the processes that must be named: {name: pids}. A scene may have several findings, for example one on each side.
"""

import os
import signal
import subprocess
from dataclasses import dataclass

from netns import Pair, ip
from software import PORT, REQUEST, children
from sockets import on_port, sockets, wait_for

LOCAL, PEER, PATH, HOST, NONE = (
    "local-application", "peer-application", "peer-or-path", "host-settings", "none")
ADDRESS = Pair.service_address
URL = f"http://{ADDRESS}:{PORT}"
ASK_FOR_BIG = "GET /big HTTP/1.1\r\nHost: service\r\n\r\n"
LAST_REQUEST = "GET / HTTP/1.1\r\nHost: service\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True)
class Case:
    finding: str
    scene: object
    side: str  # the side that is diagnosed: service or peer
    owner: str  # a key of the dict that the scene yields
    fault: str
    count: int | None = None  # None: at least one
    inferred: bool = False
    whole_host: bool = False  # it is reported only in a diagnosis of the whole host

    @property
    def name(self):
        return f"{self.finding}:{self.scene.__name__.replace('_', '-')}"


CASES = []


def scene(*tools):
    def mark(function):
        function.tools = tools
        return function
    return mark


def finds(finding, side, owner, fault, count=None, inferred=False, whole_host=False):
    """What must be found in the scene below."""
    def register(function):
        CASES.append(Case(finding, function, side, owner, fault, count, inferred, whole_host))
        return function
    return register


# --- what breaks -----------------------------------------------------------------------------------------------------

def lose(netns, port, both_ways=True):
    """Drops what this namespace receives from that port. With both_ways it also drops what it sends there."""
    output = f"chain output {{ type filter hook output priority 0; tcp dport {port} drop; }}" if both_ways else ""
    rules = f"""
        table inet lost {{
            chain input {{ type filter hook input priority 0; tcp sport {port} drop; }}
            {output}
        }}
    """
    subprocess.run(["ip", "netns", "exec", netns, "nft", "-f", "-"], input=rules.encode(), check=True)


def set_sysctl(netns, name, value):
    subprocess.run(["ip", "netns", "exec", netns, "sysctl", "-qw", f"{name}={value}"], check=True)


def freeze(*pids):
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)


def wait_established(netns, count, port=PORT):
    wait_for(lambda: len([s for s in sockets(netns) if s.state == "ESTABLISHED" and port in (s.local[1], s.remote[1])])
             >= count, f"{count} connections are established", 30)


def wait_queued(netns, count, port=PORT):
    """Waits until the service has more to send than the peers read."""
    wait_for(lambda: len([s for s in on_port(port, netns=netns) if s.send_q > 0]) >= count,
             f"{count} connections have something to send", 30)


def crowd_of(software, pair, count, text=REQUEST, until="hello\n", **how):
    crowd = software.crowd(pair.peer)
    crowd.do("open", address=ADDRESS, port=PORT, count=count, **how)
    crowd.do("send", text=text)
    if until:
        crowd.do("receive", until=until)
    return crowd


def well_behaved(software, pair):
    """Clients that behave well: they send a request, read the answer and close."""
    crowd_of(software, pair, 10).do("close")


def nginx_pids(nginx):
    return [nginx.pid, *children(nginx.pid)]


# --- CLOSE_WAIT, and the other end of it -----------------------------------------------------------------------------

@finds("close-wait-leak", "service", "server", LOCAL, 30)
@finds("fin-wait-2-held", "peer", "client", PATH, 30)
@scene("node")
def node_never_ends(software, pair):
    """A Node server with allowHalfOpen but without an 'end' handler. The client is Node too."""
    server = software.node_server(pair.service, "never-ends")
    yield
    client = software.node_client(pair.peer, "half-closes", ADDRESS, PORT, 30)
    wait_for(lambda: len(on_port(PORT, "CLOSE_WAIT", pair.service)) == 30, "the client has said its last word")
    yield {"server": [server.pid], "client": [client.pid]}


@finds("close-wait-not-accepted", "service", "java", LOCAL, 20, inferred=True)
@scene("java")
def java_hangs(software, pair):
    """The accepting thread of a Java server sleeps. Its clients have closed."""
    java = software.hung_java(pair.service, backlog=50)
    yield
    crowd_of(software, pair, 20, until=None).do("close")
    yield {"java": [java.pid]}


@finds("accept-queue-overflow", "service", "java", LOCAL)
@scene("java")
def java_hangs_under_load(software, pair):
    """The same with more clients than the backlog allows: the rest is dropped."""
    java = software.hung_java(pair.service, backlog=10)
    yield
    software.crowd(pair.peer).do("open", address=ADDRESS, port=PORT, count=40, wait=False)
    yield {"java": [java.pid]}


@finds("close-wait-unread", "peer", "pool", LOCAL, 120)
@finds("fin-wait-2-orphaned", "service", "nginx", PEER, 120, inferred=True)
@scene("nginx")
def pool_outlives_keepalive(software, pair):
    """A pool keeps connections longer than nginx does, and does not read from them."""
    set_sysctl(pair.service, "net.ipv4.tcp_fin_timeout", 120)  # otherwise they end before all scenes are ready
    nginx = software.nginx(pair.service, keepalive_timeout="3s")
    well_behaved(software, pair)
    yield
    pool = software.pool(pair.peer, ADDRESS, PORT, 120)
    wait_for(lambda: len([s for s in sockets(pair.peer) if s.state == "CLOSE_WAIT"]) == 120, "nginx has closed", 20)
    yield {"pool": [pool.pid], "nginx": nginx_pids(nginx)}


@finds("close-wait-unread", "service", "worker", LOCAL, 20)
@finds("close-wait-not-accepted", "service", "nginx", LOCAL, 15, inferred=True)
@scene("nginx")
def nginx_stopped(software, pair):
    """nginx is stopped (SIGSTOP): it neither reads from its connections nor accepts new ones."""
    nginx = software.nginx(pair.service, keepalive_timeout=600)
    crowd = crowd_of(software, pair, 20)
    yield
    freeze(*nginx_pids(nginx))
    crowd.do("close")
    crowd_of(software, pair, 15, until=None).do("close")
    yield {"worker": children(nginx.pid), "nginx": nginx_pids(nginx)}


@finds("close-wait-inherited", "peer", "shell", LOCAL, 3)
@scene("nginx", "bash")
def bash_leaves_a_job(software, pair):
    """A shell opens connections and starts a background job. Both hold them, and neither reads."""
    software.nginx(pair.service, keepalive_timeout="3s")
    yield
    target = f"/dev/tcp/{ADDRESS}/{PORT}"
    script = (f"exec 4<>{target} 5<>{target} 6<>{target};"
              " for fd in 4 5 6; do printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&$fd; done; sleep 3600 & echo $!; wait")
    shell = software.start(pair.peer, "bash", "-c", script, stdout=subprocess.PIPE)
    job = int(shell.stdout.readline())
    wait_for(lambda: len([s for s in sockets(pair.peer) if s.state == "CLOSE_WAIT"]) == 3, "nginx has closed", 20)
    yield {"shell": [shell.pid, job]}


@finds("close-wait-blocked-writer", "service", "server", PEER, 10)
@scene("node")
def node_answers_the_deaf(software, pair):
    """The client has shut down its sending side and does not read the long answer of a Node server."""
    server = software.node_server(pair.service, "answers")
    yield
    crowd = crowd_of(software, pair, 10, until=None, receive_buffer=8192)
    crowd.do("shutdown")
    wait_queued(pair.service, 10)
    yield {"server": [server.pid]}


# --- a service that closes ------------------------------------------------------------------------------------------

@finds("last-ack-unanswered", "service", "nginx", PATH, 12, inferred=True)
@scene("nginx")
def clients_vanish_after_their_fin(software, pair):
    nginx = software.nginx(pair.service, keepalive_timeout=600)
    crowd = crowd_of(software, pair, 12)
    yield
    lose(pair.peer, PORT, both_ways=False)
    crowd.do("close")
    yield {"nginx": nginx_pids(nginx)}


@finds("last-ack-zero-window", "service", "nginx", PEER, 8, inferred=True)
@scene("nginx")
def nginx_gives_up_the_half_closed(software, pair):
    """nginx's send_timeout closes connections of half-closed clients that do not read."""
    nginx = software.nginx(pair.service, send_timeout="3s", sendfile="on")
    yield
    crowd = crowd_of(software, pair, 8, ASK_FOR_BIG, until=None, receive_buffer=8192)
    wait_queued(pair.service, 8)
    crowd.do("shutdown")
    yield {"nginx": nginx_pids(nginx)}


@finds("fin-wait-1-zero-window", "service", "nginx", PEER, 8, inferred=True)
@scene("nginx")
def nginx_gives_up_the_deaf(software, pair):
    """The same with clients that have not shut down their sending side."""
    nginx = software.nginx(pair.service, send_timeout="3s", sendfile="on")
    yield
    crowd_of(software, pair, 8, ASK_FOR_BIG, until=None, receive_buffer=8192)
    yield {"nginx": nginx_pids(nginx)}


@finds("fin-wait-1-unanswered", "service", "nginx", PATH, 12, inferred=True)
@scene("nginx")
def clients_vanish_while_idle(software, pair):
    """nginx closes idle connections whose clients can no longer be reached."""
    nginx = software.nginx(pair.service, keepalive_timeout="3s")
    well_behaved(software, pair)
    yield
    crowd_of(software, pair, 12)
    lose(pair.peer, PORT)
    yield {"nginx": nginx_pids(nginx)}


@finds("closing-unanswered", "service", "nginx", PATH, 6, inferred=True)
@scene("nginx")
def both_close_and_one_is_not_heard(software, pair):
    """The FINs of nginx are lost. The FINs of the clients arrive, but acknowledge nothing new."""
    nginx = software.nginx(pair.service, keepalive_timeout="3s")
    well_behaved(software, pair)
    yield
    crowd = crowd_of(software, pair, 6)
    lose(pair.peer, PORT, both_ways=False)
    wait_for(lambda: len(on_port(PORT, "FIN_WAIT_1", pair.service)) == 6, "nginx has closed", 20)
    crowd.do("close")
    yield {"nginx": nginx_pids(nginx)}


@finds("fin-wait-2-held", "service", "worker", PATH, 15)
@scene("nginx")
def nginx_lingers(software, pair):
    """nginx has half-closed and waits for the client's FIN (lingering_close). The client does not close."""
    nginx = software.nginx(pair.service, lingering_close="always", lingering_time="300s", lingering_timeout="300s")
    yield
    crowd_of(software, pair, 15, LAST_REQUEST)
    wait_for(lambda: len(on_port(PORT, "FIN_WAIT_2", pair.service)) == 15, "nginx has half-closed")
    yield {"worker": children(nginx.pid)}


# --- TIME_WAIT and ports ---------------------------------------------------------------------------------------------

@finds("time-wait-churn", "service", "nginx", NONE, inferred=True)
@scene("nginx", "wrk")
def nginx_closes_each(software, pair):
    nginx = software.nginx(pair.service, keepalive_timeout=0)
    yield
    software.wrk(pair.peer, ADDRESS, seconds=8, connections=20)
    wait_for(lambda: len(on_port(PORT, "TIME_WAIT", pair.service)) > 5000, "there are many TIME_WAITs", 20)
    yield {"nginx": nginx_pids(nginx)}


@finds("time-wait-overflow", "service", "nginx", HOST, whole_host=True)
@scene("nginx", "wrk")
def too_few_buckets(software, pair):
    set_sysctl(pair.service, "net.ipv4.tcp_max_tw_buckets", 50)
    nginx = software.nginx(pair.service, keepalive_timeout=0)
    yield
    software.wrk(pair.peer, ADDRESS, seconds=120, connections=1)
    wait_for(lambda: len(on_port(PORT, "TIME_WAIT", pair.service)) >= 50, "the buckets are full", 20)
    yield {"nginx": nginx_pids(nginx)}


@finds("port-exhaustion", "peer", "crowd", HOST)
@scene("nginx", "wrk")
def wrk_in_a_narrow_range(software, pair):
    """A range of 20 ports, and a client that needs more connections to one destination."""
    set_sysctl(pair.peer, "net.ipv4.ip_local_port_range", "40000 40019")
    software.nginx(pair.service, keepalive_timeout=600)
    crowd = crowd_of(software, pair, 2)
    yield
    crowd.do("open", address=ADDRESS, port=PORT, count=18)
    wrk = software.wrk(pair.peer, ADDRESS, connections=20)
    yield {"crowd": [crowd.pid, wrk.pid]}


# --- handshakes ------------------------------------------------------------------------------------------------------

@finds("syn-sent-unanswered", "peer", "haproxy", PATH)
@scene("haproxy", "nginx", "wrk")
def haproxy_to_a_black_hole(software, pair):
    """The packets of the backend are dropped silently."""
    software.nginx(pair.service)
    haproxy = software.haproxy(pair.peer, ADDRESS, connect_s=120)
    yield
    lose(pair.peer, PORT)
    software.wrk(pair.peer, "127.0.0.1", PORT + 1, connections=12)
    wait_for(lambda: [s for s in sockets(pair.peer) if s.state == "SYN_SENT"], "HAProxy connects")
    yield {"haproxy": [haproxy.pid]}


@finds("syn-recv-unanswered", "service", "nginx", PATH, inferred=True)
@scene("nginx", "curl")
def no_way_back(software, pair):
    """The SYNs of curl arrive; the answers are lost."""
    nginx = software.nginx(pair.service)
    yield
    lose(pair.peer, PORT, both_ways=False)
    software.start(pair.peer, "curl", "-s", "-Z", "--parallel-immediate", *[f"{URL}/?{i}" for i in range(8)])
    wait_for(lambda: on_port(PORT, "SYN_RECEIVED", pair.service), "SYNs arrive")
    yield {"nginx": nginx_pids(nginx)}


@finds("syn-recv-flood", "service", "nginx", PATH, inferred=True)
@scene("nginx")
def nginx_flooded(software, pair):
    """Many more half-open connections than the backlog of nginx, from many addresses that never answer."""
    sources = [f"10.177.0.{n}" for n in range(10, 90)]
    for source in sources:
        ip("-n", pair.peer, "address", "add", f"{source}/24", "dev", pair.peer_link)
    nginx = software.nginx(pair.service, listen="backlog=64")
    yield
    lose(pair.peer, PORT, both_ways=False)
    software.crowd(pair.peer).do("open", address=ADDRESS, port=PORT, count=800, wait=False, sources=sources)
    wait_for(lambda: len(on_port(PORT, "SYN_RECEIVED", pair.service)) >= 60, "the backlog is full")
    yield {"nginx": nginx_pids(nginx)}


# --- ESTABLISHED, and nothing moves ----------------------------------------------------------------------------------

def five_downloads(software, pair, *words):
    urls = [word for i in range(5) for word in ("-o", "/dev/null", f"{URL}/big?{i}")]
    return software.start(pair.peer, "curl", "-s", "-Z", "--parallel-immediate", *words, *urls)


@finds("established-unanswered", "service", "worker", PATH, 5)
@scene("nginx", "curl")
def downloads_lose_their_client(software, pair):
    nginx = software.nginx(pair.service, send_timeout=600, sendfile="on")
    five_downloads(software, pair, "--limit-rate", "500k")
    wait_queued(pair.service, 5)
    yield
    lose(pair.peer, PORT)
    yield {"worker": children(nginx.pid)}


@finds("established-zero-window", "service", "worker", PEER, 5)
@finds("established-unread", "peer", "curl", LOCAL, 5)
@scene("nginx", "curl")
def curl_stopped(software, pair):
    nginx = software.nginx(pair.service, send_timeout=600, sendfile="on")
    curl = five_downloads(software, pair, "--limit-rate", "500k")
    wait_queued(pair.service, 5)
    yield
    freeze(curl.pid)
    yield {"worker": children(nginx.pid), "curl": [curl.pid]}


@finds("established-zero-window", "service", "redis", PEER, 4)
@finds("established-unread", "peer", "client", LOCAL, 4)
@scene("redis-server", "node")
def redis_pipelines_unread(software, pair):
    """A Node client requests 10 KB 2,000 times on each socket and reads nothing."""
    redis = software.redis(pair.service)
    setter = software.crowd(pair.service)
    setter.do("open", address="127.0.0.1", port=6379, count=1)
    setter.do("send", text=f"SET big {'x' * 10240}\r\n")
    setter.do("receive", until="+OK\r\n")
    yield
    client = software.node_client(pair.peer, "pipelines", ADDRESS, 6379, 4)
    wait_queued(pair.service, 4, 6379)
    yield {"redis": [redis.pid], "client": [client.pid]}


@finds("established-zero-window", "service", "backends", PEER)
@scene("postgres", "node")
def postgres_results_unread(software, pair):
    """Three clients of PostgreSQL request a large result and read nothing. Their backends block in a write."""
    postgres = software.postgres(pair.service, max_connections=20)
    crowd = software.crowd(pair.peer)
    crowd.do("open", address=ADDRESS, port=5432, count=3, receive_buffer=8192)
    crowd.do("send", text=software.startup_of_postgres())
    crowd.do("receive", until="Z\0\0\0\5I")
    yield
    crowd.do("send", text=software.query_of_postgres("select repeat('x', 1000) from generate_series(1, 100000)"))
    wait_queued(pair.service, 3, 5432)
    yield {"backends": children(postgres.pid)}


# --- descriptors -----------------------------------------------------------------------------------------------------

@finds("descriptor-exhaustion", "service", "server", LOCAL)
@scene("node")
def node_with_few_descriptors(software, pair):
    """A server that may open 128 files, with more clients than that."""
    server = software.node_server(pair.service, "echoes", descriptors=128)
    yield
    crowd = software.crowd(pair.peer)
    crowd.do("open", address=ADDRESS, port=PORT, count=125)
    yield {"server": [server.pid]}


SCENES = list(dict.fromkeys(case.scene for case in CASES))
