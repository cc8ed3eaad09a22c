// Whether a change of a project's source shows in a page without a reload, and by what kind of WebSocket it came.
import { readFileSync, writeFileSync } from 'node:fs'
import type { Page } from 'playwright-core'
import { until } from './until.js'

export interface Edit {
  file: string
  from: string
  to: string
}

/** What went over the page's WebSockets. */
export interface Sockets {
  /** Why handshakes failed. */
  errors: string[]
  /** What was sent and received. */
  frames: string[]
  /** Status of each handshake's answer: 200 over HTTP/2, 101 over HTTP/1.1. */
  statuses: number[]
}

/** Notes what goes over the WebSockets that the page opens from now on. */
export async function watchSockets(page: Page): Promise<Sockets> {
  const sockets: Sockets = { errors: [], frames: [], statuses: [] }
  const session = await page.context().newCDPSession(page)
  await session.send('Network.enable')
  session.on('Network.webSocketFrameError', ({ errorMessage }) => sockets.errors.push(errorMessage))
  session.on('Network.webSocketFrameReceived', ({ response }) => sockets.frames.push(response.payloadData))
  session.on('Network.webSocketFrameSent', ({ response }) => sockets.frames.push(response.payloadData))
  session.on('Network.webSocketHandshakeResponseReceived', ({ response }) => sockets.statuses.push(response.status))
  return sockets
}

/** Waits until the framework's client in the page says that it follows changes: one before would load the page again. */
export async function follows(sockets: Sockets, sign: string): Promise<void> {
  await until(`"${sign}" over a WebSocket`, () => sockets.frames.some((frame) => frame.includes(sign)), 60_000)
}

/** Rejects unless the page shows the new text, be it that it loads itself again. */
export async function changeLive(page: Page, { file, from, to }: Edit): Promise<void> {
  const source = readFileSync(file, 'utf8')
  if (!source.includes(from)) throw new Error(`${file} does not have ${from}`)
  writeFileSync(file, source.replace(from, to))
  await page.getByText(to).first().waitFor({ timeout: 60_000 })
}

/** Rejects unless the page shows the new text as the very document it was. */
export async function changeHot(page: Page, edit: Edit): Promise<void> {
  await page.evaluate('window.sameDocument = true')
  await changeLive(page, edit)
  if ((await page.evaluate('window.sameDocument')) !== true) throw new Error('The page was loaded again.')
}
