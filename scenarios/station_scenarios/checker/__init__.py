"""Holds what a service did against what the world really sent; shares no code with the library."""
