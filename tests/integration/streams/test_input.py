"""Standard input: inherited as it is, or copied on its way where another attempt may have to read it again."""

from __future__ import annotations

import subprocess
import sys

from .conftest import Drive


def test_input_is_inherited_and_what_is_left_belongs_to_the_next(drive: Drive) -> None:
    (drive.folder / "list").write_text("one\ntwo\nthree\n")
    line = drive.line(sys.executable, "-c", "import os; print(os.read(0, 4).decode(), end='', flush=True)")
    result = drive.shell(f"( {line}; cat ) <list")
    assert result.out == "one\ntwo\nthree\n"


def test_loop_over_a_list_sees_every_line(drive: Drive) -> None:
    (drive.folder / "list").write_text("1\n2\n3\n")
    result = drive.shell("while read line; do " + drive.line("echo", "x") + "; done <list")
    assert result.out == "x\nx\nx\n"


def test_input_from_a_file(drive: Drive) -> None:
    (drive.folder / "in").write_bytes(b"\0data\n")
    assert drive("cat", stdin=str(drive.folder / "in")).stdout == b"\0data\n"
    assert drive("cat", stdin=str(drive.folder / "absent")).exit_code == 125


def test_spool_keeps_what_the_script_read(drive: Drive) -> None:
    spool = drive.folder / "spool"
    spool.touch()
    data = b"".join(b"line %d\n" % i for i in range(100_000))
    done = subprocess.run(
        drive.argv("cksum", spool=str(spool)), input=data, capture_output=True, env=drive.env, timeout=60
    )
    alone = subprocess.run(["cksum"], input=data, capture_output=True)
    assert done.stdout == alone.stdout
    assert spool.read_bytes() == data


def test_another_attempt_reads_the_spool_and_then_the_rest(drive: Drive) -> None:
    spool = drive.folder / "spool"
    spool.touch()
    data = b"".join(b"line %d\n" % i for i in range(100_000))
    first = drive.line("sh", "-c", "read x; echo $x; exit 1", spool=str(spool))
    second = drive.line("cksum", spool=str(spool), stdin=str(spool))
    both = ["bash", "-c", f"{first}; {second}"]
    done = subprocess.run(both, input=data, capture_output=True, env=drive.env, cwd=drive.folder, timeout=60)
    alone = subprocess.run(["cksum"], input=data, capture_output=True)
    assert done.stdout == b"line 0\n" + alone.stdout
    assert spool.read_bytes() == data


def test_script_that_does_not_read_its_input_ends(drive: Drive) -> None:
    spool = drive.folder / "spool"
    spool.touch()
    result = drive.shell("yes | " + drive.line("echo", "x", spool=str(spool)))
    assert result.out == "x\n"
