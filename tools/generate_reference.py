"""Fill the generated parts of the reference pages from the declarations: ``python tools/generate_reference.py``.

A page holds prose and places marked ``<!-- generated: NAME -->`` ... ``<!-- end -->``; what stands between is replaced.
"""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

import runner  # noqa: E402
import runner.analysis  # noqa: E402
from runner.agent.events import SAMPLE_FIELDS  # noqa: E402
from runner.cli.commands import COMMANDS, RUN_OWNERS  # noqa: E402
from runner.cli.features import OWNERS, load  # noqa: E402
from runner.cli.reserved import RESERVED  # noqa: E402
from runner.model.metrics import BY_NAME, METRICS  # noqa: E402
from runner.model.portable import COLUMNS  # noqa: E402
from runner.policy import conditions_names  # noqa: E402
from runner.stores.views import SAMPLES, VIEWS  # noqa: E402
from tools import generate_run_schema  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from runner.options import Opt

REFERENCE = ROOT / "docs" / "reference"
PLACE = re.compile(r"(<!-- generated: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table."""
    head = list(head)
    lines = [head, ["-"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def code(text: str) -> str:
    return f"`{text}`" if text else ""


def metrics() -> str:
    """List the catalog of metrics."""
    rows = ((code(metric.name), metric.unit, metric.kind, metric.meaning) for metric in METRICS)
    return table(("Name", "Unit", "Known as", "Meaning"), rows)


def describe(option: Opt) -> str:
    """Return everything a declaration says in words."""
    text = option.help + "."
    if option.choices:
        text += f" One of {', '.join(map(code, option.choices))}."
    if option.default not in (None, "", (), False):
        text += f" Default: {code(str(option.default))}."
    bounds = [f"{word} {limit:g}" for word, limit in (("at least", option.minimum), ("at most", option.maximum))
              if limit is not None]  # fmt: skip
    if bounds:
        text += f" {' and '.join(bounds).capitalize()}."
    return text


def spelling(option: Opt) -> str:
    """Return an option as it is typed."""
    value = option.metavar or option.attr.rpartition("_")[2].upper()
    if option.positional and not option.flag:
        return code(f"[{value}]")
    if option.bare:
        return code(f"{option.flag}[={value}]")
    return code(option.flag if option.type == "bool" else f"{option.flag} {value}")


def short_spelling(owner: str, option: Opt) -> str:
    """Say how an option of a query may be spelled after its command, where that is shorter."""
    short = "--" + option.attr.replace("_", "-")
    for command in COMMANDS:
        if command.owners[:1] == (owner,) and owner not in RUN_OWNERS and not option.positional:
            asks = option.flag == command.switch and not option.arity  # the command's own name says it
            if short != option.flag and not asks:
                return f" After {code(f'runner {command.name}')} also {code(short)}."
    return ""


def options() -> str:
    """List every option by the feature it belongs to."""
    parts = []
    for owner in OWNERS:
        cls = load(owner)
        shown = [option for option in cls.declared.values() if option.flag]
        if not shown:
            continue
        parts.append(f"### {(cls.__doc__ or owner).splitlines()[0].rstrip('.')}\n")
        rows = (
            (
                spelling(option),
                describe(option) + short_spelling(owner, option),
                code(option.env),
                code(option.yaml),
                "yes" if option.spec else "",
            )
            for option in shown
        )
        parts.append(table(("Option", "Meaning", "Variable", "Key in the file", "After the script too"), rows))
    return "\n".join(parts)


def commands() -> str:
    """List the subcommands."""
    rows = ((code(f"runner {command.name}"), command.summary + ".", code(command.switch)) for command in COMMANDS)
    return table(("Command", "What it does", "The same as a flag"), rows)


def reserved() -> str:
    """List the flags that are kept for later versions."""
    return ", ".join(code(flag) for flag, _, _ in RESERVED) + ".\n"


def keys() -> str:
    """List the keys of the configuration file."""
    rows = (
        (code(option.yaml), describe(option), code(option.flag))
        for owner in OWNERS
        for option in load(owner).declared.values()
        if option.yaml
    )
    return table(("Key", "Meaning", "On the command line"), rows)


def variables() -> str:
    """List the environment variables."""
    rows = sorted(
        (code(option.env), describe(option), code(option.flag))
        for owner in OWNERS
        for option in load(owner).declared.values()
        if option.env
    )
    return table(("Variable", "Meaning", "On the command line"), rows)


def json_keys() -> str:
    """List the keys of the JSON report that are no metrics."""
    properties: dict[str, Any] = generate_run_schema.schema()["properties"]  # type: ignore[assignment]
    rows = (
        (code(name), " or ".join(_types(declared)), declared["description"] + ".")
        for name, declared in properties.items()
        if name not in BY_NAME
    )
    return table(("Key", "Type", "Meaning"), rows)


def _types(declared: dict[str, Any]) -> list[str]:
    types = declared.get("type", "string")
    return types if isinstance(types, list) else [types]


def _docstring(thing: object) -> str:
    """Return a docstring in Markdown, its sections such as ``Args:`` as lists."""
    result: list[str] = []
    section = ""
    for line in (inspect.getdoc(thing) or "").replace("``", "`").split("\n"):
        if head := re.fullmatch(r"(Args|Attributes|Raises|Returns|Yields):", line):
            section = head[1]
            result += [f"**{section}**", ""]
        elif section and line:
            item = re.fullmatch(r"    (\w+): (.*)", line)
            if item and section not in ("Returns", "Yields"):
                result.append(f"- `{item[1]}`: {item[2]}")
            else:  # goes on with what is above
                result[-1] = f"{result[-1]} {line.strip()}" if result[-1] else line.strip()
        else:
            result.append(line)
    return "\n".join(result) + "\n"


def _signature(name: str, thing: Callable[..., object]) -> str:
    text = re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(inspect.signature(thing)))
    return f"{name}{re.sub(r'^.self(, )?', '(', text)}".removesuffix(" -> None")


def api() -> str:
    """Describe the public classes from their signatures and docstrings."""
    parts = []
    for name in sorted(set(runner.__all__) - {"__version__"}):
        cls = getattr(runner, name)
        parts.append(f"## {name}\n\n```text\n{_signature(name, cls.__init__)}\n```\n\n{_docstring(cls)}")
        # A class may be made of several; its own members come first.
        for attr, member in (item for part in cls.__mro__ if part is not object for item in vars(part).items()):
            if attr.startswith("_") or not inspect.getdoc(member):
                continue
            if isinstance(member, property):
                parts.append(f"### `{name}.{attr}`\n\n{_docstring(member)}")
            elif inspect.isfunction(member):
                parts.append(f"### `{_signature(attr, member)}`\n\n{_docstring(member)}")
    return "\n".join(parts)


def analysis() -> str:
    """Describe what judges figures without a record: functions first, then what they return."""
    members = {name: getattr(runner.analysis, name) for name in runner.analysis.__all__}
    functions = [f"### `{_signature(name, each)}`\n\n{_docstring(each)}"
                 for name, each in members.items() if inspect.isfunction(each)]  # fmt: skip
    classes = [f"### `{name}`\n\n{_docstring(each)}" for name, each in members.items() if inspect.isclass(each)]
    return "\n".join([*functions, *classes])


def views() -> str:
    """Describe the views that can be asked in SQL."""
    parts = []
    for view in (*VIEWS, SAMPLES):
        rows = ((code(column.name), column.type, column.meaning + ".") for column in view.columns)
        parts.append(f"## {view.name}\n\n{view.meaning}.\n\n{table(('Column', 'Type', 'Meaning'), rows)}")
    return "\n".join(parts)


def records() -> str:
    """List the columns of an exported record."""
    rows = ((code(column.name), column.kind, column.meaning) for column in COLUMNS)
    return table(("Column", "Kind", "Meaning"), rows)


def condition_facts() -> str:
    """List the facts that a condition may use besides the metrics."""
    entries = conditions_names.NAMES.values()
    facts = [each for each in entries if isinstance(each, conditions_names.Fact) and not each.metric]
    rows = (
        (
            code(each.name),
            f"{each.type}, {each.unit}" if each.unit else each.type,
            each.meaning + (f" One of {', '.join(map(code, each.choices))}." if each.choices else ""),
            "yes" if each.during else "",
        )
        for each in [*facts, conditions_names.tag("NAME")]
    )
    return table(("Name", "Is", "Meaning", "While it runs"), rows)


def condition_functions() -> str:
    """List the functions of conditions."""
    entries = conditions_names.NAMES.values()
    rows = (
        (code(each.spelling), each.type, each.meaning, "yes" if each.during else "")
        for each in entries
        if isinstance(each, conditions_names.Function)
    )
    return table(("Function", "Is", "Meaning", "While it runs"), rows)


def condition_metrics() -> str:
    """List the metrics that are known while a script runs."""
    names = [each.name for each in METRICS if each.name in conditions_names.DURING]
    return ", ".join(map(code, names)) + ".\n"


def samples() -> str:
    """List the fields of a sample."""
    return ", ".join(map(code, SAMPLE_FIELDS)) + ".\n"


PARTS: dict[str, Callable[[], str]] = {
    "metrics": metrics,
    "options": options,
    "commands": commands,
    "reserved": reserved,
    "keys": keys,
    "variables": variables,
    "json": json_keys,
    "api": api,
    "analysis": analysis,
    "views": views,
    "records": records,
    "samples": samples,
    "condition-facts": condition_facts,
    "condition-functions": condition_functions,
    "condition-metrics": condition_metrics,
}


def render() -> dict[Path, str]:
    """Return every reference file with its generated parts filled."""

    def fill(match: re.Match[str]) -> str:
        return f"{match[1]}\n{PARTS[match[2]]()}\n{match[3]}"

    pages = {path: PLACE.sub(fill, path.read_text(encoding="utf-8")) for path in sorted(REFERENCE.glob("*.md"))}
    return {**pages, generate_run_schema.TARGET: generate_run_schema.text()}


if __name__ == "__main__":
    for path, text in render().items():
        path.write_text(text, encoding="utf-8")
