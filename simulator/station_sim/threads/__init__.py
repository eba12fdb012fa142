"""Virtual threads: blocking code in virtual time, each thread a greenlet on the virtual loop.

`scheduler.py` runs them one at a time; what they wait for is in `locks.py`, `queues.py`,
`sockets.py`, `selecting.py`; what makes `threading` start them, in `thread_module.py`; and
`installing.py` puts it all in place. Without the package greenlet worlds run, but no threads.
"""
