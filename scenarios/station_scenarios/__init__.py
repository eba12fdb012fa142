"""Stories with an ending: a world, a fault timeline, invariants."""
