"""The results, as Markdown."""

import os
import platform
import subprocess
from dataclasses import dataclass

from commands import BARE, BARE_BPF, BY_BPF, PLAIN_RIVAL, RIVAL, TCPWHY
from loads import BYSTANDERS, rounds_for


@dataclass
class Size:
    total: int
    processes: int
    counts: dict
    costs: dict
    base: dict
    healthy: dict  # of a small host: the cost of two commands if nothing is stuck

    def wall(self, name):
        """None if it was not measured or did not end in time."""
        cost = self.costs.get(name)
        return None if cost is None or cost.over else cost.wall_ms

    def bytes_each(self, name):
        if name not in self.base:
            return None
        return (self.costs[name].rss_kib - self.base[name].rss_kib) * 1024 / self.total


def print_machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")),
                 platform.machine())
    memory = int(open("/proc/meminfo").readline().split()[1]) / 1024 ** 2
    processes = sum(entry.isdigit() for entry in os.listdir("/proc"))
    versions = [subprocess.run(command, capture_output=True, text=True).stdout.split("\n")[0]
                for command in ([TCPWHY, "--version"], ["ss", "-V"])]
    print(f"{os.cpu_count()} × {model}, {memory:.0f} GiB, Linux {platform.release()}, "
          f"{processes} processes beside the load; load average {os.getloadavg()[0]:.1f}; {', '.join(versions)}\n")


def number(value, digits=1):
    return "" if value is None else f"{value:,.{digits}f}"


def wall_text(cost):
    return f"> {cost.wall_ms / 1e3:,.0f} s" if cost.over else number(cost.wall_ms)


def times(mine, others):
    """How often `mine` goes into `others`."""
    return "" if mine is None or others is None else f"{others / mine:.1f}"


def print_size(size):
    print(f"\n### {size.total:,} sockets in {size.processes} processes, {BYSTANDERS} more without; "
          f"median of {rounds_for(size.total)} rounds\n")
    print(", ".join(f"{count:,} {state}" for state, count in sorted(size.counts.items())) + "\n")
    print(f"| command | wall ms | CPU ms | peak MiB | bytes/connection | {RIVAL} ÷ this | this ÷ {PLAIN_RIVAL} | "
          "this ÷ bare |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    for name, cost in size.costs.items():
        bare = BARE_BPF if name == BY_BPF else BARE
        wall = size.wall(name)
        print(f"| `{name}` | {wall_text(cost)} | {number(cost.cpu_ms)} | {number(cost.rss_kib / 1024)} | "
              f"{number(size.bytes_each(name), 0)} | {times(wall, size.wall(RIVAL))} | "
              f"{times(size.wall(PLAIN_RIVAL), wall)} | {times(size.wall(bare), wall)} |")
    for name, cost in size.healthy.items():
        print(f"\nWith nothing stuck: `{name}` {wall_text(cost)} ms, CPU {number(cost.cpu_ms)} ms.")
    rows = size.wall("tcpwhy list --json"), size.wall("tcpwhy list --limit 1")
    if None not in rows:
        print(f"\nJSON of `list`: {(rows[0] - rows[1]) * 1e6 / size.total:,.0f} ns a connection beyond `list --limit "
              f"1`.")


def print_captures(captures):
    for what, size, cost in captures:
        print(f"\n`tcpwhy count --from` {what}: {size / 1e6:.1f} MB in {cost.wall_ms:,.1f} ms, "
              f"{size / 1e3 / cost.wall_ms:,.0f} MB/s, the whole command.")


def print_growth(sizes):
    """Microseconds for each socket. A cost that depends only on the number of sockets is the same in all columns."""
    if len(sizes) < 2:
        return
    print("\n### Microseconds a socket\n")
    print("| command | " + " | ".join(f"{size.total:,}" for size in sizes) + " |")
    print("|---|" + "--:|" * len(sizes))
    for name in sizes[0].costs:
        cells = [number(None if size.wall(name) is None else size.wall(name) * 1e3 / size.total, 2) or "over"
                 for size in sizes]
        print(f"| `{name}` | " + " | ".join(cells) + " |")
