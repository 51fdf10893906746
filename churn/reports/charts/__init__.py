"""Charts; each title states what the chart shows."""
