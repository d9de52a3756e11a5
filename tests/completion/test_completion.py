"""Completion by bash: what it offers is what the program understands. TCPWHY names the program."""
import os
import pathlib
import re
import shutil
import subprocess

import pytest

SCRIPT = pathlib.Path(__file__).parents[2] / "packaging" / "completions" / "tcpwhy.bash"
PROGRAM = os.environ.get("TCPWHY", "build/tcpwhy")

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")


def run(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, check=True).stdout


def complete(*words):
    """What bash offers for the last word; words are split as bash splits them, at = too."""
    driver = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tcpwhy "$1"; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    result = subprocess.run(
        ["bash", "--norc", "-c", driver, "bash", str(SCRIPT), PROGRAM, *words],
        capture_output=True, text=True, check=False, timeout=60)
    assert result.stderr == ""
    return result.stdout.split()


def commands():
    paragraph = run("help").split("Commands:\n")[1].split("\n\n")[0]
    return [line.split()[0] for line in paragraph.splitlines()]


def options_in_help(command):
    """Every option that the help shows at the start of a row."""
    found = set()
    for line in run(command, "--help").splitlines():
        match = re.match(r"  (?:(-\w), |    )(--[\w-]+)", line)
        if match:
            found.update(word for word in match.groups() if word)
    return found


def test_every_command_is_offered():
    assert len(commands()) >= 5
    assert sorted(complete("")) == sorted(commands())
    assert complete("cou") == ["count"]
    assert sorted(complete("help", "")) == sorted(commands())


@pytest.mark.parametrize("command", ["diagnose", "list", "count", "metrics", "explain", "drill"])
def test_every_option_of_the_help_is_offered(command):
    expected = options_in_help(command)
    assert expected
    assert set(complete(command, "-")) == expected | {"--help"}


def test_options_without_a_command_are_those_of_diagnose():
    assert set(complete("--s")) == {word for word in options_in_help("diagnose") if word.startswith("--s")}


@pytest.mark.parametrize("words, expected", [
    (("list", "--state", "clos"), ["CLOSED", "CLOSE_WAIT", "CLOSING"]),
    (("--state", "LAST"), ["LAST_ACK"]),
    (("list", "-s", "LISTEN,time"), ["LISTEN,TIME_WAIT"]),
    (("list", "--state", "=", "fin_wait_1"), ["FIN_WAIT_1"]),
    (("count", "--source", "net"), ["netlink"]),
    (("list", "--from", str(SCRIPT)[:-4]), [str(SCRIPT)]),
    (("--tasks", "=", str(SCRIPT)[:-4]), [str(SCRIPT)]),
    (("list", "--columns", "rec"), ["recv_q", "received"]),
    (("list", "--columns", "+ti"), ["+timer", "+timer_left"]),
    (("list", "--sort", "state,-recv"), ["state,-recv_q"]),
    (("count", "--by", "state,peer-"), ["state,peer-net", "state,peer-port"]),
    (("list", "--cause", "close-wait-l"), ["close-wait-leak"]),
    (("explain", "close-wait-l"), ["close-wait-leak"]),
    (("explain", "LAST"), ["last-ack", "LAST_ACK"]),
    (("list", "--local", ""), []),
    (("drill", "last-ack"), ["last-ack-unanswered", "last-ack-zero-window"]),
    (("drill", "--count", ""), []),
])
def test_values(words, expected):
    offered = complete(*words)
    assert set(expected) <= set(offered)
    start = words[-1].lower()
    assert all(word.lower().startswith(start) for word in offered)
    if not expected:
        assert offered == []


def test_every_state_that_is_offered_is_understood():
    for state in complete("list", "--state", ""):
        run("list", "--state", state, "--help")


def test_every_column_key_and_cause_is_offered_and_understood():
    columns = complete("list", "--columns", "")
    assert len(columns) > 30
    run("list", "--columns", ",".join(columns), "--help")
    keys = complete("count", "--by", "")
    assert len(keys) == 15
    for key in keys:
        run("count", "--by", key, "--help")
    assert "normal" in complete("list", "--cause", "")
    assert len(complete("list", "--cause", "")) >= 8


def test_every_page_is_offered_and_exists():
    pages = [word for word in complete("explain", "") if word.islower()]
    assert len(pages) > 15
    for page in pages:
        run("explain", page)
