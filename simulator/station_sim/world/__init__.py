"""SimPy processes: what really happens at the stations."""
