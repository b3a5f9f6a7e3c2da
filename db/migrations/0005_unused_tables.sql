ALTER TABLE "idempotency_keys" DISABLE ROW LEVEL SECURITY;--> statement-breakpoint
DROP TABLE "idempotency_keys" CASCADE;--> statement-breakpoint
CREATE INDEX "audit_opening_with_details" ON "audit_opening" USING btree ("at") WHERE "audit_opening"."details" is not null;--> statement-breakpoint
CREATE INDEX "mail_outbox_over" ON "mail_outbox" USING btree ("created_at") WHERE "mail_outbox"."sent_at" is not null or "mail_outbox"."failed_at" is not null;