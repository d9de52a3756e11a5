"""The faults of the whole run: all faults and look-alikes at once, old enough to be judged."""

import tempfile
import time
import uuid
from datetime import datetime
from pathlib import Path

import privileges
from maker import Faults
from netns import Namespaces
from sockets import on_port, wait_for

# A CLOSE_WAIT is judged after 5 s, a LAST_ACK after 5 s and three retransmissions.
AGE_S = 6.5

HOSTILE_NAME = "\x1b[31mx\n\udcff\u202e"  # 15 bytes at most
HOSTILE_UNIT = "a';touch pwned;'$(id)\x1b[31m.service"  # the owner of a cgroup chooses the names in it
HOSTILE_WORDS = ["--title=\x1b]0;owned\x07\x1b[2J", "line\nbreak", "\udcfe\udcff", "\u202ereversed", "tab\there"]

HOST = {
    # The scene that must give five findings, and none for the last fault
    "leak": ("close_wait_leak", dict(count=300)),
    "unread": ("close_wait_unread", dict(count=40)),
    "not_accepted": ("close_wait_not_accepted", dict(count=50)),
    "stopped": ("close_wait_unread", dict(count=20, how="stopped", extra_bytes=10)),
    "inherited": ("close_wait_inherited", dict(count=12)),
    "flow": ("half_closed_flow", dict(count=5)),
    # Variants
    "leak_client": ("close_wait_leak_client", dict(count=4)),
    "leak_ipv6": ("close_wait_leak", dict(count=6, address="::1", name="leak-ipv6")),
    "leak_mapped": ("close_wait_leak", dict(count=7, address="::", peer_address="127.0.0.1", name="leak-mapped")),
    "leak_hostile": ("close_wait_leak", dict(count=2, name=HOSTILE_NAME, hostile_words=HOSTILE_WORDS)),
    "leak_near_limit": ("close_wait_leak", dict(count=60, fds_limit=80, name="leak-near-limit")),
    "leak_until_exit": ("close_wait_leak", dict(count=8, name="leak-until-exit")),
    "unread_data": ("close_wait_unread", dict(count=9, extra_bytes=100)),
    "unread_locked": ("close_wait_unread", dict(count=3, how="locked")),
    "unread_elsewhere": ("close_wait_unread", dict(count=3, how="elsewhere")),
    "tls": ("close_wait_tls_notify", dict(count=5)),
    "inherited_exec": ("close_wait_inherited_exec", dict(count=3)),
    "blocked_writer": ("close_wait_blocked_writer", dict(count=25)),
    "zero_window_loopback": ("last_ack_zero_window", dict(count=3)),
    # Look-alikes
    "churn": ("churn", {}),
    "fork_server": ("fork_server", dict(count=3)),
    "slow_reader": ("slow_reader", dict(count=3)),
}

# Faults that need two namespaces
PATH = {
    "unanswered": ("last_ack_unanswered", dict(count=120)),
    "unanswered_one_way": ("last_ack_unanswered", dict(count=2, one_way=True)),
    "zero_window": ("last_ack_zero_window", dict(count=110)),
    "lost_writer": ("close_wait_unanswered_writer", dict(count=3)),
    "at_work": ("half_closed_work", dict(count=12)),
    "answered": ("half_closed_work", dict(count=12, answers=True)),
}

CLOSE_WAIT_HERE = {name for name, (maker, _) in HOST.items()
                   if maker.startswith("close_wait") and maker not in ("close_wait_leak_client",
                           "close_wait_tls_notify")}

RUN_MAX_S = 3600  # no run takes longer


class World:
    def __init__(self):
        self.faults = Faults()
        self.namespaces = Namespaces()
        self.cgroup = None
        self._made = {}
        self._missing = {}  # name → reason

    def __getitem__(self, name):
        return self._made[name]

    def why_missing(self, name):
        return self._missing.get(name)

    def seconds_old(self, report):
        """The longest age in seconds that a fault can have had when that diagnosis was made."""
        taken_at = datetime.fromisoformat(report["taken_at"]).timestamp()
        return taken_at + report["source"]["elapsed_ms"] / 1000 - self._began

    def build(self):
        self._began = time.time()
        without_netns = privileges.without_netns()
        if without_netns:
            self._missing |= dict.fromkeys([*PATH, "link_down", "named", "unshared", "contained", "hostile_unit"],
                                           without_netns)
        else:
            self._begin_in_namespaces()
        for name, (maker, arguments) in HOST.items():
            self._made[name] = self.faults.begin(maker, **arguments)
        for fault in self._made.values():
            fault.wait_ready()
        self._name_namespaces()
        self._wait_for_states()
        time.sleep(AGE_S)
        return self

    def _begin_in_namespaces(self):
        self.path = self.namespaces.pair((10000, 11999), (12000, 13999))
        self.other_path = self.namespaces.pair((14000, 15999), (16000, 17999))
        for name, (maker, arguments) in PATH.items():
            self._made[name] = self.faults.begin(maker, **self.path.arguments(), **arguments)
        self._made["link_down"] = self.faults.begin(
            "last_ack_unanswered", **self.other_path.arguments(), link=self.other_path.peer_link, count=2)
        self.named = self.namespaces.add((18000, 19999))
        self._made["named"] = self.faults.begin(
            "close_wait_leak", count=11, service_netns=self.named, peer_netns=self.named, name="leak-named")
        self._made["unshared"] = self.faults.begin("close_wait_leak_unshared", count=3, ports=(20000, 21999))
        self._begin_contained()

    def _begin_contained(self):
        """Processes in a cgroup with a name as Docker gives its containers, and in one with a hostile name."""
        self.container_id = uuid.uuid4().hex * 2
        cgroups = {
            "contained": (f"docker-{self.container_id}.scope", (22000, 23999)),
            "hostile_unit": (HOSTILE_UNIT, (24000, 25999)),
        }
        try:
            top = cgroup2_mount()
            remove_stale_cgroups(top)
            self.cgroup = Path(tempfile.mkdtemp(prefix="tw-", dir=top))
        except OSError as e:
            self._missing |= dict.fromkeys(cgroups, f"needs to make a cgroup: {e}")
            self.cgroup = None
            return
        for name, (folder, ports) in cgroups.items():
            cgroup = self.cgroup / folder
            cgroup.mkdir()
            self._made[name] = self.faults.begin(
                "close_wait_leak_unshared", count=3, ports=ports, cgroup=str(cgroup))

    def _name_namespaces(self):
        for name in ("unshared", "hostile_unit"):
            if name in self._made:
                self[name].netns = f"net:[{self[name].netns_inode}]"
        if "contained" in self._made:
            self["contained"].netns = self.container_id[:12]
        if "named" in self._made:
            self["named"].netns = self.named
            self["link_down"].netns = self.other_path.service
            for name in PATH:
                self[name].netns = self.path.service

    def _wait_for_states(self):
        def in_state(fault, state, netns=None):
            try:
                wait_for(lambda: len(on_port(fault.port, state, netns)) == fault.count,
                         f"{fault.count} connections of {fault.maker} in {state}", 20)
            except AssertionError as e:
                raise AssertionError(f"{e}; there are {on_port(fault.port, None, netns)}") from e

        for name in CLOSE_WAIT_HERE | {"flow"}:
            in_state(self[name], "CLOSE_WAIT")
        in_state(self["zero_window_loopback"], "LAST_ACK")
        if "unanswered" in self._made:
            for name in ("unanswered", "unanswered_one_way", "zero_window"):
                in_state(self[name], "LAST_ACK", self.path.service)
            in_state(self["lost_writer"], "CLOSE_WAIT", self.path.service)
            in_state(self["named"], "CLOSE_WAIT", self.named)

    def remove(self):
        self.faults.stop_all()
        self.namespaces.remove_all()
        if self.cgroup:
            wait_for(lambda: "populated 0" in (self.cgroup / "cgroup.events").read_text(), "the cgroups are empty")
            remove_cgroup(self.cgroup)


def remove_cgroup(cgroup):
    for folder in [*(child for child in cgroup.iterdir() if child.is_dir()), cgroup]:
        folder.rmdir()


def remove_stale_cgroups(top):
    """Removes cgroups that a killed run has left. Another run may have made them just now, or may remove them too."""
    for cgroup in top.glob("tw-*"):
        try:
            if time.time() - cgroup.stat().st_mtime > RUN_MAX_S:
                remove_cgroup(cgroup)
        except OSError:  # another run removes it, or it contains processes
            pass


def cgroup2_mount():
    with open("/proc/self/mounts") as mounts:
        for line in mounts:
            device, folder, kind, *_ = line.split()
            if kind == "cgroup2":
                return Path(folder)
    raise OSError("no cgroup2 is mounted")
