"""Claims of the knowledge pages, measured on the running kernel.

A claim is a sentence of a page and a function that measures it. Each is measured in its own process and network
namespaces (run.py), so it can change any setting. Claims that wait are measured side by side (test_claims.py).
"""

CLAIMS = {}


class Claim:
    """`unit` is that of the measured value, which must be between `least` and `most`, or equal to `least`."""

    def __init__(self, measure, page, says, least, most, unit, waits_s, since):
        self.measure, self.page, self.says = measure, page, says
        self.least, self.most, self.unit = least, least if most is None else most, unit
        self.waits_s = waits_s  # approximate; those that wait longest are started first
        self.since = since  # the first kernel version with this behaviour

    def holds(self, value):
        if isinstance(self.least, (int, float)) and not isinstance(self.least, bool):
            return isinstance(value, (int, float)) and self.least <= value <= self.most
        return value == self.least

    def expected(self):
        return f"{self.least}" if self.most == self.least else f"{self.least} to {self.most}"


def claim(page, says, least, most=None, unit="", waits_s=0, since=None):
    def add(measure):
        name = measure.__name__
        assert name not in CLAIMS, f"two claims are called {name}"
        CLAIMS[name] = Claim(measure, page, says, least, most, unit, waits_s, since)
        return measure
    return add
