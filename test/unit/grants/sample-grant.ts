// Owns a grant to test with.
import type { Grant } from '../../../src/grants/grant.js'

export function sampleGrant(overrides: Partial<Grant> = {}): Grant {
  return {
    createdAt: '2026-11-28T12:00:00.000Z',
    name: 'my-api',
    profile: 'default',
    provider: {
      inject: [{ headers: { 'X-Api-Key': '{token}' }, hosts: ['api.my.test'] }],
      name: 'my-api',
      title: 'My API',
      value: {},
    },
    source: { fields: { token: 'sesame-open-1234' }, kind: 'value' },
    ...overrides,
  }
}
