"""The table of subcommands: what each is called, where it lives, and which options it takes."""

from __future__ import annotations


class Command:
    """One subcommand; its module is imported when it is run, never for help.

    Attributes:
        name: As it is typed, of one word or two.
        summary: One line for help.
        owners: Whose options it takes, its own first: these may be given without the prefix of their flat flags
            (``runner history --days 7`` is ``runner --show-history --history-days 7``).
        place: ``"module:function"``; the function is called with the options of each owner, in order, and a text stream
            for its answer, and returns an exit code or None. Empty where the command line itself does the work.
        switch: The flat flag that asks for the same, or "".
        also: Whose options it takes besides, without handing them to the function.
    """

    __slots__ = ("also", "name", "owners", "place", "summary", "switch")

    def __init__(
        self,
        name: str,
        summary: str,
        owners: tuple[str, ...],
        place: str = "",
        switch: str = "",
        also: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self.summary = summary
        self.owners = owners
        self.place = place
        self.switch = switch
        self.also = also

    @property
    def takes(self) -> tuple[str, ...]:
        """Whose options may stand on its line."""
        return self.owners + self.also


#: Whose options a run takes.
RUN_OWNERS = (
    "run", "monitor", "show", "record", "config", "retry", "limits", "lock", "heartbeat", "alerts", "channels",
    "own-log", "ci", "confirm", "progress", "json", "junit", "tap", "markdown", "html", "github", "gitlab",
)  # fmt: skip

#: Whose options the judgement of two files or two revisions takes.
GATE_OWNERS = (
    "gate", "gate-revisions", "ci", "query", "confirm", "run", "monitor", "show", "record", "limits", "json", "junit",
    "tap", "markdown", "html", "github", "gitlab", "config",
)  # fmt: skip

#: What else may stand on the line of a query.
_SCOPE = ("config", "show")

COMMANDS: tuple[Command, ...] = (
    Command("run", "Run a script, a module, code or a command; everything after it is its own",
            RUN_OWNERS),
    Command("ps", "Show what is running now, and what it uses",
            ("live-watch", "record", "query"), "runner.cli.commands.ps:show_running", "", _SCOPE),
    Command("top", "Show the processes of a running run, each with what it uses",
            ("top", "live-watch", "record", "query"), "runner.cli.commands.top:show_processes", "", _SCOPE),
    Command("logs", "Show the output of a run, also while it runs",
            ("logs", "record", "query"), "runner.cli.commands.logs:show_output", "", _SCOPE),
    Command("cancel", "End running runs, each with its whole process tree",
            ("cancel", "record", "query"), "runner.cli.commands.cancel:end_runs", "", _SCOPE),
    Command("show", "Show one run whole: facts, figures, curves, output, and where it failed",
            ("show-run", "record", "query"), "runner.cli.commands.show:show_run", "", _SCOPE),
    Command("rerun", "Do a run again: same line, same directory",
            ("rerun", "record"), "runner.cli.commands.rerun:rerun", "", _SCOPE),
    Command("history", "Show past runs and what they cost",
            ("history", "record", "query"), "runner.cli.commands.history:show_history", "--show-history", _SCOPE),
    Command("compare", "Compare two runs, or one with what is usual: figures, curves, and what differs",
            ("compare", "record", "query"), "runner.cli.commands.compare:compare", "", _SCOPE),
    Command("scripts", "Show each script in a line: runs, success rate, usual time and memory, trend",
            ("scripts", "record", "query"), "runner.cli.commands.scripts:show_scripts", also=_SCOPE),
    Command("errors", "Show what ended runs, grouped, or what lines of output have in common",
            ("errors", "record", "query"), "runner.cli.commands.errors:show_errors", also=_SCOPE),
    Command("check", "Tell a monitor whether a script ran lately and succeeded",
            ("check", "record", "query"), "runner.cli.commands.check:check_script", also=_SCOPE),
    Command("alerts list", "Show which alerts fired, what became of each, and which hold now",
            ("alerts-list", "record", "query"), "runner.cli.commands.alerts:list_alerts", "", _SCOPE),
    Command("alerts ack", "Acknowledge an alert: nobody is told again before it is over",
            ("alerts-ack", "record", "query"), "runner.cli.commands.alerts:acknowledge", "", _SCOPE),
    Command("alerts mute", "Have nobody told of alerts for a time",
            ("alerts-mute", "record", "query"), "runner.cli.commands.alerts:mute", "", _SCOPE),
    Command("alerts unmute", "End that",
            ("alerts-unmute", "record", "query"), "runner.cli.commands.alerts:unmute", "", _SCOPE),
    Command("alerts test", "Send a message through a channel now, and say whether it was taken",
            ("alerts-test", "channels", "record", "query"), "runner.cli.commands.alerts_channels:test_channel", "",
            _SCOPE),
    Command("alerts outbox", "Show the messages that are not sent yet, or send them now",
            ("alerts-outbox", "channels", "record", "query"), "runner.cli.commands.alerts_channels:outbox", "", _SCOPE),
    Command("alerts explain", "Show how a condition would have judged the last runs of a script",
            ("alerts-explain", "alerts", "record", "query"), "runner.cli.commands.alerts_explain:explain_condition",
            also=_SCOPE),
    Command("db stats", "Show how much is remembered, and where",
            ("db-stats", "record", "query"), "runner.cli.commands.history:db_stats", "--db-stats", _SCOPE),
    Command("db cleanup", "Delete old runs and give their space back to the disk",
            ("db-cleanup", "deleting", "record", "query"), "runner.cli.commands.retention:clean_up", "--cleanup-old",
            _SCOPE),
    Command("retention add", "Say by a named policy how long runs are kept; nothing is deleted yet",
            ("retention-add", "deleting", "record", "query"), "runner.cli.commands.retention:add_policy",
            "--add-retention-policy", _SCOPE),
    Command("retention apply", "Delete what a policy no longer keeps, or show what that would be",
            ("retention-apply", "deleting", "record", "query"), "runner.cli.commands.retention:apply_policy",
            "--apply-retention-policy", _SCOPE),
    Command("retention list", "List the retention policies",
            ("retention-list", "record", "query"), "runner.cli.commands.retention:list_policies",
            "--list-retention-policies", _SCOPE),
    Command("retention show", "Show one policy, and from which moment on it keeps what",
            ("retention-name", "record", "query"), "runner.cli.commands.retention:show_policy", also=_SCOPE),
    Command("retention remove", "Forget a policy; no run is touched",
            ("retention-name", "record", "query"), "runner.cli.commands.retention:remove_policy", also=_SCOPE),
    Command("retention presets", "Show the periods of SOC2, HIPAA and GDPR, and where they come from",
            ("query",), "runner.cli.commands.retention:show_presets"),
    Command("retention audit", "Show who deleted what, when, and by which policy",
            ("retention-audit", "record", "query"), "runner.cli.commands.retention:show_audit", also=_SCOPE),
    Command("export", "Export past runs as CSV, JSON, JSON lines, Parquet or OpenMetrics",
            ("export", "record"), "runner.cli.commands.export:export_runs", "--export-format", _SCOPE),
    Command("import", "Take runs from exports, reports, other databases and hyperfine into the record",
            ("import", "record", "query"), "runner.cli.commands.export:import_runs", "", _SCOPE),
    Command("query", "Show one metric over time: its values, aggregates of them, or both in buckets",
            ("series", "record", "query"), "runner.cli.commands.query:show_query", "--query-metric", _SCOPE),
    Command("sql", "Ask the record in SQL, reading only",
            ("sql", "record", "query"), "runner.cli.commands.sql:show_sql", "", _SCOPE),
    Command("metrics", "List every figure: unit, how it is known, meaning, how many runs have it",
            ("metrics", "record", "query"), "runner.cli.commands.metrics:show_metrics", "--metrics-list", _SCOPE),
    Command("gate", "Judge the run in one file by another, or a script at two git revisions",
            GATE_OWNERS, "runner.cli.commands.gate:gate"),
    Command("baseline show", "Show what a baseline holds: branches, machines, and what runs cost there",
            ("baseline-file", "ci", "query"), "runner.cli.commands.baseline:show", "", _SCOPE),
    Command("baseline accept", "Let what a run costs be normal from now on",
            ("baseline-accept", "ci", "record", "query"), "runner.cli.commands.baseline:accept_run", "", _SCOPE),
    Command("baseline reset", "Forget the runs of a baseline",
            ("baseline-file", "ci", "query"), "runner.cli.commands.baseline:reset", "", _SCOPE),
    Command("config show", "Show the value of every option and where it comes from",
            ("config-script", "query", *RUN_OWNERS), "runner.cli.commands.config:show_config"),
    Command("config check", "Check a configuration file and say everything that is wrong with it",
            ("config-file",), "runner.cli.commands.config:check_config"),
    Command("config init", "Write a commented configuration file to begin with",
            ("config-file",), "runner.cli.commands.config:init_config"),
    Command("config schema", "Print the JSON Schema of a configuration file, for editors",
            (), "runner.cli.commands.config:print_schema"),
    Command("cache list", "List the environments made for scripts that name their dependencies",
            ("query",), "runner.cli.commands.cache:list_environments"),
    Command("cache clean", "Remove those environments; the next run makes its own anew",
            ("cache", "query"), "runner.cli.commands.cache:clean_environments"),
    Command("cache path", "Print the folder they are kept in",
            (), "runner.cli.commands.cache:print_path"),
    Command("completion", "Print the completion script of a shell",
            ("shell",), "runner.cli.commands.completion:print_completion"),
    Command("help", "Explain a command", ()),
)  # fmt: skip

BY_NAME: dict[str, Command] = {command.name: command for command in COMMANDS}
