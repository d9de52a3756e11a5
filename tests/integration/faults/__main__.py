"""python3 -m faults NAME [argument=value …] [-- ignored words]"""

import json
import sys

from faults import MAKERS
from faults.stage import Stage, die_with_parent


def parse(words):
    if "--" in words:
        words = words[: words.index("--")]  # words only for the command line, which tests look at
    if not words or words[0] not in MAKERS:
        sys.exit(f"{__doc__}\nnames: {', '.join(MAKERS)}")
    arguments = {}
    for word in words[1:]:
        key, _, value = word.partition("=")
        try:
            arguments[key] = json.loads(value)
        except ValueError:
            arguments[key] = value
    return MAKERS[words[0]], arguments


def main():
    die_with_parent()
    maker, arguments = parse(sys.argv[1:])
    stage = Stage()
    try:
        for said in maker(stage, **arguments):
            print(json.dumps({**said, "processes": stage.pids()}), flush=True)
            if not sys.stdin.readline():
                break
    finally:
        stage.clear()


main()
