"""Errors of other languages, by what their programs write; where one is not installed, by the text it is known for."""

from __future__ import annotations

import os
import shutil
import subprocess
import textwrap
from typing import TYPE_CHECKING

import pytest

from runner.analysis.log_scan import scan

if TYPE_CHECKING:
    from pathlib import Path

JAVA = """
public class A {
  public static void main(String[] args) throws Exception {
    switch (args[0]) {
      case "bare": throw new NullPointerException();
      case "lines": throw new IllegalStateException("one\\ntwo");
      case "thread":
        Thread thread = new Thread(() -> { throw new IllegalStateException("in it"); }, "worker 1");
        thread.start();
        thread.join();
        break;
      case "cause":
        try { Integer.parseInt("x"); } catch (Exception e) { throw new RuntimeException("outer", e); }
    }
  }
}
"""
CPP = """
#include <cassert>
#include <stdexcept>
#include <thread>
int main(int count, char **args) {
  switch (args[1][0]) {
    case 'r': throw std::runtime_error("bad config");
    case 'i': throw 5;
    case 'm': throw std::bad_alloc();
    case 'a': assert(count > 9);
    case 't': std::thread left([]{});
  }
}
"""
RUST = """fn main() {
    match std::env::args().count() { 2 => panic!("boom"), _ => assert_eq!(1, 2, "why") }
}
"""


def installed(*programs: str) -> str:
    """Return the path of the first program; skip the test where one is missing: what it writes is known anyway."""
    paths = [shutil.which(program) for program in programs]
    if None in paths:
        pytest.skip(f"not installed: {' or '.join(programs)}")
    return str(paths[0])


def written(folder: Path, *argv: str) -> str:
    """Return what a program writes to standard error."""
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C", "RUST_BACKTRACE": "1"}
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=60, env=env, input="a line\n")
    return done.stderr


def only(text: str) -> tuple[str, str, str, str, str]:
    [fault] = scan(text).faults
    return fault.language, fault.type, fault.message, fault.where, fault.kind


@pytest.mark.parametrize(
    ("name", "code", "expected"),
    [
        ("a.js", "throw new Error('boom')", ("Error", "boom", "a.js:1:7", "other")),
        ("b.js", "\nrequire('nope')", ("Error", "Cannot find module 'nope'", "b.js:2:1", "dependency")),
        ("c.js", "let a = ;", ("SyntaxError", "Unexpected token ';'", "c.js:1", "syntax")),
        ("d.js", "throw 'text'", ("", "text", "d.js:1", "other")),
        ("e.js", "throw new TypeError()", ("TypeError", "", "e.js:1:7", "data")),
        ("f.js", "class Bad extends Error { name = 'Bad' }\nthrow new Bad('x\\ny')", ("Bad", "x", "f.js:2:7", "other")),
        ("g.js", "require('fs').readFileSync('/none')",
         ("Error", "ENOENT: no such file or directory, open '/none'", "g.js:1:15", "data")),
        ("h.js", "function f() { null.x }\ntry { f() } catch (e) { console.error(e) }",
         ("TypeError", "Cannot read properties of null (reading 'x')", "h.js:1:21", "data")),
        ("i.js", "try { require('nope') } catch (e) { console.error(e.stack) }",
         ("Error", "Cannot find module 'nope'", "i.js:1:7", "dependency")),
        ("j.mjs", "throw new Error('boom')", ("Error", "boom", "j.mjs:1:7", "other")),
    ],
)  # fmt: skip
def test_node(tmp_path: Path, name: str, code: str, expected: tuple[str, ...]) -> None:
    node = installed("node")
    (tmp_path / name).write_text(code)
    assert only(written(tmp_path, node, name)) == ("node", *expected)


def test_node_that_misses_a_package_or_memory(tmp_path: Path) -> None:
    node = installed("node")
    (tmp_path / "a.mjs").write_text("import 'nope'")
    language, kind, message, _, meaning = only(written(tmp_path, node, "a.mjs"))
    assert (language, kind, meaning) == ("node", "Error", "dependency") and message.startswith("Cannot find package")
    (tmp_path / "b.js").write_text("const all = []; for (;;) all.push(new Array(1e6).fill(1.5))")
    assert only(written(tmp_path, node, "--max-old-space-size=30", "b.js"))[4] == "memory"
    (tmp_path / "c.js").write_text("JSON.parse('{')")
    assert only(written(tmp_path, node, "c.js"))[4] == "data", "what can't be read is the input"


@pytest.fixture(scope="module")
def java(tmp_path_factory: pytest.TempPathFactory) -> Path:
    installed("java", "javac")
    folder = tmp_path_factory.mktemp("java")
    (folder / "A.java").write_text(JAVA)
    subprocess.run(["javac", "A.java"], cwd=folder, check=True, timeout=120)
    return folder


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("bare", ("java.lang.NullPointerException", "", "A.java:5", "data")),
        ("lines", ("java.lang.IllegalStateException", "one", "A.java:6", "other")),
        ("thread", ("java.lang.IllegalStateException", "in it", "A.java:8", "other")),
    ],
)
def test_java(java: Path, case: str, expected: tuple[str, ...]) -> None:
    assert only(written(java, "java", "A", case)) == ("java", *expected)


def test_a_cause_of_java_has_its_place_in_ones_own_code(java: Path) -> None:
    outer, cause = scan(written(java, "java", "A", "cause")).faults
    assert (outer.text, outer.where) == ("java.lang.RuntimeException: outer", "A.java:13")
    assert (cause.type, cause.where, cause.chained) == ("java.lang.NumberFormatException", "A.java:13", True)
    assert only(written(java, "java", "Nope"))[4] == "dependency"


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Path:
    installed("g++")
    folder = tmp_path_factory.mktemp("native")
    (folder / "x.cpp").write_text(CPP)
    subprocess.run(["g++", "-w", "-o", "x", "x.cpp", "-pthread"], cwd=folder, check=True, timeout=120)
    return folder


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("r", ("std::runtime_error", "bad config", "", "crash")),
        ("i", ("int", "", "", "crash")),
        ("m", ("std::bad_alloc", "std::bad_alloc", "", "memory")),
        ("a", ("Assertion", "`count > 9' failed.", "x.cpp:10", "crash")),
        ("t", ("", "terminate called without an active exception", "", "crash")),
    ],
)
def test_native_programs(native: Path, case: str, expected: tuple[str, ...]) -> None:
    assert only(written(native, "./x", case)) == ("c++", *expected)


def test_rust(tmp_path: Path) -> None:
    rustc = installed("rustc")
    (tmp_path / "m.rs").write_text(RUST)
    subprocess.run([rustc, "m.rs"], cwd=tmp_path, check=True, timeout=120)
    assert only(written(tmp_path, "./m", "x")) == ("rust", "panic", "boom", "m.rs:2:43", "other")
    assert only(written(tmp_path, "./m"))[2] == "assertion `left == right` failed: why"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("\ndie 'boom';", ("boom", "x.pl:2", "other")),
        ("use Nope::Mod;", ("Can't locate Nope/Mod.pm in @INC", "x.pl:1", "dependency")),
        ("my $x = ; ", ("syntax error", "x.pl:1", "syntax")),
        ("while (<STDIN>) { die 'x' }", ("x", "x.pl:1", "other")),
        ("open(F, '</none') or die \"cannot open: $!\";", ("cannot open: No such file", "x.pl:1", "data")),
    ],
)
def test_perl(tmp_path: Path, code: str, expected: tuple[str, ...]) -> None:
    perl = installed("perl")
    (tmp_path / "x.pl").write_text(code)
    language, kind, message, where, meaning = only(written(tmp_path, perl, "x.pl"))
    assert (language, kind, where, meaning) == ("perl", "", *expected[1:]) and message.startswith(expected[0])


@pytest.mark.parametrize("shell", ["bash", "dash", "zsh"])
@pytest.mark.parametrize(
    ("code", "line", "kind"),
    [
        ("echo\n\nfoo x\n", 3, "dependency"),
        ("exec nope\n", 1, "dependency"),
        ("touch here\n./here\n", 2, "permission"),
        ("cat </none\n", 1, "data"),
        ("cd /none\n", 1, "data"),
        ("if true\n", 2, "syntax"),
        ("set -u\necho $FOO\n", 2, "other"),
    ],
)
def test_shells(tmp_path: Path, shell: str, code: str, line: int, kind: str) -> None:
    path = installed(shell)
    (tmp_path / "x.sh").write_text(code)
    language, _, message, where, meaning = only(written(tmp_path, path, "x.sh"))
    assert (language, where, meaning) == ("shell", f"x.sh:{line}", kind) and message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [chan receive]:\nmain.main()\n"
         "\t/srv/x.go:5 +0x2d\nexit status 2",
         ("go", "fatal error", "all goroutines are asleep - deadlock!", "x.go:5", "timeout")),
        ("panic: boom\n\ngoroutine 1 [running]:\npanic({0x45, 0x46})\n\t/usr/local/go/src/runtime/panic.go:884 +0x212\n"
         "main.main()\n\t/srv/x.go:8 +0x1d", ("go", "panic", "boom", "x.go:8", "other")),
        ("panic: runtime error: invalid memory address or nil pointer dereference\n"
         "[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x45]\n\ngoroutine 1 [running]:\nmain.main()\n"
         "\t/srv/x.go:4 +0x1d",
         ("go", "panic", "runtime error: invalid memory address or nil pointer dereference", "x.go:4", "data")),
        ("thread 'main' panicked at 'boom', src/main.rs:2:5\nnote: run with `RUST_BACKTRACE=1`",
         ("rust", "panic", "boom", "main.rs:2:5", "other")),
        ("thread '<unnamed>' panicked at src/main.rs:2:5:\nboom\n", ("rust", "panic", "boom", "main.rs:2:5", "other")),
        ("<internal:/usr/lib/ruby/3.1.0/rubygems/core_ext/kernel_require.rb>:85:in `require': cannot load such file"
         " -- nope (LoadError)\n\tfrom <internal:/usr/lib/ruby/3.1.0/rubygems/core_ext/kernel_require.rb>:85:in "
         "`require'\n\tfrom app.rb:1:in `<main>'",
         ("ruby", "LoadError", "cannot load such file -- nope", "app.rb:1", "dependency")),
        ("/usr/lib/ruby/3.1.0/net/http.rb:987:in `initialize': Failed to open TCP connection (Net::OpenTimeout)\n"
         "\tfrom app.rb:7:in `block in fetch'",
         ("ruby", "Net::OpenTimeout", "Failed to open TCP connection", "app.rb:7", "timeout")),
        ("-e:1:in `<main>': unhandled exception", ("ruby", "", "unhandled exception", "-e:1", "other")),
        ("PHP Fatal error:  Uncaught RuntimeException: boom in /srv/a.php:3\nStack trace:\n#0 {main}\n  thrown in"
         " /srv/a.php on line 3", ("php", "RuntimeException", "boom", "a.php:3", "other")),
        ("PHP Fatal error:  Allowed memory size of 134217728 bytes exhausted (tried to allocate 20480 bytes) in"
         " /srv/a.php on line 7", ("php", "Fatal error", "Allowed memory size of 134217728 bytes exhausted (tried to"
                                   " allocate 20480 bytes)", "a.php:7", "memory")),
        ("PHP Parse error:  syntax error, unexpected token \";\" in /srv/a.php on line 2",
         ("php", "Parse error", 'syntax error, unexpected token ";"', "a.php:2", "syntax")),
        ("java.io.IOException: No space left on device\n\tat java.base/java.io.Out.write(Native Method)\n"
         "\tat com.x.Main.run(Main.java:12) ~[app.jar:1.0]",
         ("java", "java.io.IOException", "No space left on device", "Main.java:12", "disk")),
        ("libc++abi: terminating due to uncaught exception of type std::out_of_range: vector",
         ("c++", "std::out_of_range", "vector", "", "crash")),
        ("free(): invalid pointer", ("c++", "", "free(): invalid pointer", "", "crash")),
        ("./job: line 3: foo: not found", ("shell", "", "foo: not found", "job:3", "dependency")),
        ("sh: 1: foo: not found", ("shell", "", "foo: not found", "sh:1", "dependency")),
        ("x.sh: line 1: 13495 Killed                  ./worker",
         ("shell", "", "13495 Killed                  ./worker", "x.sh:1", "killed")),
        ("x.sh: line 1: 13495 Segmentation fault      (core dumped) ./worker",
         ("shell", "", "13495 Segmentation fault      (core dumped) ./worker", "x.sh:1", "crash")),
    ],
)  # fmt: skip
def test_known_texts(text: str, expected: tuple[str, ...]) -> None:
    assert only("before\n" + text + "\nafter") == expected


@pytest.mark.parametrize(
    "text",
    [
        "Starting\ncom.x.Service: ready\n", "done\n\tat noon\n", "panic: at the disco\n",
        "Fatal error: in words only\n", "meet them at noon on line 3.\n", "Note: 3: things to do\n",
        "x.c:3:5: error: expected ';'\n    x\n    ^\n",
        "time 12:30: all is well\n", "step: 3: done\n", "warning: unused at a place line five.\n",
    ],
)  # fmt: skip
def test_other_lines_are_no_errors(text: str) -> None:
    assert scan(textwrap.dedent(text)).faults == []
