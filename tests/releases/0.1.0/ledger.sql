BEGIN TRANSACTION;
CREATE TABLE approvals (
	id INTEGER NOT NULL, 
	recorded_at DATETIME NOT NULL, 
	model VARCHAR(200) NOT NULL, 
	version VARCHAR(200) NOT NULL, 
	person VARCHAR(200) NOT NULL, 
	note TEXT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "approvals" VALUES(1,'2026-11-29 21:04:23.375932','telco-churn','2','Ada','seen the card');
CREATE TABLE decisions (
	id INTEGER NOT NULL, 
	recorded_at DATETIME NOT NULL, 
	model VARCHAR(200) NOT NULL, 
	version VARCHAR(200) NOT NULL, 
	champion_version VARCHAR(200), 
	verdict VARCHAR(20) NOT NULL, 
	decision TEXT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "decisions" VALUES(1,'2026-11-29 21:04:23.369153','telco-churn','2','1','promote','{"verdict":"promote","gates":[{"name":"ranks well","figure":0.84,"threshold":0.8,"verdict":"pass","sentence":"It does.","interval":null}],"reasons":["It does."],"challenger":"version 2","champion":null,"basis":"","hashes":{}}');
CREATE TABLE deployments (
	id INTEGER NOT NULL, 
	recorded_at DATETIME NOT NULL, 
	model VARCHAR(200) NOT NULL, 
	version VARCHAR(200) NOT NULL, 
	target VARCHAR(20) NOT NULL, 
	status VARCHAR(20) NOT NULL, 
	serving VARCHAR(200), 
	deployment TEXT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "deployments" VALUES(1,'2026-11-28 12:00:00.000000','telco-churn','2','local','deployed','2','{"status":"deployed","model":"telco-churn","version":"2","target":"local","place":"http://127.0.0.1:8000","serving":"2","at":"2026-11-28T12:00:00Z","seconds":2.5,"actions":["Publish version 2."],"manifests":"","smoke":null,"reason":"","sentence":"Version 2 serves."}');
CREATE INDEX ix_decisions_model ON decisions (model);
CREATE TRIGGER decisions_no_update BEFORE UPDATE ON decisions BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
CREATE TRIGGER decisions_no_delete BEFORE DELETE ON decisions BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
CREATE INDEX ix_approvals_model ON approvals (model);
CREATE TRIGGER approvals_no_update BEFORE UPDATE ON approvals BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
CREATE TRIGGER approvals_no_delete BEFORE DELETE ON approvals BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
CREATE INDEX ix_deployments_model ON deployments (model);
CREATE TRIGGER deployments_no_update BEFORE UPDATE ON deployments BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
CREATE TRIGGER deployments_no_delete BEFORE DELETE ON deployments BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
COMMIT;
PRAGMA application_id = 0;
PRAGMA user_version = 1;
