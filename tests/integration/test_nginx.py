"""A busy healthy server is healthy, however many TIME_WAITs it has."""

import shutil
import signal
import subprocess
import time

import pytest

import privileges
import program
from faults.stage import die_with_parent
from netns import Namespaces
from sockets import sockets, wait_for

CONFIGURATION = """
daemon off;
worker_processes 2;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    keepalive_timeout {keepalive};
    keepalive_requests 100;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:8080;
        location / {{ return 200 "hello\\n"; }}
    }}
}}
"""
RUNS = 8  # diagnoses under load; one more follows it
LOAD_MAX_S = 120


@pytest.fixture
def netns():
    reason = privileges.without_netns() or privileges.without_tool("nginx") or privileges.without_tool("wrk")
    if reason:
        pytest.skip(reason)
    namespaces = Namespaces()
    try:
        yield namespaces.add()
    finally:
        namespaces.remove_all()


@pytest.mark.finding("close-wait-leak", "quiet")
@pytest.mark.finding("close-wait-unread", "quiet")
@pytest.mark.finding("last-ack-unanswered", "quiet")
@pytest.mark.parametrize("keepalive", [0, 5], ids=["keepalive-off", "keepalive-on"])
def test_nginx_under_load(netns, tmp_path, keepalive, record_property):
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(folder=tmp_path, keepalive=keepalive))
    inside = ["ip", "netns", "exec", netns]
    nginx = subprocess.Popen([*inside, shutil.which("nginx"), "-p", str(tmp_path), "-c", str(configuration)],
                             stdin=subprocess.DEVNULL, preexec_fn=die_with_parent)
    try:
        wait_for(lambda: any(s.local[1] == 8080 for s in sockets(netns)), "nginx listens")
        wrk = subprocess.Popen([*inside, "wrk", "-t1", "-c50", f"-d{LOAD_MAX_S}s", "http://127.0.0.1:8080/"],
                               stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, preexec_fn=die_with_parent)
        runs = []
        while len(runs) < RUNS:
            runs.append(program.diagnose("--netns", "self", netns=netns))
            time.sleep(0.7)
        wrk.send_signal(signal.SIGINT)  # then it prints its summary
        runs.append(program.diagnose("--netns", "self", netns=netns))
        rate = next((line for line in wrk.stdout.read().decode().splitlines() if "Requests/sec" in line), "?")
        record_property("note", f"nginx, keepalive {keepalive}: {' '.join(rate.split())}")
        for run in runs:
            record_property("note", f"  {run['verdict']}, exit {run.status}, {run['source']['elapsed_ms']:.0f} ms: "
                                    f"{run['totals']['by_state']}")
    finally:
        nginx.send_signal(signal.SIGTERM)
        nginx.wait(10)
    assert max(run["totals"]["connections"] for run in runs) > 50, "there was load"
    for run in runs:
        assert (run["verdict"], run.status) == ("healthy", program.HEALTHY)
        assert [f["severity"] for f in run["findings"] if f["severity"] != "info"] == []
