"""Whatever ends the program, at whatever moment: what it writes is whole or as it was, and nothing else is left."""

import json
import random
import resource
import signal
import subprocess
import time

import pytest

import program

RUNS = 20


def capture_is_whole(folder):
    lines = (folder / "saved").read_text().splitlines()
    return json.loads(lines[0])["type"] == "snapshot" and json.loads(lines[-1])["type"] == "end"


def metrics_are_whole(folder):
    text = (folder / "tcpwhy.prom").read_text()
    return text.endswith("\n") and "tcpwhy_verdict" in text


def samples_are_whole(folder):
    texts = [path.read_text() for path in folder.iterdir()]
    return bool(texts) and all(text.endswith("\n") for text in texts)


WAYS = {
    "capture": (["capture", "-o", "FOLDER/saved"], capture_is_whole),
    "metrics": (["metrics", "--textfile", "FOLDER"], metrics_are_whole),
    "check": (["check", "--state", "all", "--growth", "1/min", "--samples", "FOLDER"], samples_are_whole),
}
LIMITS = {
    "descriptors": (resource.RLIMIT_NOFILE, 3, 14),
    "memory": (resource.RLIMIT_AS, 4 << 20, 90 << 20),
    "file size": (resource.RLIMIT_FSIZE, 0, 9000),
}


@pytest.mark.parametrize("what", [signal.SIGKILL, signal.SIGINT, signal.SIGPIPE, *LIMITS], ids=str)
@pytest.mark.parametrize("way", WAYS)
def test_a_file_is_whole_or_as_it_was(tmp_path, way, what):
    words, is_whole = WAYS[way]
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o700)
    command = [program.path(), *[word.replace("FOLDER", str(folder)) for word in words]]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    began = time.monotonic()
    subprocess.run(command, timeout=60, check=False, **quiet)
    took = time.monotonic() - began
    names = sorted(path.name for path in folder.iterdir())
    chance = random.Random(way + str(what))
    for _ in range(RUNS):
        limit = LIMITS.get(what)
        size = chance.randint(*limit[1:]) if limit else 0
        start = (lambda: resource.setrlimit(limit[0], (size, size))) if limit else None  # noqa: B023
        with subprocess.Popen(command, preexec_fn=start, **quiet) as process:
            if not limit:
                time.sleep(chance.random() * took * 1.1)
                process.send_signal(what)
            process.wait(60)
        if what == signal.SIGKILL:
            # A whole file that replaces another one has a temporary name for a moment: linkat() replaces nothing.
            for path in folder.glob(".tcpwhy.*"):
                path.unlink()
        assert is_whole(folder)
        now = {path.name for path in folder.iterdir()}
        assert set(names) <= now
        # Without descriptors or memory a check may see other namespaces: it then has a file of its own, a whole one.
        assert all(way == "check" and name.startswith("check-") for name in now - set(names))
