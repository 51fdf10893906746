"""The serving side: what answers about customers, from a bundle alone."""
