#!/usr/bin/python3
"""Compares docs/schema/diagnosis-1.json with the JSON reports.

    schema.py SCHEMA RENDER CASES

The report of every case must be valid, and have no member that the schema does not name. Damaged reports show that
the schema is strict.
"""

import copy
import json
import pathlib
import subprocess
import sys

import jsonschema

# Changes that would break the contract: a path in the report and its new value (…: removed).
DAMAGES = [
    (["schema"], "tcpwhy.diagnosis/2"),
    (["verdict"], "info"),
    (["verdict"], ...),
    (["taken_at"], "yesterday"),
    (["host", "kernel"], ...),
    (["source", "elapsed_ms"], "12.3"),
    (["totals", "by_state", "ESTAB"], 1),
    (["totals", "connections"], -1),
    (["gaps"], ...),
    (["findings", 0, "severity"], "bad"),
    (["findings", 0, "confidence"], "sure"),
    (["findings", 0, "fault"], "peer"),
    (["findings", 0, "owner"], ...),
    (["findings", 0, "owner", "inferred"], ...),
    (["findings", 0, "owner", "pid"], None),
    (["findings", 0, "count"], "1204"),
    (["findings", 0, "local"], "10.0.0.5:9100"),
    (["findings", 0, "local", "port"], 65536),
    (["findings", 0, "remote"], ...),
    (["findings", 0, "peers", 0, "count"], None),
    (["findings", 0, "age_s"], None),
    (["findings", 0, "age_s", "median"], ...),
    (["findings", 0, "evidence"], "one"),
    (["findings", 0, "fix_now", 0, "text"], None),
    (["findings", 0, "will_not_help"], ...),
    (["findings", 0, "connections", 0, "state"], "ESTAB"),
    (["findings", 0, "connections", 0, "recv_q"], ...),
]


def damaged(report, path, value):
    report = copy.deepcopy(report)
    place = report
    for key in path[:-1]:
        place = place[key]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return report


def closed(schema):
    """The same schema without additional members, because the program must document what it writes."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {key: closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and "additionalProperties" not in schema and "type" in schema:
        schema["additionalProperties"] = False
    return schema


def main():
    schema_file, program, *folders = sys.argv[1:]
    schema = json.loads(pathlib.Path(schema_file).read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    as_published = jsonschema.Draft202012Validator(schema)
    as_written = jsonschema.Draft202012Validator(closed(schema))

    number, failed, victim = 0, False, None

    def result(good, name, reasons=()):
        nonlocal number, failed
        number += 1
        failed |= not good
        print(f"{'ok' if good else 'not ok'} {number} - {name}")
        for reason in reasons:
            print(f"# {reason}")

    cases = [path for folder in folders for path in pathlib.Path(folder).iterdir()]
    for fixture in sorted(path for path in cases if path.suffix in (".fixture", ".capture")):
        output = subprocess.run([program, "json", "80", fixture], capture_output=True, check=True).stdout
        report = json.loads(output.decode("utf-8"))
        errors = [f"{error.json_path}: {error.message}" for error in as_written.iter_errors(report)]
        result(not errors, f"{fixture.name} is as the schema says", errors)
        if victim is None and report["findings"] and report["findings"][0]["owner"] and report["findings"][0]["peers"]:
            victim = report

    result(victim is not None, "there is a report to damage")
    for path, value in DAMAGES if victim else []:
        name = ".".join(map(str, path)) + (" taken away" if value is ... else f" = {value!r}")
        try:
            valid = as_published.is_valid(damaged(victim, path, value))
        except KeyError:
            result(False, f"damage: {name}", ["the report has no such place"])
            continue
        result(not valid, f"damage is seen: {name}")
    extended = damaged(victim, ["findings", 0, "a_later_member"], 1) if victim else None
    result(extended is not None and as_published.is_valid(extended), "a member that a later version adds is taken")
    print(f"1..{number}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
