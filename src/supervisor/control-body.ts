// Owns reading what a control request carries, before any of it is acted upon.
import type { IncomingMessage } from 'node:http'
import { z } from 'zod/mini'
import { exitCodes, MoatError } from '../errors.js'
import type { CaddyRoute } from '../routing/agent.js'
import { isDnsLabel } from '../routing/dns-label.js'
import type { RecordingQuestion, RouteQuestion } from './protocol.js'

/** More than all routes of an agent together can have. Bytes. */
const mostBytes = 16 * 1024 * 1024

z.config(z.locales.en())
const route = z.looseObject({ handle: z.array(z.looseObject({ handler: z.string() })) })
const routeQuestions = z.array(z.object({ endpoint: z.string(), plugin: z.string(), routes: z.array(route) }))
const recordingQuestion = z.object({ endpoint: z.exactOptional(z.string()), runId: z.string() })

export async function readRouteQuestions(request: IncomingMessage): Promise<RouteQuestion[]> {
  const questions = await readBody(request, routeQuestions)
  return questions.map((one) => ({ ...one, routes: one.routes as CaddyRoute[] }))
}

export function readRecordingQuestion(request: IncomingMessage): Promise<RecordingQuestion> {
  return readBody(request, recordingQuestion)
}

export function readAgentName({ searchParams }: URL): string {
  const name = searchParams.get('agent') ?? ''
  if (!isDnsLabel(name)) throw malformed('agent: it is no name of an agent')
  return name
}

async function readBody<T>(request: IncomingMessage, schema: z.ZodMiniType<T>): Promise<T> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of request as AsyncIterable<Buffer>) {
    size += piece.length
    if (size > mostBytes) throw malformed(`it is longer than ${mostBytes} bytes`)
    pieces.push(piece)
  }
  let value: unknown
  try {
    value = JSON.parse(Buffer.concat(pieces).toString())
  } catch {
    // Of what is wrong with it, JSON.parse shows parts as they are.
    throw malformed('it is not JSON')
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw malformed([issue?.path.join('.'), issue?.message].filter(Boolean).join(': '))
}

function malformed(reason: string): MoatError {
  return new MoatError('USAGE', `The supervisor was asked something it does not understand: ${reason}.`, {
    exit: exitCodes.usage,
    suggestions: ['moat proxy stop', 'moat proxy start'],
  })
}
