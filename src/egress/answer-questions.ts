// Owns answering what Caddy asks about requests that it has opened, at a socket that only this user can open.
import { randomBytes } from 'node:crypto'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { messageOf } from '../errors.js'
import { echoingMethod, questionPaths } from './opening-words.js'
import type { NetworkPolicy } from './policy.js'
import {
  answerValue,
  answerVerdict,
  type PutIn,
  type Question,
  type QuestionAnswer,
  readQuestion,
} from './questions.js'

export interface QuestionOptions {
  /** What holds for the agent of a run now. */
  agentOf(runId: string): { name: string; policy: Pick<NetworkPolicy, 'policy' | 'rules'> } | undefined
  log(message: string): void
  /** A host has answered a request with 401. */
  refused?(question: Question): void
  /** Undefined for a request that gets nothing. Rejects when there is no value where one belongs: the request is not sent. */
  valueFor(question: Question & { grant: string }): Promise<PutIn | undefined>
}

/** Nobody can send it. */
const random = randomBytes(24).toString('hex')

export function questionListener(options: QuestionOptions): RequestListener {
  return (request, response) => {
    answer(request, options).then(
      (given) => write(response, given),
      // A reason may quote a command of the user's: the log is the user's, the answer is the agent's.
      (error) => {
        options.log(`a request of an agent was not sent: ${messageOf(error)}`)
        write(response, { body: noValue, headers: {}, status: 502 })
      },
    )
  }
}

const noValue = {
  detail: 'A grant of this agent has no value at the moment, so the request was not sent.',
  error: 'grant_failed',
  hint: 'moat doctor',
}

const echoes: QuestionAnswer = {
  body: { error: 'network_policy', reason: 'a method that would show what a grant puts in' },
  headers: {},
  status: 403,
}

async function answer({ headers, url }: IncomingMessage, options: QuestionOptions): Promise<QuestionAnswer> {
  const question = readQuestion(headers)
  if (!question) return { headers: {}, status: 400 }
  const path = url?.replace(/\?.*$/, '')
  if (path === questionPaths.verdict) return answerVerdict(question, options.agentOf(question.runId))
  if (path === questionPaths.refused) {
    options.refused?.(question)
    return { headers: {}, status: 204 }
  }
  const { grant } = question
  if (path === questionPaths.value && echoingMethod.test(question.method)) return echoes
  if (path !== questionPaths.value || grant === undefined) return { headers: {}, status: 404 }
  const value = await options.valueFor({ ...question, grant })
  if (!value) return { headers: {}, status: 204 }
  const given = answerValue(value, { count: question.traces, random })
  if (!given) throw new Error(`the grant ${grant} has become another, and Caddy has not been told yet`)
  return given
}

/** With its length: Caddy keeps a connection only when it knows that nothing is left to read, and makes one a question otherwise. */
function write(response: ServerResponse, { body, headers, status }: QuestionAnswer): void {
  const text = body ? `${JSON.stringify(body)}\n` : ''
  const length = status === 204 ? {} : { 'Content-Length': Buffer.byteLength(text) }
  const common = { 'Cache-Control': 'no-store', 'Content-Type': 'application/json', ...length }
  response.writeHead(status, { ...common, ...headers }).end(text)
}
