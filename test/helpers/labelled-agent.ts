// A container with an agent's labels and moat's seal that nobody ran: labels as another moat, or a mistaken plugin, writes them.
import type { Container } from 'dockerode'
import { connectEngine } from '../../src/engine/connect-engine.js'
import { containerName, type LabelledAgent, toLabels } from '../../src/engine/labels.js'
import type { Sandbox } from './sandbox.js'

/** Starts it; it sleeps. The sandbox's clean-up removes it. */
export async function startLabelled(
  sandbox: Sandbox,
  { name, ...labels }: Partial<LabelledAgent> & Pick<LabelledAgent, 'name'>,
): Promise<Container> {
  const engine = await connectEngine({ moatHome: sandbox.home })
  const agent = { endpoints: [], keep: false, routes: [], runId: 'run_0123456789ab', ...labels, name }
  const id = await engine.create({
    command: ['sleep', '1000'],
    env: {},
    image: 'node:22-slim',
    labels: toLabels({ ...agent, home: sandbox.home, workspace: sandbox.directory(name) }),
    mounts: [],
    name: containerName(name, sandbox.home),
    ports: [{ port: 3000 }],
    user: { gid: 0, uid: 0 },
    workdir: '/',
  })
  await engine.start(id)
  return sandbox.docker.getContainer(id)
}
