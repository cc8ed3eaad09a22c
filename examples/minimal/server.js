// The least an agent needs: one server, on the port that moat.yaml declares, on all interfaces of its container.
import { createServer } from 'node:http'

createServer((_request, response) => response.end('ok\n')).listen(3000, '0.0.0.0')
process.on('SIGTERM', () => process.exit())
