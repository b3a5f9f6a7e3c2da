/**
 * The English words of the NDA templates (SPEC.md § 5). A changed character changes every
 * hash made from here on, so a change needs a new `version`.
 * Must not hold a rule of format or of checking: protocol/nda.ts has those.
 */
import {
  sentence, type FilledFields, type NdaClause, type NdaKind, type NdaSection, type NdaWording,
} from './wording.js'

export const english: NdaWording = {
  version: 1,
  letters: 'abcdefghijklmnopqrstuvwxyz',
  titles: {
    'one-way': 'Non-Disclosure Agreement',
    mutual: 'Mutual Non-Disclosure Agreement',
  },

  preamble: (kind, fields) => [
    `This agreement is made between ${party(fields)} (the “${presenter(kind)}”) and the person who signs the acceptance of this agreement (the “${signer(kind)}”).`,
    `The acceptance names that person. Where it says that the person signs for an organisation, the ${signer(kind)} is that organisation; the person confirms having the authority to bind it, and is bound personally if that authority is missing.`,
    'This agreement takes effect when the acceptance is signed (the “Effective Date”).',
  ],

  sections: (kind, fields) => [
    { title: 'Definitions', clauses: definitions(kind, fields) },
    undertakings,
    ...(fields.hasAiClause ? [aiSection] : []),
    exclusions,
    lawfulDisclosure(fields),
    returnAndDestruction,
    rightsAndWarranties,
    noObligation,
    term(fields),
    remedies,
    signatures(kind),
    generalTerms(fields),
  ],
}

function party(fields: FilledFields): string {
  return fields.disclosingDetails === '' ? fields.disclosingParty : `${fields.disclosingParty}, ${fields.disclosingDetails}`
}

function presenter(kind: NdaKind): string {
  return kind === 'mutual' ? 'Presenting Party' : 'Disclosing Party'
}

function signer(kind: NdaKind): string {
  return kind === 'mutual' ? 'Signing Party' : 'Receiving Party'
}

function years(count: number): string {
  return count === 1 ? 'one year' : `${count} years`
}

function definitions(kind: NdaKind, fields: FilledFields): NdaClause[] {
  const roles = {
    text: '“Disclosing Party” means the party that makes Confidential Information available, and “Receiving Party” the party to which it is made available. Each party can be either, and each has the rights and duties of the one that it is.',
  }
  return [
    ...(kind === 'mutual' ? [roles] : []),
    { text: '“Vault” means the electronic vault through which this agreement was presented for acceptance.' },
    { text: '“Confidential Information” means all information that the Disclosing Party makes available to the Receiving Party for the Purpose on or after the Effective Date, in the Vault or otherwise and in any form: among it the documents and slides that open after the acceptance; business, financial and technical information; plans, forecasts, designs, methods and ideas; and everything derived from these. It need not be marked as confidential.' },
    { text: `“Purpose” means the following: ${sentence(fields.purpose)}` },
    { text: '“Representatives” means the directors, partners, employees and professional advisers of the Receiving Party and of the companies that control it, are controlled by it or are under common control with it.' },
  ]
}

const undertakings: NdaSection = {
  title: 'What the Receiving Party undertakes',
  clauses: [
    {
      text: 'The Receiving Party shall:',
      items: [
        'keep the Confidential Information secret and protect it with at least the care it takes of its own confidential information, and never less than reasonable care;',
        'use the Confidential Information for the Purpose and for nothing else;',
        'disclose the Confidential Information to nobody but those of its Representatives who need it for the Purpose;',
        'make no copies beyond those that the Purpose requires, and leave every notice of confidentiality or ownership in place;',
        'not pass on the link, the codes or the keys by which the Vault is opened to it; and',
        'tell the Disclosing Party without delay when it learns of a use or disclosure that this agreement does not allow, and help to limit its effects.',
      ],
    },
    { text: 'Before a Representative receives Confidential Information, the Receiving Party shall make sure that the Representative is bound by duties of confidence at least as strict as those of this agreement. The Receiving Party answers for what its Representatives do with the Confidential Information as for its own acts.' },
  ],
}

const aiSection: NdaSection = {
  title: 'Artificial intelligence and automated systems',
  clauses: [
    { text: 'The Receiving Party shall not enter Confidential Information into an artificial intelligence or machine learning system if the system, or whoever provides or operates it, uses what is entered to train or improve a model, keeps it for longer than is needed to produce the answer, or lets anyone see it who may not see it under this agreement.' },
    { text: 'A system that the Receiving Party runs itself, or uses under a contract that excludes all of these, is allowed. What such a system produces from Confidential Information is Confidential Information too.' },
  ],
}

const exclusions: NdaSection = {
  title: 'What is not confidential',
  clauses: [{
    text: 'Confidential Information does not include information that the Receiving Party can show:',
    items: [
      'was public when it was made available, or became public later without a breach of this agreement;',
      'was lawfully known to the Receiving Party, without a duty of confidence, before it was made available;',
      'was lawfully received from a third party who was free to disclose it; or',
      'was developed by the Receiving Party independently, without use of the Confidential Information.',
    ],
  }, {
    text: 'A combination of features is not excepted merely because its single features are public.',
  }],
}

function lawfulDisclosure(fields: FilledFields): NdaSection {
  return {
    title: 'Disclosure required or protected by law',
    clauses: [
      { text: 'The Receiving Party may disclose Confidential Information to the extent that a law, a court or a public authority with power over it requires. Where it lawfully can, it shall give the Disclosing Party notice beforehand, disclose only what is required, and ask for confidential treatment.' },
      { text: 'Nothing in this agreement prevents anyone from reporting a crime or a suspected breach of law to a competent authority, from giving evidence, or from making any other disclosure that the law protects; none of these needs notice or consent.' },
      ...(fields.hasUsImmunityNotice ? [usImmunityNotice] : []),
    ],
  }
}

const returnAndDestruction: NdaSection = {
  title: 'Return and destruction',
  clauses: [
    { text: 'The Receiving Party shall stop using the Confidential Information when the Purpose has ended or the Disclosing Party asks for it in writing. Within 30 days after that it shall return or destroy all copies it holds, have its Representatives do the same, and confirm on request, in writing, that this has been done.' },
    { text: 'Copies that the law or binding professional rules require to be kept, and copies in routine backups that are overwritten in their ordinary course, may be kept for as long as that takes. They may not be used for anything else, and this agreement applies to them until they are destroyed, even after its term.' },
  ],
}

const rightsAndWarranties: NdaSection = {
  title: 'Rights and warranties',
  clauses: [
    { text: 'The Confidential Information, and every right in it, remains with the Disclosing Party. This agreement grants no licence, option or other right, expressly or by implication, beyond the use of the Confidential Information for the Purpose.' },
    { text: 'The Disclosing Party confirms that it is entitled to make the Confidential Information available. It gives no other warranty of its accuracy or completeness in this agreement.' },
  ],
}

const noObligation: NdaSection = {
  title: 'No obligation to proceed',
  clauses: [
    { text: 'Neither party is obliged by this agreement to make any information available, to negotiate, to invest, or to enter into any further agreement. Either may end the discussions at any time, without giving a reason.' },
    { text: 'Nothing in this agreement prevents the Receiving Party from considering, investing in or working with others whose business is similar to or competes with that of the Disclosing Party, as long as it does not use or disclose Confidential Information in doing so.' },
  ],
}

function term(fields: FilledFields): NdaSection {
  return {
    title: 'Term',
    clauses: [
      { text: `The obligations of this agreement last for ${years(fields.termYears)} from the Effective Date. They cover all Confidential Information made available within that time.` },
      { text: 'For Confidential Information that the law protects as a trade secret they last for as long as it remains a trade secret; they do not end where it ceases to be one through a breach of this agreement.' },
    ],
  }
}

const remedies: NdaSection = {
  title: 'Remedies',
  clauses: [{ text: 'Damages alone may not make good a breach of this agreement. The Disclosing Party may therefore also ask a court for an injunction or other measures to prevent or stop a breach, besides every other remedy that the law gives it.' }],
}

function signatures(kind: NdaKind): NdaSection {
  return {
    title: 'Electronic signature and evidence',
    clauses: [
      { text: `The ${signer(kind)} signs this agreement by an electronic acceptance: after the control of an e-mail address has been verified, the person types a name, consents, and signs with a cryptographic key held by the device in use. The ${presenter(kind)} signs it by signing, with its own cryptographic key, the access grant that carries the hash of this text. Each party intends this to be its signature.` },
      { text: 'The parties agree to deal with each other electronically. This agreement shall not be denied effect because it was made or signed in electronic form. Each party shall keep its signing keys to itself.' },
      { text: 'The acceptance is bound to this text by its SHA-256 hash. The signed acceptance, and the entries of the Vault’s audit log with their proofs, may be used as evidence of when this agreement was accepted and what was opened under it; either party may contest their accuracy.' },
    ],
  }
}

function generalTerms(fields: FilledFields): NdaSection {
  return {
    title: 'Law and general terms',
    clauses: [
      { text: `This agreement, and every dispute or claim that arises from it, is governed by the law of ${fields.governingLaw}.` },
      {
        text: fields.courts === ''
          ? 'Disputes are decided by the courts that have jurisdiction under that law.'
          : `The courts of ${fields.courts} have exclusive jurisdiction, except that either party may seek interim measures before any competent court.`,
      },
      { text: 'This is the whole agreement of the parties on the confidentiality of the Confidential Information. It can be changed only in writing signed by both parties; the acceptance of a later text in the same way is enough.' },
      { text: 'Neither party may transfer this agreement without the written consent of the other, except to a successor to all or nearly all of its business, who takes it over in full.' },
      { text: 'If a provision is found invalid, the others remain in force, and the invalid one applies to the extent that the law allows. A right that is not exercised, or exercised late, is not waived by that.' },
    ],
  }
}

const usImmunityNotice: NdaClause = {
  text: 'Notice of immunity under 18 U.S.C. § 1833(b): An individual shall not be held criminally or civilly liable under any federal or state trade secret law of the United States for the disclosure of a trade secret that is made in confidence to a federal, state or local government official, directly or indirectly, or to an attorney, and solely for the purpose of reporting or investigating a suspected violation of law; or that is made in a complaint or other document filed under seal in a lawsuit or other proceeding. An individual who files a lawsuit for retaliation by an employer for reporting a suspected violation of law may disclose the trade secret to his or her attorney and use it in the court proceeding, if any document containing it is filed under seal and it is not disclosed except pursuant to court order.',
}
