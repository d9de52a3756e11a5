"""python3 deaf.py PORT ADDRESS… — listens, accepts and reads nothing, like a printer without paper."""

import select
import socket
import sys

listeners = []
for address in sys.argv[2:]:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    listener.bind((address, int(sys.argv[1])))
    listener.listen(256)
    listeners.append(listener)
kept = []
while True:
    for listener in select.select(listeners, [], [])[0]:
        kept.append(listener.accept())
