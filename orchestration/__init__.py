"""The platform as a graph of Dagster's: assets, checks, a schedule and sensors around the one runner."""
