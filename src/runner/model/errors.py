"""Errors a user can cause: each says what is wrong, where, and what to do.

    RunnerError
    ├── UsageError            exit code 2: the command line or a value on it
    │   └── ConfigError       exit code 2: a configuration file
    ├── StartError            exit code 125, 126 or 127: the script could not be started
    └── StoreError            the record could not be read or written
        ├── StoreLockedError  another program writes it all the time
        ├── StoreVersionError the record was written by a newer version
        └── StoreCorruptError the record is damaged
"""


class RunnerError(Exception):
    """Base of every error whose message is meant for the user.

    Attributes:
        exit_code: What the command line exits with when the error ends it.
    """

    exit_code = 1


class UsageError(RunnerError):
    """The command line asks for something that makes no sense; nothing has been started."""

    exit_code = 2


class ConfigError(UsageError):
    """A configuration file can't be used; `problems` holds every problem found, each with file and line."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class StartError(RunnerError):
    """The script could not be started; `exit_code` says why as a shell would."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class StoreError(RunnerError):
    """The record of runs could not be read or written."""


class StoreLockedError(StoreError):
    """Another program had the record locked for too long."""


class StoreVersionError(StoreError):
    """The record was written by a newer version of the runner."""


class StoreCorruptError(StoreError):
    """The record is damaged."""
