"""python3 pool.py URL-HOST PORT COUNT — a client's pool of HTTP connections that are used once and then kept.

Prints "pooled" when the pool is full. As in most connection pools, nobody reads from the connections afterwards.
"""

import http.client
import sys
import time

host, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
pool = []
pause = float(sys.argv[4]) if len(sys.argv) > 4 else None


def ask():
    conn = http.client.HTTPConnection(host, port)
    conn.request("GET", "/")
    conn.getresponse().read()
    pool.append(conn)


for _ in range(count):
    ask()
print("pooled", flush=True)
while pause is not None:
    time.sleep(pause)
    ask()
time.sleep(3600)
