"""Every command that a finding of a golden case prints: tcpwhy accepts its own, and what ends a process comes last."""

import json
import os
import pathlib
import re
import shlex
import subprocess

import pytest

GOLDEN = pathlib.Path(__file__).parents[1] / "golden"
REPORTS = sorted(GOLDEN.glob("c*/*.json"))
CAPTURE = GOLDEN / "captures" / "linux-netstat-full.capture"
REFUSED = 3


def commands(finding):
    return [fix["command"] for part in ("fix_now", "fix_for_good") for fix in finding[part] if fix["command"]]


def findings():
    for path in REPORTS:
        for finding in json.loads(path.read_text(encoding="utf-8"))["findings"]:
            yield path, finding


def own_commands():
    """Those of tcpwhy itself, once each; they end before a comment."""
    found = {command for _, finding in findings() for command in commands(finding)}
    return sorted({match[0].strip() for command in found
                   for match in re.finditer(r"(?<![\w/-])tcpwhy [^;|#&]+", command)})


@pytest.mark.parametrize("command", own_commands())
def test_tcpwhy_accepts_what_it_advises(command):
    arguments = shlex.split(command)[1:]
    if "--confirm" not in arguments and arguments[0] != "explain":
        arguments += ["--from", str(CAPTURE)]
    elif "--confirm" in arguments:
        arguments += ["--help"]
    done = subprocess.run([os.environ["TCPWHY"], *arguments], capture_output=True, text=True, check=False)
    assert done.returncode < REFUSED, done.stderr


def test_there_are_commands():
    assert len(own_commands()) > 5


def test_a_capture_is_not_confirmed():
    """--from refuses it."""
    for path, finding in findings():
        if path.parent.name == "captures":
            assert not [command for command in commands(finding) if "--confirm" in command], path.name


def test_evidence_is_kept_before_a_process_is_ended():
    """
    But where what is ended only stops the process, as a debugger does; and where SIGKILL is all that gets through
    (traced, frozen, stuck in the kernel): nothing can look into such a process.
    """
    for path, finding in findings():
        now = [fix["command"] for fix in finding["fix_now"] if fix["command"]]
        for number, command in enumerate(now):
            if re.match(r"kill -(KILL|9)\b", command):
                assert re.search("traced|frozen|stuck inside the kernel", finding["title"]), f"{path.name}: {command}"
            elif re.match(r"(kill|taskkill|Stop-Process|Restart-Service)\b(?! -CONT)", command) and "# " not in command:
                assert number > 0, f"{path.name}: {finding['id']}: {command}"
