"""The topics: when each speaks, and what a story makes it say."""
