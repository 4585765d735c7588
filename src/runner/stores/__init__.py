"""Where runs are kept."""

from runner.registry import Registry

STORES = Registry(
    "store",
    {"sqlite": "runner.stores.sqlite:SqliteStore", "memory": "runner.stores.memory:MemoryStore"},
    "runner.stores",
)
