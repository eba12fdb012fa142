"""The contract that the simulated Kafka and Apache Kafka both keep: each case one body."""
