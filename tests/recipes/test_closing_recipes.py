"""Runs the recipes of the page "closing" against a real peer on loopback, in the roles that matter.

Run with: python3 -m pytest tests/recipes
"""

import contextlib
import os
import pathlib
import re
import select
import socket
import subprocess
import threading
import time

import pytest

import programs

PATIENCE_S = 20  # for things that happen within milliseconds, on a busy machine
LIMIT_MS = 15000  # for a drain that is to end by itself
SHORT_LIMIT_MS = 500  # for one that is to run out
PAYLOAD = 100_000  # bytes that the program writes before it closes
UNDER_WAY = 60_000  # bytes on their way to the program when it closes

FIN_WAIT_1, FIN_WAIT_2, TIME_WAIT, CLOSE_WAIT = "04", "05", "06", "08"  # include/net/tcp_states.h


def rows(local_port, remote_port):
    """(state, inode) of one end of a connection, from /proc/net/tcp and tcp6 (Java's sockets are IPv6)."""
    found = []
    for name in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(FileNotFoundError):
            for line in pathlib.Path(name).read_text().splitlines()[1:]:
                fields = line.split()
                ports = [int(end.rsplit(":", 1)[1], 16) for end in fields[1:3]]
                if ports == [local_port, remote_port]:
                    found.append((fields[3], int(fields[9])))
    return found


def wait_for(condition, what):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {PATIENCE_S} s"
        time.sleep(0.01)


class Program:
    """A recipe's process and the test's end of its connection."""

    def __init__(self, command, payload, limit_ms):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(PATIENCE_S)
            port = listener.getsockname()[1]
            self.process = subprocess.Popen([*command, str(port), str(payload), str(limit_ms)], bufsize=0,
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self.peer = None
            try:
                self.peer, address = listener.accept()
                self.peer.settimeout(PATIENCE_S)
                self.ports = (address[1], port)
                assert self.read_line() == "ready"
                (_, self.inode), = rows(*self.ports)
            except BaseException:
                self.end()
                raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        if self.peer is not None:
            self.peer.close()

    def read_line(self):
        line, deadline = b"", time.monotonic() + PATIENCE_S
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))
            assert ready, f"the program says nothing for {PATIENCE_S} s"
            more = os.read(self.process.stdout.fileno(), 100)
            assert more, f"the program has ended with status {self.process.wait()}"
            line += more
        return line.decode().strip()

    def begin_closing(self):
        self.process.stdin.write(b"close\n")

    def state(self):
        """The state of the program's end; None where there is no connection."""
        found = rows(*self.ports)
        assert len(found) <= 1
        return found[0][0] if found else None

    def holds_descriptor(self):
        for link in pathlib.Path(f"/proc/{self.process.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                if os.readlink(link) == f"socket:[{self.inode}]":
                    return True
        return False

    def expect_closed(self):
        """The process lives, its descriptor is free, and no end of the connection belongs to it."""
        assert self.process.poll() is None
        wait_for(lambda: not self.holds_descriptor(), "the descriptor is given back")
        assert all(inode == 0 for _, inode in rows(*self.ports))
        assert self.state() != CLOSE_WAIT


def read_to_end(sock):
    """Bytes until the end of stream; a reset raises."""
    count = 0
    while more := sock.recv(65536):
        count += len(more)
    return count


@pytest.fixture(scope="module", params=programs.BUILDERS)
def command(request, tmp_path_factory):
    try:
        return programs.BUILDERS[request.param](tmp_path_factory.mktemp(request.param))
    except programs.ToolMissing as missing:
        pytest.skip(str(missing))


def test_peer_closes_first(command):
    with Program(command, PAYLOAD, LIMIT_MS) as program:
        program.peer.sendall(bytes(UNDER_WAY))
        program.peer.shutdown(socket.SHUT_WR)
        wait_for(lambda: program.state() == CLOSE_WAIT, "the program's end is in CLOSE_WAIT")
        program.begin_closing()
        assert read_to_end(program.peer) == PAYLOAD
        assert program.read_line() == "ended"
        program.expect_closed()
        wait_for(lambda: program.state() is None, "LAST_ACK ends")
        assert rows(*reversed(program.ports))[0][0] == TIME_WAIT


def test_program_closes_first_with_data_under_way(command):
    with Program(command, PAYLOAD, LIMIT_MS) as program:
        program.peer.sendall(bytes(UNDER_WAY))  # lies unread in the program's receive queue
        program.begin_closing()
        wait_for(lambda: program.state() in (FIN_WAIT_1, FIN_WAIT_2), "the program has sent its FIN")
        program.peer.sendall(bytes(UNDER_WAY))  # comes after the program has begun to close
        assert read_to_end(program.peer) == PAYLOAD  # a reset would destroy it
        program.peer.sendall(bytes(UNDER_WAY))
        program.peer.close()
        assert program.read_line() == "ended"
        program.expect_closed()
        assert program.state() == TIME_WAIT
        wait_for(lambda: not rows(*reversed(program.ports)), "the peer's end is gone")


def test_peer_never_closes(command):
    with Program(command, PAYLOAD, SHORT_LIMIT_MS) as program:
        began = time.monotonic()
        program.begin_closing()
        assert read_to_end(program.peer) == PAYLOAD
        assert program.read_line() == "limit"
        assert SHORT_LIMIT_MS / 1000 * 0.8 < time.monotonic() - began < PATIENCE_S / 2
        program.expect_closed()
        assert program.state() == FIN_WAIT_2  # an orphan, which the kernel's timer ends
        program.peer.close()
        wait_for(lambda: program.state() in (TIME_WAIT, None), "the peer's FIN ends it")


def test_peer_never_stops_sending(command):
    """The limit is for the whole drain, not for each read."""
    with Program(command, 0, SHORT_LIMIT_MS) as program:
        stop = threading.Event()

        def dribble():
            with contextlib.suppress(OSError):  # the program's kernel resets it in the end
                while not stop.wait(0.02):
                    program.peer.send(b".")

        sender = threading.Thread(target=dribble)
        sender.start()
        try:
            began = time.monotonic()
            program.begin_closing()
            assert program.read_line() == "limit"
            assert time.monotonic() - began < PATIENCE_S / 2
            program.expect_closed()
            wait_for(lambda: program.state() is None, "what the peer still sends draws a reset")
        finally:
            stop.set()
            sender.join()


def test_peer_has_reset(command):
    """The recipe gives the descriptor back although the connection is gone."""
    with Program(command, 0, LIMIT_MS) as program:
        program.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        program.peer.close()
        wait_for(lambda: program.state() is None, "the reset has arrived")
        program.begin_closing()
        assert program.read_line() == "limit"
        program.expect_closed()


def test_closing_without_draining_loses_data():
    """The loss that the recipes prevent does happen in this set-up: else the tests above would prove nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        with listener.accept()[0] as peer:
            peer.settimeout(PATIENCE_S)
            peer.sendall(bytes(UNDER_WAY))
            ours.sendall(bytes(PAYLOAD))
            ours.close()
            with pytest.raises(ConnectionResetError):
                read_to_end(peer)


def test_every_language_has_a_recipe():
    sections = re.findall(r"^## (.*)$", programs.PAGE.read_text(encoding="utf-8"), re.M)
    for language, section in [("c", "C"), ("csharp", "C#"), ("java", "Java"), ("python", "Python"),
                              ("javascript", "JavaScript"), ("go", "Go")]:
        assert section in sections
        assert programs.recipe(language)
