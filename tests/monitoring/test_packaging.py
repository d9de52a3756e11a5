"""What is installed beside the program: valid for those who read it, and about metrics and options that exist."""
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import program
from monitors import PACKAGING, Icinga, Nagios

ROOT = PACKAGING.parent
RULES, RULES_TEST = PACKAGING / "prometheus/tcpwhy.rules.yml", PACKAGING / "prometheus/tcpwhy.rules.test.yml"
DASHBOARD = PACKAGING / "grafana/tcpwhy.json"
METRIC = r"(?<![\w:])tcpwhy_[a-z_]+"
NOT_FROM_COMMAND_LINE = {"help", "version", "color", "no-pager"}  # and what reads something else than this host:
CAPTURES = {"from", "tasks", "source", "state-name"}


def names_that_exist():
    """Every family has its head in the output, whether it has samples or not."""
    text = program.run("metrics", "--format", "prometheus", "--netns", "self").stdout.decode()
    return set(re.findall(r"^# TYPE (\S+)", text, flags=re.M))


def rules_text():
    """The expressions: without names of recorded rules, alerts and annotations."""
    text = RULES.read_text()
    return "\n".join(line for line in text.splitlines() if not re.match(r"\s*(- record|- "
                                                                        r"alert|summary|description|runbook|#)", line))


def expressions_of_dashboard():
    board = json.loads(DASHBOARD.read_text())
    found = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    return found + [variable["query"] for variable in board["templating"]["list"] if variable["type"] == "query"]


# --- Prometheus and Grafana -----------------------------------------------------------------------------------------

def text_of_manual():
    """The section about metrics: the others name variables of Icinga."""
    return (ROOT / "docs/MONITORING.md").read_text().partition("\n## Metrics\n")[2]


@pytest.mark.parametrize("text_of", [rules_text, expressions_of_dashboard, text_of_manual])
def test_every_metric_exists(text_of):
    named = set(re.findall(METRIC, str(text_of())))
    assert len(named) >= 10
    assert named - names_that_exist() == set()


def test_every_metric_is_documented():
    assert names_that_exist() - set(re.findall(METRIC, text_of_manual())) == set()


@pytest.mark.tools("promtool")
def test_rules_are_valid_and_do_what_they_should():
    for words in (["check", "rules", RULES], ["test", "rules", RULES_TEST]):
        done = subprocess.run(["promtool", *words], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.tools("promtool")
@pytest.mark.parametrize("found, put", [
    (r"> 1 / 60", "> 1 / 2"), (r"offset 10m\)", "offset 10m) or vector(1)"), (r"4 \* 3600", "4 * 36"), (r"> 0\.3\n",
            "> 0\n"),
    (r"> 0\.95", "> 0.99"), (r"> 0\.8\n", "> 0.7\n"), (r"(overflows_total\[5m\]\)) > 0\n", r"\1 >= 0\n"), (r"for: 15m",
            "for: 1m"),
    (r"explain port-exhaustion", "explain ports"), (r"0\.25 \*", "0.2 *"), (r"> 600", "> 6000"),
])
def test_the_tests_of_the_rules_notice(tmp_path, found, put):
    """A rule that was changed fails its tests."""
    changed, count = re.subn(found, put, RULES.read_text())
    assert count > 0
    (tmp_path / RULES.name).write_text(changed)
    (tmp_path / RULES_TEST.name).write_text(RULES_TEST.read_text())
    done = subprocess.run(["promtool", "test", "rules", tmp_path / RULES_TEST.name], capture_output=True, text=True)
    assert done.returncode != 0


def test_every_alert_has_its_tests_and_names_its_page():
    text, tests = RULES.read_text(), RULES_TEST.read_text()
    alerts = re.findall(r"- alert: (\w+)\n(.*?)(?=\n      - |\n      #|\Z)", text, flags=re.S)
    assert len(alerts) >= 10
    for name, body in alerts:
        shown = tests.count(f"alertname: {name}\n        exp_alerts:")
        quiet = tests.count(f"alertname: {name}\n") - shown
        assert shown >= 1 and (quiet >= 1 or name in QUIET_BESIDE), name
        (page,) = re.findall(r"runbook: '(.*)'", body)
        if name == "TcpwhyMetricsStale":  # about tcpwhy itself
            assert program.run(*page.split()[1:]).returncode == 0
        elif "$labels.id" not in page:
            assert re.fullmatch(r"tcpwhy explain [a-z0-9-]+", page)
            assert program.run(*page.split()[1:]).returncode == 0, page


# In their tests the look-alike stands beside what fires, at the same time.
QUIET_BESIDE = {"TcpwhyOrphansNearLimit", "TcpwhyMemoryPressure", "TcpwhyTimeWaitOverflow"}


def test_the_dashboard_is_whole():
    board = json.loads(DASHBOARD.read_text())
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids)) >= 10 and board["uid"] == "tcpwhy" and "__inputs" not in board
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24 and panel["title"] and panel["targets"]
        assert panel["datasource"]["uid"] == "${datasource}"
        refs = [target["refId"] for target in panel["targets"]]
        assert len(refs) == len(set(refs))


@pytest.mark.tools("promtool")
def test_the_expressions_of_the_dashboard_are_valid(tmp_path):
    """As recording rules, so that promtool parses them."""
    rules = [{"record": f"panel:{number}", "expr": expr.replace("$instance", ".*")}
             for number, expr in enumerate(expressions_of_dashboard()) if not expr.startswith("label_values")]
    path = tmp_path / "panels.yml"
    path.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    done = subprocess.run(["promtool", "check", "rules", path], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


# --- Nagios and Icinga ----------------------------------------------------------------------------------------------

TEMPLATES = """define service {
  name generic-service
  register 0
  check_period always
  contacts nobody
  notification_period always
  notification_interval 0
}
define hostgroup {
  hostgroup_name ignored
}
"""


@pytest.mark.tools("nagios4")
def test_nagios_reads_the_commands_and_services(tmp_path):
    nagios = Nagios(tmp_path / "nagios", None, {"TCP": "--netns self"})
    (nagios.folder / "templates.cfg").write_text(TEMPLATES)
    objects = nagios.folder / "objects.cfg"
    objects.write_text(objects.read_text().replace("host_name here\n  address", "host_name here\n  hostgroups tcpwhy\n"
                                                                                "  address"))
    nagios.write_main("templates.cfg", "objects.cfg", PACKAGING / "nagios/tcpwhy-services.cfg")
    done = subprocess.run(["nagios4", "-v", nagios.folder / "nagios.cfg"], capture_output=True, text=True)
    assert done.returncode == 0 and "Total Errors:   0" in done.stdout, done.stdout
    assert re.search(r"Checked 3 services", done.stdout), done.stdout


def check_options():
    text = program.run("check", "--help").stdout.decode()
    return set(re.findall(r"^\s+(?:-\w, )?--([a-z0-9-]+)", text, flags=re.M))


def test_nagios_commands_use_options_that_exist():
    text = (PACKAGING / "nagios/tcpwhy-commands.cfg").read_text()
    lines = re.findall(r"command_line.*check_tcpwhy (.*)", text)
    assert len(lines) >= 5
    for line in lines:
        assert set(re.findall(r"--([a-z-]+)", line)) <= check_options()


@pytest.mark.tools("icinga2")
def test_icinga_reads_the_command_and_services(tmp_path):
    icinga = Icinga(tmp_path / "icinga", None, {"LAST_ACK": "tcpwhy_state = \"LAST_ACK\", tcpwhy_warning = 100"})
    conf = icinga.folder / "icinga2.conf"
    conf.write_text(conf.read_text().replace('check_command = "dummy"',
                                             'check_command = "dummy"\n  vars.tcpwhy = true'))
    done = subprocess.run([*map(str, icinga.command()), "-C"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "Instantiated 3 Services" in done.stdout and "warning/" not in done.stdout, done.stdout


def test_the_check_command_has_every_option():
    text = (PACKAGING / "icinga2/tcpwhy-command.conf").read_text()
    offered = set(re.findall(r'^    "--([a-z0-9-]+)" = \{', text, flags=re.M))
    assert check_options() - offered - CAPTURES - NOT_FROM_COMMAND_LINE == set()
    assert offered <= check_options()


# --- systemd --------------------------------------------------------------------------------------------------------

@pytest.fixture(name="units")
def installed_units(tmp_path):
    """As `make install` would put them, with the program that is tested."""
    service = (PACKAGING / "systemd/tcpwhy-metrics.service.in").read_text()
    program_path = tmp_path / "tcpwhy"
    program_path.symlink_to(program.path())
    (tmp_path / "tcpwhy-metrics.service").write_text(service.replace("@bindir@", str(tmp_path)))
    (tmp_path / "tcpwhy-metrics.timer").write_text((PACKAGING / "systemd/tcpwhy-metrics.timer").read_text())
    return tmp_path


@pytest.mark.tools("systemd-analyze")
def test_systemd_reads_the_units(units):
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", units / "tcpwhy-metrics.service",
                           units / "tcpwhy-metrics.timer"], capture_output=True, text=True)
    ours = [line for line in done.stderr.splitlines() if "tcpwhy" in line]
    assert done.returncode == 0 and ours == []


@pytest.mark.tools("systemd-analyze")
def test_the_service_is_hardened(units):
    done = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--threshold=30",
                           units / "tcpwhy-metrics.service"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-300:]  # an exposure of 3.0 of 10 at most


@pytest.mark.tools("systemd-analyze", "strace")
def test_the_service_may_call_what_it_needs(tmp_path):
    """Each system call of a run is in the filter of the unit."""
    done = subprocess.run(["strace", "-fqq", "-o", tmp_path / "calls", program.path(), "metrics", "--textfile",
                           tmp_path],
                          capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"needs strace: {done.stderr.strip()}")
    called = set(re.findall(r"^\d+ +(\w+)\(", (tmp_path / "calls").read_text(), flags=re.M))
    assert {"openat", "fsync"} <= called and called & {"linkat", "rename"}  # a file without a name, or one with another
    unit = (PACKAGING / "systemd/tcpwhy-metrics.service.in").read_text()
    allowed = set()
    for rule in re.findall(r"^SystemCallFilter=(.*)$", unit, flags=re.M):
        calls = set().union(*(calls_of(word) for word in rule.lstrip("~").split()))
        allowed = allowed - calls if rule.startswith("~") else allowed | calls
    assert called - allowed - STARTED_WITH == set()


STARTED_WITH = {"execve"}  # systemd itself allows what starts the program


def calls_of(word):
    if not word.startswith("@"):
        return {word}
    listed = subprocess.run(["systemd-analyze", "syscall-filter", word], capture_output=True, text=True,
                            check=True).stdout
    found = set()
    for line in listed.splitlines()[1:]:
        name = line.strip()
        if name and not name.startswith("#"):
            found |= calls_of(name)
    return found


# --- make install ---------------------------------------------------------------------------------------------------

def test_everything_is_installed(tmp_path):
    build = Path(os.environ.get("TCPWHY_BUILD") or Path(program.path()).parent)
    if not (build / "build.ninja").exists():
        pytest.skip("needs the build folder")
    subprocess.run(["meson", "install", "-C", build, "--no-rebuild", "--quiet"], check=True, capture_output=True,
                   env={**os.environ, "DESTDIR": str(tmp_path)})
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if not path.is_dir()}
    ends = ["bin/tcpwhy", "lib/nagios/plugins/check_tcpwhy", "share/tcpwhy/prometheus/tcpwhy.rules.yml",
            "share/tcpwhy/grafana/tcpwhy.json", "share/tcpwhy/nagios/tcpwhy-commands.cfg",
            "share/tcpwhy/nagios/tcpwhy-services.cfg", "share/tcpwhy/nagios/tcpwhy.sudoers",
            "share/tcpwhy/nagios/tcpwhy-nrpe.cfg", "share/tcpwhy/icinga2/tcpwhy-command.conf",
            "share/tcpwhy/icinga2/tcpwhy-services.conf", "lib/systemd/system/tcpwhy-metrics.service",
            "lib/systemd/system/tcpwhy-metrics.timer"]
    for end in ends:
        assert any(path.endswith(end) for path in found), end
    (plugin,) = (path for path in found if path.endswith("plugins/check_tcpwhy"))
    said = subprocess.run([tmp_path / plugin, "-V"], capture_output=True, text=True)
    assert said.stdout.startswith("check_tcpwhy ")
    (service,) = (path for path in found if path.endswith("tcpwhy-metrics.service"))
    assert "@" not in (tmp_path / service).read_text().replace("@system-service", "").replace("@privileged",
            "").replace(
        "@resources", "")


def test_sudo_allows_what_nrpe_runs(tmp_path):
    sudoers, nrpe = ((PACKAGING / "nagios" / name).read_text().replace("@plugins@", "/usr/lib/nagios/plugins")
                     for name in ("tcpwhy.sudoers.in", "tcpwhy-nrpe.cfg.in"))
    allowed = re.findall(r"^nagios ALL=\(root\) NOPASSWD: (.*)$", sudoers, flags=re.M)
    run = re.findall(r"^command\[\w+\]=sudo -n (.*)$", nrpe, flags=re.M)
    assert allowed == run and len(run) == 3
    assert all("--timeout" in command for command in allowed), "without arguments sudo would allow any"
    if shutil.which("visudo") is None:
        pytest.skip("visudo is not installed")
    (tmp_path / "tcpwhy").write_text(sudoers)
    (tmp_path / "tcpwhy").chmod(0o440)
    subprocess.run(["visudo", "-c", "-f", tmp_path / "tcpwhy"], check=True, capture_output=True, timeout=20)
