"""tcpwhy config, and configurations as a person writes them. TCPWHY names the program."""
import json
import os
import re
import socket
import subprocess
import time
from pathlib import Path

import pytest

PROGRAM = os.path.abspath(os.environ.get("TCPWHY", "build/tcpwhy"))
PID = os.getpid()


def run(*words, env=None, before=()):
    clean = {k: v for k, v in os.environ.items() if k != "XDG_CONFIG_HOME"}
    if words[0] == "check":  # however busy the machine is
        words = ("check", "--timeout", "50", *words[1:])
    return subprocess.run([*before, PROGRAM, *map(str, words)], capture_output=True, timeout=60, check=False,
                          stdin=subprocess.DEVNULL, env={**clean, **(env or {})}, text=True, errors="replace")


@pytest.fixture(autouse=True)
def samples_of_their_own(tmp_path, monkeypatch):
    """What a check keeps by itself goes with the test."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "samples"))


@pytest.fixture(name="file")
def configuration(tmp_path):
    """Writes a file and returns its path."""
    def write(text, name="tcpwhy.conf"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path
    return write


@pytest.fixture(scope="module", name="leak")
def leaking():
    """Twelve connections that the peers have closed and nobody here has; old enough. Their port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        kept = []
        for _ in range(12):
            with socket.create_connection(listener.getsockname()):
                kept.append(listener.accept()[0])
            assert kept[-1].recv(1) == b""
        time.sleep(5.2)
        yield listener.getsockname()[1]
        for each in kept:
            each.close()


IGNORE = "[ignore mine]\nport = {port}\nreason = a test\n"


# --- what is in force -----------------------------------------------------------------------------------------------

def test_what_is_printed_is_a_configuration(file):
    first = file("[close-wait-leak]\nwarning_count = 7\n[service a]\nprocess = x, y*\npeer = 10.0.0.0/8:80, :443\n"
                 "established-idle.settle = 90m\n[ignore b]\nfinding = last-ack-*\nreason = r\nuntil = 2026-12-31\n",
                         "one")
    printed = run("config", "--config", first)
    assert printed.returncode == 0 and printed.stderr == ""
    second = file(printed.stdout, "two")
    again = run("config", "--config", second)
    assert again.returncode == 0, again.stderr

    def values(text):
        return [re.sub(r"\s*;.*", "", line) for line in text.splitlines() if not line.startswith("#")]
    assert values(again.stdout) == values(printed.stdout)
    decided = [line for line in printed.stdout.splitlines() if f"; {first}, line " in line]
    assert [re.sub(r"\s+;.*line", "", line) for line in decided] == [
        "warning_count = 7 2", "[service a] 3", "established-idle.settle = 90m 6", "[ignore b] 7"]
    assert all(re.fullmatch(r"[a-z_]+ = \S+ +; default", line) for line in printed.stdout.splitlines()
               if line and line[0] not in "#[" and str(first) not in line and line.split()[0] not in
               ("process", "peer", "finding", "reason", "until"))


def test_json(file):
    path = file("[close-wait-leak]\nwarning_count = 7\n[ignore b]\nport = 1\nreason = \x1b[31m\n")
    said = json.loads(run("config", "--json", "--config", path).stdout)
    assert said["schema"] == "tcpwhy.config/1"
    set_here = [v for v in said["findings"] if v["file"]]
    assert set_here == [{"finding": "close-wait-leak", "name": "warning_count", "value": "7", "file": str(path),
                         "line": 2}]
    assert [(i["name"], i["port"], i["reason"], i["until"]) for i in said["ignores"]] == [("b", "1", "\x1b[31m", None)]
    assert "\x1b" not in run("config", "--config", path).stdout


def test_the_users_file_comes_after_the_hosts(file, tmp_path):
    """In a mount namespace with an /etc of its own."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "true"], check=False).returncode != 0:
        pytest.skip("needs root, to mount")
    file("[close-wait-leak]\nwarning_count = 11\ncritical_count = 111\n", "etc/tcpwhy.conf")
    file("[close-wait-leak]\nwarning_count = 22\n", "home/tcpwhy.conf")
    file("[close-wait-leak]\nwarning_count = 33\n", "home/.config/tcpwhy.conf")
    inside = ["unshare", "--mount", "sh", "-c", f'mount --bind {tmp_path}/etc /etc && exec "$@"', "sh"]
    printed = run("config", env={"XDG_CONFIG_HOME": str(tmp_path / "home")}, before=inside).stdout
    assert re.search(rf"warning_count = 22 +; {tmp_path}/home/tcpwhy.conf, line 2", printed)
    assert re.search(r"critical_count = 111 +; /etc/tcpwhy.conf, line 3", printed)
    assert "# read: /etc/tcpwhy.conf\n" in printed
    printed = run("config", env={"HOME": str(tmp_path / "home")}, before=inside).stdout
    assert re.search(rf"warning_count = 33 +; {tmp_path}/home/.config/tcpwhy.conf, line 2", printed)
    printed = run("config", env={"HOME": "/nonexistent"}, before=inside).stdout
    assert re.search(r"warning_count = 11 ", printed) and "/nonexistent/.config/tcpwhy.conf (there is none)" in printed
    own = file("", "own")
    assert "; default" in run("config", "--config", own, before=inside).stdout and "111" not in run(
        "config", "--config", own, before=inside).stdout, "a file that is named stands for both"


# --- what is refused ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("command", ["diagnose", "list", "count", "config", "check"])
def test_every_command_refuses_what_is_wrong(file, command):
    path = file("[close-wait-leak]\n\nwarning_cuont = 5\n")
    done = run(command, "--config", path)
    assert done.returncode == 3
    said = done.stdout if command == "check" else done.stderr
    assert f"{path}:3: 'warning_cuont' is no setting of close-wait-leak; did you mean 'warning_count'?" in said


def test_files_that_are_none(tmp_path, file):
    for path, why in ((tmp_path / "missing", "No such file"), (tmp_path, "no regular file"), ("", "wants the name")):
        done = run("config", "--config", path)
        assert done.returncode == 3 and why in done.stderr
    os.mkfifo(tmp_path / "pipe")
    assert "no regular file" in run("config", "--config", tmp_path / "pipe").stderr
    assert "larger than" in run("config", "--config", file("#" * 300_000)).stderr
    assert run("config", "--config", "/dev/null").returncode == 0
    assert run("config", "extra").returncode == 3


def test_files_of_others(file, tmp_path):
    """They decide what is called healthy: only root's and the caller's own are taken by themselves."""
    path = file("[close-wait-leak]\nwarning_count = 22\n", "home/tcpwhy.conf")
    here = {"XDG_CONFIG_HOME": str(tmp_path / "home")}
    assert "= 22" in run("config", env=here).stdout
    path.chmod(0o666)
    done = run("config", env=here)
    assert done.returncode == 3 and "may be written by everybody" in done.stderr
    assert "= 22" in run("config", "--config", path).stdout, "it was named"
    path.chmod(0o644)
    if os.geteuid() == 0:
        os.chown(path, 65534, 65534)
        assert "belongs to another user" in run("config", env=here).stderr
    path.unlink()
    path.symlink_to("/nonexistent")
    assert run("config", env=here).returncode == 0


# --- what it does ---------------------------------------------------------------------------------------------------

def test_what_is_ignored_is_shown_and_does_not_count(file, leak):
    where = ["--port", leak]
    assert run(*where, "--config", "/dev/null").returncode == 1
    done = run(*where, "--config", file(IGNORE.format(port=leak)))
    assert done.returncode == 0
    assert re.search(r"^Ignored\n  . close-wait-leak \(warning\)", done.stdout, flags=re.M)
    assert "ignored: a test" in done.stdout and "but for those that are ignored" in done.stdout
    said = json.loads(run(*where, "--json", "--config", file(IGNORE.format(port=leak) + "until = 2999-12-31\n")).stdout)
    assert said["verdict"] == "healthy" and said["findings"] == []
    (ignored,) = said["ignored"]
    assert (ignored["name"], ignored["reason"], ignored["until"], ignored["line"]) == ("mine", "a test", "2999-12-31",
            1)
    assert (ignored["finding"]["id"], ignored["finding"]["count"]) == ("close-wait-leak", 12)
    over = run(*where, "--config", file(IGNORE.format(port=leak) + "until = 2020-01-01\n"))
    assert over.returncode == 1 and "meant until 2020-01-01" in over.stdout.replace("\n", " ").replace("    ", "")
    assert "ignored" not in json.loads(run(*where, "--json", "--config", "/dev/null").stdout)


def test_the_plugin_ignores_too(file, leak):
    where = ["check", "--port", leak, "--config", file(IGNORE.format(port=leak))]
    done = run(*where)
    assert done.returncode == 0 and "\n  ignored: a test (" in done.stdout
    done = run(*where, "--state", "close-wait", "-c", "3")
    assert done.returncode == 0 and f"port {leak} close-wait: 0 (critical 3), 12 ignored" in done.stdout
    assert run("check", "--port", leak, "--state", "close-wait", "-c", "3", "--config", "/dev/null").returncode == 2


def test_limits_and_services(file, leak):
    where = ["--port", leak, "--pid", PID]
    assert run(*where, "--config", file("[close-wait-leak]\nwarning_count = 13\n")).returncode == 0
    assert run(*where, "--config", file("[close-wait-leak]\ncritical_count = 12\ncritical_age = 1s\n")).returncode == 2
    service = f"[service other]\nport = {leak + 1}\nclose-wait-leak.warning_count = 13\n"
    assert run(*where, "--config", file(service)).returncode == 1
    assert run(*where, "--config", file(service + f"[service this]\nport = {leak}\n"
                                        "close-wait-leak.severity_at_most = info\n")).returncode == 0
    listed = run("list", *where, "--state", "close-wait", "--columns", "cause", "-H", "--config",
                 file("[close-wait-leak]\nsettle = 1h\n")).stdout
    assert set(listed.split()) == {"normal"}


def test_the_report_that_is_watched_reads_it_again(file, leak):
    path = file("")
    watching = subprocess.Popen([PROGRAM, "--watch", "1", "--json", "--port", str(leak), "--config", path],
                                stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    try:
        assert json.loads(watching.stdout.readline())["verdict"] == "warning"
        Path(path).write_text(IGNORE.format(port=leak))
        lines = [json.loads(watching.stdout.readline())["verdict"] for _ in range(2)]
        assert lines[-1] == "healthy"
    finally:
        watching.terminate()
        watching.wait(10)
        watching.stdout.close()
