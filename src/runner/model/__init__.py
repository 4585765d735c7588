"""Facts: metrics, runs, units and errors. No I/O, no clock."""
