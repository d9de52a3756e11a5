"""Prometheus, node_exporter, Nagios 4 and Icinga 2, each in a folder and a network namespace of the tests, stopped by
pid."""
import json
import re
import subprocess
import time
from pathlib import Path

import program

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"
NODE_EXPORTER_PORT, PROMETHEUS_PORT = 19100, 19090


def inside(netns, *words):
    return ["nsenter", f"--net=/run/netns/{netns}", *map(str, words)]


class Daemon:
    """A process in the namespace; what it prints is in folder/output."""

    def __init__(self, folder, netns):
        self.folder, self.netns, self.process = Path(folder), netns, None
        self.folder.mkdir(parents=True)
        plugins = self.folder / "plugins"
        plugins.mkdir()
        (plugins / "check_tcpwhy").symlink_to(program.path())

    def start(self, *command):
        with open(self.folder / "output", "wb") as output:
            self.process = subprocess.Popen(inside(self.netns, *command), stdin=subprocess.DEVNULL, stdout=output,
                                            stderr=subprocess.STDOUT, cwd=self.folder)
        return self

    def __enter__(self):
        return self.launch()

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def said(self):
        return (self.folder / "output").read_text(errors="replace")[-3000:]


class TextfileWriter(Daemon):
    """`tcpwhy metrics --textfile` again and again, as the timer calls it."""

    def __init__(self, folder, netns):
        super().__init__(folder, netns)
        self.textfiles = self.folder / "textfiles"
        self.textfiles.mkdir()

    def launch(self):
        loop = f"while sleep 1; do '{program.path()}' metrics --netns self --textfile '{self.textfiles}' || exit; done"
        return self.start("sh", "-c", loop)


class NodeExporter(Daemon):
    def __init__(self, folder, netns, textfiles):
        super().__init__(folder, netns)
        self.textfiles = textfiles

    def launch(self):
        return self.start("prometheus-node-exporter", "--collector.disable-defaults", "--collector.textfile",
                          f"--collector.textfile.directory={self.textfiles}",
                          f"--web.listen-address=127.0.0.1:{NODE_EXPORTER_PORT}")

    def scrape(self):
        return fetch(self.netns, NODE_EXPORTER_PORT, "/metrics")


class Prometheus(Daemon):
    """With the rules as they are, but for how long an alert waits: `waits` is put for each `for:`."""

    def __init__(self, folder, netns, waits):
        super().__init__(folder, netns)
        rules = (PACKAGING / "prometheus/tcpwhy.rules.yml").read_text()
        rules, count = re.subn(r"^( +for:) .*$", rf"\1 {waits}", rules, flags=re.M)
        assert count > 5
        (self.folder / "tcpwhy.rules.yml").write_text(rules)
        (self.folder / "prometheus.yml").write_text(
            "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
            "rule_files: [tcpwhy.rules.yml]\n"
            "scrape_configs:\n"
            f"  - {{job_name: node, static_configs: [{{targets: ['127.0.0.1:{NODE_EXPORTER_PORT}']}}]}}\n")

    def launch(self):
        return self.start("prometheus", f"--config.file={self.folder}/prometheus.yml",
                          f"--storage.tsdb.path={self.folder}/data",
                                  f"--web.listen-address=127.0.0.1:{PROMETHEUS_PORT}")

    def query(self, expression):
        answer = json.loads(fetch(self.netns, PROMETHEUS_PORT, "/api/v1/query", query=expression) or "{}")
        return [(row["metric"], float(row["value"][1])) for row in answer.get("data", {}).get("result", [])]

    def alerts(self):
        """The firing ones by name."""
        answer = json.loads(fetch(self.netns, PROMETHEUS_PORT, "/api/v1/alerts") or "{}")
        return {alert["labels"]["alertname"]: alert for alert in answer.get("data", {}).get("alerts", [])
                if alert["state"] == "firing"}


def fetch(netns, port, path, **query):
    words = [word for key, value in query.items() for word in ("--data-urlencode", f"{key}={value}")]
    done = subprocess.run(inside(netns, "curl", "-sfG", "--max-time", 5, *words, f"http://127.0.0.1:{port}{path}"),
                          capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else ""


# --- Nagios and Icinga ----------------------------------------------------------------------------------------------

def read_status(path):
    """{service: {key: value}} of a status.dat: both write it alike."""
    try:
        text = Path(path).read_text(errors="replace")
    except FileNotFoundError:
        return {}
    services = {}
    for block in re.findall(r"^servicestatus \{\n(.*?)\n\t?\}", text, flags=re.M | re.S):
        values = dict(line.strip().split("=", 1) for line in block.splitlines() if "=" in line)
        if values.get("has_been_checked") == "1":
            services[values["service_description"]] = values
    return services


class Monitor(Daemon):
    """`services`: {name: options of the plugin}. They are checked every two seconds."""

    def __init__(self, folder, netns, services):
        super().__init__(folder, netns)
        self.configure(services)

    def status(self):
        return read_status(self.folder / "status.dat")

    def hard_state(self, service):
        """The exit status that the monitor goes by once it has tried again; None: it has not."""
        values = self.status().get(service, {})
        return int(values["current_state"]) if values.get("state_type") == "1" else None


class Nagios(Monitor):
    _TIMES = "".join(f"  {day} 00:00-24:00\n" for day in (
        "sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"))

    def configure(self, services):
        for name in ("checks", "rw"):
            (self.folder / name).mkdir()
        (self.folder / "resource.cfg").write_text(f"$USER1$={self.folder}/plugins\n")
        (self.folder / "objects.cfg").write_text(
            "define timeperiod {\n  timeperiod_name always\n  alias always\n" + self._TIMES + "}\n"
            "define command {\n  command_name nobody\n  command_line /bin/true\n}\n"
            "define contact {\n  contact_name nobody\n  host_notification_period always\n"
            "  service_notification_period always\n  host_notification_commands nobody\n"
            "  service_notification_commands nobody\n}\n"
            "define host {\n  host_name here\n  address 127.0.0.1\n  max_check_attempts 1\n  check_period always\n"
            "  active_checks_enabled 0\n  contacts nobody\n  notification_period always\n}\n" +
            "".join(f"define service {{\n  host_name here\n  service_description {name}\n"
                    f"  check_command check_tcpwhy_with!{options}\n  check_interval 2\n  retry_interval 1\n"
                    "  max_check_attempts 2\n  check_period always\n  contacts nobody\n  notification_period always\n"
                    "}\n"
                    for name, options in services.items()))
        self.write_main("objects.cfg")

    def write_main(self, *objects):
        folder = self.folder
        (folder / "nagios.cfg").write_text("\n".join([
            f"log_file={folder}/nagios.log", f"cfg_file={PACKAGING}/nagios/tcpwhy-commands.cfg",
            *(f"cfg_file={folder / name}" for name in objects),
            f"object_cache_file={folder}/objects.cache", f"precached_object_file={folder}/objects.precache",
            f"resource_file={folder}/resource.cfg", f"status_file={folder}/status.dat", "status_update_interval=1",
            "nagios_user=root", "nagios_group=root", "check_external_commands=0",
            f"command_file={folder}/rw/nagios.cmd", f"query_socket={folder}/rw/nagios.qh",
            f"lock_file={folder}/nagios.pid", f"temp_file={folder}/nagios.tmp", f"temp_path={folder}",
            f"check_result_path={folder}/checks", f"state_retention_file={folder}/retention.dat",
            "retain_state_information=0", "interval_length=1", "max_service_check_spread=1", "use_syslog=0",
            "check_for_updates=0", "enable_notifications=0", "service_check_timeout=60"]) + "\n")

    def launch(self):
        return self.start("nagios4", self.folder / "nagios.cfg")


class Icinga(Monitor):
    def configure(self, services):
        thresholds = "".join(
            f'  vars.tcpwhy_thresholds["{name}"] = {{ {options}, tcpwhy_netns = "self" }}\n'
            for name, options in services.items())
        for name in ("run", "log", "cache", "data", "spool"):
            (self.folder / name).mkdir()
        # The services are those that are installed; only how often they run is another.
        text = (PACKAGING / "icinga2/tcpwhy-services.conf").read_text()
        text = text.replace("check_interval = 1m", "check_interval = 2s").replace("retry_interval = 30s",
                "retry_interval = 1s")
        assert "2s" in text and "= 1s" in text
        (self.folder / "services.conf").write_text(text)
        (self.folder / "icinga2.conf").write_text(
            "include <itl>\n"
            f'const PluginDir = "{self.folder}/plugins"\nconst NodeName = "here"\n'
            'object CheckerComponent "checker" { }\n'
            f'object StatusDataWriter "status" {{ status_path = "{self.folder}/status.dat"\n'
            f'  objects_path = "{self.folder}/objects.cache"\n  update_interval = 1s }}\n'
            f'include "{PACKAGING}/icinga2/tcpwhy-command.conf"\n'
            f'include "{self.folder}/services.conf"\n'
            'object Host "here" {\n  check_command = "dummy"\n  enable_active_checks = false\n' + thresholds + "}\n")

    def command(self):
        folders = {"DataDir": "data", "LogDir": "log", "CacheDir": "cache", "SpoolDir": "spool", "InitRunDir": "run"}
        words = [f"Configuration.{name}={self.folder}/{path}" for name, path in folders.items()]
        words += ["Configuration.RunAsUser=root", "Configuration.RunAsGroup=root",
                  f"Configuration.PidPath={self.folder}/run/icinga2.pid"]
        return ["icinga2", "daemon", "-c", self.folder / "icinga2.conf", *(w for word in words for w in ("-D", word))]

    def launch(self):
        return self.start(*self.command())


# --- waiting --------------------------------------------------------------------------------------------------------

def wait_until(condition, what, seconds, *daemons):
    """Polls twice a second. Fails with what the daemons printed."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        for daemon in daemons:
            assert daemon.process.poll() is None, f"{type(daemon).__name__} has ended: {daemon.said()}"
        result = condition()
        if result:
            return result
        time.sleep(0.5)
    raise AssertionError("\n".join([f"waited {seconds} s in vain for {what}", *(d.said() for d in daemons)]))
