"""Where things are, and how to run a program on them."""
import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
REPORTS = BUILD / "check"
PROGRAM = BUILD / "tcpwhy"

# The system's own tools first, wherever this was called from: another python3 or Meson would lack the modules.
PATH = "/usr/bin:/bin:/usr/sbin:/sbin:" + os.environ.get("PATH", "")
ENVIRONMENT = {**os.environ, "PATH": PATH, "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}


def run(command, timeout=600, **environment):
    """Runs a command in the root of the tree; stdout and stderr come back as one text."""
    return subprocess.run([str(word) for word in command], cwd=ROOT, env={**ENVIRONMENT, **environment}, text=True,
                          errors="replace", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=timeout)


def must(command, **arguments):
    """The same for a command without which nothing else makes sense."""
    done = run(command, **arguments)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: status {done.returncode}\n{done.stdout[-4000:]}")
    return done.stdout


def files(*patterns):
    """The files of the tree that match: sorted paths relative to its root, without what was built."""
    return sorted({path.relative_to(ROOT) for pattern in patterns for path in ROOT.glob(pattern)
                   if path.relative_to(ROOT).parts[0] != "build"})


def finding_ids():
    """The ids in the rows of the table of findings."""
    table = ROOT / "src/diagnose/rule_table.c"
    return re.findall(r'\b(?:HOST_)?RULE\(\s*"([a-z0-9-]+)"', table.read_text()) if table.exists() else []
