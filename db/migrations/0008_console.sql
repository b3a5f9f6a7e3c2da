CREATE TABLE "instance_auditors" (
	"id" uuid PRIMARY KEY NOT NULL,
	"email" text NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	CONSTRAINT "instance_auditors_email_unique" UNIQUE("email")
);
--> statement-breakpoint
DROP INDEX "audit_opening_vault_id_document_id_idx_index";--> statement-breakpoint
DROP INDEX "audit_opening_party_id_idx_index";--> statement-breakpoint
CREATE INDEX "audit_opening_vault_id_at_idx_index" ON "audit_opening" USING btree ("vault_id","at","idx");--> statement-breakpoint
CREATE INDEX "audit_opening_type_idx_index" ON "audit_opening" USING btree ("type","idx");--> statement-breakpoint
CREATE INDEX "audit_opening_at_idx_index" ON "audit_opening" USING btree ("at","idx");--> statement-breakpoint
CREATE INDEX "audit_opening_document" ON "audit_opening" USING btree ("document_id","idx") WHERE "audit_opening"."document_id" is not null;--> statement-breakpoint
CREATE INDEX "audit_opening_party" ON "audit_opening" USING btree ("party_id","idx") WHERE "audit_opening"."party_id" is not null;