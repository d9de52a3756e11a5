"""Measures claims. Prints a line of JSON for each: its value, or the reason why this host cannot show it. run.py NAME…

Each is measured in a process of its own, so that it can enter namespaces and change limits.
"""

import json
import os
import sys
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from claims import CLAIMS, closing, opening, programs, settings  # noqa: E402, F401
from claims.stage import NotHere  # noqa: E402


def result_of(name):
    try:
        return {"value": CLAIMS[name].measure()}
    except NotHere as why:
        return {"not_here": str(why)}
    except Exception:
        return {"failed": traceback.format_exc()[-2000:]}


def main():
    for name in sys.argv[1:]:
        pid = os.fork()
        if pid == 0:
            print(json.dumps({name: result_of(name)}), flush=True)
            os._exit(0)
        os.waitpid(pid, 0)


main()
