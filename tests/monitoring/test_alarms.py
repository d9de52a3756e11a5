"""A leak begins and ends: Nagios, Icinga 2 and Prometheus see it, with the configuration that tcpwhy ships."""
import json
import subprocess
import time
from contextlib import ExitStack

import pytest

import program
from monitors import (Icinga, Nagios, NodeExporter, Prometheus, TextfileWriter, inside, wait_until)

OK, WARNING, CRITICAL = range(3)
LEAKS = 150
# A leak is critical from 100 connections and a minute on. Other tests may keep the machine busy.
AT_ONCE_S, AFTER_A_MINUTE_S = 60, 180
COUNTED, DIAGNOSED = "counted", "diagnosed"  # services: by a threshold; as the diagnosis judges

pytestmark = pytest.mark.tools("prometheus", "prometheus-node-exporter", "nagios4", "icinga2", "curl")


class Leak:
    """tcpwhy drill close-wait-leak on the loopback interface of the namespace."""

    def __init__(self, netns):
        self.process = subprocess.Popen(
            inside(netns, program.path(), "drill", "close-wait-leak", "--in-host", "--count", LEAKS, "--for", "10m",
                   "--json"),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.said = json.loads(self.process.stdout.readline())

    def end(self):
        self.process.terminate()
        self.process.wait(20)
        self.process.stdout.close()


class Story:
    """What happened, and after how many seconds; the tests below tell it."""

    def __init__(self):
        self.seconds, self.seen = {}, {}

    def note(self, name, since, value=None):
        self.seconds[name] = round(time.monotonic() - since, 1)
        self.seen[name] = value


def watch(netns, folder, stack):
    writer = stack.enter_context(TextfileWriter(folder / "writer", netns))
    exporter = stack.enter_context(NodeExporter(folder / "exporter", netns, writer.textfiles))
    prometheus = stack.enter_context(Prometheus(folder / "prometheus", netns, waits="2s"))
    nagios = stack.enter_context(Nagios(folder / "nagios", netns, {
        COUNTED: "--netns self --state CLOSE_WAIT -w 20 -c 100", DIAGNOSED: "--netns self"}))
    icinga = stack.enter_context(Icinga(folder / "icinga", netns, {
        COUNTED: 'tcpwhy_state = "CLOSE_WAIT", tcpwhy_warning = 20, tcpwhy_critical = 100',
        DIAGNOSED: "tcpwhy_verbose = true"}))
    return writer, exporter, prometheus, nagios, icinga


def services(nagios, icinga):
    """(monitor, what the service is called there, which it is)"""
    return [(nagios, COUNTED, COUNTED), (nagios, DIAGNOSED, DIAGNOSED),
            (icinga, f"tcp-{COUNTED}", COUNTED), (icinga, f"tcp-{DIAGNOSED}", DIAGNOSED)]


def wait_for_states(story, when, state, watched, daemons, since, seconds):
    """The hard state of each of these services, in the order in which they get there."""
    left = list(watched)

    def some_get_there():
        for monitor, name, kind in list(left):
            if monitor.hard_state(name) == state:
                story.note((when, type(monitor).__name__, kind), since, monitor.status()[name])
                left.remove((monitor, name, kind))
        return not left
    wait_until(some_get_there, f"state {state} ({when})", seconds, *daemons)


@pytest.fixture(scope="module")
def story(netns, tmp_path_factory):
    told = Story()
    with ExitStack() as stack:
        daemons = watch(netns, tmp_path_factory.mktemp("monitors"), stack)
        _, exporter, prometheus, nagios, icinga = daemons
        began = time.monotonic()
        watched = services(nagios, icinga)
        wait_for_states(told, "before", OK, watched, daemons, began, AT_ONCE_S)
        wait_until(lambda: prometheus.query("tcpwhy_verdict"), "metrics in Prometheus", AT_ONCE_S, *daemons)
        told.seen["before"] = prometheus.alerts(), prometheus.query("tcpwhy_verdict")

        leak = Leak(netns)
        stack.callback(leak.end)
        began = time.monotonic()
        counted = [row for row in watched if row[2] == COUNTED]
        wait_for_states(told, "during", CRITICAL, counted, daemons, began, AT_ONCE_S)
        wait_for_states(told, "during", CRITICAL, watched[1::2], daemons, began, AFTER_A_MINUTE_S)
        wait_until(lambda: "TcpwhyFindingCritical" in prometheus.alerts(), "the alert", AFTER_A_MINUTE_S, *daemons)
        told.note("alert", began, prometheus.alerts()["TcpwhyFindingCritical"])
        told.seen["scrape"] = exporter.scrape()
        told.seen["connections"] = prometheus.query('tcpwhy_connections{state="CLOSE_WAIT"}')
        told.seen["leak"] = leak.said

        leak.end()
        began = time.monotonic()
        wait_for_states(told, "after", OK, watched, daemons, began, AT_ONCE_S)
        wait_until(lambda: not prometheus.alerts(), "the end of the alert", AT_ONCE_S, *daemons)
        told.note("resolved", began, prometheus.query("tcpwhy_verdict"))
    return told


@pytest.mark.parametrize("kind", [COUNTED, DIAGNOSED])
@pytest.mark.parametrize("monitor", ["Nagios", "Icinga"])
def test_the_plugin_alarms_and_ends_its_alarm(story, record_property, monitor, kind):
    before, during, after = (story.seen[(when, monitor, kind)] for when in ("before", "during", "after"))
    assert before["plugin_output"].startswith("TCPWHY OK")
    assert during["plugin_output"].startswith("TCPWHY CRITICAL")
    assert after["plugin_output"].startswith("TCPWHY OK")
    assert f"{LEAKS}" in during["plugin_output"]
    if kind == DIAGNOSED:
        assert "drill-leak" in during["plugin_output"], "it names who has to act"
        assert story.seconds[("during", monitor, kind)] >= 55, "not before it is a minute old"
        assert "close-wait-leak" in during["plugin_output"] + during["long_plugin_output"]
    for values in (before, during, after):
        assert "=" in values["performance_data"] and "|" not in values["plugin_output"]
    record_property("note", f"{monitor}, {kind}: critical after {story.seconds[('during', monitor, kind)]} s, OK "
                            f"{story.seconds[('after', monitor, kind)]} s after the end")


def test_the_alert_fires_and_resolves(story, record_property):
    alerts, verdict = story.seen["before"]
    assert alerts == {} and [value for _, value in verdict] == [0]
    alert = story.seen["alert"]
    assert alert["labels"]["id"] == "close-wait-leak"
    assert alert["labels"]["owner"].startswith("drill-leak")
    assert alert["annotations"]["runbook"] == "tcpwhy explain close-wait-leak"
    assert "drill-leak" in alert["annotations"]["summary"]
    assert [value for _, value in story.seen["resolved"]] == [0]
    record_property("note", f"Prometheus: fires after {story.seconds['alert']} s, resolved {story.seconds['resolved']} "
                            f"s "
                            "after the end")


def test_node_exporter_takes_the_metrics_as_they_are(story):
    """The same names, types, helps and labels, and no complaint."""
    scrape = story.seen["scrape"]
    assert "\nnode_textfile_scrape_error 0\n" in scrape
    assert "\n# TYPE tcpwhy_retransmitted_segments_total counter\n" in scrape
    assert "\n# HELP tcpwhy_verdict The worst finding" in scrape
    ((labels, value),) = story.seen["connections"]
    assert value == LEAKS and labels["process"].startswith("drill-leak") and labels["job"] == "node"
