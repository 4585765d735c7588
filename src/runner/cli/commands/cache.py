"""The environments kept for scripts that name their dependencies: ``runner cache list``, ``clean`` and ``path``."""

from __future__ import annotations

import os
from time import time

from runner.cli.tables import fitting, write_json, write_rows
from runner.engine.environments import Environments
from runner.model.run import iso
from runner.model.units import format_bytes
from runner.options import Options, opt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

    from runner.engine.query_options import QueryOptions

_COLUMNS = ("used", "size", "packages", "by", "script", "dependencies")
#: Of these, what a narrow terminal can do without, in that order.
_DISPENSABLE = ("by", "packages", "used", "size")


class CacheOptions(Options):
    """Which environments are removed."""

    older_than: float | None = opt(
        "Only environments that no script used for so long: 30d, 12h", flag="--cache-older-than", unit="seconds",
        minimum=0, metavar="TIME",
    )  # fmt: skip


def list_environments(query: QueryOptions, out: TextIO) -> int:
    """Show the environments that were made for scripts, the last used first."""
    rows = Environments(os.environ).listing()
    for row in rows:
        row["made"], row["used"] = (iso(int(row[moment] * 1e9)) for moment in ("made", "used"))
    if query.format == "json":
        write_json(out, {"status": "ok" if rows else "no_data", "environments": rows})
    elif query.format == "csv":
        columns = ("path", "script", "dependencies", "by", "packages", "bytes", "made", "used")
        write_rows(out, "csv", columns, [{**row, "dependencies": " ".join(row["dependencies"])} for row in rows])
    elif not rows:
        out.write("no environments are kept: none was made for a script yet\n")
    else:
        lines: list[dict[str, object]] = [
            {
                "used": row["used"][:16].replace("T", " "),
                "size": format_bytes(row["bytes"]),
                "packages": row["packages"],
                "by": row["by"],
                "script": os.path.basename(row["script"]),
                "dependencies": ", ".join(row["dependencies"]) or "none",
            }
            for row in rows
        ]
        write_rows(out, "table", fitting(_COLUMNS, _DISPENSABLE, lines, out), lines)
    return 0


def clean_environments(options: CacheOptions, query: QueryOptions, out: TextIO) -> int:
    """Remove environments; the next run of a script makes its own anew."""
    before = None if options.older_than is None else time() - options.older_than
    removed, freed = Environments(os.environ).clean(before)
    if query.format == "json":
        write_json(out, {"status": "ok", "removed": removed, "freed_bytes": freed})
    elif query.format == "csv":
        write_rows(out, "csv", ("removed", "freed_bytes"), [{"removed": removed, "freed_bytes": freed}])
    else:
        out.write(f"removed {removed} environment{'s' * (removed != 1)}, freed {format_bytes(freed)}\n")
    return 0


def print_path(out: TextIO) -> int:
    """Print the folder that environments are kept in."""
    out.write(Environments(os.environ).folder + "\n")
    return 0
