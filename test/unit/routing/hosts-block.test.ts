import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { withHostsBlock, withoutHostsBlock } from '../../../src/routing/hosts-block.js'

const hosts = ['web.app.localhost', 'app.localhost', 'api.app.localhost', 'x.localhost', 'web.x.localhost']
const line = fc.constantFrom(
  '127.0.0.1 localhost',
  '',
  '# a comment',
  '::1 ip6-localhost',
  '# moat',
  '\tx  y',
  '# moat 1 end',
)
const file = fc
  .tuple(fc.array(line), fc.constantFrom('\n', '\r\n'), fc.constantFrom('', 'end', '\n', '\r\n'))
  .map(([lines, eol, last]) => `${lines.join(eol)}${last}`)

describe("moat's block in a hosts file", () => {
  it('has every host once for each address, a few on a line', () => {
    expect(
      withHostsBlock('127.0.0.1 localhost\n', { hosts: [...hosts, 'x.localhost'], id: 'a1' }),
    ).toBe(`127.0.0.1 localhost
# moat a1 begin: hosts of agents; moat proxy hosts clean removes this block
127.0.0.1 api.app.localhost app.localhost web.app.localhost web.x.localhost
127.0.0.1 x.localhost
::1 api.app.localhost app.localhost web.app.localhost web.x.localhost
::1 x.localhost
# moat a1 end
`)
  })

  it('leaves every byte of any file as it was when it goes', () => {
    fc.assert(
      fc.property(file, (text) => {
        const once = withHostsBlock(text, { hosts, id: 'a1' })
        expect(withoutHostsBlock(once, 'a1')).toBe(text)
        expect(withHostsBlock(once, { hosts: [], id: 'a1' })).toBe(text)
        // The same again, or other hosts: still one block, and still the same rest.
        expect(withHostsBlock(once, { hosts, id: 'a1' })).toBe(once)
        const other = withHostsBlock(once, { hosts: ['z.localhost'], id: 'a1' })
        expect(withoutHostsBlock(other, 'a1')).toBe(text)
      }),
    )
  })

  it("is one's own: another user's stays, as does what was added after it, on lines of their own", () => {
    fc.assert(
      fc.property(file, (text) => {
        const whole = text === '' || text.endsWith('\n') ? text : `${text}\n`
        const added = '10.0.0.1 later\n'
        const later = `${withHostsBlock(text, { hosts, id: 'a1' })}${added}`
        const both = withHostsBlock(later, { hosts, id: 'b2' })
        const left = withoutHostsBlock(withoutHostsBlock(both, 'a1'), 'b2').replaceAll('\r\n', '\n')
        expect(left).toBe(`${whole.replaceAll('\r\n', '\n')}${added}`)
        expect(withoutHostsBlock(withoutHostsBlock(both, 'b2'), 'a1')).toBe(withoutHostsBlock(later, 'a1'))
      }),
    )
  })

  it('without its end is left alone', () => {
    const broken = withHostsBlock('', { hosts, id: 'a1' }).replace('# moat a1 end\n', '')
    expect(() => withoutHostsBlock(broken, 'a1')).toThrow('the line "# moat a1 end" is missing')
    expect(withoutHostsBlock('no block\n', 'a1')).toBe('no block\n')
  })
})
