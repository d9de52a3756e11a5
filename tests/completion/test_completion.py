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


# --- fish and zsh -----------------------------------------------------------------------------------------------------

OFFERS = [
    ("tcpwhy l", "list"),
    ("tcpwhy list --col", "--columns"),
    ("tcpwhy list --columns rec", "recv_q"),
    ("tcpwhy count --by pro", "process"),
    ("tcpwhy --state clos", "CLOSE_WAIT"),
    ("tcpwhy explain last", "last-ack"),
    ("tcpwhy drill close-wait-l", "close-wait-leak"),
    ("tcpwhy help capt", "capture"),
]


def shell(tmp_path, *arguments):
    """Runs a shell that finds the program under its name."""
    (tmp_path / "tcpwhy").symlink_to(pathlib.Path(PROGRAM).resolve())
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=60, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
@pytest.mark.parametrize("line, offered", OFFERS)
def test_fish(tmp_path, line, offered):
    script = SCRIPT.parent / "tcpwhy.fish"
    out = shell(tmp_path, "fish", "--no-config", "-c", f"source '{script}'; complete -C '{line}'")
    assert offered in [row.split("\t")[0] for row in out.splitlines()], out


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
@pytest.mark.parametrize("line, offered", OFFERS)
def test_zsh(tmp_path, line, offered):
    """The functions that zsh's completion calls print what they are given."""
    driver = ('functions[complete_it]="$(cat $1)"; shift; _describe() { print -l -- "${(P@)argv[-1]}" }; '
              '_sequence() { "$@" }; _files() { }; words=("$@"); CURRENT=$#words; PREFIX=$words[-1]; complete_it')
    out = shell(tmp_path, "zsh", "-f", "-c", driver, "zsh", str(SCRIPT.parent / "_tcpwhy"), *line.split(" "))
    assert offered in [row.split(":")[0] for row in out.splitlines()], out
