"""What each command line means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st

from runner.cli.line import Line, split
from runner.cli.table import FLAGS
from runner.model.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def given(line: Line) -> dict[str, list[str]]:
    """Return what a line says, by "owner.field"."""
    return {f"{owner}.{attr}": texts for owner, fields in line.given.items() for attr, texts in fields.items()}


@pytest.mark.parametrize(
    ("line", "target", "args", "options"),
    [
        ("x.py", ("script", "x.py"), [], {}),
        ("x.py a --b", ("script", "x.py"), ["a", "--b"], {}),
        # Flags of the tables count after the script, until the first --, which is consumed.
        ("x.py --epochs 3 --timeout 5 z", ("script", "x.py"), ["--epochs", "3", "z"], {"run.timeout": ["5"]}),
        ("x.py --timeout 5 -- --timeout 6 --", ("script", "x.py"), ["--timeout", "6", "--"], {"run.timeout": ["5"]}),
        ("x.py -- --timeout 6", ("script", "x.py"), ["--timeout", "6"], {}),
        ("x.py --timeout=5", ("script", "x.py"), [], {"run.timeout": ["5"]}),
        # Those that are ours alone count only before it.
        ("deploy.py --env prod --dry-run", ("script", "deploy.py"), ["--env", "prod", "--dry-run"], {}),
        ("--env A=1 --env B=2 x.py", ("script", "x.py"), [], {"run.env": ["A=1", "B=2"]}),
        ("x.py --help", ("script", "x.py"), ["--help"], {}),
        ("x.py --version -h -m y", ("script", "x.py"), ["--version", "-h", "-m", "y"], {}),
        # Abbreviations are nobody's.
        ("x.py --time 5", ("script", "x.py"), ["--time", "5"], {}),
        ("x.py --timeouts=5 --retryx 2", ("script", "x.py"), ["--timeouts=5", "--retryx", "2"], {}),
        # `run` is the form without surprises.
        ("run x.py --timeout 5 -- a", ("script", "x.py"), ["--timeout", "5", "--", "a"], {}),
        ("run --timeout 5 x.py --timeout 6", ("script", "x.py"), ["--timeout", "6"], {"run.timeout": ["5"]}),
        ("run bench", ("script", "bench"), [], {}),
        ("run run", ("script", "run"), [], {}),
        ("run history a", ("script", "history"), ["a"], {}),
        ("./history a", ("script", "./history"), ["a"], {}),
        ("run -- ls -l", ("command", ["ls", "-l"]), ["-l"], {}),
        ("-- ls --timeout 5", ("command", ["ls", "--timeout", "5"]), ["--timeout", "5"], {}),
        ("--timeout 5 -- ls -- x", ("command", ["ls", "--", "x"]), ["--", "x"], {"run.timeout": ["5"]}),
        ("run -m http.server --timeout 5", ("module", "http.server"), ["--timeout", "5"], {}),
        ("-m http.server --timeout 5 80", ("module", "http.server"), ["80"], {"run.timeout": ["5"]}),
        ("-c pass --retry 2 -- --retry 3", ("code", "pass"), ["--retry", "3"], {"retry.retry": ["2"]}),
        ("- a", ("script", "-"), ["a"], {}),
        ("x.py -", ("script", "x.py"), ["-"], {}),
        # A literal true or false after it is its value.
        ("--suppress-warnings x.py", ("script", "x.py"), [], {"show.suppress_warnings": ["true"]}),
        ("x.py --suppress-warnings false q", ("script", "x.py"), ["q"], {"show.suppress_warnings": ["false"]}),
        ("x.py --suppress-warnings FALSE", ("script", "x.py"), [], {"show.suppress_warnings": ["FALSE"]}),
        ("x.py --suppress-warnings maybe", ("script", "x.py"), ["maybe"], {"show.suppress_warnings": ["true"]}),
        # Given twice, both are kept; the last wins where the option is no list.
        ("--timeout 5 x.py --timeout 6", ("script", "x.py"), [], {"run.timeout": ["5", "6"]}),
        # A negative number is a value, not an option.
        ("x.py --retry-delay -1", ("script", "x.py"), [], {"retry.retry_delay": ["-1"]}),
        ("x.py --retry-on-errors -- a", None, None, None),
    ],
)
def test_runs(line: str, target: object, args: list[str] | None, options: dict[str, list[str]] | None) -> None:
    if target is None:
        with pytest.raises(UsageError, match="needs a value"):
            split(line.split())
        return
    result = split(line.split())
    assert (result.kind, result.target, result.args) == ("run", target, args)
    assert given(result) == options


def test_empty_arguments_and_odd_bytes_stay_as_they_are() -> None:
    words = ["x.py", "", "a b", "--x=\udcff", "=", "--="]
    assert split(words).args == words[1:]


@pytest.mark.parametrize(
    ("line", "kind", "command"),
    [
        ("", "nothing", ""),
        ("--help", "help", ""),
        ("-h x.py", "help", ""),
        ("--timeout 5 --help", "help", ""),
        ("--help-all", "help-all", ""),
        ("--version", "version", ""),
        ("run --help", "help", "run"),
        ("help", "help", ""),
        ("help history", "help", "history"),
        ("help config show", "help", "config show"),
        ("config --help", "help", "config"),
        ("config show -h", "help", "config show"),
        ("history --days 3 --help", "help", "history"),
        ("metrics", "command", "metrics"),
        ("db stats", "command", "db stats"),
        ("completion bash", "command", "completion"),
        ("--history-db x.db history", "command", "history"),
    ],
)
def test_other_kinds(line: str, kind: str, command: str) -> None:
    result = split(line.split())
    assert (result.kind, result.command) == (kind, command)


@pytest.mark.parametrize(
    ("line", "queries", "script"),
    [
        ("--show-history", ["--show-history"], None),
        ("--db-stats --show-history --db-stats", ["--db-stats", "--show-history"], None),
        ("x.py --show-history", ["--show-history"], "x.py"),
        ("gone.py --history-db h.db --show-history --history-limit 3", ["--show-history"], "gone.py"),
        ("x.py --epochs 3 --env prod --show-history", ["--show-history"], "x.py"),
        ("--format json x.py --show-history", ["--show-history"], "x.py"),
        ("--cleanup-old 30 --log-level ERROR", ["--cleanup-old"], None),
    ],
)
def test_queries_run_nothing(line: str, queries: list[str], script: str | None) -> None:
    result = split(line.split())
    assert (result.kind, result.queries) == ("query", queries)
    assert result.given.get("history", {}).get("script") == ([script] if script else None)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--tiemout 5 x.py", "unknown option --tiemout, did you mean '--timeout'?"),
        ("--time 5 x.py", "unknown option --time"),
        ("-u x.py", "to hand it to Python: runner run -- python3 -u SCRIPT"),
        ("x.py --timeout", "--timeout needs a value"),
        ("x.py --timeout --retry 3", "--timeout needs a value, but --retry follows"),
        ("x.py --show-history --retry 3", "--retry only makes sense for a run, but --show-history runs nothing"),
        ("--timeout 5", "no script to run"),
        ("--timeout 5 --export-output a.csv", "--export-output needs --export-format"),
        ("--retention-dry-run", "needs --cleanup-old, --add-retention-policy or --apply-retention-policy"),
        ("x.py --show-history --format json", "--format after the script would be the script's"),
        ("--", "-- needs a command"),
        ("run --", "-- needs a command"),
        ("-m", "-m needs a module"),
        ("run -c", "-c needs code"),
        ("run --show-history x.py", "--show-history runs nothing"),
        ("db", "`runner db` needs one of: stats, cleanup"),
        ("db stat", "`runner db` has no 'stat', did you mean 'stats'?"),
        ("db cleanup", "`runner db cleanup` needs --older-than DAYS"),
        ("metrics x.py extra", "`runner metrics` has no use for 'extra'"),
        ("history a b", "`runner history` has no use for 'b'"),
        ("ps --watch 5", "`runner ps` has no use for '5'; a value of --watch is given as --watch=5"),
        ("history --limits 3", "`runner history` has no option --limits, did you mean '--limit'?"),
        ("history --quiet", "`runner history` has no option --quiet"),
        ("history --limit", "--limit needs a value"),
        ("--timeout 5 metrics", "`runner metrics` has no use for --timeout"),
        ("--disable-history history", "`runner history` has no use for --disable-history"),
        ("help nonsense", "there is no command 'nonsense'"),
        ("history --trend-days 3", "--trend-days is not available in this version"),
    ],
)
def test_refusals(line: str, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        split(line.split())
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("line", "messages"), [
    ("x.py --timeout 5 --history-db h.db", []),
    ("--format json x.py", []),
    ("--bucket 1day --aggregate max x.py",
     ["--bucket and --aggregate do nothing here: they go with --query-metric"]),
    ("x.py --retention-days 30", ["--retention-days does nothing here: it goes with --add-retention-policy"]),
    ("run --export-output a.csv x.py", ["--export-output does nothing here: it goes with --export-format"]),
    ("--retention-dry-run x.py", ["--retention-dry-run does nothing here: it goes with --cleanup-old, "
                                  "--add-retention-policy or --apply-retention-policy"]),
    ("--sql-limit 3 --show-history", ["--sql-limit does nothing here: it goes with `runner sql`"]),
    ("--query-metric cpu_max --bucket 1day", []),
    ("--export-format csv --export-output a.csv --history-db h.db --format json", []),
])  # fmt: skip
def test_what_shapes_nothing_is_said(line: str, messages: list[str]) -> None:
    assert split(line.split()).warnings == messages


def test_a_script_that_stands_without_a_flag_has_one_too() -> None:
    for words in ("history", "export", "query cpu_max", "metrics", "retention add nightly"):
        flagged, bare = (given(split([*words.split(), *more])) for more in (("--script", "x.py"), ("x.py",)))
        assert flagged == bare


RESERVED = sorted(flag for flag, entry in FLAGS.items() if not entry[0])


@pytest.mark.parametrize("flag", RESERVED)
def test_what_is_not_built_is_refused_wherever_it_stands(flag: str) -> None:
    values = ["v"] * max(0, FLAGS[flag][2])
    for words in ([flag, *values], [flag, *values, "x.py"], ["x.py", flag, *values], ["x.py", "a", f"{flag}=v"],
                  ["run", flag, *values, "x.py"], ["-m", "x", flag, *values]):  # fmt: skip
        with pytest.raises(UsageError, match=f"{flag} is not available in this version"):
            split(words)


@pytest.mark.parametrize("flag", RESERVED)
def test_what_is_not_built_can_still_be_handed_over(flag: str) -> None:
    assert split(["x.py", "--", flag, "v"]).args == [flag, "v"]
    assert split(["run", "x.py", flag, "v"]).args == [flag, "v"]


# Roles and arities that no option of this version has, but later ones do.
LATER = {
    "--find": ("a", "find", 0, "either", True, False),
    "--plan": ("a", "plan", 1, "plan", True, False),
    "--two": ("a", "two", 2, "query", True, False),
    "--maybe": ("a", "maybe", -1, "query", True, False),
    "--gate": ("a", "gate", 1, "run", True, False),
}


def test_a_flag_may_be_a_query_or_part_of_a_run() -> None:
    assert split(["--find"], flags=LATER).kind == "query"
    assert split(["x.py", "--find", "--gate", "1"], flags=LATER).kind == "run"
    with pytest.raises(UsageError, match="--gate only makes sense for a run"):
        split(["--find", "--gate", "1"], flags=LATER)


def test_a_plan_takes_the_options_of_the_runs_it_plans() -> None:
    line = split(["x.py", "a", "--plan", "daily", "--gate", "1"], flags=LATER)
    assert (line.kind, line.queries, line.target, line.args) == ("query", ["--plan"], ("script", "x.py"), ["a"])
    assert line.given == {"a": {"plan": ["daily"], "gate": ["1"]}}


def test_arities() -> None:
    assert split(["--two", "1.0", "1.1"], flags=LATER).given == {"a": {"two": ["1.0", "1.1"]}}
    assert split(["--maybe", "x.py"], flags=LATER).target == ("script", "x.py")
    assert split(["--maybe=v"], flags=LATER).given == {"a": {"maybe": ["v"]}}
    with pytest.raises(UsageError, match="--two needs 2 values"):
        split(["--two", "1.0"], flags=LATER)


def test_the_shim_is_no_script(tmp_path: Path) -> None:
    shim = tmp_path / "runner.py"
    assert split([str(shim), "--show-history"], str(shim)).target is None
    assert split([str(shim)], str(shim)).kind == "nothing"
    assert split([str(shim)], "/usr/bin/runner").target == ("script", str(shim))
    other = tmp_path / "my_runner.py"
    assert split([str(other)], str(other)).target == ("script", str(other))


def test_a_flag_that_the_script_has_too_is_pointed_out(tmp_path: Path) -> None:
    script = tmp_path / "x.py"
    script.write_text("parser.add_argument('--timeout')\nuse('--retry-policy', 'no--config')\n")
    line = split([str(script), "--timeout", "5", "--retry", "2", "--config", ""])
    assert len(line.warnings) == 1
    assert "--timeout was taken by the runner" in line.warnings[0]
    assert split(["--cwd", str(tmp_path), "x.py", "--timeout", "5"]).warnings == line.warnings
    assert split(["run", "--timeout", "5", str(script), "--timeout", "6"]).warnings == []
    assert split(["--timeout", "5", str(script)]).warnings == []
    assert len(split(["-c", "f('--timeout')", "--timeout", "5"]).warnings) == 1
    assert split([str(tmp_path / "gone.py"), "--timeout", "5"]).warnings == []


WORD = st.one_of(st.sampled_from([*FLAGS, "--", "-", "-m", "run", "", "--x=1"]), st.text(max_size=5))
WORDS = st.lists(WORD, max_size=6)


@for_any(WORDS)
def test_after_run_and_a_script_every_word_is_the_scripts(words: list[str]) -> None:
    assert split(["run", "x.py", *words]).args == words
    assert split(["run", "-m", "x", *words]).args == words
    assert split(["x.py", "--", *words]).args == words
    assert split(["--", "x", *words]).args == words


@for_any(WORDS)
def test_any_line_is_split_or_refused_in_one_line(words: list[str]) -> None:
    try:
        line = split(words)
    except UsageError as error:
        assert str(error)
    else:
        assert line.kind in ("run", "query", "command", "help", "help-all", "version", "nothing")
        assert (line.kind == "run") <= (line.target is not None)
