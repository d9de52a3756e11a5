"""tcpwhy check as a monitoring system calls it: one line, performance data, exit status. TCPWHY names the program."""
import os
import re
import resource
import socket
import stat
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

PROGRAM = os.path.abspath(os.environ.get("TCPWHY", "build/tcpwhy"))
OK, WARNING, CRITICAL, UNKNOWN = range(4)
NAMES = ["OK", "WARNING", "CRITICAL", "UNKNOWN"]
MEASURE = re.compile(r"('(?:[^'=|]|'')+'|[^\s'=|]+)=(-?[0-9.]+)(s|%|)((?:;[0-9.~:@-]*){0,4})(?: |$)")
PID = str(os.getpid())


class Answer:
    """What a monitoring system makes of the output."""

    def __init__(self, done):
        assert done.stderr == b"", done.stderr.decode()
        text = done.stdout.decode()
        assert text.endswith("\n") and len(done.stdout) <= 8192
        self.status = done.returncode
        self.line, *self.more = text[:-1].split("\n")
        assert text.count("|") <= 1
        self.words, _, data = self.line.partition(" | ")
        assert self.words.startswith(f"TCPWHY {NAMES[self.status]} - "), self.line
        self.data = {}
        while data:
            found = MEASURE.match(data)
            assert found, data
            assert found[1] not in self.data
            self.data[found[1]] = (float(found[2]), found[3], *found[4].split(";")[1:])
            data = data[found.end():]


@pytest.fixture(scope="module", autouse=True)
def samples_of_their_own():
    """What a check keeps by itself goes with the tests."""
    with tempfile.TemporaryDirectory() as folder:
        before = os.environ.get("XDG_STATE_HOME")
        os.environ["XDG_STATE_HOME"] = folder
        yield
        os.environ.pop("XDG_STATE_HOME") if before is None else os.environ.update(XDG_STATE_HOME=before)


def check(*words, env=None, **how):
    clean = {k: v for k, v in os.environ.items() if k != "XDG_CONFIG_HOME" and (k != "XDG_STATE_HOME" or not env)}
    # However busy the machine is.
    return Answer(subprocess.run([PROGRAM, "check", "--timeout", "50", *words], capture_output=True, timeout=60,
                                 check=False,
                                 stdin=subprocess.DEVNULL, env={**clean, **(env or {})}, **how))


@pytest.fixture(scope="module", name="port")
def listening():
    """A listener and seven connections to it, each with both ends here."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        kept = []
        for _ in range(7):
            kept.append(socket.create_connection(listener.getsockname()))
            kept.append(listener.accept()[0])
        yield str(listener.getsockname()[1])
        for each in kept:
            each.close()


@pytest.fixture(name="mine")
def selection(port):
    """Just the seven, on the side of the service."""
    return ["--local", f":{port}", "--state", "established", "--netns", "self"]


# --- thresholds -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("limits, status", [
    (["-w", "7"], OK), (["-w", "6"], WARNING), (["-w", "6", "-c", "7"], WARNING), (["-w", "5", "-c", "6"], CRITICAL),
    (["-w", "8:"], WARNING), (["-w", "7:"], OK), (["-c", "~:7"], OK), (["-c", "~:6"], CRITICAL),
    (["-w", "7:7"], OK), (["-w", "1:6"], WARNING), (["-c", "@7:7"], CRITICAL), (["-c", "@1:6"], OK),
    (["--warning=6", "--critical=100"], WARNING), (["-w6", "-c100"], WARNING), (["-c", "0"], CRITICAL),
])
def test_it_counts_and_compares(mine, limits, status):
    answer = check(*mine, *limits)
    assert answer.status == status
    assert ": 7 (" in answer.words
    (label, (value, unit, warn, crit, *least)) = next(iter(answer.data.items()))
    assert (value, unit, least) == (7, "", ["0"]) and label.startswith("local_:")
    given = dict(zip("wc", ("", ""))) | {w.lstrip("-")[0]: re.sub(r"^(-[wc]|--\w+=)", "", v) for w, v in pairs(limits)}
    assert (warn, crit) == (given["w"], given["c"])
    assert "time" in answer.data and answer.data["time"][1] == "s"


def pairs(words):
    """Options with their values, joined or not."""
    at = 0
    while at < len(words):
        if words[at] in ("-w", "-c"):
            yield words[at], words[at + 1]
            at += 2
        else:
            yield words[at], words[at]
            at += 1


def test_limits_may_come_first(mine):
    assert check("-w", "6", *mine).status == WARNING
    assert check("-w", "7", "-c", "100", *mine).status == OK


def test_several_thresholds(port, mine):
    more = ["--local", f":{port}", "--state", "listen"]
    answer = check(*mine, "-w", "100", *more, "-w", "0", "-c", "5")
    assert answer.status == WARNING
    assert answer.words.startswith(f"TCPWHY WARNING - local :{port} listen: 1 (warning 0, critical 5)")
    assert [line[:6] for line in answer.more[:2]] == ["[OK] l", "[WARNI"]
    assert [value[0] for value in answer.data.values()][:2] == [7, 1]
    assert check("-w", "100", *mine, "-w", "0", "-c", "5", *more).status == WARNING
    assert check("-w", "100", *mine, "-c", "0", *more).status == CRITICAL
    answer = check(*mine, "-c", "1", "--label", "it's = 5|", *more, "-w", "0", "--label", "two")
    assert answer.status == CRITICAL and "(and 1 other)" in answer.words
    assert list(answer.data)[:2] == ["'it''s _ 5_'", "two"]


def test_all_selections(port):
    mine = ["--pid", PID, "--port", port]
    assert check(*mine, "-c", "15:15").status == OK
    assert check(*mine, "-6", "-c", "0").status == OK
    assert check(*mine, "--older", "1d", "-c", "0").status == OK
    assert check(*mine, "--cause", "normal", "-c", "15:15").status == OK
    assert check(*mine, "--process", "nobody-is-called-so", "-c", "0").status == OK
    assert check(*mine, "--peer", "127.0.0.0/8", "--netns", "self", "-4", "-c",
                 "15:15").status == CRITICAL  # the listener
    assert check(*mine, "--state", "estab", "--peer", "127.0.0.0/8", "-c", "14:14").status == OK


# --- without thresholds ---------------------------------------------------------------------------------------------

def test_a_healthy_service_is_ok(port):
    answer = check("--port", port)
    assert answer.status == OK and "15 looked at" in answer.words
    assert answer.data["established"] == (14, "", "", "", "0")
    assert answer.data["listen"][0] == 1
    assert {"connections", "close_wait", "last_ack", "time_wait", "oldest_stuck", "descriptors"} <= set(answer.data)
    assert answer.data["critical_findings"] == (0, "", "", "0", "0")
    assert answer.data["warning_findings"] == (0, "", "0", "", "0")
    assert check("--port", "1").status == OK


def test_a_leak_is_named(tmp_path):
    """Ten connections that the peers have closed, and nobody here: from five seconds on a warning."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        port = str(listener.getsockname()[1])
        kept = []
        for _ in range(12):
            with socket.create_connection(listener.getsockname()) as client:
                kept.append(listener.accept()[0])
                kept[-1].recv(1) if client.shutdown(socket.SHUT_WR) else None
                kept[-1].recv(1)
        where = ["--port", port, "--samples", str(tmp_path / "samples"), "--growth-over", "5s"]
        assert check(*where).status == OK
        time.sleep(5.2)
        answer = check(*where)
        assert answer.status == WARNING
        assert f"(pid {PID}) has not closed 12 connections on port {port}" in answer.words
        assert any(line.startswith("[WARNING] close-wait-leak") for line in answer.more)
        assert "  more: tcpwhy explain close-wait-leak" in answer.more
        assert not any("proof:" in line for line in answer.more)
        assert any("proof:" in line for line in check("-v", *where).more)
        by_state = check("--port", port, "--state", "close-wait", "-w", "3", "-c", "10")
        assert by_state.status == CRITICAL and "; close-wait-leak: " in by_state.words
        for each in kept:
            each.close()


def leak_more(listener, kept, count):
    for _ in range(count):
        with socket.create_connection(listener.getsockname()):
            kept.append(listener.accept()[0])
        assert kept[-1].recv(1) == b""


def test_a_leak_that_will_use_up_the_descriptors_soon_is_critical(tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1000, limits[1]))
    try:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(64)
            kept = []
            where = ["--port", str(listener.getsockname()[1]), "--samples", str(tmp_path / "kept"), "--growth-over",
                     "5s"]
            leak_more(listener, kept, 12)
            time.sleep(5.2)
            assert check(*where).status == WARNING
            leak_more(listener, kept, 12)
            time.sleep(5.2)
            answer = check(*where)
            assert answer.status == CRITICAL
            assert re.search(rf"; \d+\.\d a minute more over .*\(pid {PID}\) runs out of descriptors in \d+ min",
                             answer.words)
            assert any(line.startswith("[WARNING] close-wait-leak") for line in answer.more), "the diagnosis as it is"
            time.sleep(6)
            assert check(*where).status == WARNING, "it has stopped growing"
            for each in kept:
                each.close()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


# --- usage ----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("words, why", [
    (["--state", "CLOSE_WIAT"], "did you mean CLOSE_WAIT?"),
    (["-w", "ten"], "is not a range"),
    (["-w", "20:10"], "ends before it begins"),
    (["-w"], "needs a value"),
    (["--warn", "1"], "no such option"),
    (["--wanring", "1"], "did you mean --warning?"),
    (["-w", "1", "-w", "2"], "second of one threshold"),
    (["extra"], "not expected"),
    (["--state", "LISTEN", "-w", "1", "--port", "80"], "threshold 2 (port 80) has no -w, -c or --growth"),
    (["-w", "1", "--port", "80", "-c", "2"], "threshold 2 (of -w and -c alone) has no selection"),
    (["--label", "x"], "names no threshold"),
    (["--state", "listen", "--label", "x"], "there is none"),
    (["--growth", "fast"], "is no growth"),
    (["--growth", "-5/min"], "is no growth"),
    (["--growth", "5/fortnight"], "is no growth"),
    (["--cause", "close-wait-leek", "-w", "1"], "did you mean 'close-wait-leak'?"),
    (["--netns", "no-such-netns", "-w", "1"], "is no network namespace"),
    (["--timeout", "soon"], "is not a time"),
    (["--timeout", "0"], "is not a time"),
    (["--confirm", "20", "-t", "20"], "--timeout has to be longer"),
    (["--json"], "no such option"),
    (["--from", "/nonexistent\n|x"], "\\n\\x7cx"),
    (["--state", "listen", "-w", "1"] * 33, "one threshold too many"),
])
def test_mistakes_are_unknown(words, why):
    answer = check(*words)
    assert answer.status == UNKNOWN
    assert why in answer.words
    assert not answer.more and not answer.data


def test_help_and_version_are_unknown_too():
    """As the guidelines want: a service that is defined with --help must not look healthy."""
    for words in (["--help"], ["-h"], ["-V"], ["--version"]):
        done = subprocess.run([PROGRAM, "check", *words], capture_output=True, check=False)
        assert done.returncode == UNKNOWN and done.stderr == b""
        assert done.stdout.startswith(b"usage: " if "h" in words[0].lstrip("-")[0] else b"check_tcpwhy ")


def test_what_a_capture_does_not_show_is_no_zero(tmp_path):
    """Neither ages nor descriptors: the guidelines' U, in the performance data and nowhere else."""
    path = tmp_path / "netstat.txt"
    rows = "".join(f"  TCP    10.0.0.5:9100    10.1.2.3:{port}    CLOSE_WAIT    4312\n" for port in range(50000, 50020))
    path.write_text("  TCP    0.0.0.0:9100    0.0.0.0:0    LISTENING    4312\n" + rows)
    done = subprocess.run([PROGRAM, "check", "--from", path], capture_output=True, check=False, text=True)
    status, data = done.stdout.splitlines()[0].split(" | ")
    assert (done.returncode, "Process 4312 has not closed 20" in status) == (1, True)
    assert " oldest_stuck=U;;;0 descriptors=U;80;95;0;100 " in data and " close_wait=20;;;0 " in data


def test_a_person_who_asks_for_help_has_not_failed():
    for words in (["help", "check"], ["help", "help"], ["help", "list"]):
        done = subprocess.run([PROGRAM, *words], capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"") and done.stdout.startswith(b"usage: ")


def test_it_goes_by_its_name(tmp_path, mine):
    name = tmp_path / "check_tcpwhy"
    name.symlink_to(PROGRAM)
    for words, status in (([*mine, "-w", "6"], WARNING), ([*mine, "-w", "7"], OK), (["diagnose"], UNKNOWN)):
        done = subprocess.run([name, *words], capture_output=True, check=False)
        assert Answer(done).status == status
    assert subprocess.run([name, "-V"], capture_output=True, check=False).stdout.startswith(b"check_tcpwhy ")


def test_a_full_disk_is_no_success():
    with open("/dev/full", "wb") as full:
        done = subprocess.run([PROGRAM, "check"], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == UNKNOWN


# --- the timeout ----------------------------------------------------------------------------------------------------

def test_the_timeout_interrupts_what_blocks(tmp_path):
    """A pipe that nobody writes to is waited for without an end; and so is standard input."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    readable, writable = os.pipe()
    for words, stdin in ((["--from", pipe], None), (["--from", "-"], readable)):
        began = time.monotonic()
        done = subprocess.run([PROGRAM, "check", "-t", "1", *words], stdin=stdin, capture_output=True, timeout=20,
                              check=False)
        took = time.monotonic() - began
        answer = Answer(done)
        assert answer.status == UNKNOWN and "within 1 s (--timeout)" in answer.words
        assert 0.9 < took < 3
    os.close(readable)
    os.close(writable)


def test_the_timeout_is_kept_whatever_signals_are_held_back(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    hold_back = ("import os, signal, sys; signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32)); "
                 "os.execv(sys.argv[1], sys.argv[1:])")
    done = subprocess.run(["/usr/bin/python3", "-c", hold_back, PROGRAM, "check", "-t", "1", "--from", pipe],
                          capture_output=True, timeout=20, check=False)
    assert Answer(done).status == UNKNOWN


# --- growth ---------------------------------------------------------------------------------------------------------

@pytest.fixture(name="samples")
def directory_of_samples(tmp_path):
    return tmp_path / "kept"


def files_of_samples(folder):
    """Beside them is a file of ages, if somebody on this host has a connection whose age keepalive may set back."""
    return [file for file in folder.iterdir() if file.read_bytes().startswith(b"tcpwhy.samples/")]


def the_file(samples):
    (found,) = files_of_samples(samples)
    return found


def test_growth_is_measured_between_runs(samples):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        port = listener.getsockname()[1]
        # Of this namespace: in others that run tests at the same time, somebody may have the same port.
        words = ["--local", f":{port}", "--state", "estab", "--netns", "self", "--samples", str(samples),
                 "--growth-over", "2s"]
        first = check(*words, "--growth", "60/min,6000/min")
        assert first.status == OK and "not known yet" in first.words
        assert stat.S_IMODE(samples.stat().st_mode) == 0o700
        assert stat.S_IMODE(the_file(samples).stat().st_mode) == 0o600
        time.sleep(1)
        kept = [socket.create_connection(listener.getsockname()) for _ in range(20)]
        answer = check(*words, "--growth", "60/min,6000/min")
        assert answer.status == WARNING
        rate = next(value for name, value in answer.data.items() if name.endswith("per_min"))
        assert 300 < rate[0] < 1300 and rate[2:4] == ("~:60", "~:6000")
        assert check(*words, "--growth", "1/s,100/min").status == CRITICAL, "the same samples: only the limits differ"
        time.sleep(2.5)
        calm = check(*words, "--growth", "60/min")
        time.sleep(2.5)
        calm = check(*words, "--growth", "60/min")
        assert calm.status == OK and "+0.0 a minute" in calm.words
        for each in kept:
            each.close()
        gone = check(*words, "--growth", "60/min")
        assert gone.status == OK
        assert len(files_of_samples(samples)) == 1
        assert len(list(samples.iterdir())) <= 2, "nothing half-written stays"


@pytest.mark.parametrize("content", [
    b"", b"\0" * 100, b"tcpwhy.samples/1\nof something else\n", b"tcpwhy.samples/1\nof check; listen; 300000 ms\n"
                                                                b"series x\n9",
    b"x" * 3_000_000], ids=["empty", "zeros", "foreign", "cut", "huge"])
def test_a_broken_file_counts_as_none(samples, content):
    words = ["--state", "listen", "--growth", "1/min", "--samples", str(samples)]
    check(*words)
    the_file(samples).write_bytes(content)
    answer = check(*words)
    assert answer.status == OK and "not known yet" in answer.words
    assert any("was not written by this check" in line for line in answer.more)
    assert not any("was not written" in line for line in check(*words).more), "it has been replaced"


def test_links_are_refused(samples, tmp_path):
    words = ["--state", "listen", "--growth", "1/min", "--samples", str(samples)]
    check(*words)
    precious = tmp_path / "precious"
    precious.write_text("precious")
    file = the_file(samples)
    for make in (file.symlink_to, file.hardlink_to):
        file.unlink()
        make(precious)
        answer = check(*words)
        assert answer.status == UNKNOWN and "remove it" in answer.words
        assert precious.read_text() == "precious"
    file.unlink()
    os.mkfifo(file)
    assert check(*words, "-t", "5").status == UNKNOWN
    file.unlink()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    link = tmp_path / "link"
    link.symlink_to(elsewhere)
    answer = check(*words[:-1], str(link))
    assert answer.status == UNKNOWN and "symbolic link" in answer.words
    assert not list(elsewhere.iterdir())


def test_a_directory_of_all_is_refused(samples):
    samples.mkdir()
    samples.chmod(0o777)
    words = ["--state", "listen", "--growth", "1/min", "--samples", str(samples)]
    answer = check(*words)
    assert answer.status == UNKNOWN and "may be written by others" in answer.words
    samples.chmod(0o700)
    if os.geteuid() == 0:
        os.chown(samples, 65534, 65534)
        assert "belongs to another user" in check(*words).words


def test_checks_do_not_mix(samples):
    for words in (["--state", "listen"], ["--state", "estab"], ["--state", "listen", "--port", "1"]):
        check(*words, "--growth", "1/min", "--samples", str(samples))
    assert len(files_of_samples(samples)) == 3


def test_where_samples_are_kept(tmp_path):
    check("--growth", "1/min", env={"XDG_STATE_HOME": str(tmp_path / "state")})
    assert len(files_of_samples(tmp_path / "state/tcpwhy")) == 1
    if os.geteuid() != 0:
        return
    as_nobody = {"user": 65534, "group": 65534, "extra_groups": []}
    with tempfile.TemporaryDirectory() as home:
        os.chown(home, 65534, 65534)
        check("--growth", "1/min", env={"HOME": home}, **as_nobody)
        assert len(files_of_samples(Path(home, ".local/state/tcpwhy"))) == 1
        os.chmod(home, 0o500)
        answer = check("--growth", "1/min", env={"HOME": f"{home}/none"}, **as_nobody)
        assert answer.status == UNKNOWN and "cannot be made" in answer.words
