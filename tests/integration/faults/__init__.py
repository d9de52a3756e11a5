"""Makers of real TCP faults and of look-alikes.

A maker is a generator function. It starts processes (stage.py), yields a dict when the fault exists, and holds the
fault until it is stopped. If it yields again, it has another step. Each maker runs in its own process, `python3 -m
faults NAME [argument=value …] [-- ignored words]`. The process prints each dict as a line of JSON. A line on stdin
starts the next step; the end of stdin stops the maker.

No process outlives its maker: each asks the kernel to kill it when its parent dies.
"""

from faults import close_wait, idle, last_ack, lookalikes

MAKERS = {
    name: maker
    for module in (close_wait, idle, last_ack, lookalikes)
    for name, maker in vars(module).items()
    if getattr(maker, "is_maker", False)
}
