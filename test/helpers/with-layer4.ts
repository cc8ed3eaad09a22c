// What files of the project `layer4` begin with: every moat in them runs the Caddy with the layer4 module, and where there can be
// none they are left out.
import { beforeEach } from 'vitest'
import { layer4Caddy, leaveOut } from './layer4-caddy.js'

const caddy = await layer4Caddy()
if ('path' in caddy) process.env.MOAT_CADDY = caddy.path
else beforeEach((context) => leaveOut(context, caddy.missing))
