"""What can be deleted of a run: all of it, or a part without which it stays."""

from __future__ import annotations

RUNS = "runs"  #: whole runs
METRICS = "metrics"  #: figures
OUTPUT = "output"
SAMPLES = "samples"
COARSER = "coarser"  #: the detail of samples
