"""A server that accepts in its own way. usage: accepting.py HOW PORT

hangs     listens and does something else
drains    takes one connection every PAUSE_S, and closes it
starves   accepts for as long as it has descriptors, and tries again and again
leaves    starts a `sleep` that inherits the listener, and ends
shares    as `hangs`, with SO_REUSEPORT
forks     as `hangs`, while a child that vfork() has made keeps it in the kernel
serves    accepts everybody and answers line by line
"""
import ctypes
import os
import resource
import select
import signal
import socket
import sys
import time

CLONE_VFORK, PR_SET_PDEATHSIG = 0x4000, 1
PAUSE_S = 0.25
FEW_DESCRIPTORS = 16


def listen(port, shared=False):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(100)
    return listener


def starve(listener):
    resource.setrlimit(resource.RLIMIT_NOFILE, (FEW_DESCRIPTORS, FEW_DESCRIPTORS))
    kept = []
    while True:
        try:
            kept.append(listener.accept()[0])
        except OSError:
            time.sleep(0.1)


def drain(listener):
    while True:
        listener.accept()[0].close()
        time.sleep(PAUSE_S)


def serve(listener):
    conns = {}
    while True:
        for fd in select.select([listener, *conns.values()], [], [])[0]:
            if fd is listener:
                conn = listener.accept()[0]
                conns[conn.fileno()] = conn
            elif not (data := fd.recv(4096)):
                del conns[fd.fileno()]
                fd.close()
            else:
                fd.sendall(data)


def wait_in_the_kernel(listener):
    """The parent of a child of vfork() waits in state D until the child executes a program: this one never does."""
    libc = ctypes.CDLL(None)
    clone = {"x86_64": 56, "aarch64": 220}[os.uname().machine]
    if libc.syscall(clone, CLONE_VFORK | signal.SIGCHLD, 0, 0, 0, 0) == 0:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        listener.close()
        time.sleep(600)


def main(how, port):
    listener = listen(int(port), how == "shares")
    print("listens", flush=True)
    if how == "leaves":
        os.set_inheritable(listener.fileno(), True)
        os.spawnlp(os.P_NOWAIT, "sleep", "sleep", "600")
        return
    if how == "forks":
        wait_in_the_kernel(listener)
    if how in ("starves", "drains", "serves"):
        {"starves": starve, "drains": drain, "serves": serve}[how](listener)
    time.sleep(600)


main(*sys.argv[1:])
