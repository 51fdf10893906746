BEGIN TRANSACTION;
CREATE TABLE outcomes (
	id INTEGER NOT NULL, 
	recorded_at DATETIME NOT NULL, 
	observed_at DATETIME NOT NULL, 
	prediction_id VARCHAR(64), 
	customer VARCHAR(200), 
	churned BOOLEAN NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "outcomes" VALUES(1,'2026-11-29 21:04:23.386064','2026-11-28 12:00:00.000000','p-1',NULL,1);
CREATE TABLE predictions (
	id INTEGER NOT NULL, 
	predicted_at DATETIME NOT NULL, 
	prediction_id VARCHAR(64) NOT NULL, 
	customer VARCHAR(200), 
	version VARCHAR(100) NOT NULL, 
	role VARCHAR(20) NOT NULL, 
	source VARCHAR(20) NOT NULL, 
	probability FLOAT NOT NULL, 
	decision BOOLEAN NOT NULL, 
	input_hash VARCHAR(32) NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "predictions" VALUES(1,'2026-11-28 12:00:00.000000','p-1','C1','2','production','api',0.25,0,'ab');
CREATE INDEX ix_predictions_prediction_id ON predictions (prediction_id);
CREATE TRIGGER predictions_no_update BEFORE UPDATE ON predictions BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
CREATE TRIGGER predictions_no_delete BEFORE DELETE ON predictions BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
CREATE INDEX ix_outcomes_prediction_id ON outcomes (prediction_id);
CREATE INDEX ix_outcomes_customer ON outcomes (customer);
CREATE TRIGGER outcomes_no_update BEFORE UPDATE ON outcomes BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
CREATE TRIGGER outcomes_no_delete BEFORE DELETE ON outcomes BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
COMMIT;
PRAGMA application_id = 1130918510;
PRAGMA user_version = 1;
