"""The machine: random programs of requests, sent to two brokers whose answers must agree."""
