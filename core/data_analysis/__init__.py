"""The library: records in, module inputs to callbacks, results out."""
