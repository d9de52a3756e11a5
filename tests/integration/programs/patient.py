"""Clients of a service on this host. usage: patient.py HOW PORT COUNT [REQUEST]

waits     connects COUNT times, sends REQUEST if there is one, and waits
comes     connects again and again, COUNT at a time; each waits until the server closes
talks     keeps one connection busy, line by line
"""
import socket
import sys
import time


def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=None)


def main(how, port, count, request=""):
    port, count = int(port), int(count)
    conns = [connect(port) for _ in range(count)]
    for conn in conns:
        conn.sendall(request.encode().replace(b"\\r\\n", b"\r\n"))
    print("connected", flush=True)
    while how == "comes":
        conns.pop(0).recv(1)
        conns.append(connect(port))
    while how == "talks":
        conns[0].sendall(b"line\n")
        conns[0].recv(100)
        time.sleep(0.01)
    time.sleep(600)


main(*sys.argv[1:])
