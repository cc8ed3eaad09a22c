// What answers for the APIs of models in tests of coding agents: word by word, with calls of tools, as a test says.
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { StubAnswer } from './stub-hosts.js'

/** What a model says to one request. */
export interface ModelTurn {
  text?: string
  tools?: { input: Record<string, unknown>; name: string }[]
}

/** One request for an answer, as it came. */
export interface ModelQuestion {
  body: Record<string, unknown>
  /** All of it as text. */
  text: string
}

interface ModelOptions {
  /** Is told of each that was good. */
  next: (question: ModelQuestion) => ModelTurn | Promise<ModelTurn>
  /** Who else asks gets 401. */
  token: string
}

/** `POST /v1/messages`. */
export function anthropicModel({ next, token }: ModelOptions): StubAnswer {
  return async (request, response) => {
    if (request.headers['x-api-key'] !== token) return refuse(response)
    if (!request.url?.startsWith('/v1/messages') || request.url.includes('count_tokens')) return missing(response)
    const question = await read(request)
    const { text, tools = [] } = await next(question)
    const usage = { input_tokens: 1, output_tokens: 1 }
    const message = { content: [], id: 'msg_1', model: question.body.model, role: 'assistant', type: 'message', usage }
    const stop = tools.length > 0 ? 'tool_use' : 'end_turn'
    if (question.body.stream !== true) {
      const content = [{ text: text ?? '', type: 'text' }]
      return json(response, { ...message, content, stop_reason: stop })
    }
    const send = stream(response)
    send({ message: { ...message, stop_reason: null }, type: 'message_start' })
    const blocks = [
      ...(text === undefined ? [] : [{ pieces: text.split(/(?<= )/), start: { text: '', type: 'text' } }]),
      ...tools.map(({ input, name }, index) => ({
        pieces: JSON.stringify(input).match(/[\s\S]{1,20}/g) ?? [],
        start: { id: `toolu_${Date.now()}_${index}`, input: {}, name, type: 'tool_use' },
      })),
    ]
    for (const [index, { pieces, start }] of blocks.entries()) {
      send({ content_block: start, index, type: 'content_block_start' })
      for (const piece of pieces) {
        const delta =
          start.type === 'text'
            ? { text: piece, type: 'text_delta' }
            : { partial_json: piece, type: 'input_json_delta' }
        send({ delta, index, type: 'content_block_delta' })
      }
      send({ index, type: 'content_block_stop' })
    }
    send({ delta: { stop_reason: stop, stop_sequence: null }, type: 'message_delta', usage })
    send({ type: 'message_stop' })
    response.end()
  }
}

/** `POST /v1/responses`. */
export function openaiModel({ next, token }: ModelOptions): StubAnswer {
  return async (request, response) => {
    if (request.headers.authorization !== `Bearer ${token}`) return refuse(response)
    if (request.method !== 'POST' || !request.url?.startsWith('/v1/responses')) return missing(response)
    const { text, tools = [] } = await next(await read(request))
    const send = stream(response)
    const id = `resp_${Date.now()}`
    send({ response: { id }, type: 'response.created' })
    if (text !== undefined) {
      const item = { content: [{ text: '', type: 'output_text' }], id: 'msg_1', role: 'assistant', type: 'message' }
      send({ item, output_index: 0, type: 'response.output_item.added' })
      for (const delta of text.split(/(?<= )/)) {
        send({ content_index: 0, delta, item_id: 'msg_1', output_index: 0, type: 'response.output_text.delta' })
      }
      const done = { ...item, content: [{ text, type: 'output_text' }] }
      send({ item: done, output_index: 0, type: 'response.output_item.done' })
    }
    for (const [index, { input, name }] of tools.entries()) {
      const item = {
        arguments: JSON.stringify(input),
        call_id: `call_${Date.now()}_${index}`,
        name,
        type: 'function_call',
      }
      send({ item, output_index: index, type: 'response.output_item.done' })
    }
    const usage = { input_tokens: 1, output_tokens: 1, total_tokens: 2 }
    send({ response: { id, usage }, type: 'response.completed' })
    response.end()
  }
}

async function read(request: Http2ServerRequest): Promise<ModelQuestion> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(Buffer.from(piece as Buffer))
  const text = Buffer.concat(pieces).toString()
  return { body: JSON.parse(text) as Record<string, unknown>, text }
}

function stream(response: Http2ServerResponse) {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  return (data: { type: string } & Record<string, unknown>) =>
    void response.write(`event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`)
}

function json(response: Http2ServerResponse, data: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(data))
}

function refuse(response: Http2ServerResponse): void {
  response.writeHead(401, { 'content-type': 'application/json' }).end('{"error":{"message":"no"}}')
}

function missing(response: Http2ServerResponse): void {
  response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":{"message":"nothing here"}}')
}
