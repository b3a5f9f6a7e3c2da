/** Small words for making elements and speaking SVG. Must not use innerHTML: Trusted Types forbid it. */

type Attributes = Readonly<Record<string, string>>

/** A new element with attributes (`class`, `aria-label`, ...) and children. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name, attributes: Attributes = {}, ...children: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  made.append(...children)
  return made
}

const SVG = 'http://www.w3.org/2000/svg'

/** A 24-unit line icon from one path; decoration only, its button carries the name. */
export function icon(path: string): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg')
  svg.setAttribute('viewBox', '0 0 24 24')
  svg.setAttribute('aria-hidden', 'true')
  svg.setAttribute('class', 'icon')
  const line = document.createElementNS(SVG, 'path')
  line.setAttribute('d', path)
  svg.append(line)
  return svg
}

/** A button that acts. Its name is set by `label`, so that a change of language is one call. */
export function button(
  attributes: Attributes, onPress: () => void, ...children: (Node | string)[]
): HTMLButtonElement {
  const made = element('button', { type: 'button', ...attributes }, ...children)
  made.addEventListener('click', onPress)
  return made
}

/** Names an element for people who hear it and, as a tooltip, for those who point at it. */
export function label(named: HTMLElement, text: string): void {
  named.setAttribute('aria-label', text)
  named.title = text
}
