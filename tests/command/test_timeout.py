"""No command waits for ever: after --timeout it ends, and says what it had read and what it was waiting for."""
import os
import signal
import subprocess

import pytest

PROGRAM = os.environ.get("TCPWHY", "build/tcpwhy")
FAILED = 3
ROW = b"CLOSE-WAIT 1 0 10.0.0.1:80 10.0.0.2:1025\n"


def run(*arguments, **how):
    how = how if how else {"stdin": subprocess.DEVNULL}
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, timeout=60, check=False, **how)
    return done.returncode, done.stdout, done.stderr.decode()


@pytest.mark.parametrize("words", [["--from"], ["list", "--from"], ["count", "--from"], ["metrics", "--from"],
                                   ["capture", "--from"], ["diff", "/dev/stdin"]], ids=" ".join)
def test_a_fifo_that_nobody_writes_to(tmp_path, words):
    os.mkfifo(tmp_path / "fifo")
    rows = tmp_path / "rows"
    rows.write_bytes(ROW)
    with open(rows, "rb") as first:
        status, out, err = run(*words, tmp_path / "fifo", "--timeout", "0.2", stdin=first)
    assert (status, out) == (FAILED, b"")
    assert "within 200 ms (--timeout)" in err and f"it was opening {tmp_path}/fifo" in err


def test_a_fifo_that_nobody_reads_from(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "rows").write_bytes(ROW)
    status, _, err = run("capture", "--from", tmp_path / "rows", "-o", tmp_path / "fifo", "--timeout", "0.2")
    assert status == FAILED and f"it was writing {tmp_path}/fifo" in err


def test_a_writer_that_has_stopped():
    with subprocess.Popen(["yes", ROW.decode().strip()], stdout=subprocess.PIPE) as writer:
        os.kill(writer.pid, signal.SIGSTOP)
        try:
            status, _, err = run("list", "--timeout", "0.2", "--from", "/dev/stdin", stdin=writer.stdout)
        finally:
            writer.kill()
    assert status == FAILED and "it was reading /dev/stdin" in err


def test_input_without_an_end():
    with subprocess.Popen(["yes", ROW.decode().strip()], stdout=subprocess.PIPE) as writer:
        status, _, err = run("-", "--timeout", "0.3", stdin=writer.stdout)
        writer.kill()
    assert status == FAILED and "bytes had been read; it was reading standard input" in err, err


def test_the_clock_starts_with_the_first_byte():
    """Somebody may have to type a password before: ssh host tcpwhy capture | tcpwhy -"""
    script = f'(sleep 1; echo "{ROW.decode().strip()}") | "$1" - --timeout 0.5'
    done = subprocess.run(["sh", "-c", script, "sh", PROGRAM], capture_output=True, timeout=60, check=False)
    assert b"CLOSE_WAIT" in done.stdout, done.stderr


def test_a_name_in_the_message_stays_one_line(tmp_path):
    name = tmp_path / "a\nb|\x1b[31m"
    os.mkfifo(name)
    _, _, err = run("list", "--timeout", "0.2", "--from", name)
    assert err.count("\n") == 1 and "a?b??[31m" in err


def test_what_looks_twice_has_time_for_it():
    status, _, err = run("list", "--confirm", "2", "--timeout", "1")
    assert status == FAILED and "--timeout has to be longer" in err
