"""What child processes inherit, and limits of processes."""

import os
import resource
import socket
import subprocess
import sys

from claims import claim
from claims import stage


def _child_that_waits():
    """Forks a child that inherits all descriptors. It ends when something is written to the second value."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(writing)
        os.read(reading, 1)
        os._exit(0)
    os.close(reading)

    def end():
        os.close(writing)
        os.waitpid(pid, 0)
    return end


@claim("close-wait-inherited", "The kernel sends the FIN only when the **last** copy of the descriptor is closed",
       ["nothing", "end of stream"])
def the_last_copy_sends_the_fin():
    stage.new_netns()
    conn, peer = stage.pair()
    end_child = _child_that_waits()
    conn.close()
    peer.settimeout(0.5)
    try:
        first = "end of stream" if peer.recv(1) == b"" else "data"
    except TimeoutError:
        first = "nothing"
    end_child()
    peer.settimeout(stage.PATIENCE_S)
    return [first, "end of stream" if peer.recv(1) == b"" else "data"]


@claim("close-wait-inherited", "Calling `shutdown()` works across copies: it ends the connection for all holders.",
       "end of stream")
def shutdown_works_across_copies():
    stage.new_netns()
    conn, peer = stage.pair()
    end_child = _child_that_waits()
    conn.shutdown(socket.SHUT_WR)
    ended = peer.recv(1) == b""
    end_child()
    return "end of stream" if ended else "data"


def _sockets_of_a_child(**options):
    """The number of sockets of this process that a program started by it has open."""
    stage.new_netns()
    conn, _peer = stage.pair()
    prepare = options.pop("prepare", None)
    if prepare:
        prepare(conn)
    inode = os.fstat(conn.fileno()).st_ino
    code = ("import os\nfound = 0\nfor fd in os.listdir('/proc/self/fd'):\n try: found += os.stat('/proc/self/fd/' + "
            f"fd).st_ino == {inode}\n except OSError: pass\nprint(found)")
    if options.get("pass_fds") == "conn":
        options["pass_fds"] = [conn.fileno()]
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, **options)
    return int(done.stdout)


@claim("close-wait-inherited", "Python (since 3.4) closes sockets across exec, whatever `close_fds` says", 0)
def python_closes_sockets_across_exec():
    return _sockets_of_a_child(close_fds=False)


@claim("close-wait-inherited", "except with `pass_fds` and `set_inheritable(True)`", 1)
def python_passes_descriptors():
    return _sockets_of_a_child(pass_fds="conn")


@claim("close-wait-inherited", "and `set_inheritable(True)`", 1)
def python_inheritable_sockets():
    return _sockets_of_a_child(close_fds=False, prepare=lambda conn: conn.set_inheritable(True))


def _limits_after(argument):
    process = subprocess.Popen(["sleep", "60"], preexec_fn=lambda: resource.setrlimit(
        resource.RLIMIT_NOFILE, (256, min(512, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))))
    try:
        subprocess.run(["prlimit", "--pid", str(process.pid), f"--nofile={argument}"], check=True)
        return list(resource.prlimit(process.pid, resource.RLIMIT_NOFILE))
    finally:
        process.kill()
        process.wait()


@claim("descriptor-exhaustion", "raises the soft limit of the running process, as far as its hard limit", [400, 512])
def prlimit_with_a_colon():
    return _limits_after("400:")


@claim("descriptor-exhaustion", "`--nofile=N` alone sets both, and lowers a hard limit that was higher", [400, 400])
def prlimit_without_a_colon():
    return _limits_after("400")
