"""Pictures of a saved run, in one HTML file that needs no network."""
