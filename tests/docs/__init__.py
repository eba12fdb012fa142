"""The documentation: what it shows is run."""
