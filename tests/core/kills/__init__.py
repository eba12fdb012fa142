"""What a service that dies at any moment leaves behind, and what the next one makes of it.

`steps.py` crashes a service at every step of a virtual run, `killing.py` kills a process at random
moments on a broker in real time, `report.py` prints both.
"""
