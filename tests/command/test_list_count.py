"""tcpwhy list and count on sockets that the test itself holds. TCPWHY names the program."""
import csv
import fcntl
import io
import json
import os
import pathlib
import pty
import re
import socket
import struct
import subprocess
import termios
import time

import pytest

PROGRAM = os.environ.get("TCPWHY", "build/tcpwhy")
PID = str(os.getpid())
CAPTURE = pathlib.Path(__file__).parent.parent / "golden" / "captures" / "linux-lsof-queues.capture"


def run(*arguments, status=0):
    result = subprocess.run([PROGRAM, *arguments], capture_output=True, timeout=60, check=False)
    assert result.returncode == status, result.stderr.decode()
    return result.stdout.decode() if status == 0 else result.stderr.decode()


FIN_WAIT_2 = 5  # net/tcp_states.h


def await_state(each, state):
    """Waits until the kernel has the socket in that state; struct tcp_info begins with it."""
    deadline = time.monotonic() + 5
    while each.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != state:
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture(scope="module", name="port")
def held_sockets():
    """Listener with five clients: two CLOSE_WAIT (one of them with unread data), three ESTABLISHED."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        kept = []
        for number in range(5):
            client = socket.create_connection(listener.getsockname())
            server, _ = listener.accept()
            kept += [client, server]
            if number == 0:
                client.sendall(b"unread")
            if number < 2:
                client.shutdown(socket.SHUT_WR)
                await_state(client, FIN_WAIT_2)  # the acknowledgement of the FIN may be delayed
        yield listener.getsockname()[1]
        for each in kept:
            each.close()


def rows(*arguments):
    return json.loads(run("list", "--pid", PID, "--json", *arguments))["connections"]


def test_list_shows_what_ss_shows_and_more(port):
    found = rows("--local", f":{port}", "--state", "close-wait,established,listen", "--netns", "self")
    assert [row["state"] for row in found].count("CLOSE_WAIT") == 2
    assert [row["state"] for row in found].count("ESTABLISHED") == 3
    assert found[-1]["state"] == "LISTEN"  # listeners last
    assert found[-1]["send_q"] == 16
    for row in found:
        assert row["pid"] == int(PID)
        assert row["inode"] > 0
        assert os.readlink(f"/proc/self/fd/{row['fd']}") == f"socket:[{row['inode']}]"
        assert {"pid": int(PID), "process": row["process"], "fd": row["fd"]} in row["held_by"]
    unread = {row["recv_q"] for row in found if row["state"] == "CLOSE_WAIT"}
    assert unread == {1, 7}  # the FIN counts 1


def test_text_csv_and_json_agree(port):
    columns = "inode,state,local,remote,recv_q,send_q,pid,process"
    arguments = ("--pid", PID, "--local", f":{port}", "--columns", columns, "--sort", "inode")
    from_json = json.loads(run("list", *arguments, "--json"))["connections"]
    from_csv = list(csv.DictReader(io.StringIO(run("list", *arguments, "--csv"), newline="")))
    text = run("list", *arguments).splitlines()
    assert text[0].split() == ["INODE", "STATE", "LOCAL", "REMOTE", "RECV-Q", "SEND-Q", "PID", "PROCESS"]
    assert [list(map(str, row.values())) for row in from_json] == [list(row.values()) for row in from_csv]
    assert [row.split(maxsplit=7)[:7] for row in text[1:]] == [list(row.values())[:7] for row in from_csv]
    assert [row["inode"] for row in from_json] == sorted(row["inode"] for row in from_json)


def test_ties_are_listed_by_address_and_port(port):
    found = rows("--local", f":{port}", "--state", "established")
    assert len({row["remote"] for row in found}) == 3
    for order in ([], ["--sort", "state"], ["--sort", "-state"]):
        found = rows("--local", f":{port}", "--netns", "self", "-s", "fin-wait-2,established", *order)
        ends = [int(row["remote"].rpartition(":")[2]) for row in found if row["state"] == "ESTABLISHED"]
        assert ends == sorted(ends) or not order, "of one age only if nothing else differs"
        assert order == [] or ends == sorted(ends)


def on_a_terminal(columns, *words):
    """What the program prints on a terminal of so many columns."""
    master, slave = pty.openpty()
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR")}
    done = subprocess.run([PROGRAM, *words, "--no-pager"], stdin=subprocess.DEVNULL, stdout=slave, check=True,
                          timeout=60, env={**environment, "TERM": "xterm", "LC_ALL": "C.UTF-8"})
    os.close(slave)
    out = b""
    while True:
        try:
            more = os.read(master, 65536)
        except OSError:
            break
        if not more:
            break
        out += more
    os.close(master)
    assert done.returncode == 0
    return out.decode().splitlines()


def test_rows_fit_the_terminal():
    lines = on_a_terminal(80, "list", "--from", str(CAPTURE))
    assert lines[0].startswith("\x1b[1mSTATE") and any(line.startswith("\x1b[33mCLOSE_WAIT") for line in lines)
    plain = [re.sub("\x1b\\[[0-9;]*m", "", line) for line in lines]
    assert max(map(len, plain)) <= 80 and len(plain) == 46
    assert "RECV-Q" in plain[0] and "CAUSE" in plain[0], "neither is empty"
    assert any("10.77.0.1:34099  10.77.0.2:" in line for line in plain), "addresses stay whole"
    wide = on_a_terminal(200, "list", "--from", str(CAPTURE))
    assert "SEND-Q" in wide[0] and any("close-wait-unread" in line for line in wide)
    narrow = on_a_terminal(80, "list", "--from", str(CAPTURE), "--cause", "close-wait-leak")
    assert "-Q" not in narrow[0]
    chosen = on_a_terminal(80, "list", "--from", str(CAPTURE), "--columns", "+recv_q,+fd,+holders")
    assert "SEND-Q" in chosen[0], "what was asked for is not left out"


def test_columns_can_be_added_and_taken_away():
    assert run("list", "--pid", PID, "-n", "1", "--columns", "+timer,-remote,-cause").splitlines()[0].split() == [
        "STATE", "RECV-Q", "SEND-Q", "LOCAL", "AGE", "PID", "PROCESS", "TIMER"]
    assert run("list", "--pid", PID, "--columns", "state,all", "--csv").split("\r\n", maxsplit=1)[0].count(",") > 30
    assert run("list", "--pid", PID, "--columns", "pid,state,pid", "-n1").splitlines()[0].split() == ["STATE", "PID"]


def test_count_adds_up(port):
    document = json.loads(run("count", "--pid", PID, "--by", "service,state", "--json"))
    assert document["schema"] == "tcpwhy.count/1"
    groups = {(group["service"], group["state"]): group["count"] for group in document["groups"]}
    assert groups[f"*:{port} (in)", "CLOSE_WAIT"] == 2
    assert groups[f"*:{port} (in)", "ESTABLISHED"] == 3
    assert groups[f"127.0.0.1:{port} (out)", "FIN_WAIT_2"] == 2
    assert sum(groups.values()) == document["total"]
    counts = [group["count"] for group in document["groups"]]
    assert counts == sorted(counts, reverse=True)


def test_count_selects_groups_and_folds_the_rest(port):
    out = run("count", "--peer", f"127.0.0.1:{port}", "--pid", PID, "--by", "local-port", "--top", "2", "--no-header")
    lines = out.splitlines()
    assert len(lines) == 3
    assert lines[-1].endswith("other: 3 groups")
    assert run("count", "--local", f":{port}", "--by", "peer-net", "--net", "8", "-H", "--pid", PID,
               "-s", "established,close-wait").split()[-1] == "127.0.0.0/8"


@pytest.mark.parametrize("arguments, words", [
    (("list", "--columns", "stat"), "--columns: 'stat' is no column; did you mean 'state'?"),
    (("list", "--columns", ""), "is no column"),
    (("list", "--columns", "-state,-recv_q,-send_q,-local,-remote,-age,-cause,-pid,-process"), "leaves no column"),
    (("list", "--sort", "state,-agee"), "'agee' is no column; did you mean 'age'?"),
    (("list", "--limit", "many"), "'many' is not a number of rows"),
    (("list", "--csv", "--json"), "exclude each other"),
    (("list", "established"), "established: is not expected here"),
    (("list", "--state", "lost-ack"), "did you mean LAST_ACK?"),
    (("list", "--state", "\033[31m"), "\\x1b[31m"),
    (("list", "--cause", "close-wait-leek"), "did you mean 'close-wait-leak'?"),
    (("list", "--netns", "no-such"), "'no-such' is no network namespace"),
    (("list", "--local", "example.org"), "'example.org' is not an address"),
    (("count", "--by", "proces"), "'proces' is no key; did you mean 'process'?"),
    (("count", "--by", "state,state"), "'state' is named twice"),
    (("count", "--by", "state,"), "is no key"),
    (("count", "--net", "33"), "'33' is not a prefix length"),
    (("count", "--net", "16,129"), "is not a prefix length"),
    (("count", "--top", "-1"), "'-1' is not a number of groups"),
    (("count", "--csv", "--json"), "exclude each other"),
])
def test_errors_name_the_word_and_the_way_out(arguments, words):
    message = run(*arguments, status=3)
    assert words in message
    assert message.startswith(f"tcpwhy {arguments[0]}: ")
    assert message.count("\n") == 1
    assert "\033" not in message


def test_a_full_disk_is_reported():
    with open("/dev/full", "w", encoding="ascii") as full:
        for command in ("list", "count"):
            result = subprocess.run([PROGRAM, command], stdout=full, stderr=subprocess.PIPE, check=False, timeout=60)
            assert result.returncode == 3
            assert b"standard output" in result.stderr
