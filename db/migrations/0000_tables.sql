CREATE TABLE "acceptances" (
	"id" uuid PRIMARY KEY NOT NULL,
	"vault_id" uuid NOT NULL,
	"grant_id" text NOT NULL,
	"revision" integer NOT NULL,
	"person_id" uuid NOT NULL,
	"device_id" uuid NOT NULL,
	"nda_sha256" "bytea" NOT NULL,
	"note" text NOT NULL,
	"sha256" "bytea" NOT NULL,
	"status" text NOT NULL,
	"event_id" uuid NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"decided_at" timestamp with time zone,
	CONSTRAINT "acceptances_sha256_unique" UNIQUE("sha256"),
	CONSTRAINT "acceptances_deviceId_ndaSha256_unique" UNIQUE("device_id","nda_sha256")
);
--> statement-breakpoint
CREATE TABLE "audit_entry" (
	"idx" bigint PRIMARY KEY NOT NULL,
	"event_id" uuid NOT NULL,
	"entry" "bytea" NOT NULL,
	CONSTRAINT "audit_entry_eventId_unique" UNIQUE("event_id")
);
--> statement-breakpoint
CREATE TABLE "audit_opening" (
	"idx" bigint PRIMARY KEY NOT NULL,
	"event_id" uuid NOT NULL,
	"type" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"vault_id" uuid,
	"vault_sequence" bigint,
	"party_id" uuid,
	"party_sequence" bigint,
	"document_id" uuid,
	"bytes" "bytea",
	"salt" "bytea",
	"details" "bytea",
	"details_salt" "bytea",
	"erased_at" timestamp with time zone,
	CONSTRAINT "audit_opening_eventId_unique" UNIQUE("event_id")
);
--> statement-breakpoint
CREATE TABLE "audit_outbox" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"event_id" uuid NOT NULL,
	"type" text NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"vault_id" uuid,
	"party_id" uuid,
	"document_id" uuid,
	"commitment" "bytea" NOT NULL,
	"bytes" "bytea" NOT NULL,
	"salt" "bytea" NOT NULL,
	"details" "bytea",
	"details_salt" "bytea",
	CONSTRAINT "audit_outbox_eventId_unique" UNIQUE("event_id")
);
--> statement-breakpoint
CREATE TABLE "audit_sequence" (
	"scope_id" uuid PRIMARY KEY NOT NULL,
	"count" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "auditor_invitations" (
	"id" uuid PRIMARY KEY NOT NULL,
	"vault_id" uuid NOT NULL,
	"email" text NOT NULL,
	"with_identities" boolean DEFAULT false NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"accepted_by" uuid,
	"accepted_at" timestamp with time zone,
	"revoked_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "challenges" (
	"id" text PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"user_id" uuid,
	"state" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"used_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "devices" (
	"id" uuid PRIMARY KEY NOT NULL,
	"person_id" uuid NOT NULL,
	"grant_id" text NOT NULL,
	"signing_public_key" "bytea" NOT NULL,
	"recipient" text NOT NULL,
	"recipient_sha256" "bytea" NOT NULL,
	"enrolment_note" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"revoked_at" timestamp with time zone,
	CONSTRAINT "devices_grantId_signingPublicKey_unique" UNIQUE("grant_id","signing_public_key")
);
--> statement-breakpoint
CREATE TABLE "documents" (
	"id" uuid PRIMARY KEY NOT NULL,
	"vault_id" uuid NOT NULL,
	"name_sealed" "bytea" NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"deleted_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "email_codes" (
	"challenge_hash" "bytea" PRIMARY KEY NOT NULL,
	"email" text NOT NULL,
	"purpose" text NOT NULL,
	"code_hash" "bytea" NOT NULL,
	"try_count" integer DEFAULT 0 NOT NULL,
	"grant_id" text,
	"name" text,
	"user_id" uuid,
	"created_at" timestamp with time zone NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"used_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "grant_revisions" (
	"grant_id" text NOT NULL,
	"revision" integer NOT NULL,
	"statement" "bytea" NOT NULL,
	"statement_sha256" "bytea" NOT NULL,
	"signature" "bytea" NOT NULL,
	"nda_sha256" "bytea",
	"link_recipient" "bytea" NOT NULL,
	"link_signing_public_key" "bytea" NOT NULL,
	"policy" text NOT NULL,
	"gate" text NOT NULL,
	"release" text NOT NULL,
	"expires_at" timestamp with time zone,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "grant_revisions_grant_id_revision_pk" PRIMARY KEY("grant_id","revision")
);
--> statement-breakpoint
CREATE TABLE "grants" (
	"id" text PRIMARY KEY NOT NULL,
	"vault_id" uuid NOT NULL,
	"revision" integer NOT NULL,
	"name_sealed" "bytea" NOT NULL,
	"card_sealed" "bytea" NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"revoked_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "headers" (
	"id" uuid PRIMARY KEY NOT NULL,
	"grant_id" text NOT NULL,
	"version_id" uuid NOT NULL,
	"device_id" uuid,
	"recipient_sha256" "bytea" NOT NULL,
	"header" "bytea" NOT NULL,
	"header_sha256" "bytea" NOT NULL,
	"wrap" "bytea",
	"wrap_signature" "bytea",
	"acceptance_sha256" "bytea",
	"created_at" timestamp with time zone NOT NULL,
	"retired_at" timestamp with time zone,
	CONSTRAINT "headers_grantId_versionId_recipientSha256_unique" UNIQUE("grant_id","version_id","recipient_sha256")
);
--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"scope" text NOT NULL,
	"key" text NOT NULL,
	"request_sha256" "bytea" NOT NULL,
	"status" integer,
	"response" text,
	"created_at" timestamp with time zone NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	CONSTRAINT "idempotency_keys_scope_key_pk" PRIMARY KEY("scope","key")
);
--> statement-breakpoint
CREATE TABLE "keyring_rows" (
	"id" uuid PRIMARY KEY NOT NULL,
	"user_id" uuid NOT NULL,
	"method" text NOT NULL,
	"version" integer NOT NULL,
	"sealed" "bytea" NOT NULL,
	"commit" "bytea" NOT NULL,
	"label" text DEFAULT '' NOT NULL,
	"credential_id" text,
	"credential_public_key" "bytea",
	"credential_counter" bigint,
	"credential_transports" text[],
	"opaque_record" text,
	"recovery_auth_sha256" "bytea",
	"created_at" timestamp with time zone NOT NULL,
	"used_at" timestamp with time zone,
	CONSTRAINT "keyring_rows_credentialId_unique" UNIQUE("credential_id")
);
--> statement-breakpoint
CREATE TABLE "mail_outbox" (
	"id" uuid PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"recipient_email" text NOT NULL,
	"subject" text,
	"text" text,
	"html" text,
	"attachments" jsonb,
	"created_at" timestamp with time zone NOT NULL,
	"next_try_at" timestamp with time zone NOT NULL,
	"try_count" integer DEFAULT 0 NOT NULL,
	"sent_at" timestamp with time zone,
	"failed_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "ndas" (
	"vault_id" uuid NOT NULL,
	"sha256" "bytea" NOT NULL,
	"text" text NOT NULL,
	"title" text NOT NULL,
	"template" text NOT NULL,
	"version" integer NOT NULL,
	"language" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "ndas_vault_id_sha256_pk" PRIMARY KEY("vault_id","sha256")
);
--> statement-breakpoint
CREATE TABLE "nonces" (
	"nonce" "bytea" PRIMARY KEY NOT NULL,
	"purpose" text NOT NULL,
	"grant_id" text,
	"person_id" uuid,
	"device_id" uuid,
	"created_at" timestamp with time zone NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"used_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "people" (
	"id" uuid PRIMARY KEY NOT NULL,
	"grant_id" text NOT NULL,
	"email" text,
	"name" text,
	"organisation" text,
	"locale" text DEFAULT 'en' NOT NULL,
	"tag_key" "bytea" NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"verified_at" timestamp with time zone,
	"declined_at" timestamp with time zone,
	"revoked_at" timestamp with time zone,
	CONSTRAINT "people_grantId_email_unique" UNIQUE("grant_id","email")
);
--> statement-breakpoint
CREATE TABLE "rate_counters" (
	"scope" text NOT NULL,
	"window_starts_at" timestamp with time zone NOT NULL,
	"count" integer NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	CONSTRAINT "rate_counters_scope_window_starts_at_pk" PRIMARY KEY("scope","window_starts_at")
);
--> statement-breakpoint
CREATE TABLE "releases" (
	"id" uuid PRIMARY KEY NOT NULL,
	"header_id" uuid NOT NULL,
	"version_id" uuid NOT NULL,
	"grant_id" text NOT NULL,
	"revision" integer NOT NULL,
	"person_id" uuid NOT NULL,
	"device_id" uuid NOT NULL,
	"gate" text NOT NULL,
	"acceptance_id" uuid,
	"request_note" text,
	"request_sha256" "bytea",
	"event_id" uuid NOT NULL,
	"released_at" timestamp with time zone NOT NULL,
	"fetched_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "sessions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"user_id" uuid NOT NULL,
	"token_hash" "bytea" NOT NULL,
	"previous_token_hash" "bytea",
	"rotated_at" timestamp with time zone NOT NULL,
	"proven_at" timestamp with time zone NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"idle_expires_at" timestamp with time zone NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"revoked_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "tlog_head" (
	"id" smallint PRIMARY KEY NOT NULL,
	"size" bigint NOT NULL,
	"root" "bytea" NOT NULL,
	"edge" "bytea" NOT NULL,
	CONSTRAINT "tlog_head_one_row" CHECK ("tlog_head"."id" = 1)
);
--> statement-breakpoint
CREATE TABLE "tlog_published" (
	"id" smallint PRIMARY KEY NOT NULL,
	"size" bigint NOT NULL,
	"checkpoint" text NOT NULL,
	"published_at" timestamp with time zone NOT NULL,
	"cosigned_size" bigint DEFAULT 0 NOT NULL,
	"cosigned_checkpoint" text,
	CONSTRAINT "tlog_published_one_row" CHECK ("tlog_published"."id" = 1)
);
--> statement-breakpoint
CREATE TABLE "tombstones" (
	"object_key" text PRIMARY KEY NOT NULL,
	"created_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "upload_parts" (
	"version_id" uuid NOT NULL,
	"index" integer NOT NULL,
	"size_bytes" integer NOT NULL,
	"sha256" "bytea" NOT NULL,
	"stored_at" timestamp with time zone NOT NULL,
	CONSTRAINT "upload_parts_version_id_index_pk" PRIMARY KEY("version_id","index")
);
--> statement-breakpoint
CREATE TABLE "users" (
	"id" uuid PRIMARY KEY NOT NULL,
	"email" text NOT NULL,
	"name" text NOT NULL,
	"locale" text NOT NULL,
	"signing_public_key" "bytea" NOT NULL,
	"recipient" text NOT NULL,
	"recovery_confirmed_at" timestamp with time zone,
	"quota_bytes" bigint,
	"used_bytes" bigint DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"disabled_at" timestamp with time zone,
	CONSTRAINT "users_email_unique" UNIQUE("email")
);
--> statement-breakpoint
CREATE TABLE "vaults" (
	"id" uuid PRIMARY KEY NOT NULL,
	"owner_id" uuid NOT NULL,
	"tag_key" "bytea" NOT NULL,
	"title_sealed" "bytea" NOT NULL,
	"witness_count" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"deleted_at" timestamp with time zone,
	CONSTRAINT "vaults_tag_key_size" CHECK (octet_length("vaults"."tag_key") = 32)
);
--> statement-breakpoint
CREATE TABLE "versions" (
	"id" uuid PRIMARY KEY NOT NULL,
	"vault_id" uuid NOT NULL,
	"document_id" uuid NOT NULL,
	"part" smallint NOT NULL,
	"gate" text NOT NULL,
	"version" integer NOT NULL,
	"status" text DEFAULT 'uploading' NOT NULL,
	"draft_sealed" "bytea" NOT NULL,
	"owner_header" "bytea" NOT NULL,
	"payload_size_bytes" bigint NOT NULL,
	"part_count" integer NOT NULL,
	"nonce" "bytea",
	"object_prefix" text NOT NULL,
	"hash_list_key" text,
	"record" "bytea",
	"record_sha256" "bytea",
	"record_signature" "bytea",
	"created_at" timestamp with time zone NOT NULL,
	"stored_at" timestamp with time zone,
	"cancelled_at" timestamp with time zone,
	"event_id" uuid,
	CONSTRAINT "versions_objectPrefix_unique" UNIQUE("object_prefix")
);
--> statement-breakpoint
ALTER TABLE "acceptances" ADD CONSTRAINT "acceptances_vault_id_vaults_id_fk" FOREIGN KEY ("vault_id") REFERENCES "public"."vaults"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "acceptances" ADD CONSTRAINT "acceptances_grant_id_grants_id_fk" FOREIGN KEY ("grant_id") REFERENCES "public"."grants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "acceptances" ADD CONSTRAINT "acceptances_person_id_people_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."people"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "acceptances" ADD CONSTRAINT "acceptances_device_id_devices_id_fk" FOREIGN KEY ("device_id") REFERENCES "public"."devices"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "auditor_invitations" ADD CONSTRAINT "auditor_invitations_vault_id_vaults_id_fk" FOREIGN KEY ("vault_id") REFERENCES "public"."vaults"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "auditor_invitations" ADD CONSTRAINT "auditor_invitations_accepted_by_users_id_fk" FOREIGN KEY ("accepted_by") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "devices" ADD CONSTRAINT "devices_person_id_people_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."people"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "devices" ADD CONSTRAINT "devices_grant_id_grants_id_fk" FOREIGN KEY ("grant_id") REFERENCES "public"."grants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "documents" ADD CONSTRAINT "documents_vault_id_vaults_id_fk" FOREIGN KEY ("vault_id") REFERENCES "public"."vaults"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "grant_revisions" ADD CONSTRAINT "grant_revisions_grant_id_grants_id_fk" FOREIGN KEY ("grant_id") REFERENCES "public"."grants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "grants" ADD CONSTRAINT "grants_vault_id_vaults_id_fk" FOREIGN KEY ("vault_id") REFERENCES "public"."vaults"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "headers" ADD CONSTRAINT "headers_grant_id_grants_id_fk" FOREIGN KEY ("grant_id") REFERENCES "public"."grants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "headers" ADD CONSTRAINT "headers_version_id_versions_id_fk" FOREIGN KEY ("version_id") REFERENCES "public"."versions"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "headers" ADD CONSTRAINT "headers_device_id_devices_id_fk" FOREIGN KEY ("device_id") REFERENCES "public"."devices"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "keyring_rows" ADD CONSTRAINT "keyring_rows_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ndas" ADD CONSTRAINT "ndas_vault_id_vaults_id_fk" FOREIGN KEY ("vault_id") REFERENCES "public"."vaults"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "people" ADD CONSTRAINT "people_grant_id_grants_id_fk" FOREIGN KEY ("grant_id") REFERENCES "public"."grants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "releases" ADD CONSTRAINT "releases_version_id_versions_id_fk" FOREIGN KEY ("version_id") REFERENCES "public"."versions"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "releases" ADD CONSTRAINT "releases_grant_id_grants_id_fk" FOREIGN KEY ("grant_id") REFERENCES "public"."grants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "releases" ADD CONSTRAINT "releases_person_id_people_id_fk" FOREIGN KEY ("person_id") REFERENCES "public"."people"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "releases" ADD CONSTRAINT "releases_device_id_devices_id_fk" FOREIGN KEY ("device_id") REFERENCES "public"."devices"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "upload_parts" ADD CONSTRAINT "upload_parts_version_id_versions_id_fk" FOREIGN KEY ("version_id") REFERENCES "public"."versions"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "vaults" ADD CONSTRAINT "vaults_owner_id_users_id_fk" FOREIGN KEY ("owner_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "versions" ADD CONSTRAINT "versions_vault_id_vaults_id_fk" FOREIGN KEY ("vault_id") REFERENCES "public"."vaults"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "versions" ADD CONSTRAINT "versions_document_id_documents_id_fk" FOREIGN KEY ("document_id") REFERENCES "public"."documents"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "acceptances_grant_id_created_at_index" ON "acceptances" USING btree ("grant_id","created_at");--> statement-breakpoint
CREATE INDEX "acceptances_person_id_index" ON "acceptances" USING btree ("person_id");--> statement-breakpoint
CREATE INDEX "acceptances_awaiting" ON "acceptances" USING btree ("vault_id","created_at") WHERE "acceptances"."status" = 'awaiting';--> statement-breakpoint
CREATE INDEX "audit_opening_vault_id_idx_index" ON "audit_opening" USING btree ("vault_id","idx");--> statement-breakpoint
CREATE INDEX "audit_opening_vault_id_type_idx_index" ON "audit_opening" USING btree ("vault_id","type","idx");--> statement-breakpoint
CREATE INDEX "audit_opening_vault_id_document_id_idx_index" ON "audit_opening" USING btree ("vault_id","document_id","idx");--> statement-breakpoint
CREATE INDEX "audit_opening_party_id_idx_index" ON "audit_opening" USING btree ("party_id","idx");--> statement-breakpoint
CREATE INDEX "auditor_invitations_vault_id_created_at_id_index" ON "auditor_invitations" USING btree ("vault_id","created_at","id");--> statement-breakpoint
CREATE INDEX "auditor_invitations_accepted_by_created_at_id_index" ON "auditor_invitations" USING btree ("accepted_by","created_at" DESC NULLS LAST,"id" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "auditor_invitations_email_index" ON "auditor_invitations" USING btree ("email");--> statement-breakpoint
CREATE INDEX "challenges_expires_at_index" ON "challenges" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "devices_person_id_index" ON "devices" USING btree ("person_id");--> statement-breakpoint
CREATE INDEX "documents_vault_id_created_at_id_index" ON "documents" USING btree ("vault_id","created_at","id");--> statement-breakpoint
CREATE INDEX "email_codes_email_created_at_index" ON "email_codes" USING btree ("email","created_at");--> statement-breakpoint
CREATE INDEX "email_codes_expires_at_index" ON "email_codes" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "grants_vault_id_created_at_id_index" ON "grants" USING btree ("vault_id","created_at" DESC NULLS LAST,"id" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "headers_version_id_index" ON "headers" USING btree ("version_id");--> statement-breakpoint
CREATE INDEX "headers_device_id_index" ON "headers" USING btree ("device_id");--> statement-breakpoint
CREATE INDEX "idempotency_keys_expires_at_index" ON "idempotency_keys" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "keyring_rows_user_id_created_at_index" ON "keyring_rows" USING btree ("user_id","created_at");--> statement-breakpoint
CREATE INDEX "mail_outbox_waiting" ON "mail_outbox" USING btree ("next_try_at") WHERE "mail_outbox"."sent_at" is null and "mail_outbox"."failed_at" is null;--> statement-breakpoint
CREATE INDEX "nonces_expires_at_index" ON "nonces" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "people_grant_id_created_at_id_index" ON "people" USING btree ("grant_id","created_at" DESC NULLS LAST,"id" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "people_email_index" ON "people" USING btree ("email");--> statement-breakpoint
CREATE INDEX "rate_counters_expires_at_index" ON "rate_counters" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "releases_device_id_version_id_released_at_index" ON "releases" USING btree ("device_id","version_id","released_at" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "releases_grant_id_released_at_index" ON "releases" USING btree ("grant_id","released_at");--> statement-breakpoint
CREATE INDEX "releases_person_id_released_at_index" ON "releases" USING btree ("person_id","released_at");--> statement-breakpoint
CREATE INDEX "releases_version_id_index" ON "releases" USING btree ("version_id");--> statement-breakpoint
CREATE INDEX "sessions_user_id_index" ON "sessions" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "sessions_expires_at_index" ON "sessions" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "tombstones_created_at_index" ON "tombstones" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "vaults_owner_id_created_at_id_index" ON "vaults" USING btree ("owner_id","created_at" DESC NULLS LAST,"id" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "versions_vault_id_created_at_id_index" ON "versions" USING btree ("vault_id","created_at","id");--> statement-breakpoint
CREATE UNIQUE INDEX "versions_one_stored" ON "versions" USING btree ("document_id","part","version") WHERE "versions"."status" = 'stored';--> statement-breakpoint
CREATE UNIQUE INDEX "versions_record_sha256" ON "versions" USING btree ("record_sha256");--> statement-breakpoint
CREATE INDEX "versions_unfinished" ON "versions" USING btree ("created_at") WHERE "versions"."status" <> 'stored';