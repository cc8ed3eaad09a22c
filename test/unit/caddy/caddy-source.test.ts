import { describe, expect, it } from 'vitest'
import { caddyUrl } from '../../../src/caddy/caddy-source.js'

const on = (platform: NodeJS.Platform, arch: string, mirror?: string) => caddyUrl({ arch, mirror, platform }).href

describe('caddyUrl', () => {
  it("is the official service's for this machine", () => {
    expect(on('linux', 'x64')).toBe(
      'https://caddyserver.com/api/download?os=linux&arch=amd64&p=github.com%2Fmholt%2Fcaddy-l4',
    )
    expect(on('darwin', 'arm64')).toBe(
      'https://caddyserver.com/api/download?os=darwin&arch=arm64&p=github.com%2Fmholt%2Fcaddy-l4',
    )
    expect(() => on('linux', 's390x')).toThrow('There is no Caddy to download for linux on s390x.')
  })

  it("is a mirror's, with its words replaced or a query", () => {
    expect(on('linux', 'x64', 'https://m.example/{os}/caddy_{arch}')).toBe('https://m.example/linux/caddy_amd64')
    expect(on('linux', 'x64', 'https://m.example/get?v=2')).toBe(
      'https://m.example/get?v=2&os=linux&arch=amd64&p=github.com%2Fmholt%2Fcaddy-l4',
    )
    expect(on('linux', 'x64', 'http://127.0.0.1:90/c-{os}')).toBe('http://127.0.0.1:90/c-linux')
  })

  it('is nothing that others on the way could change', () => {
    for (const mirror of ['http://m.example/caddy', 'file:///tmp/caddy', 'm.example']) {
      expect(() => on('linux', 'x64', mirror)).toThrow(
        `The mirror for Caddy must be an https:// address, not "${mirror}".`,
      )
    }
  })
})
