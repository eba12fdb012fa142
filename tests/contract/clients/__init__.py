"""Kafka's clients behind one small interface, so that a contract case asks each the same.

`interface.py` says what a case may ask, `terms.py` and `settings.py` in which words; one module
per client library answers. Which library runs on which broker is in `kinds.py`.
"""
