"""Numbers that look alike and mean something else: a pool and a leak; a flood and clients whom no answer reaches.

Apache keeps a connection to its backend for each thread (mod_proxy), and does not look at it before the next request:
250 of them that the backend has closed are at rest. A program that takes a new connection each time and keeps the one
before leaks. All scenes run side by side; then many snapshots are taken of each.
"""

import subprocess
import sys
import time

import pytest

import program
from netns import Namespaces, ip
from scenes import lose
from software import PROGRAMS, Software, children, wait_listening, why_missing
from sockets import on_port, sockets, wait_for

PROCESSES, THREADS = 10, 25
POOLED = PROCESSES * THREADS
BACKLOG = 128
PROXY, BACKEND, FLOODED, UNREACHED = 8081, 8080, 8082, 8083
GROWN_S = 62  # whether a number still grows is judged where the oldest is a minute old
SNAPSHOTS, FEW = 30, 10

APACHE = """
ServerRoot {folder}
ServerName localhost
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so
LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so
PidFile {folder}/apache.pid
DefaultRuntimeDir {folder}
Mutex posixsem
ErrorLog {folder}/apache.log
User nobody
Group nogroup
Listen 127.0.0.1:{port}
KeepAlive Off
StartServers {processes}
ServerLimit {processes}
ThreadsPerChild {threads}
MaxRequestWorkers {all}
MinSpareThreads {threads}
MaxSpareThreads {all}
ProxyPass / http://{backend}/
"""
ASK = "GET /big HTTP/1.1\r\nHost: service\r\nRange: bytes=0-399\r\n\r\n"


def apache_pool(software, pair):
    """Each of its threads has asked the backend once, all at the same time; the backend closes what is idle."""
    software.nginx(pair.peer, BACKEND, keepalive_timeout="3s", limit_rate=200)
    folder = software.new_folder("apache")
    folder.chmod(0o755)
    (folder / "apache.conf").write_text(APACHE.format(
        folder=folder, port=PROXY, processes=PROCESSES, threads=THREADS, all=POOLED,
        backend=f"{pair.peer_address}:{BACKEND}"))
    apache = software.start(pair.service, "apache2", "-DFOREGROUND", "-f", folder / "apache.conf")
    wait_listening(pair.service, PROXY)
    wait_for(lambda: len(children(apache.pid)) == PROCESSES, "its processes run")
    crowd = software.crowd(pair.service)
    crowd.do("open", address="127.0.0.1", port=PROXY, count=POOLED)
    crowd.do("send", text=ASK)
    return apache, crowd


def leak(software, pair):
    software.nginx(pair.peer, BACKEND, keepalive_timeout="3s")
    client = software.start(pair.service, sys.executable, PROGRAMS / "pool.py", pair.peer_address, BACKEND, 20, 0.5,
                            stdout=subprocess.PIPE)
    wait_for(lambda: any(s.state == "CLOSE_WAIT" for s in sockets(pair.service)), "nginx has closed the first", 30)
    return client


def flood(software, pair):
    """SYNs of one address each that are never repeated, and whose senders never answer."""
    sources = [f"10.177.0.{n}" for n in range(10, 250)]
    for source in sources:
        ip("-n", pair.peer, "address", "add", f"{source}/24", "dev", pair.peer_link)
    nginx = software.nginx(pair.service, FLOODED, listen=f"backlog={BACKLOG}")
    lose(pair.peer, FLOODED, both_ways=False)
    software.crowd(pair.peer).do("always_knock", address=pair.service_address, port=FLOODED, sources=sources)
    return nginx


def unreached(software, pair):
    """Clients of one other host, who repeat their SYNs: the answers do not reach them."""
    nginx = software.nginx(pair.service, UNREACHED, listen=f"backlog={BACKLOG}")
    lose(pair.peer, UNREACHED, both_ways=False)
    software.crowd(pair.peer).do("open", address=pair.service_address, port=UNREACHED, count=40, wait=False)
    return nginx


class Seen:
    def __init__(self):
        self.pools, self.leaks, self.opening = [], [], []


def look(netns):
    return program.diagnose("--netns", "self", netns=netns, sampled=True)


@pytest.fixture(scope="module")
def seen():
    software, namespaces, seen = Software(), Namespaces(), Seen()
    try:
        leaking, pooling, opening = (namespaces.pair() for _ in range(3))
        if not why_missing("nginx"):
            seen.leak = leak(software, leaking)
            began = time.monotonic()
            seen.flooded, seen.unreached = flood(software, opening), unreached(software, opening)
        if not why_missing("nginx", "apache2"):
            seen.apache, crowd = apache_pool(software, pooling)
            wait_for(lambda: len([s for s in sockets(pooling.service) if s.state == "CLOSE_WAIT" and
                                  s.remote[1] == BACKEND]) == POOLED, "the backend has closed all", 90)
            crowd.do("close")
            time.sleep(6)  # what is younger is not judged
            seen.pools = [look(pooling.service) for _ in range(FEW)]
        if not why_missing("nginx"):
            seen.half_open = []
            for _ in range(SNAPSHOTS):
                seen.opening.append(look(opening.service))
                seen.half_open.append(len(on_port(FLOODED, "SYN_RECEIVED", opening.service)))
                time.sleep(0.2)
            time.sleep(max(0, began + GROWN_S - time.monotonic()))
            seen.leaks = [look(leaking.service) for _ in range(FEW)]
            if seen.pools:
                seen.pools += [look(pooling.service) for _ in range(SNAPSHOTS - FEW)]
        yield seen
    finally:
        software.stop_all()
        namespaces.remove_all()


def needs(*tools):
    if why_missing(*tools):
        pytest.skip(why_missing(*tools))


@pytest.mark.finding("close-wait-unread", "quiet")
@pytest.mark.finding("close-wait-leak", "quiet")
def test_the_stale_pools_of_apache_are_no_trouble(seen):
    needs("nginx", "apache2")
    for diagnosis in seen.pools:
        assert diagnosis["totals"]["by_state"]["CLOSE_WAIT"] == POOLED
        assert (diagnosis["verdict"], {f["severity"] for f in diagnosis["findings"]} - {"info"}) == ("healthy", set())
    (pool,) = [f for f in seen.pools[-1]["findings"] if f["count"] == POOLED]
    assert {p["count"] for p in pool["processes"]} == {THREADS}


@pytest.mark.finding("close-wait-unread", "real")
def test_a_pool_that_never_uses_its_connections_again_is_a_leak(seen):
    needs("nginx")
    for diagnosis in seen.leaks:
        (finding,) = diagnosis.findings_of(seen.leak.pid)
        assert finding["id"] == "close-wait-unread" and finding["severity"] in ("warning", "critical")
        assert any("they still become more" in line for line in finding["ruled_out"])


@pytest.mark.finding("syn-recv-flood", "real")
def test_a_steady_flood_is_called_so_in_every_snapshot(seen):
    needs("nginx")
    assert max(seen.half_open) > BACKLOG
    for diagnosis in seen.opening:
        found = [f for f in diagnosis["findings"] if f["local"] and f["local"]["port"] == FLOODED]
        assert [f["id"] for f in found] == ["syn-recv-flood"]


@pytest.mark.finding("syn-recv-flood", "quiet")
def test_clients_whom_no_answer_reaches_are_no_flood(seen):
    needs("nginx")
    found = [[f["id"] for f in diagnosis["findings"] if f["local"] and f["local"]["port"] == UNREACHED]
             for diagnosis in seen.opening]
    assert found == [["syn-recv-unanswered"]] * SNAPSHOTS
