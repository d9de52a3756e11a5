"""Runs the program under test and checks every JSON diagnosis against the schema."""

import json
import os
import subprocess
from pathlib import Path

import jsonschema

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "docs/schema/diagnosis-1.json"
HEALTHY, WARNING, CRITICAL, FAILED = range(4)
STATUS_OF_VERDICT = {"healthy": HEALTHY, "warning": WARNING, "critical": CRITICAL}


def path():
    return os.path.abspath(os.environ.get("TCPWHY") or ROOT / "build/tcpwhy")


def run(*words, netns=None, env=None, before=()):
    """`before` is a command that runs the program, such as setpriv. The output is bytes, because it may contain
    anything."""
    command = [*(("ip", "netns", "exec", netns) if netns else ()), *before, path(), *map(str, words)]
    clean = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR")}
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=60,
                          env={**clean, **(env or {})})
    assert done.returncode >= 0, f"{command} was killed by signal {-done.returncode}\n{done.stderr!r}"
    assert b"Sanitizer" not in done.stderr, done.stderr.decode(errors="replace")
    return done


# Findings about a host, a process or a listener. Their count is not the number of their connections, which are a
# sample.
COUNTED_OTHERWISE = {
    "accept-queue-overflow", "syn-recv-flood", "time-wait-churn", "time-wait-overflow", "port-exhaustion",
    "descriptor-exhaustion", "orphan-limit", "tcp-memory-pressure",
}


class Diagnosis(dict):
    """The JSON of `tcpwhy --json` and the exit status."""

    status: int

    def findings_of(self, *pids):
        """Findings whose owner is one of these processes."""
        return [f for f in self["findings"] if f["owner"] and f["owner"]["pid"] in pids]

    def findings_about(self, fault):
        """Findings about the fault's service, which listens here or which this host connects to."""
        return [f for f in self["findings"] if f["netns"] == fault.netns and any(
            end and end["port"] == fault.port for end in (f["local"], f["remote"]))]

    def gap(self, gap_id):
        return next((g for g in self["gaps"] if g["id"] == gap_id), None)


def validate(document):
    assert SCHEMA.exists(), f"{SCHEMA} is missing"
    schema = json.loads(SCHEMA.read_text())
    jsonschema.validate(document, schema, cls=jsonschema.validators.validator_for(schema))


def diagnose(*words, sampled=False, **how):
    """Runs `tcpwhy --json --all` and checks what must always hold. `sampled` omits --all, for large hosts."""
    done = run("--json", *(() if sampled else ("--all",)), *words, **how)
    assert done.returncode != FAILED, done.stderr.decode(errors="replace")
    diagnosis = Diagnosis(json.loads(done.stdout))
    diagnosis.status = done.returncode
    validate(diagnosis)
    assert diagnosis.status == STATUS_OF_VERDICT[diagnosis["verdict"]]
    worst = max((["info", "warning", "critical"].index(f["severity"]) for f in diagnosis["findings"]), default=0)
    assert diagnosis.status == worst, "the verdict is that of the worst finding"
    for finding in diagnosis["findings"]:
        if sampled or finding["id"] in COUNTED_OTHERWISE:
            continue
        assert finding["count"] == len(finding["connections"])
        assert sum(p["count"] for p in finding["peers"]) <= finding["count"]
    return diagnosis
