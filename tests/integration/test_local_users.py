"""Root runs tcpwhy on a host with other users. Files that they swap meanwhile neither block nor mislead it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import privileges
import program

PROGRAMS = Path(__file__).parent / "programs"
NOBODY = 65534
RUNS = 40  # each attack succeeded within 2 to 34 runs against a program that trusts a path or a count


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    why = privileges.without_root() or privileges.without_netns() or privileges.without_tool("cc")
    if why:
        pytest.skip(why)
    folder = tmp_path_factory.mktemp("programs")

    def compiled(name):
        binary = folder / name
        if not binary.exists():
            subprocess.run(["cc", "-O2", "-pthread", "-o", binary, PROGRAMS / f"{name}.c"], check=True)
        return binary

    return compiled


@pytest.fixture
def attack(build):
    running = []

    def start(name, *words):
        process = subprocess.Popen([build(name), *map(str, words)], stdout=subprocess.PIPE, text=True,
                                   start_new_session=True)
        running.append(process)
        process.said = process.stdout.readline().split()
        assert process.said
        return process

    yield start
    for process in running:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


def test_a_namespace_that_becomes_a_pipe_hangs_nobody(attack):
    attacker = attack("swaps", "netns")
    for _ in range(RUNS):
        done = program.run("list")  # a run that opens the pipe would wait for a writer and time out
        assert done.returncode == program.HEALTHY, done.stderr
    assert attacker.poll() is None


@pytest.fixture
def folder_of_nobody(tmp_path):
    folder = tmp_path / "textfiles"
    folder.mkdir()
    os.chown(folder, NOBODY, NOBODY)
    for parent in (tmp_path, *tmp_path.parents):
        if parent == Path("/tmp"):
            break
        parent.chmod(parent.stat().st_mode | 0o111)
    return folder


def test_a_file_of_metrics_goes_through_no_link(attack, folder_of_nobody, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    victim.chmod(0o600)
    attacker = attack("swaps", "file", folder_of_nobody, victim)
    for _ in range(RUNS):
        program.run("metrics", "--netns", "self", "--textfile", folder_of_nobody)
        assert victim.read_text() == "precious"
    assert attacker.poll() is None


def test_a_file_of_metrics_replaces_what_stands_there(folder_of_nobody, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    target = folder_of_nobody / "tcpwhy.prom"
    for stand_in in (lambda: os.mkfifo(target), lambda: target.symlink_to(victim), lambda: os.link(victim, target)):
        stand_in()
        done = program.run("metrics", "--netns", "self", "--textfile", folder_of_nobody)
        assert done.returncode == program.HEALTHY, done.stderr
        assert target.is_file() and not target.is_symlink()
        assert target.read_text().startswith("# ") and victim.read_text() == "precious"
        target.unlink()


@pytest.mark.skipif(bool(privileges.without_root()), reason=str(privileges.without_root()))
def test_a_link_of_another_user_is_not_followed(folder_of_nobody, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    link = folder_of_nobody / "link"
    link.symlink_to(elsewhere)
    os.lchown(link, NOBODY, NOBODY)
    for words in (("metrics", "--textfile", link), ("capture", "-o", link / "saved.json"),
                  ("check", "--growth", "1/min", "--samples", link / "samples")):
        done = program.run(*words)
        assert done.returncode == program.FAILED
        assert b"symbolic link of another user" in done.stderr + done.stdout, done
    assert list(elsewhere.iterdir()) == []


@pytest.mark.skipif(bool(privileges.without_root()), reason=str(privileges.without_root()))
def test_a_configuration_behind_a_link_of_another_user_is_not_read(folder_of_nobody, tmp_path):
    """His $HOME is still set, and his link leads to a file of root's."""
    secret = tmp_path / "secret"
    secret.write_text("root:secret\n")
    link = folder_of_nobody / "tcpwhy.conf"
    link.symlink_to(secret)
    os.lchown(link, NOBODY, NOBODY)
    done = program.run("list", env={"XDG_CONFIG_HOME": str(folder_of_nobody)})
    assert done.returncode == program.FAILED and done.stdout == b""
    assert b"symbolic link of another user" in done.stderr and b"secret" not in done.stderr, done.stderr
    secret.unlink()  # a link to nowhere is no file
    assert program.run("list", env={"XDG_CONFIG_HOME": str(folder_of_nobody)}).returncode == program.HEALTHY


def test_what_is_no_file_is_not_opened(tmp_path):
    """A FIFO without a writer would wait, and a device that is opened may act."""
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "fifo", "/dev/zero"):
        done = program.run("list", "--config", path)
        assert done.returncode == program.FAILED and b"is no regular file" in done.stderr, done.stderr
    done = program.run("--from", "/dev/zero")
    assert done.returncode == program.FAILED and b"is a device or a socket" in done.stderr, done.stderr


def test_a_pipe_that_nobody_reads_is_waited_for_until_ctrl_c(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    with subprocess.Popen([program.path(), "capture", "-o", tmp_path / "fifo"], stderr=subprocess.DEVNULL) as process:
        try:
            wait_until_it_opens(process.pid)
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == -signal.SIGINT
        finally:
            process.kill()


def test_a_file_system_that_never_answers_ends_with_the_time(tmp_path):
    """FUSE without a daemon: not even the opening of a file there returns."""
    if privileges.without_root() or not os.path.exists("/dev/fuse"):
        pytest.skip(privileges.without_root() or "this kernel has no FUSE")
    silent = ["unshare", "--mount", sys.executable, PROGRAMS / "silent_mount.py", tmp_path]
    for words in (("--from", tmp_path / "x"), ("list", "--config", tmp_path / "x"), ("capture", "-o", tmp_path / "x")):
        done = subprocess.run([*silent, program.path(), *words, "--timeout", "1"], capture_output=True, timeout=60)
        assert done.returncode == program.FAILED, done
        assert b"within 1 s (--timeout)" in done.stderr and str(tmp_path / "x").encode() in done.stderr


def wait_until_it_opens(pid):
    """A FIFO is opened in fifo_open() of fs/pipe.c, which waits for its partner."""
    deadline = time.monotonic() + 30
    while "wait_for_partner" not in Path(f"/proc/{pid}/wchan").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_owner_that_moves_on_is_named_or_the_gap_tells(attack):
    """Each process hands the sockets to its child and ends. Nobody may conclude that no process has them."""
    port = int(attack("hides", "moving").said[1])
    time.sleep(6)
    for _ in range(RUNS):
        diagnosis = program.diagnose("--port", port, "--source", "netlink")
        owned = [f["owner"] is not None for f in diagnosis["findings"]]
        assert owned and (all(owned) or diagnosis.gap("owners-unsettled"))
        assert diagnosis.gap("owners-elsewhere") is None


@pytest.mark.parametrize("source", ["netlink", "bpf"])
@pytest.mark.parametrize("how", [("busy", 60), ("busy", 200), ("busy", 900), ("apart",), ("changing",)],
                         ids=lambda how: "-".join(map(str, how)))
def test_the_owner_of_a_leak_cannot_hide(attack, how, source):
    hider = attack("hides", *how)
    port = int(hider.said[1])
    time.sleep(6)  # younger ones are normal
    for _ in range(RUNS):
        diagnosis = program.diagnose("--port", port, "--source", source)
        (found,) = diagnosis["findings"]
        assert (found["id"], found["owner"]["pid"]) == ("close-wait-leak", hider.pid)
        assert diagnosis.gap("owners-elsewhere") is None
    assert hider.poll() is None
