"""Whether a saved run is what a charging network is like: targets and invariants over its files.

Nothing here imports the world or the streams that made the run; only `command` starts one.
"""
