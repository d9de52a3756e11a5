"""Makers of real TCP faults, and of what only looks like one.

A maker is a generator function: it starts processes in their roles (stage.py), yields a dict once the fault
is there, and holds it until it is told to stop; a maker that yields again has a next step. Makers run in a
process of their own, `python3 -m faults NAME [argument=value …] [-- ignored words]`, that prints each dict as a line of
JSON, takes a line on stdin as "next step" and the end of stdin as "stop".

Nothing outlives a maker: its processes ask the kernel to be killed when their parent dies.
"""

from faults import close_wait, idle, last_ack, lookalikes

MAKERS = {
    name: maker
    for module in (close_wait, idle, last_ack, lookalikes)
    for name, maker in vars(module).items()
    if getattr(maker, "is_maker", False)
}
