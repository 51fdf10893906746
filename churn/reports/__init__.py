"""Pages, charts and cards that people read."""
