"""Starts and stops the makers of faults/."""

import json
import os
import select
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


class Fault:
    """A running maker. Its attributes are what it printed last: pid, peer_pid, port, count, …"""

    def __init__(self, maker, /, hostile_words=(), **arguments):
        self.maker = maker
        words = [f"{key}={json.dumps(value)}" for key, value in arguments.items()]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "faults", maker, *words, "--", *hostile_words],
            cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self.said = None
        self.netns = "host"  # the network namespace of the process that must be named, as tcpwhy calls it

    def __getattr__(self, key):
        try:
            return self.__dict__["said"][key]
        except (KeyError, TypeError):
            raise AttributeError(f"{self.maker} did not say its {key}") from None

    def wait_ready(self, seconds=30):
        line = b""
        while not line.endswith(b"\n"):
            readable, _, _ = select.select([self._process.stdout], [], [], seconds)
            more = os.read(self._process.stdout.fileno(), 65536) if readable else b""
            if not more:
                raise RuntimeError(f"the maker {self.maker} " + ("ended" if readable else f"took over {seconds} s"))
            line += more
        self.said = json.loads(line)
        return self

    def step(self):
        self._process.stdin.write(b"\n")
        return self.wait_ready()

    def stop(self):
        """Ends the fault. The maker kills its processes when its stdin ends; if it dies, the kernel kills them."""
        if self._process.stdin.closed:
            return
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


class Faults:
    """All faults of a test or fixture: with Faults() as faults: faults.start(…)."""

    def __init__(self):
        self._started = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop_all()

    def begin(self, maker, /, **arguments):
        """Starts a maker without waiting for it."""
        fault = Fault(maker, **arguments)
        self._started.append(fault)
        return fault

    def start(self, maker, /, **arguments):
        return self.begin(maker, **arguments).wait_ready()

    def stop_all(self):
        for fault in self._started:
            fault.stop()
        self._started = []
