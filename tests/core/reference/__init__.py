"""The API reference, chapter by chapter: one test for each statement of behaviour."""
