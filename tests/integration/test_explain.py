"""tcpwhy explain as a whole command."""

import json
import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("TCPWHY", str(ROOT / "build/tcpwhy"))
PAGES = ROOT / "src/knowledge/pages"


def explain(*words, **environment):
    return subprocess.run([PROGRAM, "explain", *words], capture_output=True, text=True, timeout=20,
                          env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "COLUMNS": "80", **environment})


def first_line(*words):
    done = explain(*words)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()[0]


@pytest.mark.parametrize("word", ["LAST_ACK", "LastAck", "last-ack", "last_ack", "10"])
def test_any_spelling(word):
    assert first_line(word).startswith("LAST_ACK: ")


def test_words_are_joined():
    assert first_line("close", "wait", "leak").startswith("close-wait-leak: ")
    assert first_line("LAST", "ACK").startswith("LAST_ACK: ")


def test_closing_the_recipe_and_the_state():
    assert first_line("closing") == "How to close a connection properly"
    assert first_line("CLOSING").startswith("CLOSING: ")
    assert first_line("closing-state").startswith("CLOSING: ")


def test_misspelt():
    done = explain("lsat_ack")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("tcpwhy explain: 'lsat_ack': no such page; nearest: last-ack, ")


def test_hostile_word():
    done = explain("\033[31mred\n")
    assert done.returncode == 3
    assert "\033" not in done.stderr
    assert done.stderr.count("\n") == 1


def test_one_language():
    done = explain("closing", "python")
    assert done.returncode == 0
    assert "def close_gracefully(sock" in done.stdout
    assert "int close_gracefully(int fd" not in done.stdout
    unknown = explain("closing", "cobol")
    assert unknown.returncode == 3
    assert "C, C++, C#, Java, Python, JavaScript, Go, Rust, PHP, Ruby, epoll, TLS" in unknown.stderr


def test_findings_name_every_recipe():
    said = (ROOT / "src/diagnose/phrases.c").read_text(encoding="utf-8")
    names = re.search(r"has the pattern for ([^.]*)", re.sub(r'"\s*"', "", said))[1]
    recipes = re.search(r"has the sections: (.*), TLS", explain("closing", "cobol").stderr)
    assert re.split(r", and for |, | and ", names) == recipes[1].split(", ")


def test_list_and_json():
    names = sorted(path.stem for path in PAGES.glob("*.md"))
    done = explain()
    assert done.returncode == 0
    for name in names:
        assert f"• {name}: " in done.stdout
    listed = json.loads(explain("--json").stdout)
    assert sorted(page["name"] for page in listed) == names
    assert all(page["title"] and page["summary"] for page in listed)

    page = json.loads(explain("LastAck", "--json").stdout)
    assert list(page) == ["name", "title", "summary", "text"]
    assert page["text"] == (PAGES / "last-ack.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted(PAGES.glob("*.md")), ids=lambda path: path.stem)
def test_source_is_the_page(path):
    assert explain("--markdown", path.stem).stdout == path.read_text(encoding="utf-8")


def test_no_colours_and_no_utf8_unless_the_terminal_has_them():
    assert "\033" not in explain("close-wait", TERM="xterm-256color").stdout
    assert explain("close-wait", LC_ALL="C").stdout.isascii()


@pytest.mark.parametrize("columns", [60, 80, 110])
def test_width(columns):
    done = explain("close-wait", COLUMNS=str(columns))
    assert max(map(len, done.stdout.splitlines())) <= columns
    assert max(map(len, done.stdout.splitlines())) > columns - 10
