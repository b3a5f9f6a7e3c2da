/** What nobody caught is our bug: it is said, instead of leaving a screen that waits for ever. */
import { Component, type ReactNode } from 'react'
import { Broken } from './Closed.js'

interface Held { readonly children: ReactNode }
interface State { readonly isBroken: boolean }

export class Uncaught extends Component<Held, State> {
  override state: State = { isBroken: false }

  static getDerivedStateFromError(): State {
    return { isBroken: true }
  }

  readonly #onRejection = (): void => this.setState({ isBroken: true })

  override componentDidMount(): void {
    addEventListener('unhandledrejection', this.#onRejection)
  }

  override componentWillUnmount(): void {
    removeEventListener('unhandledrejection', this.#onRejection)
  }

  override render(): ReactNode {
    return this.state.isBroken ? <Broken /> : this.props.children
  }
}
