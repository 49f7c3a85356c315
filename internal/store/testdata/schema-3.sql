-- A store as the release with schema 3 left it (sqlite3 .dump); schema-3.key is its root key.
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE goose_db_version (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL,
		tstamp TIMESTAMP DEFAULT (datetime('now'))
	);
INSERT INTO goose_db_version VALUES(1,0,1,'2026-11-22 23:46:20');
INSERT INTO goose_db_version VALUES(2,1,1,'2026-11-22 23:46:20');
INSERT INTO goose_db_version VALUES(3,2,1,'2026-11-22 23:46:20');
INSERT INTO goose_db_version VALUES(4,3,1,'2026-11-22 23:46:20');
CREATE TABLE meta (
	name  TEXT PRIMARY KEY,
	value BLOB NOT NULL
);
INSERT INTO meta VALUES('store.probe',X'dd54ba0327a4db3ba6b17118e525c95f4ac730d35932694ebbc894c37680323f697846f42754880e461b10c7d888a434565dd34b6e63f8a33e0bfd51df99c12e9c0b');
INSERT INTO meta VALUES('store.lab',X'70726f64756374696f6e');
INSERT INTO meta VALUES('note',X'6b657074');
CREATE TABLE users (
	id     TEXT PRIMARY KEY,
	upn    TEXT NOT NULL UNIQUE,
	domain TEXT NOT NULL,
	anchor TEXT NOT NULL,
	synced BOOLEAN NOT NULL,
	body   TEXT NOT NULL
);
INSERT INTO users VALUES('alice','alice@cloud.test','cloud.test','',0,'{"id":"alice","userPrincipalName":"alice@cloud.test","displayName":"Alice Álvarez","accountEnabled":true,"admin":true,"onPremisesSyncEnabled":false,"createdDateTime":"2026-03-02T09:00:00Z","changedDateTime":"2026-03-02T09:00:00Z"}');
INSERT INTO users VALUES('bob','bob@hybrid.test','hybrid.test','anchor-bob',1,'{"id":"bob","userPrincipalName":"bob@hybrid.test","displayName":"Bob O''Neil","accountEnabled":true,"onPremisesSyncEnabled":true,"onPremises":{"immutableId":"anchor-bob","lastSyncDateTime":"2026-03-02T09:00:00Z"},"createdDateTime":"2026-03-02T09:00:00Z","changedDateTime":"2026-03-02T09:00:00Z"}');
INSERT INTO users VALUES('carol','carol@hybrid.test','hybrid.test','anchor-carol',1,'{"id":"carol","userPrincipalName":"carol@hybrid.test","displayName":"Carol","accountEnabled":false,"onPremisesSyncEnabled":true,"onPremises":{"immutableId":"anchor-carol","lastSyncDateTime":"2026-03-02T09:00:00Z"},"createdDateTime":"2026-03-02T09:00:00Z","changedDateTime":"2026-03-02T09:00:00Z"}');
CREATE TABLE credentials (
	account TEXT NOT NULL,
	scheme  TEXT NOT NULL,
	sealed  BLOB NOT NULL,
	source  TEXT NOT NULL,
	changed BIGINT NOT NULL,
	stored  BIGINT NOT NULL,
	PRIMARY KEY (account, scheme)
);
INSERT INTO credentials VALUES('alice','cloud',X'dd54ba0327a4db3b3c71661c31964d2e211463ab77a7e2604c8d11fcaa636c07f99824ae892d5fbbbe022aed1e7105d5f0e408a3875821f0304fe1b0d9','set',1772442000000000000,1772442000000000000);
INSERT INTO credentials VALUES('bob','phs',X'dd54ba0327a4db3b4fa7ca47d135b84ede7ef84d4932ff1a61cf8b9ba40777b8b1d2926d767af8c0108ec18cff70f2d09a525402657c36b5c011843ea3955284009c','run-1',1772442000000000000,1772442000000000000);
CREATE TABLE user_groups (
	id     TEXT PRIMARY KEY,
	name   TEXT NOT NULL,
	anchor TEXT NOT NULL,
	synced BOOLEAN NOT NULL,
	body   TEXT NOT NULL
);
INSERT INTO user_groups VALUES('g1','Pilots','',0,'{"id":"g1","displayName":"Pilots","onPremisesSyncEnabled":false,"members":null}');
CREATE TABLE memberships (
	member_of TEXT NOT NULL,
	account   TEXT NOT NULL,
	PRIMARY KEY (member_of, account)
);
INSERT INTO memberships VALUES('g1','alice');
INSERT INTO memberships VALUES('g1','bob');
CREATE TABLE contacts (
	id     TEXT PRIMARY KEY,
	name   TEXT NOT NULL,
	anchor TEXT NOT NULL,
	synced BOOLEAN NOT NULL,
	body   TEXT NOT NULL
);
INSERT INTO contacts VALUES('c1','Partner','',0,'{"id":"c1","displayName":"Partner","mail":"","onPremisesSyncEnabled":false}');
CREATE TABLE overrides (
	domain TEXT PRIMARY KEY,
	body   TEXT NOT NULL
);
INSERT INTO overrides VALUES('hybrid.test','{"domain":"hybrid.test","path":"phs","by":"","at":"0001-01-01T00:00:00Z"}');
CREATE TABLE runs (
	id    TEXT PRIMARY KEY,
	began BIGINT NOT NULL,
	body  TEXT NOT NULL
);
INSERT INTO runs VALUES('run-1',1772442000000000000,'{"id":"run-1","kind":"","result":"","agent":"","began":"2026-03-02T09:00:00Z","took":0,"added":0,"updated":0,"deleted":0,"hashes":0}');
CREATE TABLE tallies (
	name         TEXT PRIMARY KEY,
	failures     BIGINT NOT NULL,
	lockouts     BIGINT NOT NULL,
	last_failure BIGINT NOT NULL,
	locked_until BIGINT NOT NULL
);
CREATE TABLE sessions (
	hash      BLOB PRIMARY KEY,
	account   TEXT NOT NULL,
	attempt   TEXT NOT NULL,
	path      TEXT NOT NULL,
	proof     TEXT NOT NULL,
	began     BIGINT NOT NULL,
	ends      BIGINT NOT NULL,
	idle_for  BIGINT NOT NULL,
	last_seen BIGINT NOT NULL
);
INSERT INTO sessions VALUES(X'0001feff','alice','attempt-0','cloud','{"Methods":["pwd"],"Context":"","At":"2026-03-02T09:00:00Z","IdPSession":"","NotAfter":"0001-01-01T00:00:00Z"}',1772442000000000000,1772528400000000000,28800000000000,1772442000000000000);
CREATE TABLE once_ids (
	kind TEXT NOT NULL,
	id   TEXT NOT NULL,
	ends BIGINT NOT NULL,
	PRIMARY KEY (kind, id)
);
INSERT INTO once_ids VALUES('assertion','used',4928115600000000000);
CREATE TABLE records (
	attempt TEXT NOT NULL,
	seq     BIGINT NOT NULL,
	at      BIGINT NOT NULL,
	body    TEXT NOT NULL,
	steps   TEXT NOT NULL,
	PRIMARY KEY (attempt, seq)
);
INSERT INTO records VALUES('attempt-0',0,1772442000000000000,'{"id":"attempt-0","seq":0,"began":"2026-03-02T09:00:00Z","at":"2026-03-02T09:00:00Z","took":0,"who":"alice@cloud.test","account":"alice","realm":{"Domain":"cloud.test","Path":"cloud","Rule":"domain","IdP":"","Protocol":"","Issuer":"","Match":""},"place":{"addr":""},"verdict":"allowed","reason":"none","final":true,"proof":{"Methods":null,"Context":"","At":"0001-01-01T00:00:00Z","IdPSession":"","NotAfter":"0001-01-01T00:00:00Z"},"steps":null}','[{"id":"C1","from":"","to":"","result":"ok","at":"0001-01-01T00:00:00Z","took":0}]');
INSERT INTO records VALUES('attempt-1',0,1772442001000000000,'{"id":"attempt-1","seq":0,"began":"2026-03-02T09:00:00Z","at":"2026-03-02T09:00:01Z","took":0,"who":"bob@hybrid.test","account":"bob","realm":{"Domain":"hybrid.test","Path":"cloud","Rule":"domain","IdP":"","Protocol":"","Issuer":"","Match":""},"place":{"addr":""},"verdict":"denied","reason":"bad_password","final":true,"proof":{"Methods":null,"Context":"","At":"0001-01-01T00:00:00Z","IdPSession":"","NotAfter":"0001-01-01T00:00:00Z"},"steps":null}','[{"id":"C1","from":"","to":"","result":"ok","at":"0001-01-01T00:00:00Z","took":0}]');
INSERT INTO records VALUES('attempt-2',0,1772442002000000000,'{"id":"attempt-2","seq":0,"began":"2026-03-02T09:00:00Z","at":"2026-03-02T09:00:02Z","took":0,"who":"carol@hybrid.test","account":"carol","realm":{"Domain":"hybrid.test","Path":"cloud","Rule":"domain","IdP":"","Protocol":"","Issuer":"","Match":""},"place":{"addr":""},"verdict":"denied","reason":"bad_password","final":true,"proof":{"Methods":null,"Context":"","At":"0001-01-01T00:00:00Z","IdPSession":"","NotAfter":"0001-01-01T00:00:00Z"},"steps":null}','[{"id":"C1","from":"","to":"","result":"ok","at":"0001-01-01T00:00:00Z","took":0}]');
CREATE TABLE signins (
	attempt TEXT NOT NULL,
	seq     BIGINT NOT NULL,
	at      BIGINT NOT NULL,
	path    TEXT NOT NULL,
	verdict TEXT NOT NULL,
	reason  TEXT NOT NULL,
	who     TEXT NOT NULL,
	account TEXT NOT NULL,
	domain  TEXT NOT NULL,
	swept   BOOLEAN NOT NULL,
	PRIMARY KEY (attempt, seq)
);
INSERT INTO signins VALUES('attempt-0',0,1772442000000000000,'cloud','allowed','none','alice@cloud.test','alice','cloud.test',0);
INSERT INTO signins VALUES('attempt-1',0,1772442001000000000,'cloud','denied','bad_password','bob@hybrid.test','bob','hybrid.test',0);
INSERT INTO signins VALUES('attempt-2',0,1772442002000000000,'cloud','denied','bad_password','carol@hybrid.test','carol','hybrid.test',0);
CREATE TABLE open_attempts (
	attempt TEXT PRIMARY KEY,
	at      BIGINT NOT NULL
);
CREATE TABLE agents (
	id        TEXT PRIMARY KEY,
	name      TEXT NOT NULL,
	roles     TEXT NOT NULL,
	nkey      TEXT NOT NULL UNIQUE,
	sign_key  BLOB NOT NULL,
	box_key   BLOB NOT NULL,
	version   TEXT NOT NULL,
	created   BIGINT NOT NULL,
	last_seen BIGINT NOT NULL,
	revoked   BOOLEAN NOT NULL
);
CREATE TABLE invitations (
	hash  BLOB PRIMARY KEY,
	name  TEXT NOT NULL,
	roles TEXT NOT NULL,
	ends  BIGINT NOT NULL,
	by_whom TEXT NOT NULL
);
CREATE TABLE tokens (
	id      TEXT PRIMARY KEY,
	name    TEXT NOT NULL,
	role    TEXT NOT NULL,
	hash    BLOB NOT NULL UNIQUE,
	created BIGINT NOT NULL,
	ends    BIGINT NOT NULL
);
INSERT INTO tokens VALUES('t1','ci','admin',X'68617368',1772442000000000000,4928115600000000000);
CREATE TABLE audit (
	id   INTEGER PRIMARY KEY AUTOINCREMENT,
	at   BIGINT NOT NULL,
	body TEXT NOT NULL
);
INSERT INTO audit VALUES(1,1772442000000000000,'{"at":"2026-03-02T09:00:00Z","who":"root","from":"127.0.0.1","action":"Create user","target":"alice@cloud.test","result":"success"}');
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('goose_db_version',4);
INSERT INTO sqlite_sequence VALUES('audit',1);
CREATE INDEX users_by_domain ON users (domain, upn);
CREATE UNIQUE INDEX users_by_anchor ON users (anchor) WHERE synced AND anchor <> '';
CREATE UNIQUE INDEX user_groups_by_anchor ON user_groups (anchor) WHERE synced AND anchor <> '';
CREATE INDEX memberships_by_account ON memberships (account);
CREATE UNIQUE INDEX contacts_by_anchor ON contacts (anchor) WHERE synced AND anchor <> '';
CREATE INDEX runs_by_time ON runs (began);
CREATE INDEX tallies_by_time ON tallies (last_failure);
CREATE INDEX sessions_by_account ON sessions (account);
CREATE INDEX sessions_by_end ON sessions (ends);
CREATE INDEX once_ids_by_end ON once_ids (ends);
CREATE INDEX records_by_time ON records (at);
CREATE INDEX signins_by_time ON signins (at);
CREATE INDEX signins_by_who ON signins (who, at);
CREATE INDEX open_attempts_by_time ON open_attempts (at);
CREATE TRIGGER audit_not_changed BEFORE UPDATE ON audit BEGIN
	SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_not_deleted BEFORE DELETE ON audit BEGIN
	SELECT RAISE(ABORT, 'the audit log is append-only');
END;
COMMIT;
