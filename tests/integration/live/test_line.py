"""With a live line a terminal ends up showing, byte for byte, what the script wrote."""

from __future__ import annotations

import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from .conftest import LINE, Ptys, Seen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from tests import support

    Shell = Callable[..., support.Terminal]

# Each pauses long enough after a newline for the line to be drawn, and goes on in a way of its own.
SCRIPTS = {
    "lines": "for i in range(5): print('line', i, flush=True); pause()",
    "colours": "print('\\33[31mred\\33[0m'); pause(); print('\\33[1;44mon blue\\33[0m\\33[K'); pause(); print('end')",
    "a progress bar": """
        print("loading"); pause()
        for i in range(0, 101, 10): write(f"\\r{i:3}% " + "#" * (i // 5)); time.sleep(0.02)
        pause(); print(); pause(); print("loaded")
    """,
    "two progress bars": """
        print("loading"); pause()
        for i in range(0, 101, 20): write(f"\\rone {i}\\n\\rtwo {i}\\x1b[A"); pause()
        write("\\n\\n"); pause(); print("loaded")
    """,
    "wide characters": "print('日本語' * 20); pause(); write('é日'); pause(); print(); pause(); print('e\\u0301nd')",
    "long lines": "print('x' * 200); pause(); print('y' * 80); pause(); write('z' * 80); pause(); print(); pause()",
    "many lines": "[print(i) for i in range(60)]; pause(); [print(i) for i in range(60)]; pause(); print('end')",
    "a screen of its own": """
        print("before"); pause()
        write("\\x1b[?1049h\\x1b[H\\x1b[2Jfull\\n\\n"); pause(); write("more\\n"); pause(); write("\\x1b[?1049l")
        pause(); print("after"); pause()
    """,
    "a cleared screen": "print('x'); pause(); write('\\x1b[H\\x1b[2J'); pause(); print('top'); pause(); print('end')",
    "a region that scrolls": "write('x\\n\\x1b[2;5r'); pause(); print('in'); pause(); write('\\x1b[r'); pause()",
    "half a sequence": "write('one\\n\\x1b[3'); pause(); write('1mred\\x1b[0m\\n'); pause(); print('end')",
    "nothing": "time.sleep(0.5)",
    "standard error": "print('out'); pause(); sys.stderr.write('err\\n'); pause(); print('out')",
}
HEAD = """
import sys, time
def write(text): sys.stdout.write(text); sys.stdout.flush()
def pause(): sys.stdout.flush(); time.sleep(0.12)
time.sleep(0.35)  # until there may be a line
"""


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[tuple[Seen, Seen]]]]:
    """Run all scripts, some at a time: they mostly pause."""

    def run(name: str) -> tuple[Seen, Seen]:
        ptys = Ptys(tmp_path_factory.mktemp("ptys"))
        columns = 10 if name in ("lines", "wide characters") else 80
        return ptys.both(ptys.script(HEAD + textwrap.dedent(SCRIPTS[name])), columns)

    with ThreadPoolExecutor(4) as pool:
        yield {name: pool.submit(run, name) for name in SCRIPTS}


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_terminal_shows_what_it_would_show_alone(
    shown: dict[str, Future[tuple[Seen, Seen]]], name: str
) -> None:
    alone, with_line = shown[name].result()
    assert LINE in with_line.data, "the line was never drawn: this test tests nothing"
    assert LINE not in alone.data
    assert with_line.shows == alone.shows
    assert (with_line.code, alone.code) == (0, 0)


def test_what_it_shows(ptys: Ptys) -> None:
    script = ptys.script("x = bytearray(30 << 20)\nimport time\nprint('begun')\ntime.sleep(1.2)")
    seen = ptys.see(ptys.command(script), 100)
    drawings = [part.partition(b"\x1b[m\x1b[K")[0].decode() for part in seen.data.split(LINE)[1:]]
    assert "0:01 · CPU" in drawings[-1]
    assert " MB ▁" in drawings[-1] or " MB █" in drawings[-1] or "█" in drawings[-1]
    assert "1 process" in drawings[-1]
    assert "script.py succeeded" in seen.text
    assert "CPU 0" not in seen.text


def test_it_says_what_is_left_where_the_record_knows(ptys: Ptys) -> None:
    script = ptys.script("import sys, time\ntime.sleep(2)")
    with ThreadPoolExecutor() as pool:
        assert not any(pool.map(lambda _: ptys.see(ptys.command("--no-progress", script)).code, range(5)))
        ways = pool.map(lambda words: ptys.see(ptys.command(*words, script)).data, ([], ["--disable-history"]))
        known, unknown = ways
    assert b"left" in known
    assert "≈1 s left".encode() in known
    assert LINE in unknown
    assert b"left" not in unknown


@pytest.mark.parametrize(
    ("words", "env"),
    [
        (["--no-progress"], {}), (["--quiet"], {}), (["--direct"], {}), ([], {"TERM": "dumb"}), ([], {"CI": "true"}),
        ([], {"RUNNER_PROGRESS": "false"}), (["--progress"], {"TERM": "dumb"}),
        (["--progress"], {"TERM": ""}),
    ],
)  # fmt: skip
def test_where_it_is_not_drawn(ptys: Ptys, words: list[str], env: dict[str, str]) -> None:
    script = ptys.script("import time\nprint('begun')\ntime.sleep(0.6)")
    seen = ptys.see(ptys.command(*words, script), **env)
    assert b"begun" in seen.data
    assert LINE not in seen.data


def test_not_over_what_reads_standard_output(ptys: Ptys) -> None:
    line = f"{sys.executable} {ptys.command()[1]} %s script.py | sed 's/^/read: /'"
    ptys.script("import time\nprint('begun', flush=True)\ntime.sleep(0.6)")
    assert LINE not in ptys.see(["sh", "-c", line % ""]).data
    asked = ptys.see(["sh", "-c", line % "--progress --quiet"])
    assert LINE in asked.data
    assert asked.text == "read: begun"


def test_no_redraw_between_lines_that_come_faster(ptys: Ptys) -> None:
    script = ptys.script("import time\nfor i in range(100): print(i, flush=True); time.sleep(0.01)")
    assert LINE not in ptys.see(ptys.command("--progress", "--quiet", script), RUNNER_MONITOR_INTERVAL="0.01").data


def test_a_prompt_and_an_answer(ptys: Ptys) -> None:
    script = ptys.script(HEAD + "print('hello'); pause(); name = input('name: '); pause(); print('hi', name); pause()")

    def talk(child: Any) -> bytes:
        child.expect_exact("name: ")
        data = child.before + child.after
        child.sendline("joe")
        return bytes(data)

    alone, shown = ptys.both(script, talk=talk)
    assert LINE in shown.data
    assert shown.shows == alone.shows
    assert "name: joe" in shown.text


def test_not_drawn_while_a_process_reads_what_is_typed(ptys: Ptys) -> None:
    script = ptys.script(HEAD + "print('your name?'); sys.stdout.flush(); name = input(); print('hi', name); pause()")

    def talk(child: Any) -> bytes:
        child.expect_exact("name?")
        data = child.before + child.after
        # It may be drawn for the last time before the script began to read; after that it must be gone.
        time.sleep(0.5)
        for letter in "joe":
            child.send(letter)
            time.sleep(0.1)
        child.send("\r")
        return bytes(data)

    alone, shown = ptys.both(script, talk=talk)
    assert shown.shows == alone.shows
    assert "your name?\njoe\nhi joe" in shown.text


def test_a_password_that_is_asked_for_past_us(ptys: Ptys) -> None:
    script = ptys.script(
        HEAD + "import getpass\nprint('hello'); pause()\nprint(len(getpass.getpass('secret: '))); pause()"
    )

    def talk(child: Any) -> bytes:
        child.expect_exact("secret: ")
        data = child.before + child.after
        time.sleep(0.4)
        child.sendline("hidden7")
        return bytes(data)

    alone, shown = ptys.both(script, talk=talk)
    assert LINE in shown.data
    assert shown.shows == alone.shows
    assert "secret:\n7" in shown.text


def test_lines_typed_ahead(ptys: Ptys) -> None:
    script = ptys.script("import time\nprint('busy', flush=True); time.sleep(1.2); print('done')")

    def talk(child: Any) -> bytes:
        child.expect_exact("busy")
        data = child.before + child.after
        time.sleep(0.6)
        child.send("ls")
        time.sleep(0.2)
        child.send("\r")
        return bytes(data)

    alone, shown = ptys.both(script, talk=talk)
    assert LINE in shown.data
    assert shown.shows == alone.shows
    assert "busy\nls\ndone" in shown.text


def test_ctrl_c(ptys: Ptys) -> None:
    script = ptys.script(
        "import time\nprint('busy', flush=True)\ntry: time.sleep(20)\nexcept KeyboardInterrupt: print('stopped')"
    )

    def talk(child: Any) -> bytes:
        child.expect_exact("busy")
        data = child.before + child.after
        time.sleep(0.8)
        child.sendintr()
        return bytes(data)

    alone, shown = ptys.both(script, talk=talk)
    assert LINE in shown.data
    assert shown.shows == alone.shows
    assert "^Cstopped" in shown.text


def test_stop_go_on_and_the_background(ptys: Ptys, shell: Shell) -> None:
    ptys.script("import time\nprint('busy', flush=True)\ntime.sleep(2)\nprint('done')")
    term = shell(width=80, height=20)
    term.line(" ".join(ptys.command("--progress", "--quiet", "script.py")))
    term.wait("CPU")
    term.key("C-z")
    text = term.wait("Stopped")
    assert "CPU" not in text
    term.line("fg")
    term.wait("CPU")
    term.key("C-z")
    term.wait(lambda text: text.count("Stopped") == 2)
    term.line("bg; clear")
    text = term.wait("done")
    assert "CPU" not in text


def test_curses(ptys: Ptys, shell: Shell) -> None:
    """On a terminal that has another screen, which the emulator has not."""
    ptys.script(HEAD + """
import curses
print("before"); pause()
curses.wrapper(lambda screen: (screen.addstr(1, 1, "full"), screen.refresh(), pause(), pause()))
pause(); print("after"); pause()
""")
    shown = []
    for argv in ([sys.executable, "script.py"], ptys.command("--progress", "--quiet", "script.py")):
        term = shell(width=80, height=12)
        term.line("clear; " + " ".join(argv) + "; echo over")
        shown.append(term.wait("\nover").partition("before")[2])
    assert shown[0].split() == ["after", "over", "$"]
    assert shown[1] == shown[0]


def test_change_of_size(ptys: Ptys, shell: Shell) -> None:
    """Terminals wrap lines anew when they grow narrower: nothing of the line may stay behind."""
    ptys.script("import time\nfor i in range(8): print('line', i, flush=True); time.sleep(0.1 if i < 4 else 0.6)")
    term = shell(width=80, height=12)
    term.line(" ".join([*ptys.command("--progress", "--quiet", "script.py"), "; echo over"]))
    for number, width in enumerate((45, 30, 60, 80)):
        term.wait(lambda text, number=number: f"line {4 + number}\n" in text and "CPU" in text)  # type: ignore[misc]
        term.resize(width, 12)
    text = term.wait("\nover")
    assert text[text.index("line 0") :].split("\nover")[0].split("\n") == [f"line {i}" for i in range(8)]


def test_a_terminal_that_is_held_with_ctrl_s(ptys: Ptys) -> None:
    script = ptys.script(HEAD + "for i in range(6): print('line', i); pause()")

    def talk(child: Any) -> bytes:
        child.expect_exact("line 1")
        data = child.before + child.after
        child.send("\x13")
        time.sleep(0.4)
        child.send("\x11")
        return bytes(data)

    alone, shown = ptys.both(script, talk=talk)
    assert LINE in shown.data
    assert shown.shows == alone.shows


def test_every_attempt_has_its_line(ptys: Ptys) -> None:
    script = ptys.script("import sys, time\nprint('begun', flush=True); time.sleep(0.5); sys.exit(1)")
    seen = ptys.see(ptys.command("--progress", "--quiet", "--retry", "1", "--retry-delay", "0.1", script))
    assert seen.text == "begun\nbegun"
    assert LINE in seen.data.partition(b"begun")[2].partition(b"begun")[0]
    assert b"attempt 2" in seen.data.rpartition(b"begun")[2]


def test_a_terminal_that_lets_no_background_job_write(ptys: Ptys, shell: Shell) -> None:
    ptys.script("import time\ntime.sleep(1.2)")
    term = shell(width=80, height=12)
    command = " ".join(ptys.command("--progress", "--quiet", "script.py"))
    term.line(f"stty tostop; clear; {command} & wait; echo over")
    text = term.wait("\nover")
    assert "Stopped" not in text
    assert "0:0" not in text
