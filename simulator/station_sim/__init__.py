"""The world around the service: stations, virtual time, a network, a simulated Kafka."""
