"""The packaging and the metrics, with the real Prometheus, node_exporter, Nagios and Icinga 2."""
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

import privileges  # noqa: E402
import program  # noqa: E402
from netns import Namespaces  # noqa: E402

os.environ["PATH"] = "/usr/bin:/bin:/usr/sbin:/sbin:" + os.environ["PATH"]


def pytest_configure(config):
    config.addinivalue_line("markers", "tools(name…): programs without which the test is skipped")


def pytest_sessionstart():
    if not os.access(program.path(), os.X_OK):
        pytest.exit(f"{program.path()} is missing: build it first, or name it in TCPWHY", returncode=1)


@pytest.fixture(autouse=True)
def _tools(request):
    for marker in request.node.iter_markers("tools"):
        for name in marker.args:
            if reason := privileges.without_tool(name):
                pytest.skip(reason)


@pytest.fixture(scope="session")
def netns():
    """A network namespace with nothing but a loopback interface: what happens on the host does not matter there."""
    if reason := privileges.without_netns():
        pytest.skip(reason)
    namespaces = Namespaces()
    try:
        yield namespaces.add()
    finally:
        namespaces.remove_all()


def pytest_terminal_summary(terminalreporter):
    """What a test has noted, under its heading."""
    for report in terminalreporter.stats.get("passed", []):
        for key, value in report.user_properties:
            if key == "note" and report.when == "call":
                terminalreporter.write_line(value)
