"""tcpwhy --watch on a terminal: its keys, and that the terminal is as it was afterwards. TCPWHY names the program."""
import fcntl
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import termios
import time

import pytest

PROGRAM = os.environ.get("TCPWHY", "build/tcpwhy")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
WARNING, CRITICAL = 1, 2
STUCK = 3  # connections of each finding

UP, DOWN, LEFT, PAGE_DOWN, END = "\x1b[A", "\x1bOB", "\x1b[D", "\x1b[6~", "\x1b[F"


class Terminal:
    """The program on a terminal, and what stands on the screen."""

    def __init__(self, *words, rows=24, columns=80):
        self.master, self.slave = pty.openpty()
        self.resize(rows, columns)
        self.settings = termios.tcgetattr(self.slave)
        environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR")}
        # A crash ends a build with the sanitizer as it ends any other.
        environment["ASAN_OPTIONS"] = environment.get("ASAN_OPTIONS", "") + ":handle_segv=0:handle_abort=0"
        self.process = subprocess.Popen(
            [PROGRAM, *words], stdin=self.slave, stdout=self.slave, stderr=self.slave, start_new_session=True,
            preexec_fn=self.become_foreground, env={**environment, "TERM": "xterm", "LC_ALL": "C.UTF-8"})
        self.out = ""

    @staticmethod
    def become_foreground():
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        for each in (signal.SIGINT, signal.SIGTSTP, signal.SIGQUIT, signal.SIGHUP):
            signal.signal(each, signal.SIG_DFL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, seconds):
        readable, _, _ = select.select([self.master], [], [], max(seconds, 0))
        if readable:
            self.out += os.read(self.master, 65536).decode(errors="replace")
        return bool(readable)

    def screen(self):
        """The lines of the last picture that is complete."""
        pictures = re.findall(r"\x1b\[H(?:\x1b\[2J\x1b\[H)?((?:(?!\x1b\[H).)*?)\x1b\[J", self.out, flags=re.DOTALL)
        return [COLOUR.sub("", line).replace("\x1b[K", "").rstrip("\r") for line in pictures[-1].split("\n")] \
            if pictures else []

    def until(self, wanted, seconds=20):
        """Reads until the screen shows it. Returns the screen."""
        give_up = time.monotonic() + seconds
        while not re.search(wanted, "\n".join(self.screen())):
            assert self.read(give_up - time.monotonic()), f"no {wanted!r} in:\n" + "\n".join(self.screen())
        return self.screen()

    def type(self, text):
        os.write(self.master, text.encode())

    def is_restored(self):
        return termios.tcgetattr(self.slave) == self.settings


@pytest.fixture(scope="module", name="two")
def two_findings(tmp_path_factory):
    """The options that show two findings at once: connections to two listeners that were closed by the peers."""
    config = tmp_path_factory.mktemp("watch") / "tcpwhy.conf"
    config.write_text("[close-wait-unread]\nsettle = 0\nwarning_count = 1\n")
    kept, ports = [], []
    for _ in range(2):
        listener = socket.create_server(("127.0.0.1", 0))
        ports.append(str(listener.getsockname()[1]))
        kept.append(listener)
        for _ in range(STUCK):
            client = socket.create_connection(listener.getsockname())
            kept.append(listener.accept()[0])
            client.close()
    yield ["--netns", "self", "--config", str(config), "--port", ",".join(ports)]
    for each in kept:
        each.close()


def test_the_list_the_card_and_back(two):
    with Terminal("--watch", "60", *two) as terminal:
        screen = terminal.until("q ends")
        assert len(screen) == 24 and sum("close-wait-unread" in line for line in screen) == 2
        assert any("CLOSE_WAIT" in line for line in screen), "the states"
        terminal.until("> 1  WARN")
        terminal.type(DOWN)
        terminal.until("> 2  WARN")
        terminal.type("\r")
        card = terminal.until("2 of 2")
        assert any(line.startswith("  Now ") for line in card), "what to do is one key away at 80x24"
        assert any(line.startswith("  Who ") for line in card)
        terminal.type("p")
        terminal.until("1 of 2")
        terminal.type(LEFT)
        terminal.until("> 1  WARN")
        terminal.type("2")
        terminal.until("2 of 2")
        terminal.type("\x1b")  # a lone Esc
        terminal.until("> 2  WARN")
        terminal.type("?")
        terminal.until("pause")
        terminal.type("?")
        terminal.until("> 2  WARN")
        terminal.type("q")
        assert terminal.process.wait(10) == WARNING
        assert terminal.is_restored()


def test_a_card_scrolls(two):
    with Terminal("--watch", "60", *two, rows=12) as terminal:
        terminal.until("q ends")
        terminal.type("\r")
        first = terminal.until("1 of 2")
        assert len(first) in (11, 12), "a command may take two rows"
        assert first[-1].startswith("… more")
        terminal.type(PAGE_DOWN)
        second = terminal.until(r"\A(?s:(?!.*1 of 2).*)\Z")
        assert first != second and len(second) in (10, 11, 12)
        terminal.type(END)
        terminal.until("explain close-wait-unread")
        terminal.type("v")
        terminal.until("… more")
        terminal.type(END)
        terminal.until("Won't help|explain close-wait-unread")
        terminal.type("q")
        assert terminal.process.wait(10) == WARNING


def test_a_pause_keeps_the_snapshot(two):
    def taken(screen):
        return re.search(r"\d\d:\d\d:\d\d", screen[0])[0]

    with Terminal("--watch", "0.2", *two) as terminal:
        terminal.until("since")
        terminal.type(" ")
        paused = taken(terminal.until("Paused"))
        give_up = time.monotonic() + 1.5
        while time.monotonic() < give_up:
            terminal.read(give_up - time.monotonic())
        assert taken(terminal.screen()) == paused
        terminal.type(" ")
        give_up = time.monotonic() + 20
        while taken(terminal.screen()) == paused:
            assert terminal.read(give_up - time.monotonic())
        terminal.type("q")
        terminal.process.wait(10)


def test_a_terminal_that_is_resized(two):
    with Terminal("--watch", "60", *two) as terminal:
        terminal.until("q ends")
        terminal.resize(40, 120)
        give_up = time.monotonic() + 20
        while len(terminal.screen()) != 40:
            assert terminal.read(give_up - time.monotonic())
        terminal.type("q")
        terminal.process.wait(10)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGSEGV,
                                    signal.SIGABRT], ids=lambda number: number.name)
def test_the_terminal_is_restored_whatever_ends_it(two, number):
    with Terminal("--watch", "60", *two) as terminal:
        terminal.until("q ends")
        assert not terminal.is_restored(), "or this tests nothing"
        terminal.process.send_signal(number)
        status = terminal.process.wait(20)
        crashes = number in (signal.SIGSEGV, signal.SIGABRT)
        assert status != 0 and (status == -number or not crashes)
        assert terminal.is_restored()


def test_ctrl_c_and_ctrl_z_are_signals(two):
    with Terminal("--watch", "60", *two) as terminal:
        terminal.until("q ends")
        terminal.type("\x1a")
        give_up = time.monotonic() + 20
        while not terminal.is_restored():
            assert time.monotonic() < give_up
            terminal.read(0.05)
        os.kill(terminal.process.pid, signal.SIGCONT)
        while terminal.is_restored():
            assert time.monotonic() < give_up
            terminal.read(0.05)
        terminal.type("\x03")
        assert terminal.process.wait(10) == WARNING
        assert terminal.is_restored()


def test_without_a_keyboard_it_says_how_it_ends(two):
    with Terminal("--watch", "60", *two) as terminal:
        terminal.type("q")
        terminal.process.wait(20)
    with open(os.devnull, "rb") as nothing:
        master, slave = pty.openpty()
        process = subprocess.Popen([PROGRAM, "--watch", "60", *two], stdin=nothing, stdout=slave, stderr=slave,
                                   env={**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8"}, start_new_session=True,
                                   preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        out = b""
        while "Ctrl-C ends" not in out.decode(errors="replace"):
            assert select.select([master], [], [], 20)[0], out
            out += os.read(master, 65536)
        assert b"> 1" not in out
        process.send_signal(signal.SIGINT)
        assert process.wait(10) in (WARNING, CRITICAL)
        os.close(master)
        os.close(slave)
