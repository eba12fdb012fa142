"""Where records go, and where recorded ones come from."""
