"""tcpwhy metrics as those read them who have to: promtool, node_exporter's parser, a strict reader of OpenMetrics."""
import os
import re
import shutil
import subprocess
import threading
import time

import pytest

import privileges
import program
from monitors import NodeExporter, wait_until

FAILED, READABLE_FOR_ALL = 3, 0o100644
HOSTILE = 'a"} 1\n\x1b[31m\\'  # a process name has 15 bytes


def metrics(*words, **how):
    done = program.run("metrics", *words, **how)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def samples(text):
    """{series: value}"""
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in text.splitlines() if line[:1] != "#"}


HOLD = """
import ctypes, socket, sys, time
ctypes.CDLL(None).prctl(15, bytes.fromhex(sys.argv[1]), 0, 0, 0)  # PR_SET_NAME
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
server, _ = listener.accept()
client.close()
print(flush=True)
time.sleep(300)
"""


@pytest.fixture(scope="module")
def hostile():
    """The pid of a process with a bad name, which holds a listener and a connection that its peer has closed."""
    with subprocess.Popen(["/usr/bin/python3", "-c", HOLD, HOSTILE.encode().hex()], stdout=subprocess.PIPE) as holder:
        try:
            holder.stdout.readline()
            yield holder.pid
        finally:
            holder.kill()


def promtool(text):
    return subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)


@pytest.mark.tools("promtool")
@pytest.mark.parametrize("words", [[], ["--top", "1"], ["--netns", "self"], ["--state", "close-wait"], ["--pid", "1"]])
def test_promtool_has_nothing_to_say(hostile, words):
    done = promtool(metrics("--format", "prometheus", *words))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.tools("promtool")
def test_promtool_would_say_so():
    text = metrics("--format", "prometheus").replace("tcpwhy_orphans", "tcpwhyOrphans")
    assert promtool(text).returncode != 0


@pytest.mark.parametrize("words", [[], ["--top", "1"], ["--state", "close-wait"]])
def test_a_strict_reader_understands_it(hostile, words):
    """The reference parser of OpenMetrics refuses wrong units, suffixes, interleaved families and a missing end."""
    parser = pytest.importorskip("prometheus_client.openmetrics.parser")
    text = metrics(*words)
    families = list(parser.text_string_to_metric_families(text))
    assert len(families) >= 30 and text.endswith("\n# EOF\n")
    for family in families:
        assert family.type in ("gauge", "counter") and family.documentation.endswith(".")
        assert not family.unit or family.name.endswith(f"_{family.unit}")
    with pytest.raises(ValueError):
        list(parser.text_string_to_metric_families(text.replace("# EOF\n", "")))


def test_names_are_escaped(hostile):
    text = metrics("--pid", hostile)
    assert "\x1b" not in text
    shown = r'a\"} 1\\n\\x1b[31m\\'  # what text_escape() makes of it, escaped once more for the label
    ours = {series: value for series, value in samples(text).items() if shown in series}
    assert ours[f'tcpwhy_connections{{state="CLOSE_WAIT",netns="host",process="{shown}"}}'] == 1
    assert ours[f'tcpwhy_connections{{state="LISTEN",netns="host",process="{shown}"}}'] == 1
    assert any(series.startswith("tcpwhy_process_open_fds{") for series in ours)


def test_both_formats_say_the_same(hostile):
    """But for findings, which there may be a moment later."""
    one, other = (
        {series for series in samples(metrics("--pid", hostile, "--format", name))
         if not series.startswith(("tcpwhy_finding", "tcpwhy_oldest"))} for name in ("openmetrics", "prometheus"))
    assert one == other and len(one) > 20


def test_numbers_are_those_of_the_host(netns):
    """In a namespace with three sockets, everything can be counted."""
    port = 20800
    script = ("import socket,sys,time\n"
              f"l=socket.create_server(('127.0.0.1',{port}),backlog=7)\n"
              f"c=socket.create_connection(('127.0.0.1',{port})); s,_=l.accept(); print(flush=True); time.sleep(60)\n")
    with subprocess.Popen(["nsenter", f"--net=/run/netns/{netns}", "/usr/bin/python3", "-c", script],
                          stdout=subprocess.PIPE) as holder:
        try:
            holder.stdout.readline()
            found = samples(metrics("--netns", "self", before=["nsenter", f"--net=/run/netns/{netns}"]))
            limits = re.search(r"^Max open files +(\d+)", open(f"/proc/{holder.pid}/limits").read(), flags=re.M)
            open_fds = len(os.listdir(f"/proc/{holder.pid}/fd"))
        finally:
            holder.kill()
    where = f'netns="{netns}"'
    assert found[f'tcpwhy_connections{{state="ESTABLISHED",{where},process="python3"}}'] == 2
    assert found[f'tcpwhy_connections{{state="LISTEN",{where},process="python3"}}'] == 1
    assert found[f'tcpwhy_process_open_fds{{process="python3",pid="{holder.pid}"}}'] == open_fds
    assert found[f'tcpwhy_process_max_fds{{process="python3",pid="{holder.pid}"}}'] == int(limits[1])
    listener = f'{where},address="127.0.0.1",port="{port}",process="python3"'
    assert found[f"tcpwhy_accept_queue_connections{{{listener}}}"] == 0
    assert found[f"tcpwhy_accept_queue_limit_connections{{{listener}}}"] == 7
    assert found[f"tcpwhy_listener_drops_total{{{listener}}}"] == 0
    assert found[f'tcpwhy_opens_total{{{where},direction="passive"}}'] >= 1
    assert found["tcpwhy_verdict"] == 0 and 0 < found["tcpwhy_scrape_duration_seconds"] < 60
    assert abs(found["tcpwhy_snapshot_timestamp_seconds"] - time.time()) < 60


@pytest.mark.parametrize("words, why", [
    (["--top", "0"], "--top"), (["--top", "1001"], "--top"), (["--format", "xml"], "openmetrics or prometheus"),
    (["--json"], "--json"), (["now"], "now"), (["--textfile", "/no/such/folder"], "/no/such/folder/tcpwhy.prom"),
])
def test_mistakes_are_named(words, why):
    done = program.run("metrics", *words)
    assert done.returncode == FAILED and done.stdout == b""
    assert why in done.stderr.decode()


def test_a_full_disk_is_no_success():
    with open("/dev/full", "wb") as full:
        done = subprocess.run([program.path(), "metrics"], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == FAILED and b"standard output" in done.stderr


# --- the file -------------------------------------------------------------------------------------------------------

def test_the_file_is_there_for_all_to_read(tmp_path):
    before = os.umask(0o077)
    try:
        metrics("--textfile", tmp_path)
    finally:
        os.umask(before)
    assert os.listdir(tmp_path) == ["tcpwhy.prom"]
    written = tmp_path / "tcpwhy.prom"
    assert written.stat().st_mode == READABLE_FOR_ALL
    assert samples(written.read_text())["tcpwhy_verdict"] in (0, 1, 2)
    assert "# EOF" not in written.read_text(), "the older format"


@pytest.mark.tools("promtool")
def test_promtool_has_nothing_to_say_of_the_file(tmp_path):
    metrics("--textfile", tmp_path)
    done = promtool((tmp_path / "tcpwhy.prom").read_text())
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_reader_sees_the_old_file_or_the_new_one(tmp_path):
    """Read as fast as possible while it is written again and again: it is always whole."""
    metrics("--textfile", tmp_path)
    stop, seen, torn = threading.Event(), set(), []

    def read():
        while not stop.is_set():
            text = (tmp_path / "tcpwhy.prom").read_text()
            seen.add(re.search(r"^tcpwhy_snapshot_timestamp_seconds (\S+)$", text, flags=re.M)[1])
            if not re.search(r"^tcpwhy_time_wait_sockets_limit\{.*\} \d+\n\Z", text, flags=re.M):
                torn.append(text[-200:])
    reader = threading.Thread(target=read)
    reader.start()
    try:
        for _ in range(10):
            metrics("--textfile", tmp_path)
    finally:
        stop.set()
        reader.join()
    assert torn == [] and len(seen) >= 5


def test_when_it_cannot_be_written_the_old_one_stays(tmp_path):
    """On a file system with no room: in a mount namespace of the test's own."""
    if reason := privileges.without_netns():
        pytest.skip(reason)
    script = (f"mount -t tmpfs -o size=64k none '{tmp_path}' && cd '{tmp_path}' && echo old > tcpwhy.prom && "
              f"head -c 1M /dev/zero > filler 2>/dev/null; '{program.path()}' metrics --textfile . ; "
              "echo status $?; ls -A; cat tcpwhy.prom")
    done = subprocess.run(["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True)
    assert done.stdout.splitlines() == [f"status {FAILED}", "filler", "tcpwhy.prom", "old"]
    assert "No space left on device" in done.stderr


def test_a_link_in_its_place_is_replaced_not_followed(tmp_path):
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "tcpwhy.prom").symlink_to(tmp_path / "victim")
    metrics("--textfile", tmp_path)
    assert (tmp_path / "victim").read_text() == "mine" and not (tmp_path / "tcpwhy.prom").is_symlink()


@pytest.mark.tools("prometheus-node-exporter", "curl")
def test_node_exporter_takes_hostile_names(hostile, netns, tmp_path):
    folder = tmp_path / "textfiles"
    folder.mkdir()
    metrics("--textfile", folder, "--pid", hostile)
    with NodeExporter(tmp_path / "exporter", netns, folder) as exporter:
        scrape = wait_until(exporter.scrape, "node_exporter", 20, exporter)
    assert "\nnode_textfile_scrape_error 0\n" in scrape
    assert r'process="a\"} 1\\n\\x1b[31m\\"' in scrape


# --- least privilege ------------------------------------------------------------------------------------------------

def test_the_capabilities_of_the_unit_are_enough(netns):
    """What packaging/systemd leaves to it shows the owners in other namespaces too, or says what is missing."""
    if not shutil.which("setpriv"):
        pytest.skip("needs setpriv")
    kept = "+sys_ptrace,+dac_read_search,+sys_admin"
    only = ["setpriv", "--inh-caps=-all," + kept, "--bounding-set=-all," + kept, "--no-new-privs"]
    with subprocess.Popen(["nsenter", f"--net=/run/netns/{netns}", "/usr/bin/python3", "-c",
                           "import socket,time\nl=socket.create_server(('127.0.0.1',20801))\nprint(flush=True)\n"
                           "time.sleep(60)"],
                          stdout=subprocess.PIPE) as holder:
        try:
            holder.stdout.readline()
            held = f'tcpwhy_connections{{state="LISTEN",netns="{netns}",process="python3"}}'
            assert samples(metrics("--port", 20801, before=only))[held] == 1
            none = [*only[:1], "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs"]
            assert held not in samples(metrics("--port", 20801, before=none))
        finally:
            holder.kill()
