"""Programs that do the service's job without the service, as a competent engineer would.

They are what the figures of the core are compared with, so they are kept as quick as they can be
without leaving their clients' everyday calls. All do the job of `job.py` under the meter of
`meter.py`, on what `fill.py` wrote; nothing of `data_analysis` is in here.

    python -m tests.benchmarks.yardsticks.loop_aiokafka --bootstrap HOST:PORT --topic T --records N
"""
