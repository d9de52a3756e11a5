"""A network namespace with many sockets, and the cost of commands in it."""

import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from commands import BUILD, TCPWHY

PROCESSES = 12     # that hold sockets; more if descriptors are limited
BYSTANDERS = 250   # that hold none
SLOW_MS = 5_000    # slower commands are measured once
KILLED = 142       # exit status of measure.c when the time is over
ENDED_BY_OTHERS, TRIES = 137, 5


@dataclass
class Cost:
    wall_ms: float
    cpu_ms: float
    rss_kib: float
    over: bool = False  # it did not end in the given time, which is wall_ms


def rounds_for(sockets):
    return 15 if sockets <= 5_000 else 7 if sockets <= 50_000 else 3


def processes_for(sockets):
    """Each process holds its share of the descriptors, and a few more."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return max(PROCESSES, math.ceil(sockets / (limit * 0.9)))


# Commands that make captures of the load.
CAPTURES = {
    "ss -tan": ["ss", "-tan"],
    "ss -tanpiemo": ["ss", "-tanpiemo"],
    "netstat -tan": ["netstat", "-tan"],
    "/proc/net/tcp": ["cat", "/proc/thread-self/net/tcp"],
}


class Load:
    """It ends when the input of the process that holds the sockets is closed."""

    def __init__(self, sockets, healthy=False):
        self.sockets = sockets
        self.processes = processes_for(sockets)
        self.process = subprocess.Popen(
            [str(BUILD / "tests/bench/load"), str(sockets), str(self.processes), str(BYSTANDERS),
             *(["healthy"] if healthy else [])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.await_ready()

    def await_ready(self):
        if self.process.stdout.readline() != "ready\n":
            sys.exit("tests/bench/run: the load could not be built")

    def refresh(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.await_ready()

    def measure(self, command):
        for _ in range(TRIES):
            done = subprocess.run(
                [str(BUILD / "tests/bench/measure"), str(self.process.pid), str(command.limit_s), *command.words],
                check=True, capture_output=True, text=True)
            status, wall, cpu, rss = done.stdout.split()
            # Whoever removes a network namespace kills its processes; tcpwhy may be one at that moment.
            if int(status) != ENDED_BY_OTHERS:
                break
        if int(status) == KILLED:
            return Cost(command.limit_s * 1e3, float(cpu), float(rss), over=True)
        if int(status) > 2:
            sys.exit(f"tests/bench/run: {command.name} ended with status {status}")
        return Cost(float(wall), float(cpu), float(rss))

    def measure_in_turns(self, commands, rounds):
        """Returns {name: Cost} with medians."""
        samples = {command.name: [] for command in commands}
        for _ in range(rounds):
            self.refresh()
            for command in commands:
                taken = samples[command.name]
                if not taken or taken[0].wall_ms < SLOW_MS:
                    taken.append(self.measure(command))
        return {name: Cost(statistics.median(cost.wall_ms for cost in taken),
                           statistics.median(cost.cpu_ms for cost in taken),
                           statistics.median(cost.rss_kib for cost in taken), taken[0].over)
                for name, taken in samples.items()}

    def inside(self, words, **how):
        return subprocess.run(["nsenter", f"--net=/proc/{self.process.pid}/ns/net", *words], **how)

    def states(self):
        rows = self.inside(["ss", "-Htan"], check=True, capture_output=True, text=True).stdout.splitlines()
        counts = {}
        for row in rows:
            state = row.split(None, 1)[0]
            counts[state] = counts.get(state, 0) + 1
        return counts

    def measure_captures(self):
        """Returns [(what, bytes, Cost)]: the cost of reading this load from text; empty if there is no --from."""
        if self.sockets > 200_000:
            return []
        results = []
        with tempfile.TemporaryDirectory() as folder:
            for what, words in CAPTURES.items():
                path = Path(folder) / "capture"
                if what == "ss -tanpiemo" and self.sockets > 20_000:
                    continue  # ss needs 15 seconds for it, and the result shows nothing new
                with open(path, "wb") as out:
                    made = self.inside(words, stdout=out, stderr=subprocess.DEVNULL)
                if made.returncode != 0:
                    continue
                cost = self.measure_reading(path)
                if cost is not None:
                    results.append((what, os.path.getsize(path), cost))
        return results

    def measure_reading(self, path):
        words = [TCPWHY, "count", "--from", str(path)]
        costs = []
        for _ in range(5):
            out = subprocess.run([str(BUILD / "tests/bench/measure"), str(self.process.pid), "60", *words],
                                 check=True, capture_output=True, text=True).stdout.split()
            if int(out[0]) > 2:
                return None
            costs.append(Cost(float(out[1]), float(out[2]), float(out[3])))
        return min(costs, key=lambda cost: cost.wall_ms)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
