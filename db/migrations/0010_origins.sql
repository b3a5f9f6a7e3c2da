CREATE TABLE "tlog_origins" (
	"first_index" bigint PRIMARY KEY NOT NULL,
	"origin" text NOT NULL,
	"vkey" text NOT NULL,
	"closing" text,
	CONSTRAINT "tlog_origins_origin_unique" UNIQUE("origin")
);
--> statement-breakpoint
-- As before, and after a log's last entry nothing, until the next log begins there (tlog_origins).
CREATE OR REPLACE FUNCTION integrate(
  p_old_size bigint, p_old_root bytea, p_new_root bytea, p_new_edge bytea,
  p_event_ids text, p_entries bytea, p_vault_sequences text, p_party_sequences text
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  entry_size CONSTANT integer := 65;
  batch_size CONSTANT bigint := octet_length(p_entries) / entry_size;
  moved bigint;
BEGIN
  UPDATE tlog_head SET size = p_old_size + batch_size, root = p_new_root, edge = p_new_edge
    WHERE id = 1 AND size = p_old_size AND root = p_old_root;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  IF EXISTS (SELECT 1 FROM audit_opening WHERE idx = p_old_size - 1 AND type = 'log.closed')
    AND NOT EXISTS (SELECT 1 FROM tlog_origins WHERE first_index = p_old_size) THEN
    RAISE EXCEPTION 'integrate: the log was closed with % entries', p_old_size;
  END IF;
  WITH batch AS (
    SELECT b.event_id::uuid AS event_id, b.ordinality - 1 AS position,
      nullif(b.vault_sequence, '')::bigint AS vault_sequence,
      nullif(b.party_sequence, '')::bigint AS party_sequence
    FROM unnest(
      string_to_array(p_event_ids, ','),
      string_to_array(p_vault_sequences, ','),
      string_to_array(p_party_sequences, ',')
    ) WITH ORDINALITY AS b(event_id, vault_sequence, party_sequence, ordinality)
  ), taken AS (
    DELETE FROM audit_outbox o USING batch b WHERE o.event_id = b.event_id
    RETURNING o.event_id, o.type, o.at, o.vault_id, o.party_id, o.document_id,
      o.bytes, o.salt, o.details, o.details_salt, b.position, b.vault_sequence, b.party_sequence
  ), entered AS (
    INSERT INTO audit_entry (idx, event_id, entry)
    SELECT p_old_size + position, event_id,
      substring(p_entries FROM (position * entry_size + 1)::integer FOR entry_size)
    FROM taken
  ), opened AS (
    INSERT INTO audit_opening (idx, event_id, type, at, vault_id, vault_sequence, party_id,
      party_sequence, document_id, bytes, salt, details, details_salt)
    SELECT p_old_size + position, event_id, type, at, vault_id, vault_sequence, party_id,
      party_sequence, document_id, bytes, salt, details, details_salt
    FROM taken
  ), counted AS (
    INSERT INTO audit_sequence (scope_id, count)
    SELECT vault_id, max(vault_sequence) FROM taken WHERE vault_sequence IS NOT NULL GROUP BY vault_id
    UNION ALL
    SELECT party_id, max(party_sequence) FROM taken WHERE party_sequence IS NOT NULL GROUP BY party_id
    ON CONFLICT (scope_id) DO UPDATE SET count = excluded.count
  )
  SELECT count(*) INTO moved FROM taken;
  IF moved <> batch_size THEN
    RAISE EXCEPTION 'integrate: % of % events were in the outbox', moved, batch_size;
  END IF;
  RETURN p_old_size + batch_size;
END
$$;
--> statement-breakpoint
-- An event that was made for a log which has closed meanwhile is made again for the next one, by the integrator alone.
DO $$
BEGIN
  IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'sealdeck_api')
    AND has_table_privilege('sealdeck_api', 'tlog_origins', 'select') THEN
    REVOKE INSERT, UPDATE, DELETE ON tlog_origins FROM sealdeck_api;
    GRANT SELECT, INSERT, UPDATE ON tlog_origins TO sealdeck_integrator;
    GRANT UPDATE (commitment, bytes) ON audit_outbox TO sealdeck_integrator;
    GRANT SELECT ON tlog_origins TO sealdeck_erasure;
  END IF;
END
$$;
--> statement-breakpoint
-- As before (0006), and for the table above.
CREATE OR REPLACE FUNCTION grant_roles() RETURNS text LANGUAGE plpgsql AS $$
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
  REVOKE INSERT, UPDATE, DELETE ON audit_entry, audit_opening, audit_sequence, tlog_head, tlog_published, tlog_origins
    FROM sealdeck_api;
  GRANT SELECT, INSERT, DELETE, UPDATE (commitment, bytes) ON audit_outbox TO sealdeck_integrator;
  GRANT SELECT, INSERT ON audit_entry, audit_opening TO sealdeck_integrator;
  GRANT SELECT, INSERT, UPDATE ON audit_sequence, tlog_head, tlog_published, tlog_origins TO sealdeck_integrator;
  GRANT SELECT ON vaults, people TO sealdeck_integrator;
  GRANT SELECT, UPDATE ON audit_opening, people, devices, acceptances, releases TO sealdeck_erasure;
  GRANT SELECT, INSERT ON audit_outbox TO sealdeck_erasure;
  GRANT SELECT ON audit_entry, tlog_published, tlog_origins, vaults, grants TO sealdeck_erasure;
  ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO sealdeck_api;
  ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO sealdeck_api;
  RETURN 'granted';
END
$$;
