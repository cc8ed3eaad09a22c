// Agents whose server is a program that a test has written, and their containers.
import type { ContainerInfo } from 'dockerode'
import type { AgentView } from '../../src/routing/agent-view.js'
import type { Sandbox } from './sandbox.js'

/** Counts bodies, so that one that arrives twice is seen. To be told where to listen. */
export const countingServer = `
const http = require('node:http')
let count = 0
const server = http.createServer(async (request, response) => {
  let body = ''
  for await (const chunk of request) body += chunk
  if (request.method === 'POST') count += 1
  response.end([request.method, body.length, count].join(' '))
})
`

export function startProgram(
  sandbox: Sandbox,
  name: string,
  program: string,
  ports = '{web: 3000}',
): Promise<AgentView> {
  const files = {
    'moat.yaml': `name: ${name}\ndependencies: [node@22]\nports: ${ports}\ncommand: [node, server.js]\n`,
    'server.js': program,
  }
  return sandbox.json(['run', '-d', sandbox.directory(name, files)])
}

export function urlOf(agent: AgentView, name = 'web'): string {
  return agent.endpoints.find((one) => one.name === name)?.url ?? ''
}

export async function containerOf(sandbox: Sandbox, name: string): Promise<ContainerInfo> {
  const found = (await sandbox.containers()).find(({ Labels }) => Labels['dev.moat.name'] === name)
  if (!found) throw new Error(`there is no container of ${name}`)
  return found
}
