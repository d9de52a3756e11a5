"""Who is named and what helps where workers hang or cannot act: PHP-FPM, Apache, nginx, Redis, on one host.

Their clients wait, silent or not, in queues that are far from full. Beside the servers that do not accept stand their
look-alikes. Many snapshots are taken of all.
"""

import subprocess
import time

import pytest

import privileges
import program
import worker_scenes as scenes
from netns import Namespaces
from software import Software, why_missing
from sockets import sockets, wait_for

HUNG_S = 33  # a server that may only be busy is told from 30 s on
SNAPSHOTS = 30
TOOLS = {
    scenes.php_fpm_behind_nginx: (scenes.PHP_FPM_PROGRAM, "nginx"),
    scenes.apache_prefork: ("apache2",),
    scenes.apache_at_work: ("apache2",),
    scenes.nginx_reuseport: ("nginx",),
    scenes.nginx_without_descriptors: ("nginx",),
    scenes.redis_stopped: ("redis-server",),
    scenes.redis_frozen: ("redis-server",),
    scenes.redis_traced: ("redis-server", "gdb"),
    scenes.redis_idle: ("redis-server",),
    scenes.python_in_the_kernel: (),
}
QUIET = [scenes.apache_at_work, scenes.redis_idle]
LOUD = [scene for scene in TOOLS if scene not in QUIET]


def missing(scene):
    return why_missing(*TOOLS[scene])


class Seen:
    def __init__(self, netns):
        self.netns, self.sets, self.failed, self.diagnoses = netns, {}, {}, []

    def set(self, scene, software):
        try:
            self.sets[scene] = scene(software, self.netns, 8100 + 10 * len(self.sets))
        except (OSError, AssertionError) as error:  # the others can be set
            self.failed[scene] = error

    def look(self):
        return program.diagnose("--netns", "self", netns=self.netns, sampled=True)

    def remove_cgroups(self):
        for scene in self.sets.values():
            if "cgroup" in scene.more:
                scenes.remove_cgroup(scene.more["cgroup"])


@pytest.fixture(scope="module")
def seen():
    software, namespaces = Software(), Namespaces()
    seen = None
    try:
        seen = Seen(namespaces.add())
        for scene in TOOLS:
            if not missing(scene):
                seen.set(scene, software)
        time.sleep(HUNG_S)
        seen.diagnoses = [seen.look() for _ in range(SNAPSHOTS)]
        yield seen
    finally:
        software.stop_all()
        namespaces.remove_all()
        if seen is not None:
            seen.remove_cgroups()


def set_up(seen, scene):
    if missing(scene):
        pytest.skip(missing(scene))
    if isinstance(seen.failed.get(scene), OSError):
        pytest.skip(f"needs more privileges: {seen.failed[scene]}")
    if scene in seen.failed:
        raise RuntimeError("the scene could not be set") from seen.failed[scene]
    return seen.sets[scene]


def about(diagnosis, scene, *ids):
    return [f for f in diagnosis["findings"] if f["local"] and f["local"]["port"] == scene.port and
            (not ids or f["id"] in ids)]


def not_accepted(seen, scene):
    """The finding in each of the snapshots: it says the same in all of them."""
    place = set_up(seen, scene)
    found = [about(diagnosis, place, "established-not-accepted") for diagnosis in seen.diagnoses]
    assert [len(findings) for findings in found] == [1] * SNAPSHOTS
    told = [findings[0] for findings in found]
    assert {(f["title"], f["why"], f["count"], f["severity"], f["owner"]["pid"]) for f in told} == {
        (told[-1]["title"], told[-1]["why"], told[-1]["count"], "warning", told[-1]["owner"]["pid"])}
    assert told[-1]["owner"]["pid"] in place.servers and told[-1]["fault"] == "local-application"
    return place, told[-1]


def commands(finding):
    return [fix["command"] for fix in finding["fix_now"] if fix["command"]]


def ports_are_served(seen, place):
    """Nobody waits any more."""
    return all(s.recv_q == 0 for s in sockets(seen.netns) if s.state == "LISTEN" and s.local[1] == place.port)


@pytest.mark.finding("established-not-accepted", "real")
@pytest.mark.parametrize("scene", LOUD, ids=lambda scene: scene.__name__.replace("_", "-"))
def test_who_does_not_accept_is_found_in_every_snapshot(seen, scene):
    place, finding = not_accepted(seen, scene)
    if scene != scenes.nginx_reuseport:  # the kernel deals them out at random
        assert finding["count"] >= scenes.PATIENT


@pytest.mark.parametrize("scene", [scenes.php_fpm_behind_nginx, scenes.apache_prefork],
                         ids=lambda scene: scene.__name__.replace("_", "-"))
def test_hung_workers_are_named_with_their_shares(seen, scene):
    place, finding = not_accepted(seen, scene)
    assert finding["count"] == scenes.PATIENT and "and 3 more) does not accept" in finding["title"]
    text = " ".join(finding["evidence"])
    assert all(f"(pid {pid}) holds 1 connection" in text for pid in place.servers)
    assert f"(pid {place.master}) only supervises" in text
    first = commands(finding)[0]
    assert first.startswith(f"for p in {' '.join(map(str, place.servers))}; do ")
    assert str(place.master) not in first.split()


def test_php_workers_wait_for_a_lock(seen):
    _, finding = not_accepted(seen, scenes.php_fpm_behind_nginx)
    assert sum("a thread waits in flock for" in line for line in finding["evidence"]) == scenes.WORKERS - 1
    assert "; do gdb -p $p -batch" in commands(finding)[0]


def test_of_many_listeners_of_one_port_that_of_the_stopped_worker_is_meant(seen):
    place, finding = not_accepted(seen, scenes.nginx_reuseport)
    (stopped,) = place.servers
    assert finding["title"].startswith(f"nginx (pid {stopped}) is stopped and does not accept")
    assert commands(finding)[0] == f"kill -CONT {stopped}" and not any("eu-stack" in c for c in commands(finding))


OBSTACLES = [  # what the title, the reason and the first fix say; {} is the server
    (scenes.redis_stopped, "is stopped and", "is stopped (state T", "kill -CONT {}"),
    (scenes.redis_frozen, "is frozen and", "its control group is paused", "cat /proc/{}/cgroup"),
    (scenes.redis_traced, "is held by a tracer and", "is held by its tracer gdb", "kill -TERM {gdb}   # gdb"),
    (scenes.nginx_without_descriptors, "has no descriptor left and", "(128 open of 128)", "prlimit --pid {} --nofile="),
    (scenes.python_in_the_kernel, "is stuck inside the kernel and", "(state D)", "sudo cat /proc/{}/stack"),
]


@pytest.mark.parametrize("scene, title, why, command", OBSTACLES, ids=[row[0].__name__ for row in OBSTACLES])
def test_the_obstacle_is_the_title_the_reason_and_the_first_fix(seen, scene, title, why, command):
    place, finding = not_accepted(seen, scene)
    assert title in finding["title"] and why in finding["why"]
    assert commands(finding)[0].startswith(command.format(place.servers[0], **place.more))
    if scene != scenes.nginx_without_descriptors:
        assert not any(c.startswith(("gdb", "eu-stack", "strace")) for c in commands(finding)), "it could not attach"
    assert not any("slow work" in fix["text"] for fix in finding["fix_for_good"])


@pytest.mark.finding("established-not-accepted", "quiet")
@pytest.mark.parametrize("scene", QUIET, ids=lambda scene: scene.__name__.replace("_", "-"))
def test_who_accepts_is_left_alone(seen, scene):
    place = set_up(seen, scene)
    assert [about(diagnosis, place) for diagnosis in seen.diagnoses] == [[]] * SNAPSHOTS


@pytest.mark.parametrize("scene", [scenes.redis_stopped, scenes.redis_traced, scenes.nginx_without_descriptors,
                                   scenes.nginx_reuseport], ids=lambda scene: scene.__name__.replace("_", "-"))
def test_the_first_fix_works(seen, scene):
    place, finding = not_accepted(seen, scene)
    subprocess.run(["ip", "netns", "exec", seen.netns, "sh", "-c", commands(finding)[0]], check=True)
    wait_for(lambda: ports_are_served(seen, place), "its clients are accepted")


def test_a_killable_wait_in_the_kernel_ends_by_sigkill(seen):
    place, finding = not_accepted(seen, scenes.python_in_the_kernel)
    assert state_of(place.servers[0]) == "D"
    subprocess.run(["sh", "-c", commands(finding)[-1]], check=True)
    wait_for(lambda: state_of(place.servers[0]) == "Z", "it has ended")


def state_of(pid):
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0]
