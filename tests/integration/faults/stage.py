"""Processes that play a part in a fault, controlled step by step.

A part is a generator. It runs in its own process, forked from the maker. What it yields is reported to the maker,
and it continues when the maker says so. While it waits, its sockets do not change.
"""

import ctypes
import json
import os
import select
import signal
import sys
import time
import traceback

libc = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15
CLONE_NEWNET = 0x40000000


def die_with_parent():
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def set_name(name):
    """Sets what /proc/PID/comm shows: 15 bytes, any but NUL."""
    libc.prctl(PR_SET_NAME, os.fsencode(name), 0, 0, 0)


def enter_netns(name):
    fd = os.open(f"/run/netns/{name}", os.O_RDONLY | os.O_CLOEXEC)
    if libc.setns(fd, CLONE_NEWNET) < 0:
        raise OSError(ctypes.get_errno(), "setns", name)
    os.close(fd)


def unshare_netns():
    if libc.unshare(CLONE_NEWNET) < 0:
        raise OSError(ctypes.get_errno(), "unshare")


def is_maker(function):
    function.is_maker = True
    return function


class Role:
    def __init__(self, pid, commands, reports):
        self.pid = pid
        self.said = None
        self._commands = commands
        self._reports = reports

    def listen(self):
        line = self._reports.readline()
        if not line:
            raise RuntimeError(f"process {self.pid} ended before it said anything")
        self.said = json.loads(line)
        return self.said

    def go(self):
        """Starts the next step without waiting for a report, for parts that block on purpose."""
        self._commands.write(b"\n")

    def step(self):
        self.go()
        return self.listen()

    def wait_until(self, states, seconds=5.0):
        """Waits until the process is in one of these states of /proc/PID/stat."""
        give_up = time.monotonic() + seconds
        while time.monotonic() < give_up:
            with open(f"/proc/{self.pid}/stat", "rb") as stat:
                if stat.read().rpartition(b")")[2].split()[0].decode() in states:
                    return
            time.sleep(0.01)
        raise RuntimeError(f"process {self.pid} did not come into state {states}")

    def stop(self):
        os.kill(self.pid, signal.SIGSTOP)
        self.wait_until("T")


class Stage:
    def __init__(self):
        self.roles = []

    def start(self, name, part, netns=None):
        """Starts the generator `part` as a process with that name, in a named network namespace or in the maker's."""
        command_read, command_write = os.pipe()
        report_read, report_write = os.pipe()
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            os.close(command_write)
            os.close(report_read)
            _play(name, part, netns, command_read, report_write)
        os.close(command_read)
        os.close(report_write)
        role = Role(pid, os.fdopen(command_write, "wb", 0), os.fdopen(report_read, "rb"))
        self.roles.append(role)
        role.listen()
        return role

    def start_pair(self, service_name, service_part, peer_name, peer_part, service_netns=None, peer_netns=None):
        """Starts a service and its peer. The part of the peer gets the port that the service reports."""
        service = self.start(service_name, service_part, service_netns)
        port = service.said["port"]
        return service, self.start(peer_name, peer_part(port), peer_netns), port

    def pids(self):
        return [role.pid for role in self.roles]

    def clear(self):
        for role in self.roles:
            os.kill(role.pid, signal.SIGKILL)  # not waited for, so the pid is still valid
        for role in self.roles:
            os.waitpid(role.pid, 0)
        self.roles = []


def _play(name, part, netns, commands, reports):
    """Runs a part in its process. Never returns."""
    status = 1
    try:
        die_with_parent()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)  # the maker's stdout is only for reports
        set_name(name)
        if netns:
            enter_netns(netns)
        events = select.poll()  # waits as an event loop does
        events.register(commands)
        for said in part:
            os.write(reports, json.dumps(said or {}).encode() + b"\n")
            events.poll()
            if not os.read(commands, 1):
                break
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)
