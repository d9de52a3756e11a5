"""A host that changes during the snapshot: nothing is seen twice, no wrong owner is named, nothing fails."""

import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest

import privileges
import program
from listing import end, rows
from netns import Namespaces
from sockets import wait_for

CHANGING = Path(__file__).resolve().parent / "programs/changing.py"
LOOKS = 8
COLUMNS = "state,local,remote,pid,process,inode,cookie,netns"


@pytest.fixture(scope="module")
def netns():
    """A namespace without other sockets."""
    reason = privileges.without_netns()
    if reason:
        pytest.skip(reason)
    namespaces = Namespaces()
    try:
        name = namespaces.add()
        # At full speed all ports would be used up within seconds.
        subprocess.run(["ip", "netns", "exec", name, "sysctl", "-qw", "net.ipv4.tcp_max_tw_buckets=2000"], check=True)
        yield name
    finally:
        namespaces.remove_all()


@contextmanager
def changing(what, netns):
    process = subprocess.Popen(["ip", "netns", "exec", netns, sys.executable, str(CHANGING), what],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().split()
    finally:
        process.communicate("")


def cookies_of(listed):
    return [row["cookie"] for row in listed if row["cookie"] is not None]


@pytest.fixture(params=["netlink", "proc", "bpf"])
def source(request):
    tried = program.run("list", "--source", request.param, "--limit", 1)
    if tried.returncode == program.FAILED:
        pytest.skip(tried.stderr.decode(errors="replace").strip())
    return request.param


def test_sockets_that_come_and_go(netns, source):
    with changing("sockets", netns) as (port, server, *clients):
        port, server, clients = int(port), int(server), set(map(int, clients))
        held = 0
        for _ in range(LOOKS):
            listed = rows("--source", source, "--netns", netns, "--columns", COLUMNS)
            twice = [cookie for cookie, times in Counter(cookies_of(listed)).items() if times > 1]
            assert twice == []
            for row in listed:
                if row["pid"] is None:
                    continue
                held += 1
                ours = {server} if end(row["local"])[1] == port else clients
                assert row["pid"] in ours, row
        assert held > 100 * LOOKS


def test_sockets_that_are_closed_have_no_hidden_owner(netns):
    """A socket that is read before the walk over its process, and closed in between, has no owner. It must not be
    called hidden."""
    with changing("sockets", netns):
        for _ in range(LOOKS):
            assert program.diagnose(sampled=True, netns=netns).gap("owners-elsewhere") is None


def test_processes_that_vanish(netns, source):
    with changing("processes", netns):
        named = set()

        def look():
            for row in rows("--source", source, "--netns", netns, "--columns", COLUMNS):
                if row["process"] in (None, "(gone)") or row["state"] != "LISTEN":
                    continue
                assert row["process"] == f"v-{end(row['local'])[1]}"
                named.add(row["process"])
            return named

        for _ in range(LOOKS):
            look()
        wait_for(look, "a process that is still there when it is described", 30)
        for _ in range(LOOKS):
            program.diagnose(sampled=True, netns=netns)  # fails if tcpwhy does


def test_namespaces_that_disappear(netns):
    with changing("namespaces", netns):
        looked_into = set()
        for _ in range(LOOKS):
            seen = program.diagnose(sampled=True)
            assert seen.gap("netns-hidden") is None
            for row in rows("--columns", COLUMNS, "--state", "listen"):
                if str(row["process"]).startswith("v-"):
                    assert row["process"] == f"v-{end(row['local'])[1]}"
                    looked_into.add(row["netns"])
        assert len(looked_into) > 1
