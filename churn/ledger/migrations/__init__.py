"""The ledger's tables as every release had them: one folder of Alembic's revisions for each schema.

Whoever changes a table adds a revision and raises the number in `ledger_tables`; a test compares the
migrated ledger of each release with the tables of today.
"""
