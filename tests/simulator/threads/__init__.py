"""Virtual threads."""
