"""The measured commands: tcpwhy with each source and command that this binary has, other programs, and bare walks."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("TCPWHY_BUILD", ROOT / "build"))
TCPWHY = str(BUILD / "tcpwhy")

# Names that goals and tables use.
WHOLE = "tcpwhy"
PORTABLE = "tcpwhy --source netlink"
BY_BPF = "tcpwhy --source bpf"
BARE = "bare netlink + /proc"
BARE_BPF = "bare iterators"
RIVAL = "ss -tanp"
PLAIN_RIVAL = "ss -tan"


@dataclass(frozen=True)
class Command:
    name: str
    words: tuple
    is_ours: bool = False
    limit_s: int = 60


def own(*words):
    return Command(" ".join(["tcpwhy", *words]), (TCPWHY, *words), is_ours=True)


def other(*words, name=None, limit_s=120):
    return Command(name or " ".join(words), words, limit_s=limit_s)


def understands(*words):
    """True if this binary has the command and the option's value; and the reason if not."""
    done = subprocess.run([TCPWHY, *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True)
    return done.returncode != 3, (done.stderr.strip().splitlines() or ["?"])[0]


OWN = [
    (own(), ("version",)),
    (own("--source", "netlink"), ("version",)),
    (own("--source", "bpf"), ("list", "--source", "bpf", "--limit", "1")),
    (own("--source", "proc"), ("version",)),
    (own("--json"), ("version",)),
    (own("list"), ("version",)),
    (own("list", "--json"), ("version",)),
    (own("list", "--limit", "1"), ("version",)),
    (own("list", "--state", "LAST_ACK"), ("version",)),
    (own("count", "--by", "state,process"), ("version",)),
    (own("check"), ("help", "check")),
    (own("check", "--state", "LAST_ACK"), ("help", "check")),
    (own("metrics"), ("metrics", "--help")),
    (own("capture", "--output", "/dev/null"), ("capture", "--help")),
    (own("version"), ("version",)),
]

RIVALS = [other("ss", "-tan"), other("ss", "-tanp"), other("netstat", "-tanp"), other("lsof", "-nP", "-iTCP")]


def walks():
    walk = str(BUILD / "tests/bench/walk")
    yield other(walk, "both", name=BARE)
    yield other(walk, "netlink", name="bare netlink")
    yield other(walk, "proc", name="bare /proc")
    iterators = BUILD / "tests/bench/bare_iter"
    if iterators.exists() and subprocess.run([iterators], capture_output=True).returncode == 0:
        yield other(str(iterators), name=BARE_BPF)


def choose(only):
    """The commands whose names match the pattern, and a line for each that is not available here."""
    chosen, missing = [], []
    for command, probe in OWN:
        there, why = understands(*probe)
        if there:
            chosen.append(command)
        else:
            missing.append(f"`{command.name}`: not measured: {why}")
    for command in RIVALS:
        if shutil.which(command.words[0]):
            chosen.append(command)
        else:
            missing.append(f"`{command.name}`: not measured: {command.words[0]} is not installed")
    chosen += walks()
    if not any(command.name == BARE_BPF for command in chosen):
        missing.append(f"{BARE_BPF}: not measured: not built in, or the kernel refuses them")
    return [command for command in chosen if re.search(only, command.name)], missing
