// What of Caddy's config is not routes, for tests of what is made of it.
import type { CaddySettings } from '../../../src/caddy/caddy-settings.js'
import type { EgressSettings } from '../../../src/caddy/egress-settings.js'

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

/** An agent of whom something is opened. */
export const egress: EgressSettings = {
  agents: [
    {
      grants: [
        {
          grant: 'my-api',
          headers: ['x-api-key'],
          hosts: ['api.example.com'],
          ports: [443],
          query: ['key'],
          remove: ['x-old'],
          removeQuery: ['old'],
          traces: 2,
        },
      ],
      name: 'dark-mode',
      policy: {
        policy: 'strict',
        rules: [
          { effect: 'allow', host: 'packages.example.com', text: 'packages.example.com' },
          {
            effect: 'allow',
            host: 'api.example.com',
            paths: [
              { effect: 'allow', method: 'GET', path: '/repos/**' },
              { effect: 'deny', method: '*', path: '/{http.request.host}/*' },
            ],
            text: 'api.example.com',
          },
          {
            effect: 'allow',
            host: '*.example.net',
            paths: [{ effect: 'deny', method: 'DELETE', path: '/**' }],
            port: 8443,
            text: '*.example.net:8443',
          },
        ],
      },
      runId: 'run_0123456789ab',
      socket: '/home/ann/.moat/proxy/egress/run_0123456789ab.sock',
    },
  ],
  certificate: '/home/ann/.moat/proxy/egress-ca/ca.crt',
  dial: { password: 'fedcba9876543210', port: 40124 },
  key: '/home/ann/.moat/proxy/egress-ca/ca.key',
  questions: '/home/ann/.moat/proxy/egress/questions.sock',
  reports: '/home/ann/.moat/proxy/egress/reports.sock',
  storage: '/home/ann/.moat/proxy/egress-leaves',
}
