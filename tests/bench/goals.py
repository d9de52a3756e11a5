"""Goals for the results. A goal whose numbers are missing is not judged, and the output says so."""

from commands import BARE, BARE_BPF, BY_BPF, PLAIN_RIVAL, PORTABLE, RIVAL, WHOLE

SMALL, LARGE = 2_000, 200_000
NEAR = 0.05  # a load may have a few sockets more or less than wanted


def of_size(sizes, sockets):
    return next((size for size in sizes if abs(size.total - sockets) <= sockets * NEAR), None)


def ratio(numerator, denominator):
    return None if numerator is None or not denominator else numerator / denominator


def rows(sizes):
    """(what, value, goal, whether more is better)"""
    small, large = of_size(sizes, SMALL), of_size(sizes, LARGE)
    if small:
        healthy = [small.healthy[name].wall_ms if name in small.healthy else None for name in (WHOLE, PLAIN_RIVAL)]
        yield (f"small host, nothing stuck: `{WHOLE}` ÷ `{PLAIN_RIVAL}`", ratio(*healthy), 1.5, False)
        yield (f"small host, with findings: `{WHOLE}` ÷ `{PLAIN_RIVAL}`",
               ratio(small.wall(WHOLE), small.wall(PLAIN_RIVAL)), 1.5, False)
    if large:
        yield (f"{LARGE:,}: `{RIVAL}` ÷ `{PORTABLE}`", ratio(large.wall(RIVAL), large.wall(PORTABLE)), 12, True)
        yield (f"{LARGE:,}: `{PORTABLE}` ÷ {BARE}", ratio(large.wall(PORTABLE), large.wall(BARE)), 1.3, False)
        yield (f"{LARGE:,}: `{RIVAL}` ÷ `{BY_BPF}`", ratio(large.wall(RIVAL), large.wall(BY_BPF)), 30, True)
        yield (f"{LARGE:,}: `{BY_BPF}` ÷ {BARE_BPF}", ratio(large.wall(BY_BPF), large.wall(BARE_BPF)), 1.5, False)
    for size in sizes:
        if size.total >= LARGE * (1 - NEAR):
            yield (f"{size.total:,}: bytes a connection", size.bytes_each(WHOLE), 256, False)
    if large and sizes[-1].total > large.total:
        per_socket = [ratio(size.wall(WHOLE), size.total) for size in (large, sizes[-1])]
        yield (f"growth: time a socket at {sizes[-1].total:,} ÷ at {LARGE:,}", ratio(per_socket[1], per_socket[0]), 1.3,
               False)


def judge(sizes):
    print("\n### Goals\n")
    print("| goal | asked | measured | |")
    print("|---|--:|--:|---|")
    met_all = True
    for what, value, goal, more in rows(sizes):
        met = value is not None and (value >= goal if more else value <= goal)
        met_all &= met or value is None
        verdict = "not measured" if value is None else "met" if met else "MISSED"
        print(f"| {what} | {'≥' if more else '≤'} {goal} | {'' if value is None else f'{value:.2f}'} | {verdict} |")
    return met_all
