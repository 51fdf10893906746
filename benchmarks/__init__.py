"""Each performance goal of the house, measured. `make bench` prints them as one table."""
