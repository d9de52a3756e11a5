"""What stands behind tcpwhy on a command line, besides options. TCPWHY names the program."""
import json
import os
import pathlib
import subprocess

import pytest

PROGRAM = os.environ.get("TCPWHY", "build/tcpwhy")
CAPTURES = pathlib.Path(__file__).parent.parent / "golden" / "captures"
TWO = str(CAPTURES / "linux-lsof-queues.capture")  # two findings
FAILED = 3


def run(*arguments, **how):
    how = how if how else {"stdin": subprocess.DEVNULL}
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, timeout=60, check=False,
                          env={**os.environ, "LC_ALL": "C.UTF-8", "COLUMNS": "100"}, **how)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_a_file_is_a_capture():
    assert run(TWO)[1].splitlines()[3:] == run("--from", TWO)[1].splitlines()[3:], "but for the time it took"
    status, out, _ = run(TWO)
    assert status == 1 and "close-wait-leak" in out and "close-wait-unread" in out


def test_a_hyphen_is_standard_input():
    with open(TWO, "rb") as text:
        status, out, err = run("-", stdin=text)
    assert (status, err) == (1, "") and "standard input" in out


@pytest.mark.parametrize("words", [["2"], ["--finding", "2"], ["--finding=close-wait-unread"], ["diagnose", "2"]],
                         ids=" ".join)
def test_one_finding_is_shown_whole(words):
    status, out, _ = run(*words, "--from", TWO)
    assert status == 1, "the exit status is that of the diagnosis"
    assert "close-wait-unread ·" in out and "Ruled out" in out and "Won't help" in out
    assert "close-wait-leak ·" not in out


@pytest.mark.parametrize("words, reason", [
    (["3"], "3: there is no such finding: there are 2"),
    (["0"], "0"),
    (["--finding", "last-ack-unanswered"], "last-ack-unanswered: was not found here"),
    (["--finding", "close-wait-leek"], "close-wait-leak"),
    (["--finding", ""], "--finding"),
])
def test_a_finding_that_is_not_there_is_said(words, reason):
    status, out, err = run(*words, "--from", TWO)
    assert (status, out) == (FAILED, "") and reason in err, err


def test_brief_whole_and_short():
    brief, short, whole = (run(*words, TWO)[1] for words in (["-q"], [], ["-v"]))
    for text in (brief, short, whole):
        assert "WHAT TO DO" in text and "2  WARN  close-wait-unread" in text
    assert "Proof" not in brief and "not seen: 1. tcpwhy" in brief
    assert "Proof" in short and "Ruled out" not in short
    assert "Ruled out" in whole


def test_what_more_says_works(tmp_path):
    """A command that the report prints shows the same connections, whatever the file is called."""
    odd = tmp_path / "two of 'them'.txt"
    odd.write_bytes(pathlib.Path(TWO).read_bytes())
    out = run("--port", "34099", str(odd))[1]
    (line,) = (line.strip() for line in out.splitlines() if "tcpwhy 1 " in line)
    line = line.removeprefix("More").strip().removeprefix("$ ")
    assert "--port 34099" in line or "--port '34099'" in line
    done = subprocess.run(line.replace("tcpwhy", PROGRAM, 1), shell=True, capture_output=True, check=False)
    assert done.returncode == 1 and b"Ruled out" in done.stdout, done.stderr


def test_options_may_stand_before_the_command():
    before, behind = run("--from", TWO, "--state", "close-wait", "list"), run("list", "--from", TWO, "-s", "close-wait")
    assert before == behind and before[1].count("CLOSE_WAIT") == 42
    assert run("--process", "list", "--from", TWO)[0] != FAILED, "that is the value of an option"
    status, _, err = run("-4", "lisst", "--from", TWO)
    assert status == FAILED and "lisst" in err


def test_what_is_neither_command_nor_file_is_refused():
    status, _, err = run("no-such-thing")
    assert status == FAILED and "no such command or file" in err
    status, _, err = run("--port", "80", "no-such-thing")
    assert status == FAILED and "neither a file nor the number of a finding" in err


def test_standard_input_that_is_not_read_is_said():
    with open(TWO, "rb") as text:
        assert "standard input is not read" in run("--netns", "self", stdin=text)[2]
    assert "standard input is not read" in run("--netns", "self", input=pathlib.Path(TWO).read_bytes())[2]
    assert run("--netns", "self", input=b"")[2] == ""
    assert run("--netns", "self")[2] == ""
    assert run("--from", TWO, input=b"x")[2] == ""


def test_colour_when_asked_for():
    colour = "\x1b[1;33m"
    assert colour in run("--color", "always", TWO)[1]
    assert colour not in run(TWO)[1]
    assert colour not in run("--color=never", TWO)[1]
    status, _, err = run("--color", "sometimes", TWO)
    assert status == FAILED and "auto, always or never" in err


@pytest.mark.parametrize("variables, coloured", [
    ({"CLICOLOR_FORCE": "1"}, True),
    ({"CLICOLOR_FORCE": "0"}, False),
    ({"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, False),
])
def test_colour_by_the_environment(monkeypatch, variables, coloured):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert ("\x1b[1;33m" in run(TWO)[1]) == coloured
    assert "\x1b[1;33m" in run("--color=always", TWO)[1]


# What hands type that are used to ss and netstat, and what it stands for.
HABITS = [
    (["-tanp"], []),
    (["-ano"], []),
    (["-tlnp"], ["--state", "listen"]),
    (["-4tn"], ["-4"]),
    (["-n"], []),
    (["-l"], ["--state", "listen"]),
    (["-n", "state", "close-wait"], ["--state", "close-wait"]),
    (["--numeric", "--processes"], []),
    (["state", "close-wait"], ["--state", "close-wait"]),
    (["state", "close-wait", "state", "listening"], ["--state", "close-wait,listen"]),
    (["exclude", "close-wait"], ["--state", "listen"]),
    (["state", "connected"], ["--state", "close-wait"]),
    (["sport", "=", ":34099"], ["--local", ":34099"]),
    (["sport = :34099 and dst 10.77.0.0/16"], ["--local", ":34099", "--peer", "10.77.0.0/16"]),
    (["src 10.77.0.1 and sport >= :34000"], ["--local", "10.77.0.1:34000-65535"]),
    (["( dport = :34099 or sport = :34099 )"], ["--port", "34099"]),
    (["sport = :1", "or", "sport", "==", ":34099"], ["--local", ":1,:34099"]),
    (["sport < :34099"], ["--local", ":1-34098"]),
    (["--port", "34000-35000"], ["--port", "34099"]),
    (["--port", "https,34099"], ["--port", "34099"]),
    (["-o", "pid,state"], ["--columns", "pid,state"]),
    (["--sort=+pid"], ["--sort", "pid"]),
]


@pytest.mark.parametrize("typed, meant", HABITS, ids=lambda words: " ".join(words))
def test_habits_of_ss_and_netstat(typed, meant):
    typed, meant = (run("list", "--from", TWO, *words) for words in (typed, meant))
    assert typed == meant and typed[0] == 0


def test_a_filter_selects_for_a_diagnosis_too():
    brief = [run("-q", *words)[1].splitlines()[3:-2] for words in
             ([TWO, "sport", "=", ":34099"], [TWO, "--local", ":34099"], [TWO, "-tanp", "sport = :34099"])]
    assert brief[0] == brief[1] == brief[2]


@pytest.mark.parametrize("words, answer", [
    (["kill"], "'tcpwhy' says for each finding what will end it"),
    (["top"], "--watch"),
    (["frobnicate"], "no such command or file; 'tcpwhy help'"),
    (["established"], "--state ESTABLISHED"),
    (["list", "established"], "established: is not expected here; --state ESTABLISHED"),
    (["list", ":443"], "--port 443"),
    (["list", "10.0.0.1"], "--local or --peer 10.0.0.1"),
    (["list", "--udp"], "TCP only"),
    (["list", "-u"], "TCP only"),
    (["list", "--dport", "443"], "--peer :PORT"),
    (["list", "sport != :443"], "cannot be read in a filter of ss"),
    (["list", "sport = :443 or dst 10.0.0.1"], "terms of one kind"),
    (["list", "sport = :443 and sport = :444"], "said twice"),
    (["list", "( sport = :443"], "is not closed"),
    (["list", "sport = :443 )"], "cannot be read"),
    (["list", "state"], "wants a value"),
    (["list", "state close-wait and"], "ends too early"),
    (["list", "state stuck"], "is not a TCP state"),
    (["list", "--port", "90-80"], "'90-80' is not a port"),
    (["list", "-n", "many"], "'many' is not a number of rows"),
    (["list", "--frobnicate"], "no such option; --help lists them"),
    (["list", "--cause", "zzz*"], "--cause help lists them"),
    (["count", "--by", "foo"], "is no key; --by help lists them"),
], ids=lambda words: words if isinstance(words, str) else " ".join(words))
def test_what_cannot_be_done_is_answered(words, answer):
    status, out, err = run(*words)
    assert (status, out) == (FAILED, "") and answer in err and err.count("\n") == 1, err


@pytest.mark.parametrize("words, first", [
    (["list", "--columns", "help"], "Columns"), (["list", "--sort", "help"], "Columns"),
    (["count", "--by", "help"], "Keys"), (["--state", "help"], "CLOSED"), (["--cause=help"], "normal"),
], ids=lambda words: words if isinstance(words, str) else " ".join(words))
def test_a_list_of_values_on_demand(words, first):
    status, out, err = run(*words)
    assert (status, err) == (0, "") and out.startswith(first)


GERMAN = """
Aktive Verbindungen

  Proto  Lokale Adresse         Remoteadresse          Status           PID
  TCP    192.168.17.20:515      192.168.17.31:50122    LETZTE_ACK       0
  TCP    192.168.17.20:515      192.168.17.31:50123    LETZTE_ACK       0
  TCP    192.168.17.20:515      192.168.17.31:50124    LETZTE_ACK       0
  TCP    192.168.17.20:515      192.168.17.31:50128    SCHLIESSEN_WARTEN       4711
""".encode()


def states(text, *words):
    status, out, err = run("count", "--json", "--from", "-", *words, input=text)
    assert status != FAILED, err
    document = json.loads(out)
    return {group["state"]: group["count"] for group in document["groups"]}, document


def test_a_word_for_a_state_that_is_not_known():
    counts, document = states(GERMAN)
    assert counts == {"UNKNOWN": 3, "CLOSE_WAIT": 1}
    (gap,) = (gap for gap in document["gaps"] if gap["id"] == "states-unknown")
    assert "state 'LETZTE_ACK' is not known (3 rows)" in gap["text"]
    counts, document = states(GERMAN, "--state-name", "letzte_ack=last-ack")
    assert counts == {"LAST_ACK": 3, "CLOSE_WAIT": 1}
    assert not any(gap["id"] == "states-unknown" for gap in document["gaps"])


@pytest.mark.parametrize("word", ["ESTAB", "LAST_", "4711", "http:", "10.0.0.1", "x"])
def test_a_row_that_is_cut_is_no_new_state(word):
    text = GERMAN.replace(b"50124    LETZTE_ACK       0", b"50124    " + word.encode())
    counts, _ = states(text, "--state-name", "LETZTE_ACK=LAST_ACK")
    assert counts.get("UNKNOWN", 0) == 0 and counts["LAST_ACK"] == 2


def test_a_name_for_no_state_is_refused():
    for value in ("LETZTE_ACK", "LETZTE_ACK=LETZTE", "=LAST_ACK"):
        status, _, err = run("--state-name", value, "--from", TWO)
        assert status == FAILED and "is not WORD=STATE" in err


def test_the_same_row_again_is_one_connection():
    row = b"tcp 0 0 10.0.0.1:80 10.0.0.2:%d CLOSE_WAIT\n"
    assert states(row % 1234 * 3000)[0] == {"CLOSE_WAIT": 1}
    assert states(b"".join(row % port * 2 for port in range(5000, 5100)))[0] == {"CLOSE_WAIT": 100}
    local = b"tcp 0 0 127.0.0.1:80 127.0.0.1:%d CLOSE_WAIT\n"
    assert states(local % 1234 * 2 + local % 1235)[0]["CLOSE_WAIT"] >= 2, "other namespaces have a 127.0.0.1 too"
