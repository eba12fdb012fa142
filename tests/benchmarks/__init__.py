"""Figures of the project, measured: benchmarks, not tests. Run by `tox -e figures`."""
