"""Where figures go: formats of runs and metrics."""
