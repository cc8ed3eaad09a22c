// What of Caddy's config is not routes, for tests of what is made of it.
import type { CaddySettings } from '../../../src/caddy/caddy-settings.js'

export const settings: CaddySettings = {
  accessSocket: '/home/ann/.moat/proxy/access.sock',
  adminSocket: '/home/ann/.moat/proxy/admin.sock',
  caCertificate: '/home/ann/.moat/proxy/ca/ca.crt',
  caKey: '/home/ann/.moat/proxy/ca/ca.key',
  connections: 0,
  domain: 'localhost',
  filesSocket: '/home/ann/.moat/proxy/files.sock',
  inside: { plain: '/home/ann/.moat/proxy/inside-http.sock', tls: '/home/ann/.moat/proxy/inside.sock' },
  listeners: ['fd/3', 'fd/4'],
  names: { listener: 'fd/5', port: 40123, secret: '0123456789abcdef' },
  pagesSocket: '/home/ann/.moat/proxy/pages.sock',
  port: 8080,
  proxy: '/home/ann/.moat/proxy',
  recorded: [],
  storage: '/home/ann/.moat/proxy/caddy',
}
