"""Faults and inspection of a running cluster: one object for Python, and HTTP in front of it."""
