"""Snapshots in files: they give the findings of the live host, are written whole or not at all, show both ends, and can
be compared.
"""

import contextlib
import gzip
import json
import os
import pathlib
import random
import signal
import subprocess
import time

import pytest

import netns
import privileges
import program
from held import Held

LEAKED = 40
# The parts of a finding that do not change from one snapshot to the next.
PARTS = ["id", "severity", "confidence", "fault", "count", "peers_total", "local", "remote", "netns"]


@pytest.fixture(name="leak", scope="module")
def _leak():
    leak = Held(LEAKED).settle()
    yield leak
    leak.close()


@pytest.fixture(name="saved", scope="module")
def _saved(leak, tmp_path_factory):
    path = tmp_path_factory.mktemp("capture") / "host.zst"
    done = program.run("capture", "-o", path)
    assert (done.returncode, done.stdout) == (0, b""), done.stderr
    return path


def essence(diagnosis):
    return [{**{part: finding[part] for part in PARTS}, "pid": finding["owner"] and finding["owner"]["pid"],
             "lines": len(finding["evidence"])} for finding in diagnosis["findings"]]


def without_file(diagnosis):
    return {**diagnosis, "source": {key: value for key, value in diagnosis["source"].items() if key != "from"}}


def test_a_capture_has_the_findings_of_the_live_host(leak, saved):
    live = program.diagnose("--port", leak.port)
    from_file = program.diagnose("--port", leak.port, "--from", saved)
    assert essence(from_file) == essence(live)
    assert [finding["id"] for finding in live["findings"]] == ["close-wait-leak"]
    assert from_file["host"] == live["host"]
    assert from_file["source"]["from"] == str(saved)


def test_every_command_answers_from_a_capture(leak, saved):
    rows = json.loads(program.run("list", "--json", "--port", leak.port, "--state", "close-wait", "--from",
                                  saved).stdout)
    assert {row["pid"] for row in rows["connections"]} == {os.getpid()}
    groups = json.loads(program.run("count", "--json", "--port", leak.port, "--from", saved).stdout)["groups"]
    assert {group["state"]: group["count"] for group in groups}["CLOSE_WAIT"] == LEAKED


def test_nothing_is_lost_from_file_to_file(saved, tmp_path):
    plain, packed = tmp_path / "plain", tmp_path / "packed.gz"
    assert program.run("capture", "--from", saved, "-o", plain).returncode == 0
    assert program.run("capture", "--from", plain, "-o", packed).returncode == 0
    streamed = program.run("capture", "--from", packed)
    assert streamed.stdout == plain.read_bytes() == gzip.decompress(packed.read_bytes())
    first, second = (without_file(program.diagnose("--from", path)) for path in (saved, packed))
    assert first == second
    assert plain.stat().st_mode & 0o777 == 0o600


def test_a_redacted_capture_has_the_same_findings_and_no_names(leak, saved, tmp_path):
    hidden = tmp_path / "hidden"
    assert program.run("capture", "--redact", "--from", saved, "-o", hidden).returncode == 0
    plain, redacted = (program.diagnose("--port", leak.port, "--from", path) for path in (saved, hidden))
    assert [(f["id"], f["count"], f["owner"]["pid"]) for f in plain["findings"]] == [
        (f["id"], f["count"], f["owner"]["pid"]) for f in redacted["findings"]]
    owner = plain["findings"][0]["owner"]
    text = hidden.read_text("utf-8", "surrogateescape")
    assert json.dumps(owner["name"]) not in text and json.dumps(plain["host"]["name"]) not in text
    assert owner["command"].split()[-1] not in text
    again = tmp_path / "again"
    assert program.run("capture", "--redact", "--from", saved, "-o", again).returncode == 0
    assert again.read_bytes() != text.encode("utf-8", "surrogateescape"), "another key every time"


# --- whole or not at all ----------------------------------------------------------------------------------------------

def large_snapshot(path, count):
    lines = [{"type": "snapshot", "schema": "tcpwhy.snapshot/1"}, {"type": "netns", "name": "host"}]
    with open(path, "w", encoding="utf-8") as out:
        for line in lines:
            out.write(json.dumps(line) + "\n")
        for number in range(count):
            out.write('{"type":"connection","state":"ESTABLISHED","local":"10.0.0.1","local_port":80,'
                      f'"remote":"10.{number >> 16}.{number >> 8 & 255}.{number & 255}","remote_port":5000,'
                       f'"cookie":{random.getrandbits(60)}}}\n')
        out.write(json.dumps({"type": "end", "connections": count}) + "\n")


@pytest.mark.parametrize("name", ["x", "x.gz", "x.zst", "old"])
@pytest.mark.skipif(privileges.without_root() is not None, reason="needs root to mount a tmpfs")
def test_a_full_disk_leaves_nothing(name, tmp_path):
    large_snapshot(tmp_path / "large", 20000)
    script = 'mount -t tmpfs -o size=40k none "$1" && echo old >"$1/old" && cd "$1" && ' \
             '"$2" capture --from "$3" -o "$4"; echo "status $?"; ls -A; cat old'
    folder = tmp_path / "small"
    folder.mkdir()
    done = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", folder, program.path(), tmp_path / "large", name],
                          capture_output=True, text=True, timeout=60)
    if "status" not in done.stdout:
        pytest.skip(f"needs a mount namespace: {done.stderr.strip()}")
    assert "No space left on device" in done.stderr and name in done.stderr
    assert done.stdout.split() == ["status", "3", "old", "old"]


def is_writing_in(pid, folder):
    """True if the process has a file of the folder open. The file may have no name yet."""
    links = []
    for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            links.append(os.readlink(fd))
    return any(link.startswith(f"{folder}/") for link in links)


SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGUSR1, signal.SIGXCPU, signal.SIGKILL]


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_leaves_nothing(number, tmp_path):
    large_snapshot(tmp_path / "large", 300000)
    folder = tmp_path / "out"
    folder.mkdir()
    with subprocess.Popen([program.path(), "capture", "--from", tmp_path / "large", "-o", folder / "x.zst"],
                          preexec_fn=lambda: number == signal.SIGKILL or
                          signal.signal(number, signal.SIG_DFL)) as process:
        give_up = time.monotonic() + 30
        while not is_writing_in(process.pid, folder):
            assert process.poll() is None and time.monotonic() < give_up, "it was never being written"
        process.send_signal(number)
        assert process.wait(timeout=30) == -number
    assert list(folder.iterdir()) == []


def test_a_path_that_leads_nowhere_is_named():
    done = program.run("capture", "-o", "/nonexistent/x.zst")
    assert done.returncode == program.FAILED
    assert b"/nonexistent/x.zst: cannot be written: No such file" in done.stderr


# --- what cannot be read ----------------------------------------------------------------------------------------------

def test_damaged_and_foreign_files_are_refused_with_a_reason(saved, tmp_path):
    def refusal(name, content):
        (tmp_path / name).write_bytes(content)
        done = program.run("--from", tmp_path / name)
        assert done.returncode == program.FAILED
        return done.stderr.decode()

    packed = saved.read_bytes()
    assert "damaged or cut short" in refusal("cut.zst", packed[:len(packed) // 2])
    newer = b'{"type":"snapshot","schema":"tcpwhy.snapshot/2","tool":{"name":"tcpwhy","version":"7.1"}}\n'
    assert "version 2, made by tcpwhy 7.1" in refusal("newer", newer)


def test_a_cut_file_is_read_and_the_cut_is_a_gap(leak, saved, tmp_path):
    lines = program.run("capture", "--from", saved).stdout.splitlines(keepends=True)
    (tmp_path / "cut").write_bytes(b"".join(lines[:-1])[:-10])
    diagnosis = program.diagnose("--port", leak.port, "--from", tmp_path / "cut")
    assert diagnosis.gap("snapshot-incomplete") and diagnosis.gap("lines-not-understood")


# --- two ends, and two times ------------------------------------------------------------------------------------------

@pytest.mark.skipif(privileges.without_netns() is not None, reason=str(privileges.without_netns()))
def test_both_ends_of_a_connection_are_one_finding(tmp_path):
    """A server in one namespace and its clients in another. Each is captured with ss, as on two hosts."""
    namespaces = netns.Namespaces()
    script = """if True:
        import signal, socket, sys
        listener = socket.create_server(("10.177.0.1", 9100), backlog=64)
        kept = [listener.accept()[0] for _ in range(int(sys.argv[1]))]
        [each.recv(1) for each in kept]
        print("stands", flush=True)
        signal.pause()
    """
    client = """if True:
        import signal, socket, sys
        kept = [socket.create_connection(("10.177.0.1", 9100)) for _ in range(int(sys.argv[1]))]
        [each.shutdown(socket.SHUT_WR) for each in kept]
        signal.pause()
    """
    with contextlib.ExitStack() as stack:
        stack.callback(namespaces.remove_all)
        pair = namespaces.pair()

        def start(name, words):
            process = subprocess.Popen(["ip", "netns", "exec", name, "/usr/bin/python3", "-c", words, str(LEAKED)],
                                       stdout=subprocess.PIPE, text=True)
            stack.callback(lambda: (process.kill(), process.wait()))
            return process

        server = start(pair.service, script)
        time.sleep(0.5)
        start(pair.peer, client)
        assert server.stdout.readline() == "stands\n"
        time.sleep(6)
        files = {}
        for host, name in ("server", pair.service), ("client", pair.peer):
            files[host] = f"/tmp/tcpwhy-{os.getpid()}-{host}.txt"
            stack.callback(os.unlink, files[host])
            with open(files[host], "w", encoding="utf-8") as out:
                subprocess.run(["ip", "netns", "exec", name, "ss", "-tanpim"], stdout=out, check=True)
        both = program.diagnose("--from", files["server"], "--from", files["client"])
        joined = tmp_path / "both.zst"
        assert program.run("capture", "--from", files["server"], "--from", files["client"], "--redact", "-o",
                           joined).returncode == 0
    (hidden,) = program.diagnose("--from", joined)["findings"]
    assert (hidden["id"], hidden["count"]) == ("close-wait-leak", LEAKED)
    assert [(end["state"], end["count"]) for end in hidden["other_ends"]] == [("FIN_WAIT_2", LEAKED)]
    assert hidden["host"].startswith("host-") and hidden["other_ends"][0]["host"].startswith("host-")
    assert hidden["host"] != hidden["other_ends"][0]["host"]
    (finding,) = both["findings"]
    assert (finding["id"], finding["count"], finding["host"]) == (
        "close-wait-leak", LEAKED, os.path.basename(files["server"]))
    assert [(end["host"], end["count"]) for end in finding["counterparts"]] == [
        (os.path.basename(files["client"]), LEAKED)]


def test_a_leak_is_told_from_what_only_stays(tmp_path):
    first = Held(LEAKED)
    files = [tmp_path / "1", tmp_path / "2.gz"]
    assert program.run("capture", "-o", files[0]).returncode == 0
    more = Held(LEAKED, listener=first.listener)
    assert program.run("capture", "-o", files[1]).returncode == 0
    more.close()
    done = program.run("diff", "--json", "--port", first.port, *files)
    steady = program.run("diff", "--json", "--port", first.port, files[1], "--interval", "60", files[1])
    first.close()
    row = json.loads(done.stdout)["rows"][0]
    assert done.returncode in (program.WARNING, program.CRITICAL)
    assert (row["kind"], row["state"], row["counts"]) == ("leaks", "CLOSE_WAIT", [LEAKED, 2 * LEAKED])
    assert (row["stayed"], row["came"], row["went"]) == (LEAKED, LEAKED, 0)
    assert {row["kind"] for row in json.loads(steady.stdout)["rows"]} == {"steady"}
    assert steady.returncode == program.HEALTHY


def test_diff_says_what_it_wants():
    for words, reason in ((["diff"], b"two captures"), (["diff", "-", "-"], b"once only"),
                          (["diff", "/nonexistent", "-"], b"No such file")):
        done = program.run(*words)
        assert done.returncode == program.FAILED and reason in done.stderr, done.stderr


def test_standard_output_by_its_name_is_no_file_to_be_replaced(tmp_path):
    log = tmp_path / "log"
    log.write_text("hello\n")
    with open(log, "ab") as file:
        subprocess.run([program.path(), "capture", "-o", "/dev/stdout"], stdout=file, check=True)
    lines = log.read_text().splitlines()
    assert lines[0] == "hello" and json.loads(lines[1])["type"] == "snapshot"
