"""Options of a run: what is started, how it is measured, and where the record is."""

from __future__ import annotations

from runner.options import RUN, Options, opt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runner.engine.own_log import OwnLog

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class RunOptions(Options):
    """What is started and how it is ended."""

    timeout: float | None = opt(
        "End the whole process tree after this long (each attempt)", flag="--timeout", unit="seconds",
        minimum=0.001, metavar="SECONDS", env="RUNNER_TIMEOUT", role=RUN, spec=True,
    )  # fmt: skip
    kill_after: float = opt(
        "Grace between TERM and KILL when a tree is ended", default=10.0, unit="seconds", minimum=0,
        metavar="SECONDS", env="RUNNER_KILL_AFTER", role=RUN,
    )  # fmt: skip
    kill_tree: bool = opt("End descendants that outlive the script", default=False, role=RUN)
    direct: bool = opt("Hand the terminal through untouched; output is not captured", default=False, role=RUN)
    python: str = opt("Interpreter that runs the script", default="", metavar="PYTHON", env="RUNNER_PYTHON", role=RUN)
    no_script_deps: bool = opt(
        "Ignore what the script says of its dependencies (PEP 723)", default=False, env="RUNNER_NO_SCRIPT_DEPS",
        role=RUN,
    )  # fmt: skip
    cwd: str = opt("Directory to run in", default="", metavar="DIR", role=RUN)
    env: tuple[str, ...] = opt("Set a variable for the script (repeatable)", default=(), metavar="KEY=VALUE", role=RUN)
    env_file: tuple[str, ...] = opt(
        "Read variables for the script from a file (repeatable)", default=(), metavar="FILE", role=RUN
    )
    name: str = opt("Name of the script in the record", default="", metavar="NAME", role=RUN)
    tag: tuple[str, ...] = opt("Tag the run (repeatable)", default=(), metavar="KEY=VALUE", role=RUN)
    dry_run: bool = opt("Say what would run, with which options from where, and run nothing", default=False, role=RUN)


class MonitorOptions(Options):
    """How the script is measured."""

    interval: float = opt(
        "Seconds between two samples", default=0.1, flag="--monitor-interval", unit="seconds", minimum=0.01,
        maximum=3600, metavar="SECONDS", env="RUNNER_MONITOR_INTERVAL", yaml="monitoring.sampling_interval",
        role=RUN, spec=True,
    )  # fmt: skip
    memory: str = opt(
        "Which memory is sampled: rss, or pss (shared pages shared out; costly)", default="rss",
        choices=("rss", "pss"), env="RUNNER_MEMORY", role=RUN,
    )  # fmt: skip


class ShowOptions(Options):
    """What the runner itself says.

    Attributes:
        own_log: Where it is written down too, None for nowhere.
    """

    own_log: OwnLog | None = None

    log_level: str = opt(
        "How much the runner says: INFO shows the whole summary, WARNING one line", default="INFO", choices=LOG_LEVELS,
        metavar="LEVEL", env="RUNNER_LOG_LEVEL", yaml="monitoring.log_level", spec=True,
    )  # fmt: skip
    quiet: bool = opt("Show no summary", default=False, role=RUN)
    suppress_warnings: bool = opt(
        "Silence the runner's own warnings, never the script's", default=False, literal_bool=True,
        env="RUNNER_SUPPRESS_WARNINGS", spec=True,
    )  # fmt: skip


class RecordOptions(Options):
    """Where runs are remembered."""

    history_db: str = opt(
        "Database of runs", default="", metavar="FILE", env="RUNNER_HISTORY_DB", yaml="database.path", spec=True
    )
    disable_history: bool = opt("Remember nothing of this run", default=False, role=RUN, spec=True)
    auto_cleanup: bool = opt(
        "Delete runs older than the retention period after each run", flag="--auto-cleanup", default=False,
        yaml="database.auto_cleanup", role=RUN,
    )  # fmt: skip
    retention_days: int = opt(
        "Days that automatic cleanup keeps", flag="--auto-cleanup-days", default=90, minimum=1,
        yaml="database.retention_days", role=RUN,
    )  # fmt: skip
    auto_retention: tuple[str, ...] = opt(
        "Apply this retention policy after each run (repeatable)", flag="--auto-retention", default=(), metavar="NAME",
        yaml="database.auto_retention", role=RUN,
    )  # fmt: skip
