"""Locust against a real Kafka: throughput, latency, lost records."""
