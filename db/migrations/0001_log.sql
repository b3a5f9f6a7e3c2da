-- The log's rules that tables alone cannot hold: one function that integrates a batch, triggers
-- that keep entries for ever, and roles that cannot do each other's work.

INSERT INTO tlog_head (id, size, root, edge) VALUES (1, 0, sha256(''::bytea), ''::bytea);
--> statement-breakpoint
INSERT INTO tlog_published (id, size, checkpoint, published_at) VALUES (1, 0, '', now());
--> statement-breakpoint
-- Move a batch from the outbox into the log, or do nothing. One call is one statement, so it stands
-- or falls as a whole. The compare-and-swap on the head is the only lock: NULL means that another
-- integrator was first. Lists come as comma-separated text and entries as one row of 65-byte
-- pieces, so that both drivers send the same bytes.
CREATE FUNCTION integrate(
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
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of % are kept as they are', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;
--> statement-breakpoint
CREATE TRIGGER audit_entry_is_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
--> statement-breakpoint
CREATE TRIGGER audit_opening_is_kept BEFORE DELETE OR TRUNCATE ON audit_opening
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
--> statement-breakpoint
-- Erasure may empty an opening and note when; nothing may rewrite one.
CREATE TRIGGER audit_opening_is_only_emptied BEFORE UPDATE ON audit_opening
  FOR EACH ROW WHEN (
    new.idx IS DISTINCT FROM old.idx OR new.event_id IS DISTINCT FROM old.event_id
    OR new.type IS DISTINCT FROM old.type OR new.at IS DISTINCT FROM old.at
    OR new.vault_id IS DISTINCT FROM old.vault_id
    OR new.vault_sequence IS DISTINCT FROM old.vault_sequence
    OR (new.bytes IS NOT NULL AND new.bytes IS DISTINCT FROM old.bytes)
    OR (new.salt IS NOT NULL AND new.salt IS DISTINCT FROM old.salt)
    OR (new.details IS NOT NULL AND new.details IS DISTINCT FROM old.details)
    OR (new.details_salt IS NOT NULL AND new.details_salt IS DISTINCT FROM old.details_salt)
  ) EXECUTE FUNCTION refuse_change();
--> statement-breakpoint
-- Least privilege, where this login may create roles (elsewhere the operator does it, docs/operating.md).
-- Roles belong to the whole cluster, so another database may have made them already.
DO $$
DECLARE
  role_name text;
BEGIN
  IF NOT (SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user) THEN
    RETURN;
  END IF;
  FOREACH role_name IN ARRAY ARRAY['sealdeck_api', 'sealdeck_integrator', 'sealdeck_erasure'] LOOP
    BEGIN
      EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
      NULL; -- It is there; whoever made it may have been another database's migration.
    END;
    BEGIN
      EXECUTE format('GRANT %I TO CURRENT_USER', role_name);
    EXCEPTION WHEN insufficient_privilege OR invalid_grant_operation OR unique_violation THEN
      NULL; -- A superuser needs no membership; others connect without the role (db/client.ts).
    END;
    EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', role_name);
  END LOOP;

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
END
$$;
