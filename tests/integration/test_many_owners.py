"""The same fault in many processes is one finding, judged as a whole. Connections that have only the cause in common
stay separate.
"""

import os
import time

import pytest

import owners_scenes as scenes
import program
from netns import Namespaces
from software import Software, why_missing

OLD_S = 33  # after this time a zero window no longer counts as short
LOOKS = 30

NEEDS = {"vsftpd_sessions": ["vsftpd"], "cups_backends": [], "cron_jobs": ["curl"], "pipes_to_nc": ["nginx", "nc"],
         "unrelated_tools": ["nc"]}


def missing(name):
    if name == "cups_backends" and not os.access(scenes.BACKEND, os.X_OK):
        return f"needs {scenes.BACKEND}"
    return why_missing(*NEEDS[name])


@pytest.fixture(scope="module")
def looks():
    """Starts all scenes, then diagnoses each thirty times. Returns {name: [diagnosis, …]}."""
    software, namespaces, pairs = Software(), Namespaces(), {}
    try:
        for name in NEEDS:
            if not missing(name):
                pairs[name] = namespaces.pair()
                getattr(scenes, name)(software, pairs[name])
        time.sleep(OLD_S)
        seen = {name: [] for name in pairs}
        for _ in range(LOOKS):
            for name, pair in pairs.items():
                seen[name].append(program.diagnose("--netns", "self", netns=pair.service, sampled=True))
        yield seen
    finally:
        software.stop_all()
        namespaces.remove_all()


def of(looks, name, finding):
    if missing(name):
        pytest.skip(missing(name))
    return [[f for f in look["findings"] if f["id"] == finding] for look in looks[name]]


@pytest.mark.parametrize("name,finding,program_name,count,processes", [
    ("vsftpd_sessions", "close-wait-unread", "vsftpd", scenes.SESSIONS, 2 * scenes.SESSIONS),
    ("vsftpd_sessions", "established-zero-window", "vsftpd", scenes.SESSIONS, None),
    ("cups_backends", "established-zero-window", "socket", scenes.PRINTERS, scenes.PRINTERS),
    ("cron_jobs", "established-zero-window", "curl", scenes.JOBS, scenes.JOBS),
    ("pipes_to_nc", "close-wait-leak", "nc", scenes.JOBS, scenes.JOBS),
])
def test_one_finding(looks, name, finding, program_name, count, processes):
    """Each diagnosis has one finding, with all connections and all processes."""
    for found in of(looks, name, finding):
        assert [(f["count"], f["owner"]["name"]) for f in found] == [(count, program_name)]
        assert {p["name"] for p in found[0]["processes"]} == {program_name}
        assert processes in (None, len(found[0]["processes"]))
        assert "more)" in found[0]["title"]


@pytest.mark.parametrize("name,finding", [("vsftpd_sessions", "close-wait-unread"), ("pipes_to_nc", "close-wait-leak")])
def test_judged_on_the_whole(looks, name, finding):
    """One connection each would be info. Together they exceed the limit of a warning."""
    for found in of(looks, name, finding):
        assert [f["severity"] for f in found] == ["warning"]


def test_ending_them_names_all(looks):
    found = of(looks, "pipes_to_nc", "close-wait-leak")[-1][0]
    pids = {str(p["pid"]) for p in found["processes"]}
    assert any(set((fix["command"] or "").split()) >= {"kill", *pids} for fix in found["fix_now"])


def test_unrelated_programs_stay_apart(looks):
    for found in of(looks, "unrelated_tools", "established-zero-window"):
        assert [f["count"] for f in found] == [1] * scenes.TOOLS
        assert len({f["owner"]["name"] for f in found}) == scenes.TOOLS
