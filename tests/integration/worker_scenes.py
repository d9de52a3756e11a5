"""Servers of many processes whose workers hang, and servers that cannot act: on one host, each on a port of its own.

A scene starts its server and its clients, and returns who is to be named. Clients are on the same host: they connect,
and wait.
"""

import glob
import os
import signal
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from software import PROGRAMS, children, wait_listening
from sockets import on_port, wait_for
from world import cgroup2_mount

PHP_FPM_PROGRAM = next(iter(sorted(glob.glob("/usr/sbin/php-fpm*"))), "php-fpm")  # its version is in its name
PATIENT, WORKERS, DESCRIPTORS = 20, 4, 128
STALE_S = 3600

PHP_FPM = """
[global]
error_log = {folder}/fpm.log
daemonize = no
[www]
listen = 127.0.0.1:{port}
user = nobody
group = nogroup
pm = static
pm.max_children = {workers}
"""
# As with sessions in files: one request has the lock and takes long, the others wait for it.
HANG_PHP = "<?php $lock = fopen('{folder}/lock', 'c'); flock($lock, LOCK_EX); sleep(600);\n"
NGINX_BEFORE_PHP = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{front};
        fastcgi_read_timeout 600s;
        location / {{
            fastcgi_pass 127.0.0.1:{port};
            fastcgi_param SCRIPT_FILENAME {folder}/hang.php;
            fastcgi_param REQUEST_METHOD GET;
        }}
    }}
}}
"""
APACHE = """
ServerRoot {folder}
ServerName localhost
LoadModule mpm_prefork_module /usr/lib/apache2/modules/mod_mpm_prefork.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule alias_module /usr/lib/apache2/modules/mod_alias.so
LoadModule cgi_module /usr/lib/apache2/modules/mod_cgi.so
PidFile {folder}/apache.pid
DefaultRuntimeDir {folder}
Mutex posixsem
ErrorLog {folder}/apache.log
User nobody
Group nogroup
Listen 127.0.0.1:{port}
Timeout 600
StartServers {workers}
MinSpareServers 1
MaxSpareServers {workers}
ServerLimit {workers}
MaxRequestWorkers {workers}
ScriptAlias /hang {folder}/hang.cgi
"""
GET = "GET {} HTTP/1.0\\r\\n\\r\\n"


@dataclass
class Set:
    """What a scene has set up: who should accept, who only supervises them, whatever else its test asks for."""
    port: int
    servers: list
    master: int | None = None
    more: dict = field(default_factory=dict)


def clients(software, netns, port, count=PATIENT, request="", how="waits"):
    process = software.start(netns, sys.executable, PROGRAMS / "patient.py", how, port, count, request,
                             stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"connected\n"
    return process


def wait_held(netns, port, count):
    """Until the workers have taken so many connections: what comes now waits in the queue."""
    wait_for(lambda: len([s for s in on_port(port, "ESTABLISHED", netns, "e") if "ino:" in s.extra and
                          "ino:0 " not in s.extra + " "]) == count, f"{count} connections are accepted", 30)


def php_fpm_behind_nginx(software, netns, port):
    folder = software.new_folder("php")
    folder.chmod(0o777)
    (folder / "fpm.conf").write_text(PHP_FPM.format(folder=folder, port=port, workers=WORKERS))
    (folder / "hang.php").write_text(HANG_PHP.format(folder=folder))
    (folder / "nginx.conf").write_text(NGINX_BEFORE_PHP.format(folder=folder, port=port, front=port + 1))
    master = software.start(netns, PHP_FPM_PROGRAM, "-F", "-R", "-n", "-y", folder / "fpm.conf").pid
    wait_listening(netns, port)
    wait_for(lambda: len(children(master)) == WORKERS, "its workers run")
    software.start(netns, "nginx", "-p", folder, "-c", folder / "nginx.conf")
    wait_listening(netns, port + 1)
    clients(software, netns, port + 1, WORKERS, GET.format("/"))
    wait_held(netns, port, WORKERS)
    clients(software, netns, port + 1, PATIENT, GET.format("/"))
    return Set(port, children(master), master)


def apache_prefork(software, netns, port, hangs=True):
    folder = software.new_folder("apache")
    folder.chmod(0o755)
    (folder / "apache.conf").write_text(APACHE.format(folder=folder, port=port, workers=WORKERS))
    (folder / "hang.cgi").write_text("#!/bin/sh\nexec sleep 600\n")
    (folder / "hang.cgi").chmod(0o755)
    master = software.start(netns, "apache2", "-DFOREGROUND", "-f", folder / "apache.conf").pid
    wait_listening(netns, port)
    wait_for(lambda: len(children(master)) == WORKERS, "its workers run")
    if hangs:
        clients(software, netns, port, WORKERS, GET.format("/hang"))
        wait_held(netns, port, WORKERS)
        clients(software, netns, port, PATIENT, GET.format("/"))
    return Set(port, children(master), master)


def apache_at_work(software, netns, port):
    """The look-alike of hung workers: clients that come again and again, and are served."""
    scene = apache_prefork(software, netns, port, hangs=False)
    clients(software, netns, port, WORKERS - 1, GET.format("/"), how="comes")
    return scene


def nginx_reuseport(software, netns, port):
    """A listener for each worker, open in all workers; one worker is stopped, and its share of the clients waits."""
    nginx = software.nginx(netns, port, listen="reuseport", workers=WORKERS)
    wait_for(lambda: len(children(nginx.pid)) == WORKERS, "its workers run")
    stopped = children(nginx.pid)[2]
    os.kill(stopped, signal.SIGSTOP)
    clients(software, netns, port, WORKERS * PATIENT)
    return Set(port, [stopped], nginx.pid)


def nginx_without_descriptors(software, netns, port):
    nginx = software.nginx(netns, port, keepalive_timeout=600, client_header_timeout=600,
                           main="user root;",  # whose soft limits root may raise without CAP_SYS_RESOURCE
                           before=["prlimit", f"--nofile={DESCRIPTORS}:{8 * DESCRIPTORS}"])
    clients(software, netns, port, DESCRIPTORS + PATIENT)
    return Set(port, children(nginx.pid), nginx.pid)


def redis_stopped(software, netns, port):
    pid = software.redis(netns, port).pid
    os.kill(pid, signal.SIGSTOP)
    clients(software, netns, port)
    return Set(port, [pid])


def redis_idle(software, netns, port):
    """The look-alike: as many clients, as patient and as silent, of a server that has accepted them."""
    pid = software.redis(netns, port).pid
    clients(software, netns, port)
    return Set(port, [pid])


def redis_frozen(software, netns, port):
    pid = software.redis(netns, port).pid
    cgroup = new_cgroup()
    (cgroup / "cgroup.procs").write_text(str(pid))
    (cgroup / "cgroup.freeze").write_text("1")
    wait_for(lambda: "frozen 1" in (cgroup / "cgroup.events").read_text(), "it is frozen")
    clients(software, netns, port)
    return Set(port, [pid], more={"cgroup": cgroup})


def redis_traced(software, netns, port):
    pid = software.redis(netns, port).pid
    gdb = software.start(netns, "gdb", "-q", "-nx", "-p", pid, stdin=subprocess.PIPE)
    wait_for(lambda: " t " in Path(f"/proc/{pid}/stat").read_text(), "gdb holds it", 30)
    clients(software, netns, port)
    return Set(port, [pid], more={"gdb": gdb.pid})


def python_in_the_kernel(software, netns, port):
    """Its child has been made by vfork() and does not come to execute a program: the parent waits in state D."""
    process = software.start(netns, sys.executable, PROGRAMS / "accepting.py", "forks", port)
    wait_listening(netns, port)
    wait_for(lambda: " D " in Path(f"/proc/{process.pid}/stat").read_text(), "it waits in the kernel")
    clients(software, netns, port)
    return Set(port, [process.pid])


# --- control groups --------------------------------------------------------------------------------------------------

PREFIX = "tcpwhy-workers-"


def new_cgroup():
    top = cgroup2_mount()
    for stale in top.glob(PREFIX + "*"):
        if time.time() - stale.stat().st_mtime > STALE_S:
            stale.rmdir()
    cgroup = top / (PREFIX + uuid.uuid4().hex)
    cgroup.mkdir()
    return cgroup


def remove_cgroup(cgroup):
    """Its processes have been killed: with cgroup v2 a frozen one ends all the same."""
    wait_for(lambda: "populated 0" in (cgroup / "cgroup.events").read_text(), "the cgroup is empty")
    cgroup.rmdir()
