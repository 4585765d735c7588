"""The figures the project promises, measured: ``python -m benchmarks`` prints them all in one table."""
