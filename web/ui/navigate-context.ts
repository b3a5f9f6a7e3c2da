/**
 * How a widget follows a link without leaving the page. A surface whose keys live in the page's
 * memory must set it to its router's `navigate`, or the mark in the header would reload them away.
 */
import { createContext } from 'react'

/** `null`: links are the browser's own business. */
export const NavigateContext = createContext<((href: string) => void) | null>(null)
