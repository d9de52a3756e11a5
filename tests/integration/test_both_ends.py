"""Both ends of the connections are seen. Their states tell which packets are lost, and where.

All scenes run at the same time, each in a pair of namespaces that stand for two hosts. The capture of a host is the
output of `ss` there.
"""

import contextlib
import subprocess
import sys
from types import SimpleNamespace

import pytest

import program
from netns import Namespaces
from scenes import crowd_of, lose, well_behaved
from sockets import on_port, sockets, wait_for
from software import PORT, Software, wait_listening, why_missing

CLIENTS = 12
SNAPSHOTS = 30
LISTENS = "import socket, time; listener = socket.create_server(('0.0.0.0', 22)); time.sleep(3600)"

pytestmark = pytest.mark.skipif(why_missing("nginx") is not None, reason=str(why_missing("nginx")))


def lose_requests(netns):
    """Drops what the service receives. What it sends arrives."""
    rules = f"""
        table inet lost {{
            chain input {{ type filter hook input priority 0; tcp dport {PORT} drop; }}
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
        for name, scene in made.items():
            wait_for(lambda: has_begun(scene), f"{name} has begun", 30)
        wait_for(lambda: all(is_settled(scene) for scene in made.values()), "the FINs have been sent again", 60)
        for name, scene in made.items():
            scene.service_file = capture(scene.pair.service, folder / f"{name}-service")
            scene.other_file = capture(scene.other, folder / f"{name}-other")
            scene.live = [program.diagnose("--netns", scene.pair.service) for _ in range(SNAPSHOTS)]
        yield made


def is_settled(scene):
    report = program.diagnose("--netns", scene.pair.service, "--cause", "fin-wait-1-unanswered")
    return sum(f["count"] for f in report["findings"]) == CLIENTS


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
