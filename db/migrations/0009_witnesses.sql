ALTER TABLE "grant_revisions" ADD COLUMN "witnesses" text;--> statement-breakpoint
ALTER TABLE "vaults" DROP COLUMN "witness_count";