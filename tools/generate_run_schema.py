"""Writes docs/reference/run.schema.json, the JSON Schema of ``--json-output``, from the metric catalog."""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from runner.agent import events  # noqa: E402
from runner.analysis.errors import MEANINGS  # noqa: E402
from runner.model.metric import BOUND, CEILING, EXACT, SAMPLED  # noqa: E402
from runner.model.metrics import METRICS  # noqa: E402
from runner.model.usual import HIGHER, LOWER, UNKNOWN, USUAL  # noqa: E402

TARGET = ROOT / "docs" / "reference" / "run.schema.json"

REASONS = [
    events.EXITED, events.SIGNALED, events.TIMEOUT, events.LIMIT, events.CANCELLED, events.OOM_KILLED, events.LOST,
    events.FAILED_TO_START, events.SKIPPED,
]  # fmt: skip

TEXT = {"type": "string"}
TEXT_OR_NULL = {"type": ["string", "null"]}
INTEGER_OR_NULL = {"type": ["integer", "null"]}
BOOLEAN = {"type": "boolean"}
TIME = {"type": "string", "format": "date-time", "description": "ISO 8601 in local time, with offset"}
TIME_OR_NULL = {**TIME, "type": ["string", "null"]}
TEXTS = {"type": "object", "additionalProperties": TEXT}


def figures() -> dict[str, object]:
    """Return the properties of the metrics."""
    result: dict[str, object] = {}
    for metric in METRICS:
        whole = "; whole, unless it is the median of an even number of runs" if metric.type is int else ""
        described = f"{metric.meaning} Unit: {metric.unit}; usually {metric.kind}{whole}."
        result[metric.name] = {"type": ["number", "null"], "description": described}
    return result


def end() -> dict[str, object]:
    """Return the properties that say how an attempt ended."""
    return {
        "reason": {"enum": REASONS, "description": "How it ended"},
        "exit_code": {**INTEGER_OR_NULL, "description": "As a shell shows it; null only where the run was lost"},
        "signal": {**INTEGER_OR_NULL, "description": "The signal that ended the script"},
        "error_type": {**TEXT_OR_NULL, "description": "Exception class, timeout, limit:NAME, signal:N or exit:N"},
        "error_message": {**TEXT_OR_NULL, "description": "What ended it, in one line"},
    }


def digest(shortest: int, longest: int) -> dict[str, object]:
    """Return the property of a hash in hexadecimal digits."""
    return {"type": ["string", "null"], "pattern": f"^[0-9a-f]{{{shortest},{longest}}}$"}


def comparison() -> dict[str, object]:
    """Return how the comparison with earlier runs is described."""
    number = {"type": ["number", "null"]}
    place = {
        "value": {**number, "description": "The figure of this run"},
        "low": {**number, "description": "5 % quantile of the runs it is compared with"},
        "median": number,
        "high": {**number, "description": "95 % quantile"},
        "count": {"type": "integer", "minimum": 0, "description": "Runs of which the figure is known"},
        "percentile": {**number, "minimum": 0, "maximum": 100, "description": "Of them with less; half of ties"},
        "verdict": {"enum": [USUAL, HIGHER, LOWER, UNKNOWN]},
    }
    cause = {
        "kind": {**TEXT, "description": "Which fact differs"},
        "text": {**TEXT, "description": "In words"},
        "likely": {**BOOLEAN, "description": "It explains what stands out; otherwise it merely differs"},
        "before": TEXT_OR_NULL,
        "now": TEXT_OR_NULL,
    }
    runs = {
        "runs": {"type": "integer", "minimum": 0, "description": "Earlier runs that it is compared with"},
        "enough": {**BOOLEAN, "description": "These are enough to say what is usual"},
        "left_out": {
            "type": "object",
            "description": "If not, earlier runs it is not compared with, by reason",
            "properties": {reason: {"type": "integer", "minimum": 1} for reason in ("failed", "host", "arguments")},
            "additionalProperties": False,
        },
        "metrics": {"type": "object", "additionalProperties": _closed(place), "description": "By metric"},
        "causes": {"type": "array", "items": _closed(cause), "description": "What differs, the likeliest first"},
    }
    return {
        **_closed(runs),
        "type": ["object", "null"],
        "description": "Comparison with earlier runs of the same script, arguments shape and host class; null without",
    }


def schema() -> dict[str, object]:
    """Return the whole schema."""
    attempt = {
        "number": {"type": "integer", "minimum": 1},
        "delay_seconds": {"type": "number", "minimum": 0},
        "start_time": TIME,
        **end(),
        "metrics": {"type": "object", "properties": figures(), "additionalProperties": False},
    }
    properties = {
        "run_id": {"type": "string", "pattern": "^[0-9a-f]{12}$", "description": "Identity of the run"},
        "script_path": {**TEXT, "description": "The script as it was given; -m MODULE, -c or a command otherwise"},
        "script_args": {"type": "array", "items": TEXT, "description": "What looks like a secret is redacted"},
        "name": {**TEXT, "description": "What the script is called in the record"},
        "start_time": TIME,
        "end_time": TIME_OR_NULL,
        "success": {**BOOLEAN, "description": "The script ended by itself, with exit code 0"},
        **end(),
        **figures(),
        "merged": {**BOOLEAN, "description": "stderr went where stdout went and is counted with it"},
        "attempts": {"type": "integer", "minimum": 1, "description": "How often the script was started"},
        "total_seconds": {"type": "number", "minimum": 0, "description": "All attempts and the delays between them"},
        "attempt_history": {
            "type": "array", "items": _closed(attempt), "minItems": 1, "description": "Every attempt, with its figures"
        },
        "python": {**TEXT_OR_NULL, "description": "Interpreter of the script, null where it needs none"},
        "python_version": {**TEXT_OR_NULL, "description": "Version of that interpreter"},
        "platform": {**TEXT_OR_NULL, "description": "Operating system"},
        "host": {"type": "object", "description": "Facts of the machine it ran on"},
        "user": {**TEXT, "description": "Who ran it"},
        "cwd": {**TEXT, "description": "Directory it ran in"},
        "tags": {**TEXTS, "description": "What --tag gave"},
        "script_hash": {**digest(64, 64), "description": "SHA-256 of the script's file"},
        "git_commit": {**digest(40, 64), "description": "Commit of the repository the script lies in"},
        "git_dirty": {"type": ["boolean", "null"], "description": "That repository had uncommitted changes"},
        "runner_version": {**TEXT, "description": "Version of the runner"},
        "load": {
            "type": ["number", "null"], "minimum": 0, "description": "Load average (1 minute) of the host at the start"
        },
        "input_bytes": {
            "type": ["integer", "null"], "minimum": 0,
            "description": "Size of the files that arguments and standard input name, null for none",
        },
        "packages_hash": {**digest(16, 16), "description": "Of the distributions that the interpreter finds"},
        "kinds": {
            "type": "object",
            "description": "How each measured figure is known",
            "additionalProperties": {"enum": [EXACT, SAMPLED, BOUND, CEILING]},
        },
        "usual": comparison(),
        "failure": failure(),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A run, as --json-output writes it",
        **_closed(properties),
    }


def failure() -> dict[str, object]:
    """Return the schema of what is said of an error."""
    described = {
        "class": {"enum": list(MEANINGS), "description": "Kind of error"},
        "meaning": {**TEXT_OR_NULL, "description": "What an error of that kind usually means"},
        "place": {**TEXT_OR_NULL, "description": "Where in the code it came from"},
        "count": {"type": "integer", "minimum": 0, "description": "Earlier runs that ended with the same error"},
        "last": TIME_OR_NULL,
        "runs": {"type": "integer", "minimum": 0, "description": "Earlier runs that were looked at"},
    }
    closed = _closed(described)
    return {"description": "What the error of a failed run is, beyond its message", "anyOf": [closed, {"type": "null"}]}


def _closed(properties: dict[str, object]) -> dict[str, object]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def text() -> str:
    """Return the file's text."""
    return json.dumps(schema(), indent=2) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
