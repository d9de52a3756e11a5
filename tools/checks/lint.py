"""clang-tidy, clang-format and cppcheck: one case a file and tool."""
import os
from concurrent.futures import ThreadPoolExecutor

from . import builds
from .tree import files, run


# The static analyzer of clang-tidy ends its walk through a function after so many nodes. This is the value of its mode
# "shallow"; three times as many (its mode "deep") take three times as long.
ANALYZER_NODES = 75000


def tidy(path):
    # One process a file: several files in one make clang 14's va_list check report what is not there.
    done = run(["clang-tidy", "--quiet", "-p", builds.SANITIZE,
                *(f"--extra-arg={word}" for word in ("-Xclang", "-analyzer-config", "-Xclang",
                                                     f"max-nodes={ANALYZER_NODES}")), path])
    return [] if done.returncode == 0 else [done.stdout]


def layout(path):
    done = run(["clang-format", "--dry-run", "-Werror", path])
    return [] if done.returncode == 0 else [done.stdout, f"clang-format -i {path} puts it right"]


def cppcheck(outcome):
    done = run(["cppcheck", f"--project={builds.SANITIZE}/compile_commands.json",
                "--enable=warning,performance,portability",
                "--inline-suppr", "--suppressions-list=tools/cppcheck-suppressions", "--quiet", "--error-exitcode=1"])
    outcome.expect("cppcheck", [] if done.returncode == 0 else [done.stdout])


def run_all(outcome, what, check, paths):
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, problems in zip(paths, pool.map(check, paths)):
            outcome.expect(f"{what} {path}", problems)


def is_for_this_machine(path):
    return not path.name.endswith(".bpf.c")  # the kernel's own verifier looks at those


def run_lint(outcome):
    builds.build_sanitize()
    run_all(outcome, "clang-format", layout, files("src/**/*.[ch]", "tests/**/*.[ch]"))
    sources = files("src/**/*.c", "tests/unit/*.c", "tests/fuzz/*.c", "tests/bench/*.c")
    run_all(outcome, "clang-tidy", tidy, list(filter(is_for_this_machine, sources)))
    cppcheck(outcome)
