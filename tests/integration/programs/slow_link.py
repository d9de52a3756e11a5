"""python3 slow_link.py ONE OTHER DELAY_S — forwards every frame between two links, with a delay.

Prints "carries" when it is ready.
"""

import collections
import os
import select
import socket
import sys
import time

ALL_PROTOCOLS = 3  # ETH_P_ALL
OUTGOING = 4  # PACKET_OUTGOING: frames that this program sent
SOL_PACKET, VNET_HEADER = 263, 15  # each frame with what hardware still has to do: checksums, segmentation


def opened(link):
    packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_PROTOCOLS))
    packets.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 20)
    packets.setsockopt(SOL_PACKET, VNET_HEADER, 1)
    packets.bind((link, 0))
    packets.setblocking(False)
    return packets


def take_all(source, target, delay_s, on_the_way):
    while True:
        try:
            frame, (_, _, kind, *_) = source.recvfrom(1 << 17)
        except BlockingIOError:
            return
        if kind != OUTGOING:
            on_the_way.append((time.monotonic() + delay_s, target, frame))


def be_on_time():
    """A cable does not wait for other programs, so this one gets a real-time priority."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except OSError:
        pass


def main():
    be_on_time()
    one, other = map(opened, sys.argv[1:3])
    delay_s = float(sys.argv[3])
    on_the_way = collections.deque()
    print("carries", flush=True)
    while True:
        wait_s = max(0, on_the_way[0][0] - time.monotonic()) if on_the_way else None
        readable, _, _ = select.select([one, other], [], [], wait_s)
        for source in readable:
            take_all(source, other if source is one else one, delay_s, on_the_way)
        while on_the_way and on_the_way[0][0] <= time.monotonic():
            _, target, frame = on_the_way.popleft()
            target.send(frame)


main()
