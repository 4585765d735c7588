"""Options of the runner's own log: in which form, and where to besides standard error."""

from __future__ import annotations

from runner.options import RUN, Options, opt

TEXT, JSON = "text", "json"


class OwnLogOptions(Options):
    """What the runner writes down of what it does; never what the script writes."""

    log_format: str = opt(
        "What the runner says on standard error: text for people, or json, one event a line", default=TEXT,
        choices=(TEXT, JSON), env="RUNNER_LOG_FORMAT", yaml="logging.format", role=RUN,
    )  # fmt: skip
    log_file: str = opt(
        "Append events to this file too", default="", metavar="FILE", env="RUNNER_LOG_FILE", yaml="logging.file",
        role=RUN,
    )  # fmt: skip
    log_max_size: int = opt(
        "Size at which the file is put aside and a new one is begun", default=10 << 20, unit="bytes", minimum=1024,
        metavar="SIZE", yaml="logging.max_size", role=RUN,
    )  # fmt: skip
    log_keep: int = opt(
        "Files put aside that are kept", default=5, minimum=0, maximum=1000, metavar="N", yaml="logging.keep", role=RUN
    )
    log_syslog: bool = opt("Send events to syslog", default=False, yaml="logging.syslog", role=RUN)
    log_journald: bool = opt("Send events to the journal of systemd", default=False, yaml="logging.journald", role=RUN)

    @property
    def wanted(self) -> bool:
        """Whether anything is asked for that the summary does not say."""
        return self.log_format == JSON or bool(self.log_file) or self.log_syslog or self.log_journald
