"""The owner of the connections: what is reported about the process."""

import os
import pwd
import resource

import pytest


@pytest.mark.parametrize("name", ["leak", "unread", "stopped", "not_accepted", "leak_client"])
def test_owner_fields(world, report, name):
    made = world[name]
    (finding,) = report.findings_about(made)
    owner = finding["owner"]
    with open(f"/proc/{made.pid}/comm") as comm:
        assert owner["name"] == comm.read().rstrip("\n")
    assert owner["fds_open"] == len(os.listdir(f"/proc/{made.pid}/fd"))
    assert owner["fds_limit"] == resource.prlimit(made.pid, resource.RLIMIT_NOFILE)[0]
    assert owner["user"] == pwd.getpwuid(os.stat(f"/proc/{made.pid}").st_uid).pw_name
    with open(f"/proc/{made.pid}/cgroup") as cgroup:
        if ".service" not in cgroup.read():
            assert owner["unit"] is None
    assert owner["container"] is None


def test_leak_counts_against_the_descriptor_limit(world, report):
    (finding,) = report.findings_about(world["leak"])
    assert finding["owner"]["fds_open"] > 300


def test_the_helper_is_blamed_not_the_parent(world, report):
    """A helper program inherited the descriptors, and the server closed its own. Only the helper holds them."""
    made = world["inherited_exec"]
    (finding,) = report.findings_about(made)
    assert (finding["owner"]["pid"], finding["owner"]["name"]) == (made.pid, "sleep")
    assert report.findings_of(made.parent_pid) == []
