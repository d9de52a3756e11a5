"""The pages are checked: each claim of claims/ is measured on this kernel, and its sentence is on its page."""

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import privileges
from claims import CLAIMS, closing, opening, programs, settings  # noqa: F401

HERE = Path(__file__).resolve().parent
PAGES = HERE.parents[1] / "src/knowledge/pages"
AT_ONCE = 10  # of the claims that do not wait
LIMIT_S = 240
pytestmark = pytest.mark.skipif(privileges.without_netns() is not None, reason=str(privileges.without_netns()))


def measure(name):
    done = subprocess.run([sys.executable, HERE / "claims/run.py", name], capture_output=True, text=True,
                          timeout=LIMIT_S)
    return json.loads(done.stdout)[name] if done.stdout else {"failed": done.stderr[-2000:]}


@pytest.fixture(scope="module")
def measured():
    """Measures all claims: those that wait run side by side, and the others beside them, a few at a time."""
    waiting = [name for name, claim in CLAIMS.items() if claim.waits_s]
    others = [name for name in CLAIMS if name not in waiting]
    with ThreadPoolExecutor(len(waiting)) as patient, ThreadPoolExecutor(AT_ONCE) as quick:
        jobs = {name: patient.submit(measure, name) for name in waiting} | {
            name: quick.submit(measure, name) for name in others}
        found = {name: job.result() for name, job in jobs.items()}
    if "CLAIMS_TABLE" in os.environ:
        Path(os.environ["CLAIMS_TABLE"]).write_text(table(found), encoding="utf-8")
    return found


def table(found):
    """A table: page, sentence, expected and measured value, kernel."""
    kernel = os.uname().release
    lines = ["| Page | Sentence | Expected | Measured | Kernel |", "|---|---|---|---|---|"]
    for name, claim in CLAIMS.items():
        value = found[name].get("value", found[name].get("not_here", "failed"))
        says = claim.says.replace("|", "\\|")
        lines.append(f"| {claim.page} | {says} | {claim.expected()} {claim.unit} | {value} | {kernel} |")
    return "\n".join(lines) + "\n"


def kernel_is_older(version):
    def numbers(text):
        return [int(number) for number in re.findall(r"\d+", text)[:2]]
    return version is not None and numbers(os.uname().release) < numbers(version)


def test_there_are_many():
    assert len(CLAIMS) >= 80


@pytest.mark.parametrize("name", CLAIMS)
def test_the_page_says_it(name):
    page = (PAGES / f"{CLAIMS[name].page}.md").read_text(encoding="utf-8")
    assert " ".join(CLAIMS[name].says.split()) in " ".join(page.split())


@pytest.mark.parametrize("name", CLAIMS)
def test_the_kernel_does_it(measured, name):
    claim, result = CLAIMS[name], measured[name]
    if kernel_is_older(claim.since):
        pytest.skip(f"Linux {claim.since} and later")
    if "not_here" in result:
        pytest.skip(result["not_here"])
    assert "failed" not in result, result["failed"]
    assert claim.holds(result["value"]), f"{result['value']} {claim.unit}, and not {claim.expected()}"
