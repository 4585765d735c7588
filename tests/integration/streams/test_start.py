"""How a script is started: environment, directory, signals, and what is said when it can't be."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests import support

from .conftest import Drive


@pytest.mark.parametrize(
    ("make", "code", "said"),
    [
        (None, 127, "No such file"),
        ("#!/no/such/interpreter -x\n", 127, "its interpreter /no/such/interpreter is not there"),
        ("\x7fELF\0\0", 126, "not a program"),
    ],
)
def test_what_can_not_be_started(drive: Drive, make: str | None, code: int, said: str) -> None:
    path = str(drive.folder / "it") if make is None else drive.script(make, "it")
    result = drive(path)
    assert result.exit_code == code
    assert said in result.err
    assert path in result.err


def test_what_may_not_be_executed(drive: Drive) -> None:
    path = drive.folder / "script"
    path.write_text("echo x\n")
    path.chmod(0o644)
    assert drive(str(path)).exit_code == 126
    assert drive(str(drive.folder)).exit_code == 126


def test_arguments_too_long(drive: Drive) -> None:
    script = drive.script(
        f"""
        import sys
        sys.path.insert(0, {str(support.SRC)!r})
        from runner.agent.spawn import StartFailed, spawn
        try:
            spawn("/bin/true", ["true", "x" * 200_000], {{}}, None, {{}}, [], [])
        except StartFailed as failure:
            print(failure.code, failure.message)
        """
    )
    result = drive.shell(f"{sys.executable} {script}")
    assert result.out.startswith("126 cannot execute /bin/true: ")
    assert "too long" in result.out


def test_script_without_an_interpreter_line_is_the_shells(drive: Drive) -> None:
    path = drive.script('echo "$1 $2"\n', "plain")
    assert drive(path, "a b", "c").out == "a b c\n"


def test_another_directory(drive: Drive) -> None:
    (drive.folder / "there").mkdir()
    assert drive("pwd", cwd=str(drive.folder / "there")).out == f"{drive.folder}/there\n"
    failed = drive("pwd", cwd=str(drive.folder / "nowhere"))
    assert failed.exit_code == 125
    assert "cannot change to directory" in failed.err


@pytest.mark.parametrize("locale", [{}, {"LC_ALL": "C"}, {"LANG": "C"}, {"LC_CTYPE": "C.UTF-8"}])
def test_environment_is_the_one_given(drive: Drive, locale: dict[str, str]) -> None:
    env = {"PATH": "/usr/bin:/bin", "odd name": "x", "EMPTY": "", **locale}
    alone = subprocess.run(["env"], env=env, capture_output=True, check=True).stdout
    ours = subprocess.run(drive.argv("env"), env=env, capture_output=True, check=True).stdout
    assert sorted(ours.splitlines()) == sorted(alone.splitlines())


def test_signal_mask_and_dispositions_are_inherited(drive: Drive) -> None:
    # The C library's posix_spawn leaves its own two signals (32 and 33) ignored; no program can tell.
    show = [sys.executable, "-c", "for line in open('/proc/self/status'):\n"
            " if line[:6] in ('SigBlk', 'SigIgn'): print(line[:6], hex(int(line[7:], 16) & ~(3 << 31)))"]  # fmt: skip

    def prepare() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2, signal.SIGALRM])

    options = {"preexec_fn": prepare, "capture_output": True, "check": True}
    alone = subprocess.run(show, **options)  # type: ignore[call-overload]
    ours = subprocess.run(drive.argv(*show), env=drive.env, **options)  # type: ignore[call-overload]
    assert ours.stdout == alone.stdout


@pytest.mark.parametrize("version", sorted(support.AGENT_INTERPRETERS))
def test_every_interpreter_runs_the_agent(drive: Drive, version: str) -> None:
    python = support.AGENT_INTERPRETERS[version]
    code = "import sys, time; print('out'); sys.stderr.write('err\\n'); time.sleep(0.3); sys.exit(4)"
    result = drive(sys.executable, "-c", code, python=python)
    assert (result.exit_code, result.stdout, result.stderr) == (4, b"out\n", b"err\n")
    told = drive.told()
    assert told.ended.output == {"stdout": [4, 1], "stderr": [4, 1], "merged": False}
    assert told.ended.t >= 0.3
    assert any(event.name == "sample" for event in told.events)
    assert drive("sleep", "20", python=python, timeout=0.3).exit_code == 124
    assert drive("no-such-program", python=python).exit_code == 127
    assert drive("sh", "-c", "kill -TERM $$", python=python).exit_code == -signal.SIGTERM


def test_time_of_a_short_script_is_its_own(drive: Drive) -> None:
    """The runner imports its modules meanwhile; that must not count."""
    drive("true")
    drive.log.unlink()
    times = []
    for _ in range(5):
        drive("true")
        times.append(drive.told().ended.t)
        drive.log.unlink()
    begun = subprocess.run([sys.executable, "-X", "importtime", "-c", "import runner.agent.loop"], env=drive.env,
                           capture_output=True, text=True, check=True).stderr  # fmt: skip
    imports = int(begun.splitlines()[-1].split("|")[1]) / 1e6
    assert min(times) < imports
