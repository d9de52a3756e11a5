"""A device that accepts jobs on a port and then stops: device.py ADDRESS PORT keeps|takes-back|closes-half.

`keeps` reads nothing, so its window closes as usual. `takes-back` reads the first byte and then has no memory left:
it reduces its receive buffer below the window that the sender knows. `closes-half` does the same after closing its
side.
"""

import socket
import sys

address, port, how = sys.argv[1], int(sys.argv[2]), sys.argv[3]
listener = socket.create_server((address, port), backlog=128)
if how == "keeps":
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
print("listens", flush=True)
jobs = []
while True:
    job, _ = listener.accept()
    jobs.append(job)
    if how != "keeps":
        job.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        job.recv(1)
    if how == "closes-half":
        job.shutdown(socket.SHUT_WR)
