-- What the migrations make of an empty SQLite file (generated); a first start runs only this.
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0041');
CREATE TABLE audit_head (
	id INTEGER NOT NULL, 
	seq BIGINT NOT NULL, 
	hash VARCHAR(64) NOT NULL, 
	purged_seq BIGINT NOT NULL, 
	purged_hash VARCHAR(64) NOT NULL, 
	CONSTRAINT pk_audit_head PRIMARY KEY (id)
);
INSERT INTO "audit_head" VALUES(1,0,'0000000000000000000000000000000000000000000000000000000000000000',0,'0000000000000000000000000000000000000000000000000000000000000000');
CREATE TABLE audit_log (
	id INTEGER NOT NULL, 
	at_ms BIGINT NOT NULL, 
	actor VARCHAR(64) NOT NULL, 
	action VARCHAR(40) NOT NULL, 
	subject VARCHAR(64) NOT NULL, seq BIGINT, prev VARCHAR(64), hash VARCHAR(64), 
	CONSTRAINT pk_audit_log PRIMARY KEY (id)
);
CREATE TABLE billing_accounts (
	address VARCHAR(42) NOT NULL, 
	created_ms BIGINT NOT NULL, 
	CONSTRAINT pk_billing_accounts PRIMARY KEY (address)
);
CREATE TABLE billing_counters (
	name VARCHAR(32) NOT NULL, 
	value BIGINT NOT NULL, 
	CONSTRAINT pk_billing_counters PRIMARY KEY (name)
);
INSERT INTO "billing_counters" VALUES('invoice',0);
CREATE TABLE billing_credits (
	id INTEGER NOT NULL, 
	address VARCHAR(42) NOT NULL, 
	chain_id BIGINT NOT NULL, 
	asset VARCHAR(16) NOT NULL, 
	amount VARCHAR(79) NOT NULL, 
	reason VARCHAR(80) NOT NULL, 
	source VARCHAR(120) NOT NULL, 
	at_ms BIGINT NOT NULL, 
	CONSTRAINT pk_billing_credits PRIMARY KEY (id), 
	CONSTRAINT uq_billing_credits_source UNIQUE (source)
);
CREATE TABLE billing_invoices (
	number INTEGER NOT NULL, 
	address VARCHAR(42) NOT NULL, 
	source VARCHAR(120) NOT NULL, 
	content TEXT NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	issued_ms BIGINT NOT NULL, 
	CONSTRAINT pk_billing_invoices PRIMARY KEY (number), 
	CONSTRAINT uq_billing_invoices_source UNIQUE (source)
);
CREATE TABLE billing_notices (
	id INTEGER NOT NULL, 
	address VARCHAR(42) NOT NULL, 
	kind VARCHAR(32) NOT NULL, 
	message VARCHAR(500) NOT NULL, 
	source VARCHAR(160) NOT NULL, 
	at_ms BIGINT NOT NULL, 
	CONSTRAINT pk_billing_notices PRIMARY KEY (id), 
	CONSTRAINT uq_billing_notices_source UNIQUE (source)
);
CREATE TABLE billing_payments (
	id VARCHAR(36) NOT NULL, 
	chain_id BIGINT NOT NULL, 
	tx_hash VARCHAR(66) NOT NULL, 
	address VARCHAR(42) NOT NULL, 
	state VARCHAR(8) NOT NULL, 
	outcome VARCHAR(16) NOT NULL, 
	asset VARCHAR(42), 
	amount VARCHAR(78), 
	credited VARCHAR(78), 
	quote_id VARCHAR(36), 
	block_number BIGINT, 
	block_hash VARCHAR(66), 
	confirmations BIGINT NOT NULL, 
	attempt INTEGER NOT NULL, 
	created_ms BIGINT NOT NULL, 
	settled_ms BIGINT, 
	CONSTRAINT pk_billing_payments PRIMARY KEY (id), 
	CONSTRAINT uq_billing_payments_chain_id UNIQUE (chain_id, tx_hash), 
	CONSTRAINT fk_billing_payments_quote_id FOREIGN KEY(quote_id) REFERENCES billing_quotes (id), 
	CONSTRAINT ck_billing_payments_ck_billing_payments_state CHECK (state IN ('pending', 'settled', 'final'))
);
CREATE TABLE billing_quotes (
	id VARCHAR(36) NOT NULL, 
	address VARCHAR(42) NOT NULL, 
	"plan" VARCHAR(32) NOT NULL, 
	months INTEGER NOT NULL, 
	chain_id BIGINT NOT NULL, 
	asset VARCHAR(16) NOT NULL, 
	recipient VARCHAR(42) NOT NULL, 
	amount VARCHAR(78) NOT NULL, 
	credit_used VARCHAR(78) NOT NULL, 
	reference INTEGER NOT NULL, 
	status VARCHAR(8) NOT NULL, 
	created_ms BIGINT NOT NULL, 
	expires_ms BIGINT NOT NULL, 
	CONSTRAINT pk_billing_quotes PRIMARY KEY (id), 
	CONSTRAINT ck_billing_quotes_ck_billing_quotes_status CHECK (status IN ('open', 'paid', 'closed'))
);
CREATE TABLE claim_requests (
	"key" BLOB NOT NULL, 
	engine_id VARCHAR(64) NOT NULL, 
	owner_address VARCHAR(42) NOT NULL, 
	expires_ms BIGINT NOT NULL, 
	CONSTRAINT pk_claim_requests PRIMARY KEY ("key"), 
	CONSTRAINT fk_claim_requests_engine_id FOREIGN KEY(engine_id) REFERENCES engines (id) ON DELETE CASCADE
);
CREATE TABLE disabled_components (
	component_id VARCHAR(100) NOT NULL, 
	reason VARCHAR(300) NOT NULL, 
	by_address VARCHAR(42) NOT NULL, 
	at_ms BIGINT NOT NULL, 
	CONSTRAINT pk_disabled_components PRIMARY KEY (component_id)
);
CREATE TABLE engine_shares (
	engine_id VARCHAR(64) NOT NULL, 
	guest_address VARCHAR(42) NOT NULL, 
	role VARCHAR(16) NOT NULL, 
	signed_grant TEXT, 
	epoch BIGINT DEFAULT '0' NOT NULL, 
	created_ms BIGINT NOT NULL, 
	CONSTRAINT pk_engine_shares PRIMARY KEY (engine_id, guest_address), 
	CONSTRAINT fk_engine_shares_engine_id FOREIGN KEY(engine_id) REFERENCES engines (id) ON DELETE CASCADE, 
	CONSTRAINT ck_engine_shares_ck_engine_shares_role CHECK (role IN ('reader', 'runner', 'admin'))
);
CREATE TABLE engines (
	id VARCHAR(64) NOT NULL, 
	owner_address VARCHAR(42), 
	name VARCHAR(100) NOT NULL, 
	token_hash VARCHAR(64) NOT NULL, 
	created_ms BIGINT NOT NULL, 
	last_seen_ms BIGINT, share_epoch BIGINT DEFAULT '1' NOT NULL, 
	CONSTRAINT pk_engines PRIMARY KEY (id), 
	CONSTRAINT uq_engines_token_hash UNIQUE (token_hash)
);
CREATE TABLE marketplace_items (
	id VARCHAR(64) NOT NULL, 
	type VARCHAR(32) NOT NULL, 
	name VARCHAR(120) NOT NULL, 
	description VARCHAR(2000) NOT NULL, 
	price VARCHAR(32) NOT NULL, 
	author_address VARCHAR(42) NOT NULL, 
	version INTEGER NOT NULL, 
	published_ms BIGINT NOT NULL, 
	CONSTRAINT pk_marketplace_items PRIMARY KEY (id)
);
CREATE TABLE marketplace_versions (
	item_id VARCHAR(64) NOT NULL, 
	version INTEGER NOT NULL, 
	data TEXT NOT NULL, 
	published_ms BIGINT NOT NULL, 
	CONSTRAINT pk_marketplace_versions PRIMARY KEY (item_id, version), 
	CONSTRAINT fk_marketplace_versions_item_id FOREIGN KEY(item_id) REFERENCES marketplace_items (id) ON DELETE CASCADE
);
CREATE TABLE marketplace_votes (
	item_id VARCHAR(64) NOT NULL, 
	address VARCHAR(42) NOT NULL, 
	vote INTEGER NOT NULL, 
	CONSTRAINT pk_marketplace_votes PRIMARY KEY (item_id, address), 
	CONSTRAINT fk_marketplace_votes_item_id FOREIGN KEY(item_id) REFERENCES marketplace_items (id) ON DELETE CASCADE, 
	CONSTRAINT ck_marketplace_votes_ck_marketplace_votes_vote CHECK (vote IN (-1, 1))
);
CREATE TABLE replay_keys (
	"key" BLOB NOT NULL, 
	expires_ms BIGINT NOT NULL, 
	CONSTRAINT pk_replay_keys PRIMARY KEY (expires_ms, "key")
)
 WITHOUT ROWID

;
CREATE TABLE socket_sessions (
	"key" BLOB NOT NULL, 
	address VARCHAR(42) NOT NULL, 
	expires_ms BIGINT NOT NULL, 
	revoked_ms BIGINT, 
	CONSTRAINT pk_socket_sessions PRIMARY KEY ("key")
);
CREATE TABLE subscriptions (
	address VARCHAR(42) NOT NULL, 
	"plan" VARCHAR(32) NOT NULL, 
	expires_ms BIGINT NOT NULL, 
	CONSTRAINT pk_subscriptions PRIMARY KEY (address, "plan")
);
CREATE TABLE usage_counts (
	address VARCHAR(42) NOT NULL, 
	day VARCHAR(10) NOT NULL, 
	"key" VARCHAR(24) NOT NULL, 
	engine_id VARCHAR(64) NOT NULL, 
	source VARCHAR(80) NOT NULL, 
	count BIGINT NOT NULL, 
	CONSTRAINT pk_usage_counts PRIMARY KEY (address, day, "key", engine_id, source)
);
CREATE TABLE user_documents (
	address VARCHAR(42) NOT NULL, 
	kind VARCHAR(32) NOT NULL, 
	body TEXT NOT NULL, 
	updated_ms BIGINT NOT NULL, 
	CONSTRAINT pk_user_documents PRIMARY KEY (address, kind)
);
CREATE TABLE users (
	id VARCHAR(36) NOT NULL, 
	address VARCHAR(42) NOT NULL, 
	username VARCHAR(64), 
	email VARCHAR(254), 
	created_ms BIGINT NOT NULL, username_key VARCHAR(64), bio VARCHAR(500), avatar TEXT, 
	CONSTRAINT pk_users PRIMARY KEY (id), 
	CONSTRAINT uq_users_address UNIQUE (address), 
	CONSTRAINT uq_users_username UNIQUE (username)
);
CREATE TABLE workflow_shares (
	id VARCHAR(36) NOT NULL, 
	engine_id VARCHAR(64) NOT NULL, 
	owner_address VARCHAR(42) NOT NULL, 
	preset VARCHAR(120) NOT NULL, 
	level VARCHAR(16) NOT NULL, 
	link_name VARCHAR(100) NOT NULL, 
	token_hash VARCHAR(64) NOT NULL, 
	signed_text TEXT, 
	signature VARCHAR(132), 
	expires_ms BIGINT, 
	created_ms BIGINT NOT NULL, 
	CONSTRAINT pk_workflow_shares PRIMARY KEY (id), 
	CONSTRAINT uq_workflow_shares_token_hash UNIQUE (token_hash), 
	CONSTRAINT fk_workflow_shares_engine_id FOREIGN KEY(engine_id) REFERENCES engines (id) ON DELETE CASCADE, 
	CONSTRAINT ck_workflow_shares_ck_workflow_shares_level CHECK (level IN ('view', 'view-run', 'view-edit-run'))
);
CREATE INDEX ix_engines_owner_address ON engines (owner_address);
CREATE INDEX ix_engine_shares_guest_address ON engine_shares (guest_address);
CREATE INDEX ix_socket_sessions_address ON socket_sessions (address);
CREATE INDEX ix_socket_sessions_expires_ms ON socket_sessions (expires_ms);
CREATE INDEX ix_audit_log_at_ms ON audit_log (at_ms);
CREATE UNIQUE INDEX ix_users_username_key ON users (username_key);
CREATE INDEX ix_workflow_shares_owner_address ON workflow_shares (owner_address);
CREATE INDEX ix_workflow_shares_engine_id ON workflow_shares (engine_id);
CREATE INDEX ix_claim_requests_expires_ms ON claim_requests (expires_ms);
CREATE INDEX ix_marketplace_items_type ON marketplace_items (type);
CREATE INDEX ix_marketplace_items_author_address ON marketplace_items (author_address);
CREATE INDEX ix_marketplace_items_published_ms ON marketplace_items (published_ms);
CREATE INDEX ix_marketplace_votes_address ON marketplace_votes (address);
CREATE UNIQUE INDEX ix_audit_log_seq ON audit_log (seq);
CREATE INDEX ix_audit_log_actor ON audit_log (actor);
CREATE INDEX ix_audit_log_subject ON audit_log (subject);
CREATE INDEX ix_usage_counts_day ON usage_counts (day);
CREATE INDEX ix_subscriptions_expires_ms ON subscriptions (expires_ms);
CREATE INDEX ix_billing_quotes_address ON billing_quotes (address);
CREATE INDEX ix_billing_quotes_status ON billing_quotes (status, expires_ms);
CREATE INDEX ix_billing_payments_address ON billing_payments (address);
CREATE INDEX ix_billing_payments_state ON billing_payments (state);
CREATE INDEX ix_billing_credits_address ON billing_credits (address);
CREATE INDEX ix_billing_notices_address ON billing_notices (address);
CREATE INDEX ix_billing_invoices_address ON billing_invoices (address);
CREATE TRIGGER billing_invoices_no_delete BEFORE DELETE ON billing_invoices BEGIN SELECT RAISE(ABORT, 'invoices cannot be changed'); END;
CREATE TRIGGER billing_invoices_no_update BEFORE UPDATE ON billing_invoices WHEN NOT (NEW.address = 'deleted' AND NEW.number = OLD.number AND NEW.source = OLD.source AND NEW.sha256 = OLD.sha256 AND NEW.issued_ms = OLD.issued_ms AND NEW.content = CASE WHEN instr(lower(OLD.content), OLD.address) = 0 THEN OLD.content ELSE substr(OLD.content, 1, instr(lower(OLD.content), OLD.address) - 1) || 'deleted' || substr(OLD.content, instr(lower(OLD.content), OLD.address) + length(OLD.address)) END) BEGIN SELECT RAISE(ABORT, 'invoices cannot be changed'); END;
