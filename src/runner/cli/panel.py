"""The panel: output, curves and processes on the whole screen while the script runs."""
