"""Where an agent is put: in this process, or in one of its own on this machine."""

from runner.registry import Registry

EXECUTORS = Registry(
    "executor",
    {"here": "runner.executors.here:Here", "process": "runner.executors.process:Process"},
    "runner.executors",
)
