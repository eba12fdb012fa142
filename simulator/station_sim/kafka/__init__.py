"""A Kafka that speaks the real wire protocol."""
