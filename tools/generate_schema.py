"""Write `docs/reference/runner.schema.json` from the declarations: ``python tools/generate_schema.py``."""

from __future__ import annotations

import io
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from runner.cli.commands.config import print_schema  # noqa: E402

TARGET = ROOT / "docs" / "reference" / "runner.schema.json"


def render() -> str:
    """Return the text of the generated file."""
    out = io.StringIO()
    print_schema(out)
    return out.getvalue()


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
