"""Each performance goal, measured. `make bench` prints them as one table."""
