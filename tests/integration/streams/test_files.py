"""Output into files: the script writes to them itself, and what it wrote is counted all the same."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import time

import pytest

from .conftest import Drive, open_to_all


def test_file_is_handed_through_and_counted(drive: Drive) -> None:
    code = "import os, sys; print(os.path.samestat(os.fstat(1), os.stat('out'))); sys.stderr.write('no newline')"
    drive.shell(drive.line(sys.executable, "-c", code) + " >out 2>err")
    assert (drive.folder / "out").read_text() == "True\n"
    assert (drive.folder / "err").read_text() == "no newline"
    told = drive.told()
    assert told.started.streams == {"stdout": "file", "stderr": "file", "merged": False}
    assert told.ended.output == {"stdout": [5, 1], "stderr": [10, 0], "merged": False}
    assert not {"stdout_size", "stdout_lines"} & told.ended.weaker.keys()
    assert (told.kept(), told.kept("stderr")) == (b"True\n", b"no newline")


def test_only_what_the_script_wrote_is_counted(drive: Drive) -> None:
    drive.shell("(echo before; " + drive.line("printf", "%s\\n", "one", "two") + "; echo after) >out")
    assert (drive.folder / "out").read_text() == "before\none\ntwo\nafter\n"
    told = drive.told()
    assert told.ended.output["stdout"] == [8, 2]
    assert told.kept() == b"one\ntwo\n"


def test_appending_counts_the_growth_and_says_so(drive: Drive) -> None:
    (drive.folder / "out").write_text("old\n")
    drive.shell(drive.line("printf", "%s\\n", "one", "two") + " >>out")
    assert (drive.folder / "out").read_text() == "old\none\ntwo\n"
    told = drive.told()
    assert told.ended.output["stdout"] == [8, 2]
    assert told.ended.weaker["stdout_size"][0] == "ceiling"
    assert told.kept() == b"one\ntwo\n"


@pytest.mark.parametrize("redirection", [">out 2>&1", ">>out 2>>out", ">>out 2>&1"])
def test_both_into_one_file_are_counted_together(drive: Drive, redirection: str) -> None:
    drive.shell(drive.line("sh", "-c", "echo one; echo error >&2; echo two") + f" {redirection}")
    assert (drive.folder / "out").read_text() == "one\nerror\ntwo\n"
    told = drive.told()
    assert told.ended.output == {"stdout": [14, 3], "stderr": None, "merged": True}


def test_file_opened_twice_counts_both_positions(drive: Drive) -> None:
    drive.shell(drive.line("sh", "-c", "echo a longer line; echo x >&2") + " >out 2>out")
    assert drive.told().ended.output["stdout"][0] == 16


def test_full_device_is_what_it_is_alone(drive: Drive) -> None:
    code = "import os\ntry: os.write(1, b'x')\nexcept OSError as error: os._exit(error.errno)"
    result = drive.shell(drive.line(sys.executable, "-c", code) + " >/dev/full")
    assert result.exit_code == errno.ENOSPC
    told = drive.told()
    assert told.started.streams["stdout"] == "direct"
    assert told.ended.output["stdout"] is None


def test_file_that_may_not_be_read_has_its_bytes_counted(drive: Drive) -> None:
    if os.getuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("another user is needed")
    open_to_all(drive.folder)
    line = drive.line("printf", "x\\ny\\n")
    result = drive.shell(f"(umask 377; exec setpriv --reuid=65534 --clear-groups {line} >out); cat out")
    assert result.out == "x\ny\n"
    assert drive.told().ended.output["stdout"] == [4, None]


def test_output_into_a_file_is_told_while_it_is_written(drive: Drive) -> None:
    drive.shell(drive.line("sh", "-c", "echo one; sleep 0.5; echo two") + " >out")
    told = drive.told()
    outputs = [event for event in told.events if event.name == "output"]
    assert [event.data for event in outputs] == [b"one\n", b"two\n"]
    assert outputs[0].t < 0.45


def test_large_file_is_counted_whole(drive: Drive) -> None:
    code = "import os\nfor i in range(50): os.write(1, b'%063d\\n' % i * 16384)"
    started = time.monotonic()
    drive.shell(drive.line(sys.executable, "-c", code, keep_head=1000, keep_tail=1000) + " >out")
    assert time.monotonic() - started < 30
    told = drive.told()
    assert told.ended.output["stdout"] == [50 << 20, 50 * 16384]
    last = [event for event in told.events if event.name == "output"][-1]
    assert last.data.endswith(b"49\n")
