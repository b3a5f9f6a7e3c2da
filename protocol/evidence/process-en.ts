/**
 * How the system works, for somebody who must judge a record of it: goes into every evidence pack
 * (SPEC.md § 12.2). Raise the version with every change of meaning. Must not promise what THREATS.md does not.
 */
export const PROCESS_VERSION = 1

export const processEnglish = `HOW THE RECORDS IN THIS PACK COME ABOUT
Process declaration, version ${PROCESS_VERSION}

1. What the system is for
A founder shares confidential documents. They are encrypted in the founder's own browser before they
leave the machine; the server keeps ciphertext. A reader gets the key after signing a non-disclosure
agreement. Each of these acts is an event in a transparency log.

2. The agreement
The founder chooses a template and fills it in with everything but the receiving party. The text is
fixed before anybody signs: its bytes are hashed with SHA-256, and the founder's signed grant names the
hash. The reader's browser hashes the bytes it shows and refuses a text with another hash. A changed
text has another hash and needs a new signature.

3. Who signs
The reader opens a link that carries a secret in its fragment, which browsers do not send to servers.
The reader types a name and an address; the server sends a code of eight digits to the address, valid
ten minutes, five tries; typing it back is the event "email.verified". This shows that somebody who
reads that mailbox had the code. It does not show who sat at the keyboard.

4. How it is signed
The reader sees the whole text of the agreement, the sentence of acceptance and intent, and the consent
to sign electronically, types the name, and presses "Sign and open". The browser then makes two Ed25519
signatures over one text that people can read (an acceptance): one by the key derived from the link's
secret, one by a key that was made in this browser and does not leave it unencrypted. The text names the
agreement's hash, the vault, the grant, the keys, the log, the time by the signer's clock, and a number
that the server gave out once. It expires after fifteen minutes.

5. How it is recorded
The server checks both signatures, the hashes, the number and the address. One statement of the
database then records the acceptance, what it releases, and an event for each. Events are numbered and
put into a Merkle tree (RFC 6962, SHA-256) by one writer; the log's key signs the tree's size and root
(a checkpoint, c2sp.org/tlog-checkpoint). Only when acceptance and release lie under a published
checkpoint does the server answer, and only then does a key leave. The log is published as files
(c2sp.org/tlog-tiles) that anybody can copy and check.

6. What an entry in the log is
65 bytes: a version, a commitment (SHA-256 over a label, 32 random bytes and the event's bytes), and two
tags of 16 bytes by which the vault's founder finds the vault's events. Without the random bytes an
entry says nothing. Names, addresses, network address and browser are kept apart, committed to by the
event, and can be erased: then the entry stays and nobody can read what it said.

7. Who could change what
Nobody can change, remove, reorder or backdate an entry under a checkpoint that somebody has kept,
without its showing: the roots would differ. Readers' browsers keep the last checkpoint that they saw
and demand proof that the next one grew out of it. Witnesses, where the policy names them, cosign
checkpoints only if they grew. The operator can read names and addresses of those who signed, can
refuse service, and can set the server's clock.
Where the founder releases on approval, the key of the whole document exists only after the founder's
own browser has checked both signatures. Where the founder releases on signature, that check is the
server's.

8. What the times mean
"Signed at" is the signer's clock. "Recorded at" is the server's clock. A cosignature's time is the
witness's clock. The order of events is the order of the log, and is proved.

9. Copies
Reader and founder get their receipts at once, the reader by mail too, with the agreement and the signed
acceptance. Receipts verify without the server and after it is gone.

10. What is not claimed
No qualified electronic signature and no qualified ledger under Regulation (EU) No 910/2014 is claimed.
What a record is worth in a proceeding is for the court to say.
`
