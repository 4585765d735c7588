"""``runner config show|check|init|schema``: what is set and by what, and what a configuration file may hold."""

from __future__ import annotations

import os

from runner.cli.features import known_keys
from runner.engine import config
from runner.model.errors import ConfigError, UsageError
from runner.options import Options, Unset, opt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, TextIO

    from runner.options import Opt


class ConfigFileOptions(Options):
    """Which configuration file is meant."""

    file: str = opt("The configuration file", default="", metavar="FILE", positional=True)


class ConfigScriptOptions(Options):
    """For which script."""

    script: str = opt(
        "The script beside which a configuration file may be", default="", metavar="SCRIPT", positional=True
    )


def show_config(*arguments: Any) -> int:
    """Show every option of a run with its value and where that comes from.

    Args:
        arguments: The script's and the query's options, those of every feature of a run, and the stream for the answer.
    """
    from runner.cli.tables import write_rows
    from runner.engine import provenance

    script, query, *features, out = arguments
    rows = provenance.rows(features)
    if query.format != "json":
        rows = [{**row, "value": provenance.text(row["value"])} for row in rows]
    if query.format == "table":
        path = _applying(features, script.script)
        out.write(f"Configuration file: {path or 'none'}\n\n")
    write_rows(out, query.format, ("option", "value", "source"), rows)
    return 0


def _applying(features: list[Options], script: str) -> str:
    named = next(feature for feature in features if isinstance(feature, config.ConfigOptions))
    return named.config if "config" in named.sources else config.find(script or None, os.environ)


#: Keys whose values mean more than their shape tells, each with what returns the problems of one.
_MEANINGS = {
    "performance_gates": "runner.engine.ci:problems_of_file",
    "alerts": "runner.engine.alert_options:problems_of_file",
}


def _resolve(place: str) -> Callable[[object], list[str]]:
    module, _, name = place.partition(":")
    function: Callable[[object], list[str]] = getattr(__import__(module, fromlist=[name]), name)
    return function


def check_config(options: ConfigFileOptions, out: TextIO) -> int:
    """Check a configuration file, the one that applies here where none is named.

    Raises:
        ConfigError: Everything that is wrong with it.
        UsageError: There is none.
    """
    path = options.file or config.find(None, os.environ)
    if not path:
        raise UsageError("no configuration file applies here; name one: runner config check FILE")
    found = config.load(path, None, os.environ, known_keys)
    problems = [problem for key, place in _MEANINGS.items() if key in found.values
                for problem in _resolve(place)(found.values[key][0])]  # fmt: skip
    if problems:
        raise ConfigError(problems)
    count = len(found.values)
    out.write(f"{path}: nothing wrong, {count} value{'s' * (count != 1)} with effect\n")
    out.writelines(f"  note: {warning}\n" for warning in found.warnings)
    for key, (value, where) in found.values.items():
        for item in _leaves(value):
            if isinstance(item, Unset):
                out.write(f"  note: {where}: {key} needs the environment variable {item.name}, which is not set here\n")
    return 0


def _leaves(value: object) -> Iterator[object]:
    if isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _leaves(item)
    else:
        yield value


def init_config(options: ConfigFileOptions, out: TextIO) -> int:
    """Write a configuration file in which everything is explained and nothing is set.

    Raises:
        UsageError: The file is there already, or can't be written.
    """
    path = options.file or "runner.yaml"
    if not path.endswith((".yaml", ".yml")):
        raise UsageError(f"{path}: a commented configuration file is YAML; end its name in .yaml")
    try:
        with open(path, "x", encoding="utf-8") as file:
            file.write(template())
    except FileExistsError:
        raise UsageError(f"{path} is there already and stays as it is") from None
    except OSError as error:
        raise UsageError(f"{path} can't be written: {error.strerror}") from None
    out.write(f"{path} written: everything in it is a comment until you change it\n")
    return 0


def print_schema(out: TextIO) -> int:
    """Print the JSON Schema of a configuration file."""
    from runner.cli.tables import write_json
    from runner.engine.config_schema import schema

    write_json(out, schema(known_keys()))
    return 0


_HEAD = """\
# yaml-language-server: $schema=runner.schema.json
# (editors complete and check this file once you have written that one: runner config schema > runner.schema.json)
#
# Settings of runner. Take the # away before what you want to set.
# Found here: beside the script, at the root of the project, in ~/.config/runner; the first found counts.
# Command line and environment win over this file. ${NAME} stands for an environment variable.
"""


def template() -> str:
    """Return the commented configuration file."""
    from json import dumps

    sections: dict[str, list[str]] = {}
    for key, declared in known_keys().items():
        section, _, name = key.partition(".")
        option = declared()
        if option.shape is not None:
            sections[key] = [f"\n# {option.help}", f"# {key}: {dumps(option.shape.get('examples', [None])[0])}"]
            continue
        lines = sections.setdefault(section, [f"\n{section}:"])
        lines += [f"  # {option.help}", f"  # {name}: {_example(option)}"]
    return _HEAD + "\n".join(line for lines in sections.values() for line in lines) + "\n"


def _example(option: Opt) -> str:
    if option.choices:
        return f"{option.default or option.choices[0]}    # {', '.join(option.choices)}"
    if isinstance(option.default, bool):
        return "true" if option.default else "false"
    if option.repeat:
        return f"[{option.metavar}]"
    if option.default is None or option.default == "":
        return option.metavar or option.type.upper()
    return f"{option.default:g}" if isinstance(option.default, float) else str(option.default)
