"""Subcommands of `station-lab` that come with the library; they need no simulator.

One module a subcommand. How a configuration file is read is in `config_file.py`, how health and
metrics are served in `probes.py`.
"""
