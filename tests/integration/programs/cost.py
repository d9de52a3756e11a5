"""python3 cost.py SOCKETS TURNS COMMAND… — holds TCP sockets and runs each shell command in turns.

Prints a list: the median CPU time in seconds of each command, including its child processes.
"""

import json
import resource
import socket
import statistics
import subprocess
import sys


def computing_s():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main():
    count, turns, *commands = int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]
    resource.setrlimit(resource.RLIMIT_NOFILE, (count + 100, count + 100))
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    kept = []
    for _ in range(count // 2):
        kept += [socket.create_connection(listener.getsockname()), listener.accept()[0]]
    took = [[] for _ in commands]
    for _ in range(turns):
        for command, seconds in zip(commands, took):
            before = computing_s()
            subprocess.run(["sh", "-c", command], stdout=subprocess.DEVNULL, check=False)
            seconds.append(computing_s() - before)
    print(json.dumps([statistics.median(seconds) for seconds in took]))


main()
