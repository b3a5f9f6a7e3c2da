CREATE TABLE "header_wraps" (
	"header_sha256" "bytea" PRIMARY KEY NOT NULL,
	"vault_id" uuid NOT NULL,
	"recipient_sha256" "bytea" NOT NULL,
	"wrap" "bytea" NOT NULL,
	"wrap_signature" "bytea" NOT NULL
);
--> statement-breakpoint
CREATE TABLE "log_forks" (
	"sha256" "bytea" PRIMARY KEY NOT NULL,
	"brought" text NOT NULL,
	"ours" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "header_wraps" ADD CONSTRAINT "header_wraps_vault_id_vaults_id_fk" FOREIGN KEY ("vault_id") REFERENCES "public"."vaults"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "header_wraps_vault_id_recipient_sha256_index" ON "header_wraps" USING btree ("vault_id","recipient_sha256");--> statement-breakpoint
-- Kept by a trigger, so that no statement that lets a header wait can forget its wrap record.
CREATE FUNCTION keep_header_wrap() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO header_wraps (header_sha256, vault_id, recipient_sha256, wrap, wrap_signature)
    SELECT NEW.header_sha256, v.vault_id, NEW.recipient_sha256, NEW.wrap, NEW.wrap_signature
    FROM versions v WHERE v.id = NEW.version_id
    ON CONFLICT DO NOTHING;
  RETURN NULL;
END
$$;
--> statement-breakpoint
CREATE TRIGGER headers_wrap_kept AFTER INSERT OR UPDATE OF wrap ON headers
  FOR EACH ROW WHEN (NEW.wrap IS NOT NULL) EXECUTE FUNCTION keep_header_wrap();
--> statement-breakpoint
INSERT INTO header_wraps (header_sha256, vault_id, recipient_sha256, wrap, wrap_signature)
  SELECT h.header_sha256, v.vault_id, h.recipient_sha256, h.wrap, h.wrap_signature
  FROM headers h JOIN versions v ON v.id = h.version_id WHERE h.wrap IS NOT NULL
  ON CONFLICT DO NOTHING;
--> statement-breakpoint
-- What these two hold is evidence: it is added and read.
DO $$
BEGIN
  IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'sealdeck_api')
    AND has_table_privilege('sealdeck_api', 'header_wraps', 'select') THEN
    REVOKE UPDATE, DELETE ON header_wraps, log_forks FROM sealdeck_api;
  END IF;
END
$$;
