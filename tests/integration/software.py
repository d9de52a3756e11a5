"""Real servers and clients. Each runs in a network namespace of the test.

They run in the foreground with their own configuration and data in a temporary folder, and are stopped by pid. The
services of the system are not used.
"""

import glob
import json
import os
import pwd
import resource
import select
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import privileges
from faults.stage import die_with_parent
from sockets import sockets, wait_for

PROGRAMS = Path(__file__).resolve().parent / "programs"
PORT = 8080
REQUEST = "GET / HTTP/1.1\r\nHost: service\r\n\r\n"
DESCRIPTORS = 8192

NGINX = """
daemon off;
worker_processes {workers};
{main}
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 1000;
    {settings}
    server {{
        listen 0.0.0.0:{port} {listen};
        root {folder};
        location = / {{ return 200 "hello\\n"; }}
    }}
}}
"""

HAPROXY = """
defaults
    mode http
    timeout connect {connect_s}s
    timeout client 120s
    timeout server 120s
    retries 0
frontend all
    bind 0.0.0.0:{port}
    default_backend nginx
backend nginx
    server one {address}:{backend_port}
"""


def why_missing(*tools):
    """The reason why this software cannot run here, or None."""
    reasons = [privileges.without_netns(), *map(privileges.without_tool, tools)]
    if "postgres" in tools:
        reasons = [r for r in reasons if r != "needs postgres"] + [None if _postgres_folder() else "needs postgres"]
    return next((reason for reason in reasons if reason), None)


def _postgres_folder():
    """Debian does not put the programs of the server on the PATH."""
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    found = folders[-1] if folders else os.path.dirname(shutil.which("postgres") or "")
    return found if found and os.path.exists(f"{found}/initdb") else None


def go_program(software, name):
    """Builds tests/integration/programs/NAME.go with Go's standard library only; nothing is downloaded."""
    built = software.folder / name
    env = {**os.environ, "CGO_ENABLED": "0", "GO111MODULE": "off", "GOFLAGS": "",
           "GOCACHE": str(Path(tempfile.gettempdir()) / "tcpwhy-tests-go-cache")}
    subprocess.run(["go", "build", "-o", str(built), str(PROGRAMS / f"{name}.go")], check=True, env=env)
    return built


class Software:
    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="tcpwhy-software-"))
        self.folder.chmod(0o755)  # servers that change their user must be able to read it
        self._running = []
        self._log = open(self.folder / "stderr", "ab")

    def start(self, netns, *command, descriptors=DESCRIPTORS, **how):
        """Returns the process of the program itself: `ip netns exec` replaces itself by it."""
        def prepare():
            die_with_parent()
            resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))  # Node raises the soft limit

        how = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": self._log, **how}
        process = subprocess.Popen(["ip", "netns", "exec", netns, *map(str, command)], preexec_fn=prepare, **how)
        self._running.append(process)
        return process

    def stop_all(self):
        """Ends PostgreSQL with SIGQUIT: it stops at once, but releases its shared memory. All others are killed."""
        for process in self._running:
            if process.poll() is None and getattr(process, "is_postgres", False):
                process.send_signal(3)
        for process in self._running:
            if getattr(process, "is_postgres", False):
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    pass
            process.kill()
        for process in self._running:  # a tracer has to be gone before what it traces is
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def new_folder(self, name):
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))

    # --- servers: each listens when its function returns

    def nginx(self, netns, port=PORT, listen="", workers=1, main="", before=(), **settings):
        """`main`: settings outside of http. `before`: a command that starts it, such as prlimit. settings:
        keepalive_timeout="5", … Its root contains `big`, 64 MB."""
        folder = self.new_folder("nginx")
        folder.chmod(0o755)
        with open(folder / "big", "wb") as big:
            big.truncate(64 << 20)
        words = "".join(f"{name} {value}; " for name, value in settings.items())
        (folder / "nginx.conf").write_text(NGINX.format(
            folder=folder, port=port, listen=listen, workers=workers, main=main, settings=words))
        process = self.start(netns, *before, shutil.which("nginx"), "-p", folder, "-c", folder / "nginx.conf")
        wait_listening(netns, port)
        wait_for(lambda: children(process.pid), "nginx's worker runs")
        return process

    def haproxy(self, netns, address, backend_port=PORT, port=PORT + 1, connect_s=5):
        configuration = self.new_folder("haproxy") / "haproxy.cfg"
        configuration.write_text(HAPROXY.format(
            address=address, backend_port=backend_port, port=port, connect_s=connect_s))
        process = self.start(netns, shutil.which("haproxy"), "-db", "-f", configuration)
        wait_listening(netns, port)
        return process

    def redis(self, netns, port=6379):
        process = self.start(netns, "redis-server", "--bind", "0.0.0.0", "--port", port, "--protected-mode", "no",
                             "--save", "", "--appendonly", "no", "--dir", self.new_folder("redis"))
        wait_listening(netns, port)
        return process

    def postgres(self, netns, max_connections=600, port=5432):
        folder = self.new_folder("postgres")
        as_user = as_user_who_is_not_root(folder)
        programs = _postgres_folder()
        data, socket_folder = folder / "data", folder
        subprocess.run([*as_user, f"{programs}/initdb", "-D", data, "-A", "trust", "-U", "tester", "--no-sync",
                        "--no-locale", "-E", "UTF8"], check=True, cwd=folder, stdout=subprocess.DEVNULL)
        with open(data / "pg_hba.conf", "a") as who_may:
            who_may.write("host all all 10.177.0.0/24 trust\n")
        process = self.start(netns, *as_user, f"{programs}/postgres", "-D", data, "-p", port, "-k", socket_folder,
                             "-c", "listen_addresses=0.0.0.0", "-c", f"max_connections={max_connections}",
                             "-c", "fsync=off", "-c", "shared_buffers=16MB", cwd=folder)
        process.is_postgres = True
        wait_listening(netns, port)
        return process

    def node_server(self, netns, mode, port=PORT, **how):
        process = self.start(netns, "node", PROGRAMS / "server.js", mode, port, **how)
        wait_listening(netns, port)
        return process

    def hung_java(self, netns, backlog, port=PORT):
        process = self.start(netns, "java", "-Xint", PROGRAMS / "Hangs.java", port, backlog)
        wait_listening(netns, port, 30)
        return process

    # --- clients

    def node_client(self, netns, mode, address, port, count):
        return self.start(netns, "node", PROGRAMS / "client.js", mode, address, port, count)

    def wrk(self, netns, address, port=PORT, seconds=120, connections=50, headers=(), threads=1):
        words = [word for header in headers for word in ("-H", header)]
        return self.start(netns, "wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s",
                          *words, f"http://{address}:{port}/")

    def pool(self, netns, address, port, count):
        process = self.start(netns, sys.executable, PROGRAMS / "pool.py", address, port, count,
                             stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"pooled\n"
        return process

    def crowd(self, netns):
        process = self.start(netns, sys.executable, PROGRAMS / "crowd.py", stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, bufsize=0)
        return Crowd(process)

    def startup_of_postgres(self):
        """The first message of PostgreSQL's protocol, version 3.0. Each character is a byte."""
        words = b"user\0tester\0database\0postgres\0\0"
        return ((len(words) + 8).to_bytes(4, "big") + b"\0\3\0\0" + words).decode("latin-1")

    def query_of_postgres(self, query):
        """A simple query in PostgreSQL's protocol."""
        return f"Q{(len(query) + 5).to_bytes(4, 'big').decode('latin-1')}{query}\0"

    def postgres_program(self, name):
        return f"{_postgres_folder()}/{name}"


class Crowd:
    """Connections that are controlled by commands: see programs/crowd.py."""

    def __init__(self, process):
        self._process = process
        self.pid = process.pid

    def do(self, what, seconds=60, **arguments):
        self._process.stdin.write(json.dumps([what, arguments]).encode() + b"\n")
        line = b""
        while not line.endswith(b"\n"):
            readable, _, _ = select.select([self._process.stdout], [], [], seconds)
            more = os.read(self._process.stdout.fileno(), 65536) if readable else b""
            if not more:
                raise RuntimeError(f"crowd.py: {what} " + ("failed" if readable else f"took over {seconds} s"))
            line += more
        return json.loads(line)


def as_user_who_is_not_root(folder):
    """PostgreSQL does not run as root. Returns a command that changes the user. The folder is given to that user."""
    if os.geteuid() != 0:
        return []
    names = {entry.pw_name for entry in pwd.getpwall()}
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--pdeathsig=KILL"]


def wait_listening(netns, port, seconds=20):
    wait_for(lambda: any(s.state == "LISTEN" and s.local[1] == port for s in sockets(netns)),
             f"something listens on port {port} in {netns}", seconds)


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as listed:
        return [int(word) for word in listed.read().split()]
