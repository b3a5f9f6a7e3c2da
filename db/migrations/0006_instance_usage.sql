CREATE TABLE "instance_usage" (
	"id" smallint PRIMARY KEY NOT NULL,
	"used_bytes" bigint NOT NULL,
	CONSTRAINT "instance_usage_one_row" CHECK ("instance_usage"."id" = 1)
);
--> statement-breakpoint
INSERT INTO instance_usage (id, used_bytes) SELECT 1, coalesce(sum(used_bytes), 0) FROM users;
--> statement-breakpoint
-- Kept by triggers, so that no statement that changes an account can forget it. Once a statement and after
-- its rows, so that this one row is always locked last: nobody waits for a row whose holder waits for it.
CREATE FUNCTION count_instance_usage() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  more bigint := 0;
  less bigint := 0;
BEGIN
  IF TG_OP <> 'DELETE' THEN
    SELECT coalesce(sum(used_bytes), 0) INTO more FROM after_rows;
  END IF;
  IF TG_OP <> 'INSERT' THEN
    SELECT coalesce(sum(used_bytes), 0) INTO less FROM before_rows;
  END IF;
  IF more <> less THEN
    UPDATE instance_usage SET used_bytes = used_bytes + more - less WHERE id = 1;
  END IF;
  RETURN NULL;
END
$$;
--> statement-breakpoint
CREATE TRIGGER users_usage_inserted AFTER INSERT ON users
  REFERENCING NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION count_instance_usage();
--> statement-breakpoint
CREATE TRIGGER users_usage_updated AFTER UPDATE ON users
  REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows
  FOR EACH STATEMENT EXECUTE FUNCTION count_instance_usage();
--> statement-breakpoint
CREATE TRIGGER users_usage_deleted AFTER DELETE ON users
  REFERENCING OLD TABLE AS before_rows FOR EACH STATEMENT EXECUTE FUNCTION count_instance_usage();
--> statement-breakpoint
-- Where this login may not create roles, somebody else does (docs/operating.md), before or after this
-- migration: then the tables' owner calls `select grant_roles()`. Says what it did.
CREATE FUNCTION grant_roles() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  found integer;
BEGIN
  SELECT count(*) INTO found FROM pg_roles
    WHERE rolname IN ('sealdeck_api', 'sealdeck_integrator', 'sealdeck_erasure');
  IF found < 3 THEN
    RETURN 'roles are missing: sealdeck_api, sealdeck_integrator and sealdeck_erasure are needed';
  END IF;
  GRANT USAGE ON SCHEMA public TO sealdeck_api, sealdeck_integrator, sealdeck_erasure;
  GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO sealdeck_api;
  GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO sealdeck_api, sealdeck_integrator, sealdeck_erasure;
  REVOKE UPDATE, DELETE ON audit_outbox FROM sealdeck_api;
  REVOKE INSERT, UPDATE, DELETE ON audit_entry, audit_opening, audit_sequence, tlog_head, tlog_published
    FROM sealdeck_api;
  GRANT SELECT, INSERT, DELETE ON audit_outbox TO sealdeck_integrator;
  GRANT SELECT, INSERT ON audit_entry, audit_opening TO sealdeck_integrator;
  GRANT SELECT, INSERT, UPDATE ON audit_sequence, tlog_head, tlog_published TO sealdeck_integrator;
  GRANT SELECT ON vaults, people TO sealdeck_integrator;
  GRANT SELECT, UPDATE ON audit_opening, people, devices, acceptances, releases TO sealdeck_erasure;
  GRANT SELECT, INSERT ON audit_outbox TO sealdeck_erasure;
  GRANT SELECT ON audit_entry, tlog_published, vaults, grants TO sealdeck_erasure;
  ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO sealdeck_api;
  ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO sealdeck_api;
  RETURN 'granted';
END
$$;
--> statement-breakpoint
-- Here only where the roles are not in use yet: tables that came later may have grants of their own.
DO $$
BEGIN
  IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'sealdeck_api')
    AND NOT has_table_privilege('sealdeck_api', 'audit_outbox', 'select') THEN
    PERFORM grant_roles();
  END IF;
END
$$;
