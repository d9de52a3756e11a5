"""The papers against the program: every option is in the manual, every link leads somewhere, every command exists."""
import difflib
import re

from .tree import PROGRAM, ROOT, files, finding_ids, run

MANUAL = "man/tcpwhy.1"
CONFIGURATION = "man/tcpwhy.conf.5"


def commands():
    listing = run([PROGRAM, "help"]).stdout
    return re.findall(r"^  ([a-z]+) {2,}\S", listing.split("Commands:")[1].split("\n\n")[0], flags=re.M)


def options_of(command):
    """The long options in a command's --help."""
    return set(re.findall(r"^\s+(?:-\w, )?--([a-z0-9-]+)", run([PROGRAM, command, "--help"]).stdout, flags=re.M))


def check_manual_layout(page):
    done = run(["mandoc", "-T", "lint", "-W", "style", page])
    # Whether the pages it refers to are installed here is not its business.
    return [line for line in done.stdout.splitlines() if "mandoc.db" not in line and "manual not found" not in line]


def check_manual_content():
    manual = (ROOT / MANUAL).read_text()
    documented = set(re.findall(r"Fl Fl ([a-z0-9-]+)", manual))
    for command in commands():
        if not re.search(rf"^\.(It|Ss|Nm).*\b{command}\b", manual, flags=re.M):
            yield f"{MANUAL}: lacks the command {command}"
        for option in sorted(options_of(command) - documented):
            yield f"{MANUAL}: lacks --{option} (tcpwhy {command})"
    known = {"help", "version"}.union(*(options_of(command) for command in commands()))
    for option in sorted(documented - known):
        yield f"{MANUAL}: no command has --{option}"


def check_configuration():
    """The defaults that it lists are those of the program, and every setting is described."""
    page = (ROOT / CONFIGURATION).read_text()
    listed = re.search(r"^\.Sh DEFAULTS\n\.Bd -literal\n(.*?)\n\.Ed$", page, flags=re.M | re.S)[1].splitlines()
    printed = run([PROGRAM, "config", "--config", "/dev/null"]).stdout
    known = [re.sub(r" +; default$", "", line) for line in printed.splitlines() if not line.startswith("#")][1:]
    yield from difflib.unified_diff(listed, known, CONFIGURATION, "tcpwhy config", lineterm="")
    for setting in sorted({line.split()[0] for line in known if "=" in line}):
        if not re.search(rf"^\.It Cm {setting}\b", page, flags=re.M):
            yield f"{CONFIGURATION}: {setting} is not described"


def check_findings(page):
    text = (ROOT / page).read_text()
    return [f"{page}: lacks the finding {finding}" for finding in finding_ids() if finding not in text]


def heading_anchor(heading):
    """As GitHub makes them."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def check_links(path):
    text = re.sub(r"```.*?```", "", (ROOT / path).read_text(), flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        page = (ROOT / path).parent / name if name else ROOT / path
        if not page.exists():
            yield f"{path}: no {target}"
        elif anchor and anchor not in map(heading_anchor, re.findall(r"^#+ (.*)", page.read_text(), flags=re.M)):
            yield f"{path}: no heading for {target}"


def check_examples(path):
    """Commands in code blocks: the command and its options exist."""
    blocks = re.findall(r"```(?:sh|console|shell)\n(.*?)```", (ROOT / path).read_text(), flags=re.S)
    known = {command: options_of(command) for command in commands()}
    for line in "\n".join(blocks).splitlines():
        match = re.match(r"^(?:[$#] )?(?:sudo )?(?:build/)?tcpwhy\b([^|;&#>]*)", line)
        if not match:
            continue
        words = match.group(1).split()
        command = words[0] if words and not words[0].startswith("-") else "diagnose"
        if command not in known:
            yield f"{path}: no command {command}: {line}"
            continue
        for option in (word[2:].split("=")[0] for word in words if word.startswith("--")):
            if option not in known[command] | {"help", "version"}:
                yield f"{path}: tcpwhy {command} has no --{option}: {line}"


def check_targets(path):
    """`make TARGET` and tools that are named exist."""
    text = (ROOT / path).read_text()
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"(?:^|`)make ([a-z]+)", text, flags=re.M)):
        if not re.search(rf"^{target}:", makefile, flags=re.M):
            yield f"{path}: the Makefile has no {target}"
    for tool in set(re.findall(r"`((?:tools|src|tests|docs|man)/[a-z0-9_./-]+)`", text)):
        if not (ROOT / tool).exists():
            yield f"{path}: no {tool}"


def run_docs(outcome):
    for page in (MANUAL, CONFIGURATION):
        outcome.expect(f"layout of {page}", check_manual_layout(page))
    outcome.expect("content of the manual page", list(check_manual_content()))
    outcome.expect("defaults in the manual page", list(check_configuration()))
    outcome.expect("findings in the README", check_findings("README.md"))
    for path in files("*.md", "docs/*.md"):
        outcome.expect(f"links in {path}", list(check_links(path)))
        outcome.expect(f"examples in {path}", list(check_examples(path)))
        outcome.expect(f"names in {path}", list(check_targets(path)))
