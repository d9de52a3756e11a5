"""The shape of the code: who may include whom, what may stand where, and that every finding is complete."""
import re

from . import graph
from .tree import ROOT, files, finding_ids

MIDDLE = ["query", "config", "source", "diagnose", "knowledge", "report", "act"]
# What each folder of src/ may include beside itself. "" is src/ itself: main.c.
MAY_INCLUDE = {
    "base": [],
    "model": ["base"],
    "hosts": ["base", "model"],
    **{folder: ["base", "model", "hosts"] for folder in MIDDLE},
    "cmd": ["base", "model", "hosts", *MIDDLE],
    "": ["base", "model", "cmd"],
}
MAY_INCLUDE["report"].append("query")

# Only src/cmd and main.c talk to people and decide that the program ends. base/memory.c may end it: out of memory; what
# act/drill/stage.c ends are the processes that it has forked.
BELOW_COMMANDS = ["base", "model", "hosts", *MIDDLE]
FORBIDDEN = [
    (r"\b(printf|puts|putchar|perror|vprintf|err|errx|warn|warnx)\s*\(", "prints"),
    (r"\bstdout\b", "names stdout"),
    (r"\bstderr\b", "names stderr"),
    (r"\b(_?exit|quick_exit)\s*\(", "ends the program"),
]
ALLOWED = {("src/base/memory.c", "names stderr"), ("src/base/memory.c", "ends the program"),
           ("src/act/drill/stage.c", "ends the program")}

PLATFORMS = r"^\s*#\s*(if|ifdef|ifndef|elif).*\b(_WIN32|_WIN64|__linux__|__APPLE__|__unix__|__MINGW32__|__FreeBSD__)\b"
LINES_MAX = 500
COLUMNS_MAX = 120  # .clang-format breaks code there, but neither long strings nor all comments


def folder_of(path):
    return path.parts[1] if len(path.parts) > 2 else ""


def without_comments(text):
    """The same lines with comments blank, and strings empty."""
    def blank(match):
        word = match.group(0)
        return '""' if word.startswith('"') else "\n" * word.count("\n")
    return re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', blank, text, flags=re.S)


def check_includes(path, text):
    folder = folder_of(path)
    for name in re.findall(r'^\s*#\s*include\s+"([^"]+)"', text, flags=re.M):
        target = name.split("/")[0] if "/" in name else None
        if target is None or target not in MAY_INCLUDE:
            if not (path.parent / name).exists() and not name.endswith(".inc"):
                yield f'{path}: "{name}" is not written as a path from src/'
        elif target != folder and target not in MAY_INCLUDE[folder]:
            yield f'{path}: src/{folder} must not include "{name}"'


# Rooms of one folder that never include each other. What two of them need is in source/text.
APART = [("source/linux", "source/capture"), ("source/text", "source/capture"), ("source/text", "source/linux")]


def may_meet(module, target):
    """Whether one room may look into the other, beside what the folders may."""
    for one, other in APART:
        if module.startswith(one) and target.startswith(other):
            return False
        if module.startswith(other) and target.startswith(one) and one != "source/text":
            return False
    # The engine of the diagnosis knows no rule but through the table.
    return not target.startswith("diagnose/rules/") or module.startswith(("diagnose/rules/", "diagnose/rule_table"))


def check_circles(arrows):
    for circle in graph.circles(arrows):
        yield f"these include each other: {' '.join(sorted(circle))}"


def check_own_header(path, text):
    own = str(path.relative_to("src").with_suffix(".h"))
    first = re.search(r'^\s*#\s*include\s+["<]([^">]+)[">]', text, flags=re.M)
    if path.suffix == ".c" and (ROOT / "src" / own).exists() and first and first.group(1) != own:
        yield f'{path}: includes "{first.group(1)}" before its own header'


def check_words(path, code):
    if folder_of(path) in BELOW_COMMANDS:
        for pattern, what in FORBIDDEN:
            if (str(path), what) not in ALLOWED and re.search(pattern, code):
                yield f"{path}: {what}; that is for src/cmd"
    if re.search(PLATFORMS, code, flags=re.M):
        yield f"{path}: asks for the platform; that is for the build, which chooses a file"


def check_size(path, text):
    lines = text.count("\n")
    if lines > LINES_MAX:
        yield f"{path}: {lines} lines; more than {LINES_MAX} are not one subject"
    if path.suffix == ".h" and "#pragma once" not in text:
        yield f"{path}: lacks #pragma once"


def is_written_by_hand(path):
    return (ROOT / path).is_file() and path.suffix in (".c", ".h", ".py", "")


def check_width(path):
    for number, line in enumerate((ROOT / path).read_text().splitlines(), 1):
        if len(line) > COLUMNS_MAX:
            yield f"{path}:{number}: {len(line)} columns; at most {COLUMNS_MAX}"


def check_file(path):
    text = (ROOT / path).read_text()
    code = without_comments(text)
    return [*check_includes(path, text), *check_own_header(path, text), *check_words(path, code),
            *check_size(path, text)]


def check_finding(finding, integration):
    if f'.finding = "{finding}"' not in (ROOT / "src/act/drill/catalog.c").read_text():
        yield f"src/act/drill/catalog.c lacks the drill {finding}"
    if not (ROOT / "src/knowledge/pages" / f"{finding}.md").exists():
        yield f"src/knowledge/pages/{finding}.md is missing"
    if not re.search(rf"[\"']{re.escape(finding)}[\"']", integration):
        yield f"no test in tests/integration names {finding}"


def run_layers(outcome):
    """Direction of the includes, forbidden words, and a page and a test for every finding."""
    for path in files("src/**/*.[ch]"):
        outcome.expect(str(path), check_file(path))
    written = files("src/**/*.[ch]", "tests/**/*.[ch]", "tests/**/*.py", "tests/bench/*", "tools/**/*")
    outcome.expect("columns", [wide for path in written if is_written_by_hand(path) for wide in check_width(path)])
    arrows = graph.arrows(graph.modules())
    outcome.expect("rooms", [f"src/{a}.c must not include {b}.h" for a, b in sorted(arrows) if not may_meet(a, b)])
    outcome.expect("circles", list(check_circles(arrows)))
    findings = finding_ids()
    outcome.expect("table of findings", [] if findings else ["no ids were found in src/diagnose/rule_table.c"])
    integration = "\n".join((ROOT / path).read_text() for path in files("tests/integration/**/*.py"))
    for finding in findings:
        outcome.expect(f"finding {finding}", list(check_finding(finding, integration)))
