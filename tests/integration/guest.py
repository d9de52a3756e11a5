"""A Linux kernel for the tests alone. Tests can lower its limits and speed up its clock.

User Mode Linux is a kernel that runs as an ordinary process of the host, without privileges. Its root file system is
the host's, mounted read-only, so the program under test and all tools are available. It changes nothing on the host.
"""

import json
import mmap
import os
import platform
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import privileges
import program

PROGRAMS = Path(__file__).parent / "programs"
KERNEL = "linux.uml"
MEMORY = "1G"  # allocated only when it is used
BOOTS_WITHIN_S = 30
ANSWERS_WITHIN_S = 60
# Killing the guest does not end its helper processes. Ending its process namespace does.
DIES_WITH_US = ["setpriv", "--pdeathsig", "KILL", "unshare", "--pid", "--fork", "--kill-child"]
# Factors by which the guest's clock runs faster. The faster it runs, the less the guest can do between two of its clock
# ticks (10 ms of its time). With 1000 it does nothing; its programs only see afterwards that time has passed.
BUSY, RESTING = 100, 1000
RATE = struct.Struct("=q")


def why_impossible():
    if platform.machine() != "x86_64":
        return "User Mode Linux runs on x86-64 only"
    for tool in (KERNEL, "cc"):
        if reason := privileges.without_tool(tool):
            return reason
    return privileges.without_netns()  # a process namespace needs the same privilege


class NotHere(Exception):
    """The host does not allow such a kernel to start."""


class GuestDied(AssertionError):
    """The guest kernel panicked or hangs. That happens if the host pauses while the guest's clock is sped up."""


class Guest:
    """Boots in its constructor."""

    def __init__(self):
        self._folder = Path(tempfile.mkdtemp(prefix="tw-guest-"))
        self._process = self._line = None
        self.is_alive = True
        try:
            self._boot()
        except BaseException:
            self.close()
            raise

    def _boot(self):
        shim = self._folder / "guest-host.so"
        subprocess.run(["cc", "-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", shim,
                        PROGRAMS / "guest-clock.c", PROGRAMS / "guest-registers.c"], check=True)
        clock = self._folder / "clock"
        clock.write_bytes(RATE.pack(1))
        with open(clock, "r+b") as file:
            self._clock = mmap.mmap(file.fileno(), 0)
        self._line, theirs = socket.socketpair()
        self._line.setblocking(False)
        self._received = b""
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else self._folder
        environment = {"PATH": os.environ["PATH"], "HOME": "/", "TMPDIR": str(memory), "LD_PRELOAD": str(shim),
                       "GUEST_CLOCK": str(clock)}
        with theirs, open(self._folder / "console", "wb") as console:
            self._process = subprocess.Popen(
                [*DIES_WITH_US, KERNEL, f"mem={MEMORY}", "rootfstype=hostfs", "rootflags=/", "ro",
                 f"init={PROGRAMS / 'guest-init'}", f"uml_dir={self._folder}", "con=null", "con0=null,fd:1",
                 f"ssl0=fd:{theirs.fileno()}"],
                env=environment, stdin=subprocess.DEVNULL, stdout=console, stderr=console,
                pass_fds=[theirs.fileno()], start_new_session=True)
        self._answer(BOOTS_WITHIN_S)

    def console(self):
        return (self._folder / "console").read_text(errors="replace")

    def _answer(self, within_s):
        give_up = time.monotonic() + within_s
        while b"\n" not in self._received:
            readable, _, _ = select.select([self._line], [], [], max(0, give_up - time.monotonic()))
            more = self._line.recv(1 << 16) if readable else b""
            if not more:
                console = self.console()
                if "Linux version" not in console:
                    raise NotHere(f"User Mode Linux does not start here: {console.strip()}")
                self.is_alive = False
                raise GuestDied(f"the guest does not answer:\n{console}")
            self._received += more
        line, _, self._received = self._received.partition(b"\n")
        answer = json.loads(line)
        assert "error" not in answer, answer["error"]
        return answer

    def _send(self, question):
        data = json.dumps(question).encode() + b"\n"
        while data:
            select.select([], [self._line], [])
            data = data[self._line.send(data):]

    def ask(self, **question):
        self._send(question)
        return self._answer(ANSWERS_WITHIN_S)

    # --- what tests do in it ---

    def run(self, *words):
        """Returns (status, output). output() is for commands that must succeed."""
        done = self.ask(run=[str(word) for word in words])
        return done["status"], done["out"] or done["err"]

    def output(self, *words):
        status, out = self.run(*words)
        assert status == 0, f"{words}: {status}: {out}"
        return out

    def diagnose(self, *words):
        status, out = self.run(program.path(), "--json", *words)
        assert status in program.STATUS_OF_VERDICT.values(), out
        document = json.loads(out)
        program.validate(document)
        diagnosis = program.Diagnosis(document)
        diagnosis.status = status
        return diagnosis

    def start(self, *words):
        """Starts a program in the background and waits for its first line. Returns (pid, that line)."""
        begun = self.ask(start=[str(word) for word in words])
        return begun["pid"], begun["line"]

    def drill(self, finding, *words):
        pid, line = self.start(program.path(), "drill", finding, "--json", *words)
        assert line, f"{finding} does not stand"
        return {**json.loads(line), "pid": pid}

    def fault(self, maker, **arguments):
        """Starts a maker of faults/. Returns what it printed and its pid."""
        words = [f"{key}={json.dumps(value)}" for key, value in arguments.items()]
        pid, line = self.start("env", "-C", Path(__file__).parent, sys.executable, "-m", "faults", maker, *words)
        assert line, f"{maker} does not stand"
        return {**json.loads(line), "maker": pid}

    def end(self, pid, how=signal.SIGTERM):
        return self.ask(end=pid, signal=int(how))["status"]

    def sysctl(self, name, value=None):
        path = "/proc/sys/" + name.replace(".", "/")
        if value is None:
            return self.output("cat", path).split()
        return self.ask(write=path, text=str(value))

    def sockstat(self, word):
        line = next(line for line in self.output("cat", "/proc/net/sockstat").splitlines() if line.startswith("TCP:"))
        words = line.split()
        return int(words[words.index(word) + 1])

    def counter(self, name, netns_pid=None):
        """A counter of /proc/net/netstat, in the network namespace of that process."""
        names, values = (line.split() for line in self.output("cat", f"/proc/{netns_pid or 'self'}/net/netstat")
                         .splitlines() if line.startswith("TcpExt:"))
        return int(values[names.index(name)])

    def hurry(self, seconds, rate=BUSY):
        """Lets at least so many seconds pass for the guest, faster than real time."""
        RATE.pack_into(self._clock, 0, rate)
        self._send({"ping": 1})  # wakes the guest, which then sets its timer again
        time.sleep(seconds / rate)
        RATE.pack_into(self._clock, 0, 1)
        self._answer(ANSWERS_WITHIN_S)

    def close(self):
        if self._line:
            self._line.close()  # then the guest powers off
        if self._process:
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)  # its session: the guest's processes end too
                self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
