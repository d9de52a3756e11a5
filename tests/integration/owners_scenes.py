"""Programs that run once for each job, so that each process holds one stuck connection.

Each scene uses a pair of namespaces. The stuck connections are on the `service` side.
"""

import os
import shutil
import sys
from pathlib import Path

from netns import Pair, ip
from software import PROGRAMS, wait_listening
from sockets import sockets, wait_for

BACKEND = "/usr/lib/cups/backend/socket"
SESSIONS, JOBS, PRINTERS, TOOLS = 12, 20, 12, 12
PORT = 9100

VSFTPD = """
listen=YES
background=NO
listen_port=21
anonymous_enable=YES
anon_root={folder}/pub
secure_chroot_dir={folder}/empty
nopriv_user=nobody
pasv_min_port=20000
pasv_max_port=20999
xferlog_enable=NO
seccomp_sandbox=NO
"""


def deaf(software, netns, port=PORT, addresses=("0.0.0.0",)):
    """A program that accepts connections and reads nothing."""
    process = software.start(netns, sys.executable, PROGRAMS / "deaf.py", port, *addresses)
    wait_listening(netns, port)
    return process


def wait_stuck(netns, state, count, port=None):
    wait_for(lambda: sum(s.state == state and port in (None, s.local[1], s.remote[1]) for s in sockets(netns)) >= count,
             f"{count} connections in {state}", 30)


def big_file(software):
    path = software.folder / "job"
    with open(path, "wb") as big:
        big.truncate(8 << 20)
    return path


def vsftpd_sessions(software, pair):
    """The clients stop in the middle of a download and close. Each session blocks in a write and has two processes."""
    folder = software.folder / "vsftpd"
    for name in ("pub", "empty"):
        (folder / name).mkdir(parents=True)
    with open(folder / "pub" / "big", "wb") as big:
        big.truncate(64 << 20)
    (folder / "vsftpd.conf").write_text(VSFTPD.format(folder=folder))
    software.start(pair.service, "vsftpd", folder / "vsftpd.conf")
    wait_listening(pair.service, 21)
    software.start(pair.peer, sys.executable, PROGRAMS / "ftp_stops.py", Pair.service_address, SESSIONS)
    wait_stuck(pair.service, "CLOSE_WAIT", SESSIONS, 21)


def cups_backends(software, pair):
    """Printers that read nothing. Each job has a backend process, named after the printer, with the job in its
    arguments."""
    addresses = [f"10.177.0.{n}" for n in range(100, 100 + PRINTERS)]
    for address in addresses:
        ip("-n", pair.peer, "address", "add", f"{address}/24", "dev", pair.peer_link)
    deaf(software, pair.peer)
    job = big_file(software)
    for number, address in enumerate(addresses):
        software.start(pair.service, BACKEND, 17 + number, "user", f"report {number}", 1, "", job,
                       env={**os.environ, "DEVICE_URI": f"socket://{address}:{PORT}"})
    wait_stuck(pair.service, "ESTABLISHED", PRINTERS, PORT)


def cron_jobs(software, pair):
    """Uploads to a server that reads nothing. Each has a shell of its own and another command line."""
    deaf(software, pair.peer, 8080)
    job = big_file(software)
    jobs = "".join(f'sh -c "curl -s -H Expect: -T {job} http://{Pair.peer_address}:8080/{n} >/dev/null; true" &\n'
                   for n in range(JOBS))
    software.start(pair.service, "sh", "-c", jobs + "wait")
    wait_stuck(pair.service, "ESTABLISHED", JOBS, 8080)


def pipes_to_nc(software, pair):
    """A shell pipes into nc and keeps the pipe open after the server has closed. nc waits for its input."""
    nginx = software.nginx(pair.peer, keepalive_timeout="1s")
    ask = ("(printf 'GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n'; exec sleep 1000) | "
               f"nc {Pair.peer_address} 8080 >/dev/null")
    software.start(pair.service, "sh", "-c", "".join(f'sh -c "{ask}" &\n' for _ in range(JOBS)) + "wait")
    wait_stuck(pair.service, "CLOSE_WAIT", JOBS, 8080)
    return nginx


def unrelated_tools(software, pair):
    """Unrelated programs with one stuck connection each, to different services."""
    job = big_file(software)
    for number in range(TOOLS):
        deaf(software, pair.peer, 7000 + number)
        tool = Path(shutil.copy(Path(shutil.which("nc")).resolve(), software.folder / f"agent-{number}"))
        with open(job, "rb") as data:
            software.start(pair.service, tool, Pair.peer_address, 7000 + number, stdin=data)
        wait_stuck(pair.service, "ESTABLISHED", 1, 7000 + number)
