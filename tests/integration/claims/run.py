"""Measures one claim and prints the value as JSON, or the reason why this host cannot show it: run.py NAME"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from claims import CLAIMS, closing, opening, programs, settings  # noqa: E402, F401
from claims.stage import NotHere  # noqa: E402


def main():
    try:
        print(json.dumps({"value": CLAIMS[sys.argv[1]].measure()}))
    except NotHere as why:
        print(json.dumps({"not_here": str(why)}))


main()
