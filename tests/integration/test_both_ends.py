"""Both ends of the connections are seen. Their states tell which packets are lost, and where.

All scenes run at the same time, each in a pair of namespaces that stand for two hosts. The capture of a host is the
output of `ss` there.
"""

import contextlib
import subprocess
import sys
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

import program
from netns import Namespaces, ip
from scenes import LAST_REQUEST, crowd_of, lose, set_sysctl, well_behaved
from sockets import on_port, sockets, wait_for
from software import PORT, REQUEST, Software, wait_listening, why_missing

CLIENTS = 12
CLOSED_PORT = PORT + 1
SNAPSHOTS = 30
LISTENS = "import socket, time; listener = socket.create_server(('0.0.0.0', 22)); time.sleep(3600)"

pytestmark = pytest.mark.skipif(why_missing("nginx") is not None, reason=str(why_missing("nginx")))


def lose_requests(netns, which=""):
    """Drops what the service receives, or some of it. What it sends arrives."""
    rules = f"""
        table inet lost {{
            chain input {{ type filter hook input priority 0; tcp dport {{ {PORT}, {CLOSED_PORT} }} {which} drop; }}
        }}
    """
    subprocess.run(["ip", "netns", "exec", netns, "nft", "-f", "-"], input=rules.encode(), check=True)


# --- scenes: nginx closes what has been idle for 3 s ------------------------------------------------------------------

def fins_are_lost(_, pair):
    """What nginx sends does not reach its clients."""
    lose(pair.peer, PORT, both_ways=False)
    return pair.peer, "ESTABLISHED"


def answers_are_lost(_, pair):
    """The FINs of nginx reach its clients, but their acknowledgements do not come back."""
    lose_requests(pair.service)
    return pair.peer, "CLOSE_WAIT"


def peer_has_vanished(namespaces, pair):
    """The clients' host is gone. The host that now has its name knows nothing of the connections."""
    lose(pair.peer, PORT)
    return namespaces.add(), None


SCENES = [fins_are_lost, answers_are_lost, peer_has_vanished]


# --- scenes: connections that are opened, or that both sides have closed ----------------------------------------------

def opens(software, pair, port=PORT):
    crowd = software.crowd(pair.peer)
    crowd.do("open", address=pair.service_address, port=port, count=CLIENTS, wait=False)
    return crowd


def syns_are_lost(software, pair):
    lose_requests(pair.service)
    opens(software, pair)


def resets_are_lost(software, pair):
    """Nobody listens on that port, and the reset that says so is lost."""
    lose_requests(pair.service)
    opens(software, pair, CLOSED_PORT)


def synacks_are_lost(software, pair):
    lose(pair.peer, PORT, both_ways=False)
    opens(software, pair)


def acks_are_lost(software, pair):
    lose_requests(pair.service, "tcp flags & (syn | ack) == ack")
    opens(software, pair)


def clients_give_up(software, pair):
    """The SYN-ACKs are lost, and the clients do not wait for them any longer."""
    lose(pair.peer, PORT, both_ways=False)
    crowd = opens(software, pair)
    wait_for(lambda: len(on_port(PORT, "SYN_RECEIVED", pair.service)) == CLIENTS, "the SYNs have arrived")
    crowd.do("close")


def last_fins_are_lost(software, pair):
    """The service has half-closed, and the clients close. Their FINs do not arrive."""
    crowd = crowd_of(software, pair, CLIENTS, LAST_REQUEST)
    wait_for(lambda: len(on_port(PORT, "FIN_WAIT_2", pair.service)) == CLIENTS, "the service has half-closed")
    lose_requests(pair.service)
    crowd.do("close")


@dataclass(frozen=True)
class Opening:
    scene: object
    side: str  # whose finding it is
    finding: str
    title: str
    why: str
    selection: tuple = ()


OPENINGS = [
    Opening(syns_are_lost, "peer", "syn-sent-unanswered", "do not arrive there", "has nothing of it"),
    Opening(resets_are_lost, "peer", "syn-sent-unanswered", "nobody listens there", "The SYN, or the reset, is lost"),
    Opening(synacks_are_lost, "service", "syn-recv-unanswered", "the SYN-ACK does not arrive at the client",
            "the client still waits for it"),
    Opening(acks_are_lost, "service", "syn-recv-unanswered", "the client's ACK does not arrive here",
            "the connection is open for the client"),
    Opening(clients_give_up, "service", "syn-recv-unanswered", "the client's host does not know them",
            "has nothing of the connection"),
    Opening(last_fins_are_lost, "peer", "last-ack-unanswered", "does not arrive: the peers are still there",
            "lost on the way to the peer"),
    Opening(last_fins_are_lost, "service", "last-ack-unanswered", "does not arrive: the peers are still there",
            "lost on the way to the peer", ("--state", "fin-wait-2")),
]


def begin_opening(scene, namespaces, software):
    pair = namespaces.pair()
    # On a slow machine they must not end before they are seen.
    set_sysctl(pair.service, "net.ipv4.tcp_synack_retries", 8)
    set_sysctl(pair.peer, "net.ipv4.tcp_syn_retries", 8)
    set_sysctl(pair.peer, "net.ipv4.tcp_orphan_retries", 12)
    software.nginx(pair.service, lingering_close="always", lingering_time="300s", lingering_timeout="300s")
    crowd_of(software, pair, 2)  # the other host's address is known by what it has with others
    scene(software, pair)
    return SimpleNamespace(pair=pair, live={}, joined={})


def look_at(opening, made, folder):
    """Takes all snapshots of one case, as soon as its finding has begun: what is half-open ends by itself."""
    words = ["--netns", getattr(made.pair, opening.side), *opening.selection]

    def count():
        return sum(f["count"] for f in program.diagnose(*words)["findings"] if f["id"] == opening.finding)
    wait_for(lambda: count() == CLIENTS, f"{opening.finding} of {opening.scene.__name__}", 60)
    files = [capture(getattr(made.pair, side), folder / f"{opening.scene.__name__}-{side}")
             for side in ("service", "peer")]
    made.live[opening] = [program.diagnose(*words) for _ in range(2)]
    made.joined[opening] = program.diagnose("--from", files[0], "--from", files[1], *opening.selection)


# --- scene: two addresses of one host, and the clients are gone -------------------------------------------------------

OWN_ADDRESSES = "10.177.7.1", "10.177.7.2"


def begin_one_host(namespaces, software):
    """The clients close without reading the answer. That resets the connections, and the resets are lost."""
    netns = namespaces.add()
    for address in OWN_ADDRESSES:
        ip("-n", netns, "address", "add", f"{address}/32", "dev", "lo")
    software.nginx(netns, keepalive_timeout="3s")
    software.start(netns, sys.executable, "-c", LISTENS.replace("0.0.0.0", OWN_ADDRESSES[1]))
    wait_listening(netns, 22)
    crowd = software.crowd(netns)
    crowd.do("open", address=OWN_ADDRESSES[0], port=PORT, count=CLIENTS, sources=[OWN_ADDRESSES[1]])
    crowd.do("send", text=REQUEST)
    wait_for(lambda: len([s for s in sockets(netns) if s.remote[1] == PORT and s.recv_q > 0]) == CLIENTS, "the answers")
    lose_requests(netns)
    crowd.do("close")
    return SimpleNamespace(pair=SimpleNamespace(service=netns))


def capture(netns, path):
    with open(path, "wb") as out:
        subprocess.run(["ip", "netns", "exec", netns, "ss", "-tanpiemo"], stdout=out, check=True)
    return path


def begin(scene, namespaces, software):
    pair = namespaces.pair()
    software.nginx(pair.service, keepalive_timeout="3s")
    well_behaved(software, pair)
    crowd = crowd_of(software, pair, CLIENTS)
    other, state = scene(namespaces, pair)
    if state is None:
        software.start(other, sys.executable, "-c", LISTENS)
        wait_listening(other, 22)
    return SimpleNamespace(pair=pair, crowd=crowd, other=other, state=state)


def has_begun(made):
    """The FINs have been retransmitted, and the other ends have reached their final state."""
    fins = on_port(PORT, "FIN_WAIT_1", made.pair.service, "o")
    ends = [s for s in sockets(made.other) if s.state == made.state and s.remote[1] == PORT]
    return len(fins) == CLIENTS and (made.state is None or len(ends) == CLIENTS)


@pytest.fixture(name="scenes", scope="module")
def _scenes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hosts")
    with contextlib.ExitStack() as stack:
        namespaces, software = Namespaces(), Software()
        stack.callback(namespaces.remove_all)
        stack.callback(software.stop_all)
        made = {scene.__name__: begin(scene, namespaces, software) for scene in SCENES}
        for scene in {opening.scene: None for opening in OPENINGS}:
            made[scene.__name__] = begin_opening(scene, namespaces, software)
        made["one_host"] = begin_one_host(namespaces, software)
        for opening in OPENINGS:
            look_at(opening, made[opening.scene.__name__], folder)
        closing = {scene.__name__: made[scene.__name__] for scene in SCENES}
        for name, scene in closing.items():
            wait_for(lambda: has_begun(scene), f"{name} has begun", 30)
        wait_for(lambda: all(is_settled(scene) for scene in closing.values()), "the FINs have been sent again", 60)
        for name, scene in closing.items():
            scene.service_file = capture(scene.pair.service, folder / f"{name}-service")
            scene.other_file = capture(scene.other, folder / f"{name}-other")
            scene.live = [program.diagnose("--netns", scene.pair.service) for _ in range(SNAPSHOTS)]
        wait_for(lambda: is_settled(made["one_host"]), "the FINs to the own host have been sent again", 60)
        yield made


def is_settled(scene):
    report = program.diagnose("--netns", scene.pair.service, "--cause", "fin-wait-1-unanswered")
    return sum(f["count"] for f in report["findings"] if f["id"] == "fin-wait-1-unanswered") == CLIENTS


def unanswered(report):
    (finding,) = [f for f in report["findings"] if f["id"] == "fin-wait-1-unanswered"]
    assert finding["count"] == CLIENTS and finding["fault"] == "peer-or-path"
    return finding


def joined(scene):
    return program.diagnose("--from", scene.service_file, "--from", scene.other_file)


def text_of(finding):
    return " ".join([finding["title"], finding["why"], *finding["evidence"]])


def test_a_fin_that_does_not_arrive_is_no_peer_that_has_vanished(scenes):
    scene = scenes["fins_are_lost"]
    finding = unanswered(joined(scene))
    assert "does not arrive" in finding["title"] and "lost on the way to the peer" in finding["why"]
    assert "vanished" not in text_of(finding) and finding["confidence"] == "likely"
    (other,) = finding["other_ends"]
    assert (other["host"], other["state"], other["count"]) == (scene.other_file.name, "ESTABLISHED", CLIENTS)
    assert any(f"{CLIENTS} of the other ends are on {scene.other_file.name}, in ESTABLISHED" in line
               for line in finding["evidence"])
    assert any(scene.other_file.name in fix["text"] for fix in finding["fix_now"])


def test_an_answer_that_is_lost_on_the_way_back(scenes):
    finding = unanswered(joined(scenes["answers_are_lost"]))
    assert "lost on the way back" in finding["title"] and "has arrived there" in finding["why"]
    assert "vanished" not in text_of(finding) and finding["confidence"] == "likely"
    assert [end["state"] for end in finding["other_ends"]] == ["CLOSE_WAIT"]


@pytest.mark.parametrize("name", ["fins_are_lost", "answers_are_lost"])
def test_in_one_snapshot_of_both_namespaces_it_is_certain(scenes, name):
    findings = [unanswered(report) for report in scenes[name].live]
    told = [[finding[key] for key in ("title", "why", "severity", "confidence")] for finding in findings]
    assert told == [told[0]] * SNAPSHOTS, "nothing comes and goes"
    finding = findings[0]
    assert "on this host drops the packets" in finding["why"] and finding["confidence"] == "certain"
    assert "vanished" not in text_of(finding)
    assert ("does not arrive" if name == "fins_are_lost" else "lost on the way back") in finding["title"]


@pytest.mark.parametrize("name", ["fins_are_lost", "peer_has_vanished"])
def test_of_one_end_alone_nothing_more_is_said(scenes, name):
    """A look-alike: seen from one side, both cases are the same."""
    finding = unanswered(program.diagnose("--from", scenes[name].service_file))
    assert finding["title"].startswith("Nobody answers") and "The peer has vanished" in finding["why"]
    assert finding["confidence"] == "certain" and "other_ends" not in finding


def test_a_host_that_knows_nothing_of_them_is_no_other_end(scenes):
    finding = unanswered(joined(scenes["peer_has_vanished"]))
    assert finding["title"].startswith("Nobody answers") and "The peer has vanished" in finding["why"]
    assert "other_ends" not in finding


def test_a_host_that_has_both_addresses_does_not_vanish(scenes):
    """The other ends are gone, and both addresses are this host's: no host has crashed."""
    finding = unanswered(program.diagnose("--netns", scenes["one_host"].pair.service))
    assert "Both ends belong to this host" in finding["why"] and "vanished" not in text_of(finding)
    assert finding["confidence"] == "likely" and "other_ends" not in finding


@pytest.mark.parametrize("opening", OPENINGS, ids=lambda opening: f"{opening.scene.__name__}-{opening.side}")
def test_what_is_lost_while_a_connection_begins_or_ends(scenes, opening):
    made = scenes[opening.scene.__name__]
    (finding,) = [f for f in made.joined[opening]["findings"] if f["count"] == CLIENTS]
    assert (finding["id"], finding["fault"], finding["confidence"]) == (opening.finding, "peer-or-path", "likely")
    assert opening.title in finding["title"] and opening.why in finding["why"]


@pytest.mark.parametrize("opening", OPENINGS, ids=lambda opening: f"{opening.scene.__name__}-{opening.side}")
def test_in_one_snapshot_only_what_was_seen_is_said(scenes, opening):
    """All scenes have the same addresses, as isolated containers may. So a row that is missing proves nothing."""
    findings = [f for report in scenes[opening.scene.__name__].live[opening] for f in report["findings"]]
    assert {(f["id"], f["count"], f["fault"]) for f in findings} == {(opening.finding, CLIENTS, "peer-or-path")}
    for finding in findings:
        assert (opening.title in finding["title"]) == (finding.get("other_ends") is not None)
