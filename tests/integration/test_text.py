"""The text report: any width, colour only on a terminal, and no hostile text reaches the terminal."""

import fcntl
import json
import os
import pty
import re
import shlex
import struct
import subprocess
import termios

import pytest

import program
from world import HOSTILE_UNIT

SEQUENCE = re.compile(rb"\x1b\[[0-9;]*m")  # the only sequences that tcpwhy writes itself


def on_terminal(*words, columns=80, env=None):
    """Returns the output on a terminal of that width, and the exit status."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    clean = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR")}
    process = subprocess.Popen([program.path(), *map(str, words)], stdin=slave, stdout=slave,
                               stderr=subprocess.DEVNULL,
                               env={**clean, "TERM": "xterm", "TCPWHY_PAGER": "", **(env or {})})
    os.close(slave)
    out = b""
    while True:
        try:
            more = os.read(master, 65536)
        except OSError:  # EIO: the last writer has closed
            break
        if not more:
            break
        out += more
    os.close(master)
    return out.replace(b"\r\n", b"\n"), process.wait(10)


COMMANDS = {
    "diagnose": [],
    "list": ["list"],
    "count": ["count", "--by", "process,state"],
}


def hostile(world, command, *more):
    return [*COMMANDS[command], "--pid", world["leak_hostile"].pid, *more]


@pytest.mark.parametrize("command", COMMANDS)
def test_colour_on_a_terminal_only(world, command):
    words = [*COMMANDS[command], "--port", world["unread"].port]
    coloured, _ = on_terminal(*words)
    plain, _ = on_terminal(*words, env={"NO_COLOR": "1"})
    dumb, _ = on_terminal(*words, env={"TERM": "dumb"})
    piped = program.run(*words).stdout
    if command == "diagnose":
        assert SEQUENCE.search(coloured)
    assert SEQUENCE.sub(b"", coloured).count(b"\x1b") == 0
    for out in (plain, dumb, piped):
        assert out and b"\x1b" not in out


@pytest.mark.parametrize("command", [["diagnose"], ["list"], ["explain", "closing"], ["help", "list"]], ids=" ".join)
def test_a_pager_shows_what_stands_on_a_terminal(tmp_path, command):
    shown = tmp_path / "shown"
    pager = f"cat > {shlex.quote(str(shown))}; echo paged"
    out, status = on_terminal(*command, env={"TCPWHY_PAGER": pager})
    assert out.endswith(b"paged\n") and out.count(b"\n") == 1
    assert shown.read_bytes().count(b"\n") > 5
    assert status == program.run(*command).returncode or command == ["diagnose"]
    for unpaged in (on_terminal(*command, "--no-pager", env={"TCPWHY_PAGER": pager}),
                    on_terminal(*command, env={"TCPWHY_PAGER": pager, "TERM": "dumb"}),
                    on_terminal(*command, env={"TCPWHY_PAGER": "", "PAGER": pager})):
        assert not unpaged[0].endswith(b"paged\n") and unpaged[0].count(b"\n") > 5
    assert on_terminal(*command, env={"TCPWHY_PAGER": "no-such-program"})[1] in range(4), "it ends"


@pytest.mark.parametrize("command", COMMANDS)
def test_hostile_names_are_escaped(world, command):
    outputs = [program.run(*hostile(world, command)).stdout, on_terminal(*hostile(world, command), columns=200)[0]]
    for out in outputs:
        bare = SEQUENCE.sub(b"", out).decode()  # fails if the output is not UTF-8
        assert re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", bare) is None
        assert b"\x1b[31mx" not in out
        assert "\\x1b[31mx\\n\\xff" in re.sub(r"\n\s*", "", bare) or command == "count" and "\\x1b" in bare


@pytest.mark.parametrize("command", COMMANDS)
def test_hostile_names_in_json(world, command):
    out = program.run(*hostile(world, command, "--json")).stdout
    assert re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", out) is None
    out.decode()
    document = json.loads(out)
    assert "31mx" in json.dumps(document)


def test_hostile_names_in_csv(world):
    out = program.run("list", "--csv", "--pid", world["leak_hostile"].pid).stdout
    assert re.search(rb"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]", out) is None
    assert out.decode().count("\n") == 1 + world["leak_hostile"].count + 1, "a record is a line: titles, listener"


def test_hostile_command_line(world):
    """It is shown where the report shows command lines, and is harmless there."""
    with open(f"/proc/{world['leak_hostile'].pid}/cmdline", "rb") as cmdline:
        assert b"\x1b]0;owned" in cmdline.read()
    out = program.run("--pid", world["leak_hostile"].pid).stdout
    assert b"\x07" not in out and b"\x1b" not in out and "\u202e".encode() not in out


@pytest.mark.needs("hostile_unit")
def test_commands_to_paste_are_harmless(world, report):
    """Anybody who may create cgroups chooses their names. In an offered command such a name must stay one word."""
    (finding,) = report.findings_about(world["hostile_unit"])
    for fix in finding["fix_now"] + finding["fix_for_good"]:
        command = fix["command"] or ""
        if "pwned" in command:
            assert any(word == HOSTILE_UNIT for word in shlex.split(command, comments=True)), command
        assert "\x1b" not in command and "\n" not in command
    out = program.run("--port", world["hostile_unit"].port).stdout
    assert b"\x1b" not in out


@pytest.mark.parametrize("command, columns", [
    ("diagnose", 60), ("diagnose", 80), ("diagnose", 200), ("list", 120), ("list", 200)])
def test_width(world, command, columns):
    """No line is wider than the terminal, except words that cannot be broken: a command to paste, an address."""
    words = [*COMMANDS[command], "--port", ",".join(str(world[n].port) for n in ("unread", "not_accepted",
                                                                       "inherited"))]
    outs = [on_terminal(*words, columns=columns, env={"NO_COLOR": "1"})[0].decode()]
    if command == "diagnose":  # a list that is piped is for programs and is never cut
        outs.append(program.run(*words, env={"COLUMNS": str(columns)}).stdout.decode())
    for out in outs:
        assert len(out.splitlines()) > 10
        too_wide = [line for line in out.splitlines() if len(line) > columns and not unbreakable(line)]
        assert too_wide == []


def unbreakable(line):
    """A command to paste is not wrapped."""
    return re.match(r"\s+(\$ |# )?\S*(tcpwhy|ss|kill|py-spy|for p in|"
                    r"gdb|strace|lsof|gcore|systemctl|jstack|cat|sysctl|ip|tcpdump)\b", line)


def test_report_for_people(world):
    made = world["unread"]
    done = program.run("--port", made.port)
    out = done.stdout.decode()
    for needle in ("close-wait-unread", str(made.pid), "40", "Why", "Proof", "Who", "Now", "For good", "More"):
        assert needle in out, needle
    assert done.returncode in (program.WARNING, program.CRITICAL)
    assert done.stderr == b""
    healthy = program.run("--port", world["flow"].port)
    assert healthy.returncode == program.HEALTHY and b"healthy" in healthy.stdout.lower()
