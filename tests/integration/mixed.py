"""python3 mixed.py — loopback sockets in every state that can last, and their descriptors in every place.

Run it in its own network namespace, because it drops packets there. It prints "ready" when all sockets exist, and
ends with its stdin.
"""

import ctypes
import os
import socket
import subprocess
import sys
import threading
import time

FAMILIES = [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
kept = []


def listener(family, address, backlog=50):
    made = socket.socket(family)
    made.bind((address, 0))
    made.listen(backlog)
    kept.append(made)
    return made


def connect(made, **options):
    client = socket.socket(made.family)
    for option, value in options.items():
        client.setsockopt(socket.SOL_SOCKET, getattr(socket, option), value)
    client.connect(made.getsockname()[:2])
    kept.append(client)
    return client


def pair(made, **options):
    client = connect(made, **options)
    server = made.accept()[0]
    kept.append(server)
    return client, server


def fill(sender):
    sender.setblocking(False)
    try:
        while True:
            sender.send(b"y" * 65536)
    except BlockingIOError:
        pass


def lose(rule):
    subprocess.run(["nft", "-f", "-"], check=True, text=True, input=f"add table inet lost\n"
                   f"add chain inet lost input {{ type filter hook input priority 0; }}\nadd rule inet lost input "
                   f"{rule} drop")


def answered(family, address):
    made = listener(family, address)
    pair(made)  # idle
    client, server = pair(made)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    client, server = pair(made)
    server.send(b"x" * 1000)  # unread
    client.send(b"z" * 10)
    server.recv(10)
    client, server = pair(made)
    client.shutdown(socket.SHUT_WR)  # FIN_WAIT_2 with a descriptor; CLOSE_WAIT whose end of stream was not read
    client, server = pair(made)
    client.send(b"last words")
    client.shutdown(socket.SHUT_WR)
    server.recv(100)
    server.recv(1)  # CLOSE_WAIT whose data and end of stream were read
    client, server = pair(made)
    client.close()  # FIN_WAIT_2 as a mini-socket
    client, server = pair(made)
    client.close()
    server.close()  # TIME_WAIT
    idle = listener(family, address)
    connect(idle)  # waits in the accept queue
    connect(idle).close()  # also waits there, and its peer has closed
    client, server = pair(made, SO_RCVBUF=4096)
    fill(server)  # zero window
    client, server = pair(made, SO_RCVBUF=4096)
    fill(server)
    server.close()  # FIN_WAIT_1 with a zero window
    client, server = pair(made, SO_RCVBUF=4096)
    fill(server)
    client.shutdown(socket.SHUT_WR)
    time.sleep(0.05)
    server.close()  # LAST_ACK with a zero window
    for backlog in (0, 7):
        connect(listener(family, address, backlog))
    bound = socket.socket(family)
    bound.bind((address, 0))
    kept.append(bound)
    kept.append(socket.socket(family))  # neither bound nor connected


def mapped():
    made = socket.socket(socket.AF_INET6)
    made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    made.bind(("::", 0))
    made.listen(5)
    client = socket.create_connection(("127.0.0.1", made.getsockname()[1]))
    kept.extend([made, client, made.accept()[0]])


def unanswered(family, address):
    made = listener(family, address)
    port = made.getsockname()[1]
    writing, _ = pair(made)
    finishing, _ = pair(made)
    closing, closes_too = pair(made)
    last, last_server = pair(made)
    last_server.shutdown(socket.SHUT_WR)
    time.sleep(0.05)
    deaf = listener(family, address)  # its SYN-ACKs are dropped
    lose(f"tcp dport {port}")
    lose(f"tcp sport {deaf.getsockname()[1]}")
    writing.send(b"never arrives")
    finishing.close()  # FIN_WAIT_1 as an orphan
    closing.shutdown(socket.SHUT_WR)
    closes_too.shutdown(socket.SHUT_WR)  # its FIN arrives: CLOSING
    last.close()  # LAST_ACK as an orphan
    for silent in (made, deaf):
        calling = socket.socket(family)
        calling.setblocking(False)
        calling.connect_ex(silent.getsockname()[:2])
        kept.append(calling)


def held_in_many_places():
    made = listener(*FAMILIES[0])
    client, server = pair(made)
    kept.append(client.dup())
    first = os.fork()
    if first == 0:  # inherits all descriptors made so far
        sys.stdin.read()
        os._exit(0)
    own, other = pair(made)
    if os.fork() == 0:  # the only holder of `own`; its first thread has ended
        keep_alone(own)
    own.close()
    kept.remove(own)


def keep_alone(own):
    for fd in range(3, 1000):
        if fd != own.fileno():
            try:
                os.close(fd)
            except OSError:
                pass
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0))).start()
    threading.Thread(target=lambda: time.sleep(3600), daemon=True).start()
    ctypes.CDLL(None).pthread_exit(None)


def main():
    for family, address in FAMILIES:
        answered(family, address)
    mapped()
    for family, address in FAMILIES:
        unanswered(family, address)
    held_in_many_places()
    time.sleep(1.5)  # some retransmissions
    print("ready", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
