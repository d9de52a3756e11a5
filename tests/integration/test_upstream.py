"""The owner that a finding names if the process passes on what it receives: the process itself, or what is behind it.

Five cases: a relay that leaks, with a healthy collector; ssh -L whose only connection is lost; HAProxy with a
backend that hangs; PgBouncer whose PostgreSQL is stopped; ssh -L to a server that works on its answer. All are real
programs and run at the same time.
"""

import os
import shutil
import socket
import subprocess
import time

import pytest

import privileges
import program
from faults.stage import Stage
from faults.wire import connect
from netns import Namespaces
from software import Software, as_user_who_is_not_root, children, go_program, wait_listening, why_missing

LINES, TUNNELLED, PROXIED = 40, 25, 25
RELAY_SEEN, RELAY, COLLECTOR, TUNNEL, SSHD, PROXY, BACKEND = 5140, 5141, 6010, 7022, 22, 8081, 8080
PGBOUNCER_PORT, POOL = 6432, 3
SETTLED_S = 7
SNAPSHOTS = 30
pytestmark = pytest.mark.skipif(privileges.without_netns() is not None, reason=str(privileges.without_netns()))

SSHD_CONFIGURATION = """
Port {port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
"""
HAPROXY_TCP = """
defaults
    mode tcp
    timeout connect 5s
    timeout client 120s
    timeout server 120s
listen all
    bind 0.0.0.0:{port}
    server one 127.0.0.1:{backend}
"""


def clients(address, port, count, lines=1):
    """Send lines with pauses, then shut down their sending side and keep the connection open."""
    conns = [connect(address, port) for _ in range(count)]
    for number in range(lines):
        time.sleep(1.2 if number else 0)
        for conn in conns:
            conn.sendall(b"something happened\n")
    yield
    for conn in conns:
        conn.sendall(b"and this was the last of it\n")
        conn.shutdown(socket.SHUT_WR)
    yield


def silent_server(port):
    """Reads what it receives and never answers."""
    listener = socket.create_server(("0.0.0.0", port), backlog=200)
    conns = []
    yield
    while True:
        conns.append(listener.accept()[0])


class Scene:
    """What one process did, and who it is. `why_not` is the reason why the scene could not run."""

    def __init__(self):
        self.why_not, self.pid, self.others = None, None, {}


def collector(software, netns):
    software.start(netns, "socat", "-u", f"TCP-LISTEN:{COLLECTOR},fork,reuseaddr,backlog=200", "/dev/null")
    wait_listening(netns, COLLECTOR)


def relay(software, stage, pair, port, upstream):
    scene = Scene()
    scene.why_not = why_missing("go", "socat")
    if not scene.why_not:
        scene.pid = software.start(pair.service, software.leak, f"0.0.0.0:{port}", f"{upstream}:{COLLECTOR}").pid
        wait_listening(pair.service, port)
        scene.clients = stage.start("log-clients", clients(pair.service_address, port, LINES, lines=3), pair.peer)
    return scene


def ssh_tunnel(software, stage, pair):
    """25 clients go through one connection to another host."""
    scene = Scene()
    scene.why_not = why_missing("ssh", "ssh-keygen") or (None if os.path.exists("/usr/sbin/sshd") else "needs sshd")
    if scene.why_not:
        return scene
    folder = software.new_folder("ssh")
    for name in "host", "user":
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    (folder / "sshd_config").write_text(SSHD_CONFIGURATION.format(port=SSHD, folder=folder))
    os.makedirs("/run/sshd", exist_ok=True)
    stage.start("thinker", silent_server(7000), pair.peer).go()
    software.start(pair.peer, "/usr/sbin/sshd", "-D", "-f", folder / "sshd_config")
    wait_listening(pair.peer, SSHD)
    scene.pid = software.start(
        pair.service, "ssh", "-N", "-F", "none", "-i", folder / "user", "-o", "StrictHostKeyChecking=no", "-o",
        "UserKnownHostsFile=/dev/null", "-o", "TCPKeepAlive=no", "-L", f"0.0.0.0:{TUNNEL}:127.0.0.1:7000",
        f"root@{pair.peer_address}").pid
    wait_listening(pair.service, TUNNEL)
    scene.clients = stage.start("tunnelled", clients("127.0.0.1", TUNNEL, TUNNELLED), pair.service)
    return scene


def haproxy(software, stage, pair):
    scene = Scene()
    scene.why_not = why_missing("haproxy", "nginx")
    if scene.why_not:
        return scene
    nginx = software.nginx(pair.service, BACKEND)
    scene.others["backend"] = [nginx.pid, *children(nginx.pid)]
    configuration = software.new_folder("haproxy") / "haproxy.cfg"
    configuration.write_text(HAPROXY_TCP.format(port=PROXY, backend=BACKEND))
    scene.pid = software.start(pair.service, shutil.which("haproxy"), "-db", "-f", configuration).pid
    wait_listening(pair.service, PROXY)
    for pid in scene.others["backend"]:
        os.kill(pid, 19)
    scene.clients = stage.start("proxied", clients(pair.service_address, PROXY, PROXIED), pair.peer)
    return scene


PGBOUNCER = """
[databases]
postgres = host=127.0.0.1 port=5432 user=tester
[pgbouncer]
listen_addr = 0.0.0.0
listen_port = {port}
auth_type = any
auth_file = {folder}/users
unix_socket_dir =
pool_mode = transaction
default_pool_size = {pool}
"""


class Pooled:
    """Clients of PgBouncer. The patient ones take all connections of its pool; the others ask, and give up."""

    def __init__(self, software, patient, others):
        self._query, self._patient, self._others = software.query_of_postgres("select 1"), patient, others

    def step(self):
        self._patient.do("send", text=self._query)
        time.sleep(1)
        self._others.do("send", text=self._query)
        self._others.do("shutdown")


def pgbouncer(software, pair):
    """25 clients share 3 connections to PostgreSQL, which is stopped."""
    scene = Scene()
    scene.why_not = why_missing("postgres", "pgbouncer")
    if scene.why_not:
        return scene
    postgres = software.postgres(pair.service, max_connections=20)
    folder = software.new_folder("pgbouncer")
    (folder / "users").write_text('"tester" ""\n')
    (folder / "ini").write_text(PGBOUNCER.format(port=PGBOUNCER_PORT, folder=folder, pool=POOL))
    scene.pid = software.start(pair.service, *as_user_who_is_not_root(folder), shutil.which("pgbouncer"),
                               folder / "ini").pid
    wait_listening(pair.service, PGBOUNCER_PORT)
    crowds = software.crowd(pair.peer), software.crowd(pair.peer)
    for crowd, count in zip(crowds, (POOL, PROXIED)):
        crowd.do("open", address=pair.service_address, port=PGBOUNCER_PORT, count=count)
        for text in software.startup_of_postgres(), software.query_of_postgres("select pg_sleep(0.5)"):
            crowd.do("send", text=text)
            crowd.do("receive", until="Z\0\0\0\5I")
    scene.others["postgres"] = [postgres.pid, *children(postgres.pid)]
    for pid in scene.others["postgres"]:
        os.kill(pid, 19)
    scene.clients = Pooled(software, *crowds)
    return scene


@pytest.fixture(scope="module")
def scenes():
    software, namespaces, stage = Software(), Namespaces(), Stage()
    try:
        pairs = {name: namespaces.pair() for name in ("relay-seen", "relay", "tunnel", "working-tunnel", "proxy",
                                                "pgbouncer")}
        if not why_missing("go", "socat"):
            software.leak = go_program(software, "leak")
            collector(software, pairs["relay-seen"].service)
            collector(software, pairs["relay"].peer)
        scenes = {
            "relay-seen": relay(software, stage, pairs["relay-seen"], RELAY_SEEN, "127.0.0.1"),
            "relay": relay(software, stage, pairs["relay"], RELAY, pairs["relay"].peer_address),
            "tunnel": ssh_tunnel(software, stage, pairs["tunnel"]),
            "working-tunnel": ssh_tunnel(software, stage, pairs["working-tunnel"]),
            "proxy": haproxy(software, stage, pairs["proxy"]),
            "pgbouncer": pgbouncer(software, pairs["pgbouncer"]),
        }
        time.sleep(1)
        if not scenes["tunnel"].why_not:
            lost = pairs["tunnel"]
            subprocess.run(["ip", "-n", lost.peer, "link", "set", lost.peer_link, "down"], check=True)
        for scene in scenes.values():
            if not scene.why_not:
                scene.clients.step()
        time.sleep(SETTLED_S)
        for name, scene in scenes.items():
            scene.snapshots = [program.diagnose("--netns", "self", netns=pairs[name].service) for _ in range(SNAPSHOTS)]
        yield scenes
    finally:
        stage.clear()
        software.stop_all()
        namespaces.remove_all()


def set_scene(scenes, name):
    if scenes[name].why_not:
        pytest.skip(scenes[name].why_not)
    return scenes[name]


@pytest.mark.parametrize("name", ["relay-seen", "relay"])
@pytest.mark.finding("close-wait-leak", "real")
def test_a_relay_that_leaks_is_not_put_down_to_its_healthy_collector(scenes, name):
    scene = set_scene(scenes, name)
    for diagnosis in scene.snapshots:
        (leak,) = [f for f in diagnosis["findings"] if f["id"].startswith("close-wait-")]
        assert (leak["id"], leak["count"], leak["owner"]["pid"]) == ("close-wait-leak", LINES, scene.pid)
        assert (leak["fault"], leak["severity"]) == ("local-application", "warning")
        assert "wait" not in leak["title"].replace("close-wait", "")


@pytest.mark.finding("established-unanswered", "real")
def test_a_tunnel_whose_one_connection_is_lost_is_the_cause_of_all_that_hang_on_it(scenes):
    scene = set_scene(scenes, "tunnel")
    for diagnosis in scene.snapshots:
        (finding,) = diagnosis.findings_of(scene.pid)
        assert (finding["id"], finding["count"], finding["severity"]) == ("established-unanswered", 1, "warning")
        assert any(f"keeps {TUNNELLED} connections on port {TUNNEL} in CLOSE_WAIT" in line for line in finding[
                "evidence"])


@pytest.mark.finding("established-unanswered", "quiet")
@pytest.mark.finding("close-wait-leak", "quiet")
def test_a_tunnel_to_a_server_that_is_at_work_raises_no_alarm(scenes):
    scene = set_scene(scenes, "working-tunnel")
    for diagnosis in scene.snapshots:
        assert diagnosis["verdict"] == "healthy"
        assert {f["severity"] for f in diagnosis["findings"]} <= {"info"}
        assert all(f["confidence"] != "certain" for f in diagnosis.findings_of(scene.pid))


def test_a_proxy_before_a_backend_that_hangs_is_cited_there(scenes):
    scene = set_scene(scenes, "proxy")
    for diagnosis in scene.snapshots:
        assert diagnosis.findings_of(scene.pid) == []
        cited = [f for f in diagnosis.findings_of(*scene.others["backend"])
                 if any(f"keeps {PROXIED} connections on port {PROXY} in CLOSE_WAIT" in line for line in f["evidence"])]
        assert len(cited) == 1 and cited[0]["severity"] != "info"


def test_a_pool_whose_database_is_stopped_waits_for_it(scenes):
    """Its clients' FINs lie unread, because each connection of the pool waits. As soon as the database has a finding,
    it is cited there."""
    scene = set_scene(scenes, "pgbouncer")
    for diagnosis in scene.snapshots:
        stopped = [f for f in diagnosis.findings_of(*scene.others["postgres"]) if f["id"] == "established-unread"]
        cited = [line for f in stopped for line in f["evidence"] if f"on port {PGBOUNCER_PORT} in CLOSE_WAIT" in line]
        waits = [f["title"] for f in diagnosis.findings_of(scene.pid)]
        # On a busy machine it has read some of the FINs, and these connections are a finding of their own.
        assert cited or any("while it waits for 127.0.0.1:5432" in title for title in waits), waits
        assert bool(cited) == bool(stopped)
