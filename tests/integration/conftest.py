import os

import pytest

import program
from world import World


def pytest_configure(config):
    config.addinivalue_line("markers", "finding(id, role): for the table at the end; role is 'fires' or 'quiet'")
    config.addinivalue_line("markers", "needs(name…): parts of the world that need privileges")
    config.addinivalue_line("markers", "last: has to wait for something that began at the start")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)
    for item in items:
        item.user_properties += [("finding", marker.args) for marker in item.iter_markers("finding")]


def pytest_sessionstart():
    if not os.access(program.path(), os.X_OK):
        pytest.exit(f"{program.path()} is missing: build it first, or name it in TCPWHY", returncode=1)


@pytest.fixture(scope="session")
def _world():
    world = World()
    try:
        yield world.build()
    finally:
        world.remove()


@pytest.fixture(scope="session")
def _report(_world):
    return program.diagnose()


@pytest.fixture
def world(_world, request):
    """The faults by name. Parametrised with `name`, a test is skipped where that one could not be made."""
    name = request.node.callspec.params.get("name") if hasattr(request.node, "callspec") else None
    for needed in [name, *(arg for marker in request.node.iter_markers("needs") for arg in marker.args)]:
        if needed and _world.why_missing(needed):
            pytest.skip(_world.why_missing(needed))
    return _world


@pytest.fixture
def report(_report):
    """The diagnosis of the whole host while all faults are there."""
    return _report


def pytest_terminal_summary(terminalreporter):
    table, notes = {}, []
    for outcome in ("passed", "failed", "skipped"):
        for result in terminalreporter.stats.get(outcome, []):
            for key, value in getattr(result, "user_properties", []):
                if key == "note":
                    notes.append(value)
                elif key == "finding":
                    finding, role = value
                    counts = table.setdefault(finding, {}).setdefault(role, {"passed": 0, "failed": 0, "skipped": 0})
                    counts[outcome] += 1
    if not table:
        return
    terminalreporter.section("findings")
    words = {"fires": "fired", "quiet": "look-alike quiet"}
    for finding, roles in sorted(table.items()):
        cells = []
        for role, word in words.items():
            counts = roles.get(role, {})
            bad = ", ".join(f"{counts[o]} {o.upper()}" for o in ("failed", "skipped") if counts.get(o))
            cells.append(f"{word}: {counts.get('passed', 0)} ok" + (f", {bad}" if bad else "") if counts else f"{word}: none")
        terminalreporter.write_line(f"{finding:<28} {cells[0]:<32} {cells[1]}")
    for note in notes:
        terminalreporter.write_line(note)
