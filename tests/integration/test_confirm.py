"""--confirm: a burst that ends between two snapshots is quiet, and a leak is certain."""

import json
import threading

import pytest

import program
from held import Held

LEAKED, BURST = 30, 40


@pytest.fixture(name="leak", scope="module")
def _leak():
    leak = Held(LEAKED)
    yield leak
    leak.close()


def findings(diagnosis, held):
    return [f for f in diagnosis["findings"] if f["local"] and f["local"]["port"] == held.port]


@pytest.mark.finding("close-wait-leak", "fires")
@pytest.mark.finding("close-wait-unread", "fires")
def test_a_burst_is_quiet_and_what_stays_is_confirmed(leak):
    """With --confirm an unread end of stream is certain. A young leak may still be a proxy that is half-closed on
    purpose."""
    unread = Held(LEAKED, read=False)
    burst = Held(BURST).settle()
    ports = f"{leak.port},{burst.port},{unread.port}"
    once = program.diagnose("--port", ports)
    assert [f["count"] for f in findings(once, burst)] == [BURST], "one look takes it for a leak"
    assert [f["confidence"] for held in (leak, unread) for f in findings(once, held)] == ["likely", "likely"]

    clearing = threading.Timer(1, burst.close)
    clearing.start()
    twice = program.diagnose("--port", ports, "--confirm", "3")
    clearing.join()
    unread.close()
    assert findings(twice, burst) == []
    for held, finding_id, confidence in (leak, "close-wait-leak", "likely"), (unread, "close-wait-unread", "certain"):
        (finding,) = findings(twice, held)
        assert (finding["id"], finding["count"], finding["confidence"]) == (finding_id, LEAKED, confidence)
        assert any("Confirmed by a second look 3" in line for line in finding["evidence"])


def test_one_that_comes_between_the_looks_is_not_stuck(leak):
    late = []
    coming = threading.Timer(0.5, lambda: late.append(Held(20)))
    coming.start()
    diagnosis = program.diagnose("--source", "proc", "--port", leak.port, "--confirm", "2")
    everything = program.diagnose("--source", "proc", "--state", "close-wait")
    coming.join()
    assert findings(diagnosis, leak)
    assert findings(everything, late[0]), "one look at /proc/net/tcp cannot tell that it is young"
    late[0].close()


def test_two_looks_give_an_age_where_the_source_has_none(leak):
    leak.settle()
    (once,) = findings(program.diagnose("--source", "proc", "--port", leak.port), leak)
    assert once["age_s"]["oldest"] is None
    (twice,) = findings(program.diagnose("--source", "proc", "--port", leak.port, "--confirm", "2"), leak)
    assert 2.0 <= twice["age_s"]["oldest"] < 10
    assert twice["count"] == LEAKED
    assert twice["confidence"] == "likely", "what passed between the looks is not known"
    rows = json.loads(program.run("list", "--json", "--source", "proc", "--local", f":{leak.port}", "--confirm", "2",
                                  "--older", "2").stdout)["connections"]
    assert [row["cause"] for row in rows] == ["close-wait-leak"] * LEAKED


def test_list_and_count_confirm_too(leak):
    burst = Held(BURST).settle()
    leak.settle()
    ports = f"{leak.port},{burst.port}"
    for command in (["list", "--json", "--cause", "close-wait-leak"],
                    ["count", "--json", "--by", "cause", "--cause", "close-wait-leak"]):
        clearing = threading.Timer(0.5, burst.close, [BURST // 2])
        clearing.start()
        document = json.loads(program.run(*command, "--state", "close-wait", "--local", f":{ports.split(',')[0]}",
                                          "--local", f":{burst.port}", "--confirm", "1500ms").stdout)
        clearing.join()
        found = len(document["connections"]) if "connections" in document else document["total"]
        assert found == LEAKED + (BURST // 2 if command[0] == "list" else 0)


@pytest.mark.parametrize("words", [["--confirm", "soon"], ["--confirm", "0"], ["--confirm", "2d"],
                                   ["--watch", "1", "--confirm", "2"]])
def test_bad_times_are_named(words):
    done = program.run(*words)
    assert done.returncode == program.FAILED
    assert done.stderr.startswith(b"tcpwhy diagnose: --confirm: ") and done.stderr.count(b"\n") == 1


def test_no_note_without_a_terminal(leak):
    assert program.run("--port", leak.port, "--confirm", "200ms").stderr == b""
