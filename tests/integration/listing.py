"""The output of tcpwhy list and tcpwhy count, parsed."""

import csv
import io
import json

import program


def document(command, schema, *words, **how):
    done = program.run(command, "--json", *words, **how)
    assert done.returncode == program.HEALTHY, done.stderr.decode(errors="replace")
    whole = json.loads(done.stdout)
    assert whole["schema"] == schema
    return whole


def rows(*words, **how):
    """A dict for each connection."""
    return document("list", "tcpwhy.list/1", *words, **how)["connections"]


def csv_rows(*words, command="list", **how):
    done = program.run(command, "--csv", *words, **how)
    assert done.returncode == program.HEALTHY, done.stderr.decode(errors="replace")
    return list(csv.DictReader(io.StringIO(done.stdout.decode(), newline=""), strict=True))


def count(by, *words, **how):
    """The whole JSON document of tcpwhy count."""
    whole = document("count", "tcpwhy.count/1", "--by", by, *words, **how)
    assert whole["by"] == by.replace("-", "_").split(",")
    return whole


def end(address_and_port):
    """Parses "10.0.0.5:80", "[::1]:80" or "0.0.0.0:*". Returns (address, port); the port of "*" is 0."""
    address, _, port = address_and_port.rpartition(":")
    return address.strip("[]"), 0 if port == "*" else int(port)
