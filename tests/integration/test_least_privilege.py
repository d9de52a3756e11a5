"""A parser of foreign text can do nothing but read, compute and write: counted from its system calls, by phase."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import privileges
import program

CAPTURE = program.ROOT / "tests/golden/captures/linux-lsof-queues.capture"
# What every phase after the inputs are open may call: `for_all` and the two lists after it in src/cmd/sandbox.c.
PURE = {"read", "readv", "write", "writev", "lseek", "close", "fstat", "newfstatat", "mmap", "mprotect", "munmap",
        "mremap", "brk", "madvise", "futex", "ioctl", "poll", "ppoll", "fcntl", "dup", "dup2", "dup3", "wait4",
        "clock_gettime",
        "clock_nanosleep", "gettimeofday", "getrandom", "sysinfo", "getpid", "gettid", "geteuid", "rt_sigaction",
        "rt_sigprocmask", "rt_sigpending", "rt_sigreturn", "rseq", "set_robust_list", "exit", "exit_group"}
FILES = {"openat", "linkat", "renameat", "renameat2", "unlinkat", "readlinkat", "fstatfs", "access", "faccessat",
         "fchmod", "fsync"}
CALL = re.compile(r"^\d+ +(?:<\.\.\. )?(\w+)(?:\(| resumed)(.*)")


@pytest.fixture(autouse=True)
def needs():
    why = privileges.without_tool("strace")
    if why:
        pytest.skip(why)
    if "sandbox.c" not in (Path(program.path()).parent / "build.ninja").read_text(errors="replace"):
        pytest.skip("this build has no filter of system calls: it has no libseccomp, or it has sanitizers")


def calls(tmp_path, *words, stdin=subprocess.DEVNULL):
    """The calls as (name, rest of the line), in the order in which they began or returned."""
    log = tmp_path / "strace"
    done = subprocess.run(["strace", "-f", "-o", log, program.path(), *map(str, words)], stdin=stdin,
                          capture_output=True, timeout=120, check=False)
    assert done.returncode in (0, 1, 2), done.stderr
    found = [match.groups() for match in map(CALL.match, log.read_text(errors="replace").splitlines()) if match]
    return found, done


def after(found, name, part=""):
    marks = [i for i, (called, rest) in enumerate(found) if called == name and part in rest]
    assert marks, f"{name}({part}…) was not called"
    return found[marks[-1] + 1:]


def is_refused(rest):
    return "EPERM" in rest or "EACCES" in rest


WAYS = {
    "diagnose": ["--from", CAPTURE], "list": ["list", "--from", CAPTURE], "json": ["--json", "--from", CAPTURE],
    "metrics": ["metrics", "--from", CAPTURE], "check": ["check", "--from", CAPTURE],
    "diff": ["diff", CAPTURE, CAPTURE], "compressed": ["--from", "CAPTURE.zst"],
}


@pytest.mark.parametrize("way", WAYS)
def test_reading_a_capture_only_reads_and_prints(tmp_path, way):
    program.run("capture", "--from", CAPTURE, "-o", tmp_path / "CAPTURE.zst")
    words = [str(word).replace("CAPTURE.zst", str(tmp_path / "CAPTURE.zst")) for word in WAYS[way]]
    found, _ = calls(tmp_path, *words)
    parsing = after(found, "seccomp", "SECCOMP_SET_MODE_FILTER")
    assert {name for name, _ in parsing} <= PURE
    assert not [call for call in parsing if is_refused(call[1])], "what it needs is not refused"
    assert sum(name == "read" for name, _ in parsing) > 0, "it is read after the filter, not before"
    opened = [rest for name, rest in found if name in ("openat", "open") and str(CAPTURE) in rest]
    assert len(opened) == len([word for word in words if word == str(CAPTURE)])


@pytest.mark.parametrize("words", [["capture", "-o", "FOLDER/saved"], ["metrics", "--textfile", "FOLDER"]],
                         ids=" ".join)
def test_what_writes_a_file_reaches_its_folder_only(tmp_path, words):
    folder = tmp_path / "folder"
    folder.mkdir()
    found, _ = calls(tmp_path, *[word.replace("FOLDER", str(folder)) for word in words], "--from", CAPTURE)
    parsing = after(found, "seccomp", "SECCOMP_SET_MODE_FILTER")
    assert {name for name, _ in parsing} <= PURE | FILES
    assert not [call for call in parsing if is_refused(call[1])]
    assert len(list(folder.iterdir())) == 1


def test_the_filter_and_the_capabilities_are_what_the_kernel_says():
    """Read from /proc while the program waits for the rest of its input."""
    with subprocess.Popen([program.path(), "list", "--from", "/dev/stdin"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdin.write(b"x" * 10)
        process.stdin.flush()
        status = Path(f"/proc/{process.pid}/status")
        for _ in range(1000):
            text = status.read_text()
            if "Seccomp:\t2" in text:
                break
        process.stdin.close()
        process.wait(60)
    assert "Seccomp:\t2" in text and "NoNewPrivs:\t1" in text
    assert re.search(r"^CapEff:\t0+$", text, re.M) and re.search(r"^CapPrm:\t0+$", text, re.M)


def test_where_the_filter_is_refused_it_says_so_and_reads_on():
    """A container's own filter may forbid to set another one."""
    if privileges.without_seccomp_table():
        pytest.skip(privileges.without_seccomp_table())
    refuse = (sys.executable, Path(__file__).parent / "refuse_calls.py", "seccomp", "--")
    done = program.run("list", "--from", CAPTURE, before=refuse)
    assert done.returncode == program.HEALTHY and b"CLOSE_WAIT" in done.stdout
    assert b"system calls cannot be filtered here" in done.stderr


@pytest.mark.skipif(bool(privileges.without_root()), reason=str(privileges.without_root()))
@pytest.mark.parametrize("words", [[], ["list"], ["metrics", "--textfile", "FOLDER"], ["check", "--samples", "FOLDER"]],
                         ids=lambda words: " ".join(words) or "diagnose")
def test_after_the_host_was_read_there_are_no_capabilities_but_for_files(tmp_path, words):
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o700)
    found, _ = calls(tmp_path, *[word.replace("FOLDER", str(folder)) for word in words], "--netns", "self")
    rest = after(found, "capset", "1<<CAP_DAC_OVERRIDE|1<<CAP_FOWNER")
    names = {name for name, _ in rest}
    assert not names & {"setns", "socket", "bpf", "ptrace", "kcmp", "unshare", "mount", "process_vm_readv"}
    assert not [text for name, text in rest if name == "openat" and "/proc/" in text and "/proc/self" not in text
                and "boot_id" not in text], "no other process is read any more"


def test_watching_keeps_what_reading_again_takes(tmp_path):
    log = tmp_path / "strace"
    words = ["strace", "-f", "-o", log, "-e", "trace=capset", program.path(), "--watch", "1", "--netns", "self"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True) as process:
        process.stdout.readline()
        os.killpg(process.pid, 2)
        process.stdout.read()
        process.wait(30)
    assert "capset(" not in log.read_text()
