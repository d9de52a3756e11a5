"""python3 pool.py URL-HOST PORT COUNT — a client's pool of HTTP connections that are used once and then kept.

Prints "pooled" when the pool is full. As in most connection pools, nobody reads from the connections afterwards.
"""

import http.client
import sys
import time

host, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
pool = []
for _ in range(count):
    conn = http.client.HTTPConnection(host, port)
    conn.request("GET", "/")
    conn.getresponse().read()
    pool.append(conn)
print("pooled", flush=True)
time.sleep(3600)
