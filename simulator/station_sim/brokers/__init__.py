"""One way to ask for a broker: virtual, embedded, docker, jvm or host:port."""
