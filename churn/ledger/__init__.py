"""What was decided and predicted, kept in a database: on any SQL server.

SQLite (with a write-ahead log) unless an address names another. Rows are only ever added: whoever
changes their mind adds another. SQLite refuses changes by itself; on a server, grant the service
INSERT and SELECT and nothing more. Of predictions and outcomes old months are removed as a whole.
"""
