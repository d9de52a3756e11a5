import os
import signal

import pytest
from _pytest.runner import runtestprotocol

import program
import scoreboard
from world import World


def pytest_configure(config):
    # A shell that starts something in the background has it ignore Ctrl-C, and so would all that the tests start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    config.addinivalue_line("markers", "finding(id, role): for the table at the end; role is one of scoreboard.ROLES")
    config.addinivalue_line("markers", "needs(name…): parts of the world that need privileges")
    config.addinivalue_line("markers", "last: has to wait for something that began at the start")


def pytest_collection_modifyitems(items):
    # Order: first the tests that use `world`, while the TIME_WAIT and FIN_WAIT_2 that its peers leave still exist (60
    # s); then tests with faults of their own; then tests that wait.
    items.sort(key=lambda item: (item.get_closest_marker("last") is not None, "_world" not in item.fixturenames))
    for item in items:
        proves = [marker.args for marker in item.iter_markers("finding")]
        if item.path.name == "test_drill.py":  # a finding that fires in this module fired on its drill
            proves = [(finding, "drill" if role == "fires" else role) for finding, role in proves]
        item.user_properties += [("finding", finding_and_role) for finding_and_role in proves]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    """Runs a test once more, with a new guest, if the guest kernel (guest.py) died during the test."""
    if "guest" not in item.fixturenames:
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports = runtestprotocol(item, nextitem=nextitem, log=False)
    if any(report.failed and "GuestDied" in str(report.longrepr) for report in reports):
        item._initrequest()  # makes the fixtures again
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def pytest_sessionstart():
    if not os.access(program.path(), os.X_OK):
        pytest.exit(f"{program.path()} is missing: build it first, or name it in TCPWHY", returncode=1)


@pytest.fixture(scope="session")
def _world():
    world = World()
    try:
        world.build()
        world.report = program.diagnose()  # at once: the kernel gives some of these connections up after a while
        yield world
    finally:
        world.remove()


@pytest.fixture(scope="session")
def _report(_world):
    return _world.report


@pytest.fixture
def world(_world, request):
    """The faults by name. A test that has the parameter `name` is skipped if that fault could not be made."""
    name = request.node.callspec.params.get("name") if hasattr(request.node, "callspec") else None
    for needed in [name, *(arg for marker in request.node.iter_markers("needs") for arg in marker.args)]:
        if needed and _world.why_missing(needed):
            pytest.skip(_world.why_missing(needed))
    return _world


@pytest.fixture
def report(_report):
    """The diagnosis of the whole host while all faults exist."""
    return _report


def pytest_sessionfinish(session):
    """A worker of pytest-xdist sends the results that its tests recorded."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["board"] = scoreboard.board.packed()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """The controller adds the results of a worker."""
    scoreboard.board.add_packed(getattr(node, "workeroutput", {}).get("board", ([], [])))


def pytest_terminal_summary(terminalreporter):
    notes = []
    for outcome in scoreboard.OUTCOMES:
        for result in terminalreporter.stats.get(outcome, []):
            for key, value in getattr(result, "user_properties", []):
                if key == "note":
                    notes.append(value)
                elif key == "finding":
                    scoreboard.board.add(*value, outcome)
    scoreboard.write(terminalreporter, scoreboard.finding_ids())
    for note in notes:
        terminalreporter.write_line(note)
