"""Processes that should accept connections: what keeps them from it, and what helps. Real servers and clients."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import program
from netns import Namespaces
from sockets import wait_for

PROGRAMS = Path(__file__).resolve().parent / "programs"
PATIENT = 20
HALTED_S = 7  # a process that cannot act is reported after 5 s
HUNG_S = 33  # any other after 30 s
LOOKS = 30
APP = """
import time
def application(environ, start_response):
    if environ["PATH_INFO"] == "/hang":
        time.sleep(600)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""

pytestmark = pytest.mark.skipif(os.geteuid() != 0 or shutil.which("ip") is None, reason="needs root, for a namespace")


class Scenes:
    """Servers by name, each on its own port, in one namespace."""

    def __init__(self, netns, folder):
        self.netns, self.folder = netns, folder
        self.ports, self.pids, self.missing = {}, {}, {}
        self.processes = []

    def start(self, *words, waits_for=None, **how):
        process = subprocess.Popen(["ip", "netns", "exec", self.netns, *map(str, words)], stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, **how)
        self.processes.append(process)
        if waits_for:
            assert waits_for in process.stdout.readline().decode()
        return process

    def server(self, name, how=None, port=None):
        self.ports[name] = port or 7000 + len(self.ports)
        process = self.start(sys.executable, PROGRAMS / "accepting.py", how or name, self.ports[name],
                             waits_for="listens")
        self.pids[name] = process.pid
        return process

    def clients(self, name, how="waits", count=PATIENT, request=""):
        return self.start(sys.executable, PROGRAMS / "patient.py", how, self.ports[name], count, request,
                          waits_for="connected")

    def tool(self, name, *tools):
        self.missing[name] = next((f"{tool} is not installed" for tool in tools if not shutil.which(tool)), None)
        return self.missing[name] is None

    def stop(self):
        for process in self.processes:
            process.kill()
        for process in self.processes:  # a tracer must end before the process that it traces
            process.wait()


def state_of(pid):
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def children_of(pid):
    return sorted(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def make_redis(scenes):
    if scenes.tool("redis", "redis-server"):
        scenes.ports["redis"] = 6399
        process = scenes.start("redis-server", "--port", 6399, "--bind", "127.0.0.1", "--save", "", "--dir",
                               scenes.folder)
        wait_for(lambda: b":6399" in listening(scenes), "redis listens")
        scenes.pids["redis"] = process.pid
        os.kill(process.pid, signal.SIGSTOP)
        scenes.clients("redis")


def listening(scenes):
    return subprocess.run(["ss", "-N", scenes.netns, "-tlnH"], capture_output=True, check=True).stdout


def make_gunicorn(scenes, name, request):
    if scenes.tool(name, "gunicorn"):
        port = scenes.ports[name] = 8000 + len(scenes.ports)
        (scenes.folder / "app.py").write_text(APP)
        process = scenes.start("gunicorn", "--workers", 3, "--timeout", 0, "--bind", f"127.0.0.1:{port}",
                               "app:application", cwd=scenes.folder)
        wait_for(lambda: f":{port}".encode() in listening(scenes) and len(children_of(process.pid)) == 3,
                 "gunicorn serves")
        scenes.pids[name] = process.pid
        if request:
            scenes.clients(name, count=3, request=f"GET {request} HTTP/1.0\\r\\n\\r\\n")
            time.sleep(1)
            scenes.clients(name)


def make_traced(scenes):
    scenes.server("traced", "serves")
    if scenes.tool("traced", "gdb"):
        gdb = scenes.start("gdb", "-q", "-nx", "-p", scenes.pids["traced"], stdin=subprocess.PIPE)
        scenes.pids["gdb"] = gdb.pid
        try:
            wait_for(lambda: state_of(scenes.pids["traced"]) == "t", "gdb holds it", 20)
        except AssertionError:
            scenes.missing["traced"] = "ptrace is not allowed"
        scenes.clients("traced")


def make_straced(scenes):
    scenes.server("straced", "serves")
    if scenes.tool("straced", "strace"):
        scenes.start("strace", "-f", "-o", "/dev/null", "-p", scenes.pids["straced"])
        scenes.clients("straced", "talks", 1)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    namespaces = Namespaces()
    scenes = Scenes(namespaces.add(), tmp_path_factory.mktemp("acceptors"))
    try:
        scenes.server("hangs")
        scenes.clients("hangs")
        make_gunicorn(scenes, "gunicorn", "/hang")
        for name in ("drains", "starves", "leaves"):
            scenes.server(name)
        scenes.clients("drains", "comes")
        scenes.clients("starves", count=PATIENT + 8)
        scenes.clients("leaves", count=3)
        scenes.hung_at = time.monotonic() + HUNG_S
        make_traced(scenes)
        make_redis(scenes)
        make_straced(scenes)
        make_gunicorn(scenes, "idle-gunicorn", None)
        scenes.server("shares-1", "shares")
        scenes.server("shares-2", "shares", port=scenes.ports["shares-1"])
        scenes.halted_at = time.monotonic() + HALTED_S
        yield scenes
    finally:
        scenes.stop()
        namespaces.remove_all()


def look(scenes, *words):
    return program.diagnose("--netns", scenes.netns, *words)


def about(diagnosis, port):
    return [f for f in diagnosis["findings"] if f["local"] and f["local"]["port"] == port]


@pytest.fixture(scope="module")
def early(scenes):
    time.sleep(max(scenes.halted_at - time.monotonic(), 0))
    return look(scenes)


@pytest.fixture(scope="module")
def late(scenes, early):
    time.sleep(max(scenes.hung_at - time.monotonic(), 0))
    return look(scenes)


def the_one(scenes, diagnosis, name):
    if scenes.missing.get(name):
        pytest.skip(scenes.missing[name])
    (finding,) = about(diagnosis, scenes.ports[name])
    assert finding["id"] == "established-not-accepted" and finding["severity"] == "warning"
    assert finding["fault"] == "local-application"
    return finding


def commands(finding):
    return [fix["command"] for fix in finding["fix_now"] if fix["command"]]


@pytest.mark.finding("established-not-accepted", "real")
def test_stopped_server_is_continued(scenes, early):
    finding = the_one(scenes, early, "redis")
    assert finding["count"] == PATIENT and finding["owner"]["pid"] == scenes.pids["redis"]
    assert "is stopped and does not accept" in finding["title"]
    assert commands(finding)[0] == f"kill -CONT {scenes.pids['redis']}"
    assert not any("gdb" in command for command in commands(finding))


def test_traced_server_is_let_go_by_its_tracer(scenes, early):
    finding = the_one(scenes, early, "traced")
    assert "is held by a tracer" in finding["title"]
    assert f"its tracer gdb (pid {scenes.pids['gdb']})" in finding["why"]
    assert commands(finding)[0].startswith(f"kill -TERM {scenes.pids['gdb']}")
    assert not any(command.startswith("gdb -p") for command in commands(finding))


def test_server_without_descriptors_gets_some(scenes, early):
    finding = the_one(scenes, early, "starves")
    assert "has no descriptor left" in finding["title"] and "EMFILE" in finding["why"]
    assert commands(finding)[0].startswith(f"prlimit --pid {scenes.pids['starves']} --nofile=")


def test_hung_server_is_told_by_the_oldest(scenes, early, late):
    assert about(early, scenes.ports["hangs"]) == [], "clients may wait for a moment"
    finding = the_one(scenes, late, "hangs")
    assert finding["count"] == PATIENT and finding["age_s"]["oldest"] >= 30
    assert any("gdb" in command or "py-spy" in command for command in commands(finding)[:1])


def test_hung_workers_are_named_not_their_master(scenes, late):
    finding = the_one(scenes, late, "gunicorn")
    workers = children_of(scenes.pids["gunicorn"])
    assert finding["owner"]["pid"] in workers
    text = " ".join(finding["evidence"])
    assert all(f"(pid {pid}) holds 1 connection" in text for pid in workers)
    assert f"(pid {scenes.pids['gunicorn']}) only supervises" in text
    assert commands(finding)[0].startswith(f"for p in {' '.join(map(str, workers))}; do py-spy")


def test_inherited_listener_is_called_so(scenes, late):
    finding = the_one(scenes, late, "leaves")
    assert finding["owner"]["name"] == "sleep"
    assert any(line.startswith("The listener is inherited: only sleep") for line in finding["evidence"])
    assert commands(finding)[0] == f"kill {finding['owner']['pid']}"


@pytest.mark.finding("established-not-accepted", "quiet")
@pytest.mark.parametrize("name", ["drains", "straced", "idle-gunicorn"])
def test_servers_that_accept_are_left_alone(scenes, late, name):
    if scenes.missing.get(name):
        pytest.skip(scenes.missing[name])
    assert about(late, scenes.ports[name]) == []


def test_nothing_comes_and_goes(scenes, late):
    """Many diagnoses of an unchanged host are equal."""
    def said(diagnosis):
        return sorted((f["id"], f["count"], f["title"]) for f in diagnosis["findings"]
                      if f["local"] and f["local"]["port"] != scenes.ports["drains"])
    first = said(late)
    for _ in range(LOOKS):
        assert said(look(scenes)) == first


def test_all_that_share_a_port_are_continued(scenes, late):
    pids = [scenes.pids["shares-1"], scenes.pids["shares-2"]]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    clients = scenes.clients("shares-1", count=40)
    try:
        time.sleep(HALTED_S)
        finding = the_one(scenes, look(scenes), "shares-1")
        assert re.search(r"pid \d+ and 1 more", finding["title"])
        assert sorted(map(int, commands(finding)[0].removeprefix("kill -CONT ").split())) == sorted(pids)
    finally:
        clients.kill()
