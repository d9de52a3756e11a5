"""A server with TCP_DEFER_ACCEPT, as Apache has by default, drops bare ACKs: those are no dropped connections."""

import re
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest

import program
from knocks import start_hung, start_knocking
from netns import Namespaces
from sockets import wait_for
from software import Software, wait_listening, why_missing

SERVED, REFUSED, PORT, FULL_PORT, SNAPSHOTS = 300, 20, 8081, 8082, 30
APACHE = """
ServerRoot {folder}
PidFile {folder}/pid
Listen 0.0.0.0:{port}
ServerName tests
LoadModule mpm_prefork_module {modules}/mod_mpm_prefork.so
LoadModule authz_core_module {modules}/mod_authz_core.so
StartServers 1
ErrorLog {folder}/error.log
DocumentRoot {folder}/www
"""
MODULES = "/usr/lib/apache2/modules"
# Asks one after the other, each on a connection of its own.
CLIENTS = """
import socket, sys
address, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
for _ in range(count):
    with socket.create_connection((address, port), 20) as conn:
        conn.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
        assert conn.recv(100).startswith(b"HTTP/1.1 "), "no answer"
        while conn.recv(65536):
            pass
"""


def start_apache(software, netns):
    folder = software.new_folder("apache")
    (folder / "www").mkdir()
    (folder / "www/index.html").write_text("hello\n")
    for part in folder, folder / "www":
        part.chmod(0o755)
    (folder / "apache.conf").write_text(APACHE.format(folder=folder, port=PORT, modules=MODULES))
    software.start(netns, shutil.which("apache2"), "-X", "-f", folder / "apache.conf")
    wait_listening(netns, PORT)


def drops_of_sockets(netns):
    """{port: sk_drops of its listener}, as ss says."""
    rows = subprocess.run(["ip", "netns", "exec", netns, "ss", "-tlnmH"], capture_output=True, text=True, check=True)
    return {int(row[1]): int(row[2]) for row in re.finditer(r":(\d+) .*\n?.*skmem:\(.*?d(\d+)\)", rows.stdout)}


def overflows(netns):
    found = program.diagnose("--netns", "self", netns=netns)["findings"]
    return [f for f in found if f["id"] == "accept-queue-overflow"]


def metric(text, port):
    found = re.search(rf'^tcpwhy_listener_drops_total\{{[^}}]*port="{port}"[^}}]*\}} (\d+)$', text, flags=re.M)
    return int(found[1]) if found else None


@pytest.fixture(scope="module")
def seen():
    if reason := why_missing("apache2", "ss"):
        pytest.skip(reason)
    software, namespaces = Software(), Namespaces()
    try:
        served, full = namespaces.add(), namespaces.add()
        start_apache(software, served)
        clients = software.start(served, sys.executable, "-c", CLIENTS, "127.0.0.1", PORT, SERVED)
        start_hung(software, full, FULL_PORT)
        start_knocking(software, full, "127.0.0.1", FULL_PORT, REFUSED)
        assert clients.wait(60) == 0
        wait_for(lambda: overflows(full), "the queue has been full for a while", 30)
        yield SimpleNamespace(
            sk_drops=drops_of_sockets(served)[PORT],
            reports=[program.run("--netns", "self", netns=served) for _ in range(SNAPSHOTS)],
            metrics=program.run("metrics", "--netns", "self", netns=served).stdout.decode(),
            overflows=[overflows(full) for _ in range(SNAPSHOTS)],
            full_metrics=program.run("metrics", "--netns", "self", netns=full).stdout.decode())
    finally:
        software.stop_all()
        namespaces.remove_all()


def test_requests_that_were_served_are_no_drops(seen):
    assert seen.sk_drops >= SERVED * 0.9, "else this test shows nothing"
    assert metric(seen.metrics, PORT) == 0
    for report in seen.reports:
        assert report.returncode == program.HEALTHY
        assert b"dropped" not in report.stdout


def test_an_accept_queue_that_overflows_is_told(seen):
    for (overflow,) in seen.overflows:
        assert overflow["owner"]["name"].startswith("python")
        assert any("dropped" in line for line in overflow["evidence"])
    assert metric(seen.full_metrics, FULL_PORT) > 0
