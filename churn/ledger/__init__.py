"""What was decided, kept in a database: decisions and approvals, on any SQL server.

SQLite (with a write-ahead log) unless an address names another. Rows are only ever added: whoever
changes their mind adds another. SQLite refuses changes by itself; on a server, grant the service
INSERT and SELECT and nothing more.
"""

from churn.ledger.database import DEFAULT_URL
from churn.ledger.records import Approval, Ledger, RecordedDecision

__all__ = ["DEFAULT_URL", "Approval", "Ledger", "RecordedDecision"]
