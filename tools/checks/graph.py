"""Which module of src/ includes which. A module is a .c file and the header of the same name."""
import re

from .tree import ROOT

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def modules():
    """{name without suffix, from src/: its paths}"""
    found = {}
    source = ROOT / "src"
    for path in sorted([*source.glob("**/*.c"), *source.glob("**/*.h")]):
        name = str(path.relative_to(source)).rsplit(".", 1)[0].removesuffix(".bpf")
        found.setdefault(name, []).append(path)
    return found


def arrows(known):
    """Pairs (module, another that it includes)."""
    found = set()
    for name, paths in known.items():
        for path in paths:
            for target in INCLUDE.findall(path.read_text(errors="replace")):
                target = target.removesuffix(".h")
                if target != name and target in known:
                    found.add((name, target))
    return found


def circles(pairs):
    """The sets of modules that include each other, directly or through others (Tarjan's algorithm)."""
    after = {}
    for a, b in pairs:
        after.setdefault(a, []).append(b)
        after.setdefault(b, [])
    number, low, stack, found = {}, {}, [], []
    for start in sorted(after):
        if start in number:
            continue
        number[start] = low[start] = len(number)
        stack.append(start)
        work = [(start, iter(after[start]))]
        while work:
            here, rest = work[-1]
            there = next(rest, None)
            if there is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[here])
                if low[here] == number[here]:
                    circle = set()
                    while here not in circle:
                        circle.add(stack.pop())
                    if len(circle) > 1:
                        found.append(circle)
            elif there not in number:
                number[there] = low[there] = len(number)
                stack.append(there)
                work.append((there, iter(after[there])))
            elif there in stack:
                low[here] = min(low[here], number[there])
    return found
