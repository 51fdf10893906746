"""The retraining loop: from a new snapshot to a version that has passed its probation, or to the old one.

What a loop has found is kept in the ledger, and `decide_loop` follows from that alone. So a loop that was
broken off goes on where it was, and its record can be replayed.
"""
