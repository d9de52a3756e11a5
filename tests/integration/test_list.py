"""tcpwhy list and count compared with ss; every selection; exit statuses."""

import subprocess
from collections import Counter

import pytest

import program
from listing import count, csv_rows, end, rows
from sockets import sockets


def triples(listed):
    return Counter((row["state"], end(row["local"]), end(row["remote"])) for row in listed)


def as_ss_has_them(netns):
    any_of = {"*": "0.0.0.0"}
    return Counter((s.state, (any_of.get(s.local[0], s.local[0]), s.local[1]),
                    (any_of.get(s.remote[0], s.remote[0]), s.remote[1])) for s in sockets(netns))


@pytest.mark.needs("named")
@pytest.mark.parametrize("which", ["named", "service", "peer"])
def test_list_is_what_ss_lists(world, which):
    netns = {"named": world.named, "service": world.path.service, "peer": world.path.peer}[which]
    inside = rows("--netns", "self", netns=netns)
    assert triples(inside) == as_ss_has_them(netns)
    assert triples(rows("--netns", netns)) == triples(inside), "from the host as from inside"
    assert len(inside) >= 10


def test_list_has_owner_age_and_cause(world):
    made = world["leak"]
    listed = rows("--port", made.port, "--state", "close-wait")
    assert len(listed) == 300
    for row in listed:
        assert (row["pid"], row["process"], row["cause"], row["netns"]) == (
            made.pid, "leak-service", "close-wait-leak", "host")
        assert row["age_s"] >= 6
        assert row["recv_q"] == row["send_q"] == 0
    assert {end(row["remote"])[1] for row in listed} == set(made.peer_ports)


def test_list_names_all_holders(world):
    made = world["inherited"]
    for row in rows("--port", made.port, "--state", "close-wait"):
        assert row["holders"] == 2
        assert {int(str(holder["pid"]) if isinstance(holder, dict) else holder.split("/")[0])
                for holder in row["held_by"]} == {made.pid, made.child_pid}


def test_csv_is_the_json(world):
    for name in ("leak", "unread", "leak_ipv6", "leak_hostile"):
        keys = ["state", "recv_q", "send_q", "local", "remote", "cause", "pid", "inode"]
        words = ["--port", world[name].port, "--columns", ",".join(keys), "--sort", "remote,local"]
        as_csv, as_json = csv_rows(*words), rows(*words)
        assert [[row[k] for k in keys] for row in as_csv] == [
            ["" if row[k] is None else str(row[k]) for k in keys] for row in as_json]


@pytest.mark.parametrize("by", ["state", "cause", "process", "pid", "user", "unit", "container", "netns", "peer",
                                "peer-net", "peer-port", "local", "local-port", "service", "state,pid",
                                "netns,state,cause"])
def test_count_adds_up(world, by):
    words = ["--port", ",".join(str(world[n].port) for n in ("leak", "unread", "not_accepted", "inherited",
                                                             "leak_ipv6"))]
    keys = by.split(",")

    def alike(listed):
        return Counter((row["local"], row["remote"], row["state"], *(row.get(key) for key in keys)) for row in listed)

    for _ in range(10):  # a connection may end between two commands, or get old enough for a cause
        before, counted, listed = rows(*words), count(by, *words), rows(*words)
        if alike(before) == alike(listed):
            break
    assert counted["total"] == len(listed) == sum(group["count"] for group in counted["groups"])
    sizes = [group["count"] for group in counted["groups"]]
    assert sizes == sorted(sizes, reverse=True)
    if all(key in listed[0] and key != "local" for key in keys):  # count: no port in it
        expected = Counter(tuple(row[key] for key in keys) for row in listed)
        assert {tuple(group[key] for key in keys): group["count"] for group in counted["groups"]} == dict(expected)


def test_count_top_and_csv(world):
    words = ["--state", "close-wait", "--port", ",".join(str(world[n].port) for n in ("leak", "unread", "inherited"))]
    counted = count("pid", *words, "--top", "1")
    assert [(g["pid"], g["count"]) for g in counted["groups"]] == [(world["leak"].pid, 300)]
    assert (counted["other"]["groups"], counted["other"]["count"]) == (2, 52)
    as_csv = csv_rows("--by", "pid", *words, command="count")
    assert [(row["pid"], row["count"]) for row in as_csv] == [
        (str(world["leak"].pid), "300"), (str(world["unread"].pid), "40"), (str(world["inherited"].pid), "12")]


# --- selections ------------------------------------------------------------------------------------------------------

def select(world, *words):
    """The connections that are selected."""
    return rows(*words, "--columns", "state,local,remote,pid,process,age,cause,netns,held_by")


def test_select_state(world):
    for spelling in ("CLOSE_WAIT", "close-wait", "CloseWait", "8"):
        assert {row["state"] for row in select(world, "--state", spelling)} == {"CLOSE_WAIT"}
    assert {row["state"] for row in select(world, "--state", "listen,LAST_ACK")} == {"LISTEN", "LAST_ACK"}


def test_select_pid_and_process(world):
    made, other = world["leak"], world["leak_ipv6"]
    assert {row["pid"] for row in select(world, "--pid", made.pid)} == {made.pid}
    assert {row["pid"] for row in select(world, "--pid", f"{made.pid},{other.pid}")} == {made.pid, other.pid}
    assert len(select(world, "--pid", made.pid)) == 301, "300 and the listener"
    ours = ["--port", f"{made.port},{other.port}", "--state", "close-wait"]
    assert {row["pid"] for row in select(world, *ours, "--process", "leak-ipv6")} == {other.pid}
    assert {row["pid"] for row in select(world, *ours, "--process", "leak-*")} == {made.pid, other.pid}
    names = {row["process"] for row in select(world, "--process", "leak-*", "--state", "close-wait")}
    assert {"leak-service", "leak-ipv6", "leak-mapped", "leak-pool"} <= names
    assert all(name.startswith("leak-") for name in names)
    # Any holder counts, not only the first of several.
    assert len(select(world, "--pid", world["inherited"].child_pid, "--state", "close-wait")) == 12


def test_select_ends(world):
    made = world["leak"]
    on_port = select(world, "--port", made.port)
    assert all(made.port in (end(row["local"])[1], end(row["remote"])[1]) for row in on_port)
    local = select(world, "--local", f":{made.port}", "--state", "close-wait")
    assert len(local) == 300 and {end(row["local"])[1] for row in local} == {made.port}
    open_port = world["slow_reader"].port
    remote = select(world, "--peer", f"127.0.0.0/8:{open_port}")
    assert len(remote) == 3 and {end(row["remote"]) for row in remote} == {("127.0.0.1", open_port)}
    assert select(world, "--peer", f"10.0.0.0/8:{made.port}") == []
    ipv6 = select(world, "--local", f"[::1]:{world['leak_ipv6'].port}", "--state", "close-wait")
    assert len(ipv6) == world["leak_ipv6"].count


def test_select_family(world):
    ports = ["--state", "close-wait", "--port", f"{world['leak_ipv6'].port},{world['leak_mapped'].port}"]
    assert len(select(world, *ports)) == 13
    assert {end(row["local"])[0] for row in select(world, *ports, "-6")} == {"::1"}
    assert {end(row["local"])[0] for row in select(world, *ports, "-4")} == {"127.0.0.1"}, "IPv4-mapped is IPv4"
    assert len(select(world, *ports, "-46")) == 13


def test_select_age(world):
    made = world["leak"]
    words = ["--port", made.port, "--state", "close-wait"]
    assert len(select(world, *words, "--older", "5s")) == 300
    assert select(world, *words, "--older", "1h") == []


def test_select_cause(world):
    assert {row["cause"] for row in select(world, "--cause", "close-wait-unread")} == {"close-wait-unread"}
    causes = {row["cause"] for row in select(world, "--cause", "close-wait-*")}
    assert len(causes) == 5 and all(cause.startswith("close-wait-") for cause in causes)
    assert {row["cause"] for row in select(world, "--cause", "normal")} == {"normal"}
    assert [row for row in select(world, "--cause", "close-wait-*") if row["pid"] == world["flow"].pid] == []


@pytest.mark.needs("named")
def test_select_netns(world):
    assert {row["netns"] for row in select(world, "--netns", world.named)} == {world.named}
    assert {row["netns"] for row in select(world, "--netns", world["named"].pid)} == {world.named}
    assert {row["netns"] for row in select(world, "--netns", "self")} == {"host"}
    assert {"host", world.named} <= {row["netns"] for row in select(world, "--netns", "all")}
    assert {row["netns"] for row in select(world)} == {row["netns"] for row in select(world, "--netns", "all")}


def test_selections_combine(world):
    made = world["leak"]
    narrowed = select(world, "--port", made.port, "--state", "close-wait,listen", "--pid", made.pid, "-4",
                      "--cause", "close-wait-leak", "--older", "2s", "--process", "leak-*")
    assert len(narrowed) == 300


def test_diagnosis_of_a_selection(world):
    only = program.diagnose("--port", f"{world['leak'].port},{world['unread'].port}", "--state", "close-wait")
    assert only["totals"]["by_state"] == {"CLOSE_WAIT": 340}
    assert sorted(f["id"] for f in only["findings"]) == ["close-wait-leak", "close-wait-unread"]


# --- exit statuses ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("words", [
    ["--no-such-option"], ["--state", "nonsense"], ["--pid", "abc"], ["--port", "70000"], ["--older", "soon"],
    ["--peer", "300.1.2.3"], ["--source", "crystal-ball"], ["--cause", "close-wait-lek"], ["--netns", "no-such-netns"],
    ["no-such-command"], ["list", "--columns", "no-such-column"], ["count", "--by", "no-such-key"],
    ["explain", "no-such-page-at-all"], ["--pid"],
], ids=" ".join)
def test_usage_errors(words):
    done = program.run(*words)
    assert (done.returncode, done.stdout) == (program.FAILED, b"")
    assert done.stderr.startswith(b"tcpwhy") and done.stderr.count(b"\n") >= 1
    for word in words[-1:]:
        assert word.lstrip("-").encode() in done.stderr, "it names the thing"


@pytest.mark.parametrize("words", [["--help"], ["list", "--help"], ["count", "--help"], ["help"], ["version"],
                                   ["explain", "--help"]], ids=" ".join)
def test_help(words):
    done = program.run(*words)
    assert (done.returncode, done.stderr) == (program.HEALTHY, b"")
    assert b"tcpwhy" in done.stdout


def test_full_disk():
    with open("/dev/full", "wb") as full:
        done = subprocess.run([program.path(), "--json"], stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == program.FAILED and b"tcpwhy" in done.stderr


@pytest.mark.parametrize("word, needle", [
    ("LAST_ACK", "LAST_ACK"), ("LastAck", "LAST_ACK"), ("10", "LAST_ACK"), ("close-wait", "CLOSE_WAIT"),
    ("close-wait-leak", "close"), ("closing", "shutdown"), ("TIME_WAIT", "TIME_WAIT"),
])
def test_explain(word, needle):
    done = program.run("explain", word, env={"COLUMNS": "80"})
    assert done.returncode == program.HEALTHY
    out = done.stdout.decode()
    assert needle in out and "\x1b" not in out and len(out.splitlines()) > 10


def test_explain_suggests():
    done = program.run("explain", "close-wait-leek")
    assert done.returncode == program.FAILED and b"close-wait-leak" in done.stderr
