"""A ledger as releases before the months wrote it: predictions and outcomes in `ledger.db` itself."""

import sqlite3
from contextlib import closing

TABLES = """
CREATE TABLE decisions (id INTEGER NOT NULL, recorded_at DATETIME NOT NULL, model VARCHAR(200) NOT NULL,
    version VARCHAR(200) NOT NULL, champion_version VARCHAR(200), verdict VARCHAR(20) NOT NULL,
    decision TEXT NOT NULL, PRIMARY KEY (id));
CREATE TABLE approvals (id INTEGER NOT NULL, recorded_at DATETIME NOT NULL, model VARCHAR(200) NOT NULL,
    version VARCHAR(200) NOT NULL, person VARCHAR(200) NOT NULL, note TEXT NOT NULL, PRIMARY KEY (id));
CREATE TABLE predictions (id INTEGER NOT NULL, predicted_at DATETIME NOT NULL,
    prediction_id VARCHAR(64) NOT NULL, customer VARCHAR(200), version VARCHAR(100) NOT NULL,
    role VARCHAR(20) NOT NULL, source VARCHAR(20) NOT NULL, probability FLOAT NOT NULL,
    decision BOOLEAN NOT NULL, input_hash VARCHAR(32) NOT NULL, PRIMARY KEY (id));
CREATE INDEX ix_predictions_prediction_id ON predictions (prediction_id);
CREATE TABLE outcomes (id INTEGER NOT NULL, recorded_at DATETIME NOT NULL, observed_at DATETIME NOT NULL,
    prediction_id VARCHAR(64), customer VARCHAR(200), churned BOOLEAN NOT NULL, PRIMARY KEY (id));
CREATE INDEX ix_outcomes_customer ON outcomes (customer);
CREATE INDEX ix_outcomes_prediction_id ON outcomes (prediction_id);
"""
TRIGGER = """
CREATE TRIGGER {table}_no_{change} BEFORE {change} ON {table}
BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
"""
ROWS = """
INSERT INTO approvals (recorded_at, model, version, person, note)
    VALUES ('2026-08-01 09:00:00.000000', 'telco-churn', '5', 'Ada', 'seen the card');
INSERT INTO predictions (predicted_at, prediction_id, customer, version, role, source, probability,
        decision, input_hash)
    VALUES ('2026-08-31 23:59:59.999999', 'old-1', 'C1', '5', 'production', 'api', 0.25, 0, 'ab'),
        ('2026-09-30 12:00:00.000000', 'old-2', 'C2', '5', 'production', 'batch', 0.75, 1, 'cd');
INSERT INTO outcomes (recorded_at, observed_at, prediction_id, customer, churned)
    VALUES ('2026-09-30 13:00:00.000000', '2026-09-30 12:30:00.000000', 'old-1', NULL, 1);
"""


def write_old_ledger(file):
    """Two predictions, of August and of September, an outcome and an approval."""
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.executescript(TABLES)
        for table in ("decisions", "approvals", "predictions", "outcomes"):
            for change in ("update", "delete"):
                database.executescript(TRIGGER.format(table=table, change=change))
        database.executescript(ROWS)
