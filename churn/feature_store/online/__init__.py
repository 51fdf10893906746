"""The online store: the latest known fields of each customer, for services that score one at a time.

What is stored are the contract's raw fields, each with the time of its event. Features are made from
them when a customer is scored, so no feature is older than its fields. A field is replaced only by
one of a later event; so the content depends on what was written, not on the order or how often.
"""
