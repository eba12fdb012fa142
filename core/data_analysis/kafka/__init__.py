"""The Kafka clients, wrapped: options, one place for their errors, positions and uploads."""
