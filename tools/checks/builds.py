"""Suites that build the tree: with gcc, with clang, and under the sanitizers with the fuzz targets."""
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

from .pythons import run_pytest
from .tree import BUILD, ENVIRONMENT, REPORTS, ROOT, must, run

SANITIZE = REPORTS / "sanitize"

FUZZ_SECONDS = 6

# A sanitizer's own exit status, which no diagnosis has.
REPORTED = 99
SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": f"exitcode={REPORTED}:detect_stack_use_after_return=1:strict_string_checks=1",
    "UBSAN_OPTIONS": f"exitcode={REPORTED}:print_stacktrace=1",
    "LSAN_OPTIONS": f"exitcode={REPORTED}",
}


def build(folder, *options, compiler=None):
    environment = {"CC": compiler} if compiler else {}
    if not (folder / "build.ninja").exists():
        must(["meson", "setup", folder, *options], **environment)
    must(["ninja", "-C", folder])


def run_build(outcome):
    """The program, as `make` builds it: with gcc, and no warnings."""
    if (BUILD / "build.ninja").exists():
        # Configured by `make`, perhaps before cmocka was there.
        options = must(["meson", "introspect", "--buildoptions", BUILD])
        if '"name": "tests", "value": "enabled"' not in options:
            must(["meson", "setup", "--reconfigure", BUILD, "-Dtests=enabled"])
    build(BUILD, "-Dtests=enabled", "--prefix=/usr/local")
    REPORTS.mkdir(exist_ok=True)
    outcome.ok()


def build_sanitize():
    build(SANITIZE, "-Dtests=enabled", "-Dfuzz=true", "-Db_lundef=false", compiler="clang")


def run_meson_tests(outcome, folder, *suites, **environment):
    # The sanitizers take a multiple of the time.
    done = run(["meson", "test", "-C", folder, "--no-rebuild", "--print-errorlogs",
                "--timeout-multiplier=8", "--num-processes=2", *(f"--suite={suite}" for suite in suites)],
               **environment)
    report = folder / "meson-logs/testlog.junit.xml"
    failures = len(outcome.failed)
    outcome.add_junit(report)
    if done.returncode != 0 and len(outcome.failed) == failures:
        outcome.fail("meson test", done.stdout)


def run_unit(outcome):
    """The unit tests, and the fuzz targets' corpus, as gcc builds them."""
    run_meson_tests(outcome, BUILD, "unit", "corpus")


def run_golden(outcome):
    """Snapshots written by hand in, every rendering out."""
    run_meson_tests(outcome, BUILD, "golden")


def run_clang(outcome):
    """clang has other warnings; they are errors too. The sanitizers, the fuzzer and clang-tidy use this build."""
    build_sanitize()
    outcome.ok()


# The program itself, on this host and on a crowd of sockets.
LIVE = [
    ["diagnose"],
    ["diagnose", "--json", "--all"],
    ["--source", "proc"],
    ["--source", "proc", "--json"],
    ["--netns", "self", "--state", "close-wait,LAST_ACK", "--older", "1s"],
    ["list"],
    ["list", "--json"],
    ["list", "--csv"],
    ["count", "--by", "state,process"],
    ["count", "--by", "peer-net", "--json", "--top", "3"],
    ["metrics"],
    ["metrics", "--format", "prometheus", "--top", "1"],
    ["explain"],
    ["explain", "LastAck"],
    ["explain", "closing"],
    ["explain", "10", "--json"],
    ["help"],
    ["--version"],
    ["diagnose", "--help"],
]
# Answered with status 3 and a word on stderr, not with a crash.
LIVE_REFUSED = [
    ["--nonsense"],
    ["nonsense"],
    ["--pid", "99999999999999999999"],
    ["--peer", "1.2.3.4/99:x"],
    ["explain", "close-wiat"],
    ["count", "--by", "nonsense"],
    ["metrics", "--top", "0"],
    ["metrics", "--textfile", "/no/such/folder"],
]


def run_live(outcome):
    program = SANITIZE / "tcpwhy"
    for arguments, statuses in [(a, (0, 1, 2)) for a in LIVE] + [(a, (3,)) for a in LIVE_REFUSED]:
        done = run([program, *arguments], timeout=120, **SANITIZER_OPTIONS)
        if done.returncode in statuses:
            outcome.ok()
        else:
            outcome.fail("tcpwhy " + " ".join(arguments), f"status {done.returncode}\n{done.stdout[-6000:]}")


def run_sanitizers(outcome):
    """Unit tests, corpus, golden tests and the program under the address and undefined-behaviour sanitizers."""
    build_sanitize()
    run_meson_tests(outcome, SANITIZE, "unit", "corpus", "golden", **SANITIZER_OPTIONS)
    run_pytest(outcome, "command", program=SANITIZE / "tcpwhy", report="command-sanitize", **SANITIZER_OPTIONS)
    if os.geteuid() != 0:
        outcome.skip("a crowd of sockets", "needs root, to make a network namespace of its own")
        run_live(outcome)
        return
    load = subprocess.Popen([BUILD / "tests/bench/load", "1500", "6"], env=ENVIRONMENT, stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, text=True)
    try:
        if load.stdout.readline() != "ready\n":
            raise RuntimeError("tests/bench/load could not build its sockets")
        run_live(outcome)
    finally:
        load.stdin.close()
        load.wait()


def fuzz(source):
    """Returns the target's name, and what went wrong."""
    name = source.stem.removeprefix("fuzz_")
    found = REPORTS / "fuzz" / name
    shutil.rmtree(found, ignore_errors=True)
    found.mkdir(parents=True)
    done = run([SANITIZE / "tests/fuzz" / source.stem, f"-max_total_time={FUZZ_SECONDS}", "-max_len=8192",
                "-timeout=5", "-rss_limit_mb=1024", "-close_fd_mask=1", f"-artifact_prefix={found}/",
                found, ROOT / "tests/fuzz/corpus" / name],
               timeout=FUZZ_SECONDS + 180, ASAN_OPTIONS="abort_on_error=0:detect_stack_use_after_return=1")
    return name, [] if done.returncode == 0 else [f"{done.stdout[-6000:]}\nthe input is in {found}"]


def run_fuzz(outcome):
    """Each target looks for new inputs for a while, from the committed corpus on; two at a time."""
    build_sanitize()
    with ThreadPoolExecutor(2) as pool:
        for name, problems in pool.map(fuzz, sorted((ROOT / "tests/fuzz").glob("fuzz_*.c"))):
            outcome.expect(name, problems)
