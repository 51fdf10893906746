"""From a file or an address to a typed table."""
