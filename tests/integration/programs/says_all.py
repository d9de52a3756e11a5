"""A server that sends all its data at once and keeps the connection. usage: says_all.py PORT BYTES

It answers the first words of each client with BYTES and a FIN: shutdown(SHUT_WR), as Java's shutdownOutput() and
Go's CloseWrite() do. If the words are "at the end", it waits until the client has closed its side. Then it neither
reads nor closes, as a server whose thread waits for something else.
"""
import select
import socket
import sys

port, size = map(int, sys.argv[1:])
listener = socket.create_server(("0.0.0.0", port), backlog=128)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * size)
asking, answered = [], []
while True:
    for conn in select.select([listener, *asking], [], [])[0]:
        if conn is listener:
            asking.append(listener.accept()[0])
        elif conn.recv(65536) != b"at the end":
            asking.remove(conn)
            answered.append(conn)
            conn.sendall(b"x" * size)
            conn.shutdown(socket.SHUT_WR)
