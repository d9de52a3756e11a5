"""--watch: repeated reports that show what has changed; and what each command does when its reader ends."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pytest

import program
from held import Held

LEAKED = 12


@pytest.fixture(name="leak", scope="module")
def _leak():
    leak = Held(LEAKED)
    yield leak
    leak.close()


def clean_environment(**more):
    return {**{k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR")}, "TERM": "xterm", **more}


def heed_ctrl_c():
    """In the child process. The tests may run in the background of a script, where Ctrl-C is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """The program on a terminal of its own, and all output so far."""

    def __init__(self, *words, rows=40, columns=100, **environment):
        self._master, slave = pty.openpty()
        self.resize(rows, columns)

        def take_terminal():
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            heed_ctrl_c()

        self.process = subprocess.Popen(
            [program.path(), *map(str, words)], stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            preexec_fn=take_terminal, env=clean_environment(**environment))
        os.close(slave)
        self.settings = termios.tcgetattr(self._master)
        self.out = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._master)

    def resize(self, rows, columns):
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read_until(self, wanted, seconds=15.0):
        """Reads until `wanted` has appeared since the last call. Returns the new output."""
        start = len(self.out)
        give_up = time.monotonic() + seconds
        while not re.search(wanted, self.out[start:].decode(errors="replace")):
            left = give_up - time.monotonic()
            readable, _, _ = select.select([self._master], [], [], max(left, 0))
            assert readable, f"waited in vain for {wanted!r}; got {self.out[start:].decode(errors='replace')}"
            self.out += os.read(self._master, 65536)
        return self.out[start:].decode(errors="replace")

    def type(self, text):
        os.write(self._master, text.encode())

    def interrupt(self):
        """Sends Ctrl-C. Returns the exit status."""
        self.type("\x03")
        while True:
            try:
                more = os.read(self._master, 65536)
            except OSError:  # EIO: the last writer has closed
                break
            if not more:
                break
            self.out += more
        return self.process.wait(10)


SCREEN_END = r"q ends\S*\x1b\[K\x1b\[J"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def screens(out):
    """The lines on the screen, a list for each report."""
    parts = re.split(r"\x1b\[H(?:\x1b\[2J\x1b\[H)?", out)[1:]
    return [[line.replace("\x1b[K", "").replace("\x1b[J", "").strip("\r") for line in COLOUR.sub("", part).split(
            "\r\n")]
            for part in parts]


def test_changes_are_shown_until_ctrl_c():
    held = Held(LEAKED).settle()
    with Terminal("--watch", 1, "--port", held.port) as terminal:
        first = terminal.read_until(SCREEN_END)
        assert "close-wait-leak" in first and "▼" not in first and "the same findings" not in first
        held.close(1)
        second = terminal.read_until(r"▼1[^0-9]")
        assert "as many" not in second
        terminal.read_until(SCREEN_END)
        held.close()
        third = terminal.read_until("Gone since")
        assert re.search(r"the verdict was\S* warning|the verdict was", COLOUR.sub("", third))
        terminal.read_until("the same findings")
        assert terminal.interrupt() == program.HEALTHY
        assert termios.tcgetattr(terminal._master) == terminal.settings
        assert b"\x1b[?" not in terminal.out, "nothing of the terminal was changed that would have to be restored"


def test_the_exit_status_is_the_last_verdict(leak):
    leak.settle()
    with Terminal("--watch", 30, "--port", leak.port) as terminal:
        terminal.read_until(SCREEN_END)
        assert terminal.interrupt() == program.WARNING


def test_a_report_is_cut_to_the_height_and_made_anew_when_the_size_changes(leak):
    leak.settle()
    with Terminal("--watch", 30, "--port", leak.port, rows=20, columns=70) as terminal:
        (screen,) = screens(terminal.read_until(SCREEN_END))
        assert len(screen) == 20 and screen[-1].startswith("every 30 s · ")
        assert max(map(len, screen)) <= 70
        terminal.resize(30, 110)
        (screen,) = screens(terminal.read_until(SCREEN_END))
        assert len(screen) == 30 and 70 < max(map(len, screen)) <= 110
        terminal.type("\r")  # the card
        terminal.resize(12, 110)
        screen = screens(terminal.read_until(r"… more[^\r]*" + SCREEN_END))[-1]
        assert len(screen) in (11, 12) and screen[-1].startswith("… more · ")
        terminal.interrupt()


def test_without_a_terminal_one_report_follows_another(leak):
    leak.settle()
    for how in ({}, {"TERM": "dumb"}):
        process = subprocess.Popen([program.path(), "--watch", "300ms", "--port", str(leak.port)],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_environment(**how),
                                   preexec_fn=heed_ctrl_c)
        lines = []
        while sum(line.startswith("tcpwhy ") for line in lines) < 3:
            lines.append(process.stdout.readline().decode())
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=10)
        out = "".join(lines) + rest.decode()
        assert errors == b"" and "\x1b" not in out
        assert len(re.findall(r"^[═=]+$", out, flags=re.M)) == len(re.findall(r"^tcpwhy ", out, flags=re.M)) - 1
        assert out.count("the same findings") >= 1
        assert process.returncode == program.WARNING


def test_json_is_one_document_a_line(leak):
    leak.settle()
    process = subprocess.Popen([program.path(), "--watch", "300ms", "--json", "--port", str(leak.port)],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_environment())
    documents = []
    for _ in range(3):
        documents.append(json.loads(process.stdout.readline()))  # each arrives before the next one is made
        program.validate(documents[-1])
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=10)
    assert errors == b"" and process.returncode == program.WARNING
    assert len({document["taken_at"] for document in documents}) == 3
    assert {finding["count"] for document in documents for finding in document["findings"]} == {LEAKED}


def test_the_report_before_confirms_the_next():
    held = Held(LEAKED, read=False).settle()
    process = subprocess.Popen([program.path(), "--watch", "1", "--confirm", "1", "--json", "--port", str(held.port)],
                               stdout=subprocess.PIPE, env=clean_environment(), preexec_fn=heed_ctrl_c)
    first, second = (json.loads(process.stdout.readline()) for _ in range(2))
    for document in (first, second):
        (finding,) = document["findings"]
        assert finding["confidence"] == "certain"
        assert any("Confirmed by a second look" in line for line in finding["evidence"])
    held.close()
    gone = json.loads(process.stdout.readline())
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert gone["findings"] == [] and process.returncode == program.HEALTHY


def test_what_the_parent_ignores_stays_ignored(leak):
    """A background job of a script ignores Ctrl-C."""
    process = subprocess.Popen(["sh", "-c", 'trap "" INT; exec "$@"', "sh", program.path(), "--watch", "200ms",
                                "--json",
                                "--port", str(leak.port)], stdout=subprocess.PIPE, env=clean_environment())
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    for _ in range(3):
        assert process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=10)
    assert process.returncode in (program.HEALTHY, program.WARNING)


COMMANDS = [["list"], ["list", "--csv"], ["list", "--json"], ["count"], ["--json"], [], ["explain"],
            ["explain", "closing"], ["explain", "--json"], ["explain", "LAST_ACK", "--json"], ["help"], ["version"],
            ["list", "--help"], ["--watch", "100ms"], ["--watch", "100ms", "--json"]]


@pytest.mark.parametrize("ignored", [False, True], ids=["usual", "ignored"])
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_reader_that_goes_is_no_error(words, ignored):
    """`tcpwhy list | head -1`, also if the parent (Python, Go, a container) makes its children ignore SIGPIPE."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([program.path(), *words], stdout=writer, stderr=subprocess.PIPE, timeout=30,
                          restore_signals=not ignored, env=clean_environment())
    os.close(writer)
    assert done.returncode == -signal.SIGPIPE
    assert done.stderr == b""


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_full_disk_is_told_once(words):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([program.path(), *words], stdout=full, stderr=subprocess.PIPE, timeout=30,
                              env=clean_environment())
    told = [line for line in done.stderr.decode().splitlines() if "not seen" not in line]
    assert done.returncode == program.FAILED
    assert len(told) == 1 and "standard output" in told[0] and "No space left on device" in told[0]


def test_a_reader_that_has_stopped_does_not_keep_it_from_ending(leak):
    process = subprocess.Popen([program.path(), "--watch", "100ms", "--json"], stdout=subprocess.PIPE,
                               env=clean_environment())
    fcntl.fcntl(process.stdout.fileno(), 1031, 4096)  # F_SETPIPE_SZ
    held = [-1, 0]
    while held[-1] == 0 or held[-1] != held[-2]:  # until the pipe is full
        time.sleep(0.6)
        held.append(struct.unpack("i", fcntl.ioctl(process.stdout.fileno(), termios.FIONREAD, b"\0" * 4))[0])
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) in (program.HEALTHY, program.WARNING, program.CRITICAL)
    process.stdout.close()
