/** Which NDA a link asks for: in one line, and in full for who wants to change it. */
import { useState } from 'react'
import { MAX_NAME_LENGTH, MAX_NDA_FIELD_LENGTH, MAX_NDA_PURPOSE_LENGTH, MAX_NDA_TERM_YEARS, MIN_NDA_TERM_YEARS } from '../../protocol/limits.js'
import { listTemplates, type FilledNda, type NdaFieldProblem, type NdaFields } from '../../protocol/nda.js'
import { parseNdaText } from '../../protocol/nda/markup.js'
import { useCopy } from '../copy.js'
import { founder } from '../copy/founder.js'
import { Button } from '../ui/Button.js'
import { Checkbox } from '../ui/Checkbox.js'
import { Dialog } from '../ui/Dialog.js'
import { NativeSelect } from '../ui/NativeSelect.js'
import { NdaText } from '../ui/NdaText.js'
import { TextArea } from '../ui/TextArea.js'
import { TextField } from '../ui/TextField.js'
import styles from './founder.module.css'
import { chooseTemplate, fillDraft, type NdaDraft } from './nda-order.js'

interface NdaFormProps {
  readonly draft: NdaDraft
  readonly onDraft: (draft: NdaDraft) => void
}

export function NdaForm({ draft, onDraft }: NdaFormProps) {
  const copy = useCopy(founder)
  const [isOpen, setOpen] = useState(false)
  const [isShown, setShown] = useState(false)
  const filled = fillDraft(draft)
  const problems = 'problems' in filled ? filled.problems : []
  const isUnfolded = isOpen || problems.length > 0
  return (
    <section className={styles.nda} aria-label={copy.nda}>
      <div className={styles.between}>
        <div>
          <p className={styles.strong}>{copy.templates[draft.templateId]}</p>
          <p className={styles.quiet}>{copy.ndaSummary(draft.fields)}</p>
        </div>
        <div className={styles.acts}>
          <Button size='small' icon='eye' disabled={!('nda' in filled)} onClick={() => setShown(true)}>{copy.seeNda}</Button>
          <Button size='small' icon='edit' variant='quiet' aria-expanded={isUnfolded} onClick={() => setOpen(!isOpen)}>{copy.changeNda}</Button>
        </div>
      </div>
      {isUnfolded && <Fields draft={draft} problems={problems} onDraft={onDraft} />}
      {'nda' in filled && isShown && <NdaDialog nda={filled.nda} onClose={() => setShown(false)} />}
    </section>
  )
}

function NdaDialog({ nda, onClose }: { nda: FilledNda, onClose: () => void }) {
  const copy = useCopy(founder)
  return (
    <Dialog isOpen size='wide' onClose={onClose} title={copy.seeNdaTitle}>
      <p className={styles.quiet}>{copy.seeNdaText}</p>
      <NdaText blocks={parseNdaText(nda.text)} language={nda.language} isFramed level={3} />
    </Dialog>
  )
}

interface FieldsProps extends NdaFormProps {
  readonly problems: readonly NdaFieldProblem[]
}

function Fields({ draft, problems, onDraft }: FieldsProps) {
  const copy = useCopy(founder)
  const { fields } = draft
  const set = (change: Partial<NdaFields>): void => onDraft(
    { ...draft, fields: { ...fields, ...change } }
  )

  function errorOf(field: keyof NdaFields): string | undefined {
    const problem = problems.find((one) => one.field === field)?.problem
    return problem === undefined ? undefined : copy.ndaProblems[problem]
  }

  return (
    <div className={styles.ndaFields}>
      <NativeSelect
        label={copy.template} value={draft.templateId}
        onValueChange={(templateId) => onDraft(chooseTemplate(draft, templateId))}
        options={listTemplates().map(({ id }) => ({ value: id, label: copy.templates[id] }))}
      />
      <TextField
        label={copy.disclosingParty} hint={copy.disclosingPartyHint}
        value={fields.disclosingParty} maxLength={MAX_NAME_LENGTH}
        error={errorOf('disclosingParty')} onValueChange={(disclosingParty) => set({ disclosingParty })}
      />
      <TextField
        label={copy.disclosingDetails} isOptional value={fields.disclosingDetails}
        maxLength={MAX_NDA_FIELD_LENGTH}
        error={errorOf('disclosingDetails')} onValueChange={(disclosingDetails) => set({ disclosingDetails })}
      />
      <TextArea
        label={copy.purpose} hint={copy.purposeHint} value={fields.purpose}
        maxLength={MAX_NDA_PURPOSE_LENGTH}
        error={errorOf('purpose')} onValueChange={(purpose) => set({ purpose })}
      />
      <TextField
        label={copy.term} type='number' inputMode='numeric' min={MIN_NDA_TERM_YEARS} max={MAX_NDA_TERM_YEARS} value={String(fields.termYears)}
        error={errorOf('termYears')} onValueChange={(years) => set({ termYears: Number(years) })}
      />
      <TextField
        label={copy.governingLaw} hint={copy.governingLawHint} value={fields.governingLaw}
        maxLength={MAX_NDA_FIELD_LENGTH}
        error={errorOf('governingLaw')} onValueChange={(governingLaw) => set({ governingLaw })}
      />
      <TextField
        label={copy.courts} hint={copy.courtsHint} isOptional value={fields.courts}
        maxLength={MAX_NDA_FIELD_LENGTH}
        error={errorOf('courts')} onValueChange={(courts) => set({ courts })}
      />
      <Checkbox
        checked={fields.hasAiClause} onCheckedChange={(hasAiClause) => set({ hasAiClause })}
      >
        {copy.aiClause}
      </Checkbox>
      <Checkbox
        checked={fields.hasUsImmunityNotice}
        onCheckedChange={(hasUsImmunityNotice) => set({ hasUsImmunityNotice })}
      >
        {copy.usNotice}
      </Checkbox>
    </div>
  )
}
