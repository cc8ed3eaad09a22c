// Programs of other languages in a container accept its own URLs as they are: Java, Ruby and gem, Deno, Bun.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { install } from '../helpers/npm-project.js'
import { Sandbox } from '../helpers/sandbox.js'

const sandbox = new Sandbox()

const java = `import java.net.URI;
import java.net.http.*;

public class Ask {
  public static void main(String[] urls) throws Exception {
    HttpRequest request = HttpRequest.newBuilder(URI.create(System.getenv("MOAT_HTTPS_URL_WEB"))).build();
    System.out.println(HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body());
  }
}
`

beforeAll(async () => {
  const project = sandbox.directory('app', {
    'Ask.java': java,
    'moat.yaml':
      'name: app\ndependencies: [node@22, "apt:openjdk-17-jdk-headless", "apt:ruby"]\nports: {web: 3000}\ncommand: [node, server.js]\n',
    'package.json': '{"name": "app"}',
    'server.js': "require('node:http').createServer((_, response) => response.end('reached')).listen(3000)\n",
  })
  await install(project, ['bun@1.4.4', 'deno@2.9.6'])
  await sandbox.json(['run', '-d', project])
  await sandbox.json(['wait', 'app', 'web', '--timeout', '60'])
})
afterAll(() => sandbox.cleanUp())

const inside = async (script: string) => {
  const { stderr, stdout } = await sandbox.moat(['exec', 'app', '--', 'sh', '-c', script])
  return stdout + stderr.replace(/^Picked up JAVA_TOOL_OPTIONS: .*\n/m, '')
}

describe('in a container', () => {
  it.each([
    ['Java', 'java Ask.java'],
    ['Ruby', `ruby -ropen-uri -e 'puts URI.open(ENV["MOAT_HTTPS_URL_WEB"]).read'`],
    [
      'Deno',
      `node_modules/.bin/deno eval 'console.log(await (await fetch(Deno.env.get("MOAT_HTTPS_URL_WEB"))).text())'`,
    ],
    ['Bun', `node_modules/.bin/bun -e 'console.log(await (await fetch(process.env.MOAT_HTTPS_URL_WEB)).text())'`],
  ])('%s accepts its own URL', async (_, script) => {
    expect(await inside(script)).toBe('reached\n')
  })

  it('gem does', async () => {
    const ask = 'gem list -r x --clear-sources --source "$MOAT_HTTPS_URL_WEB"'
    expect(await inside(ask)).not.toContain('verification error')
    expect(await inside(`env -u SSL_CERT_FILE -u SSL_CERT_DIR ${ask}`)).toContain('verification error')
  })

  it('Java has all that the image has, and follows a new root', async () => {
    const count = async (store: string) =>
      /contains (\d+) entries/.exec(await inside(`keytool -list -storepass changeit ${store}`))?.[1]
    expect(Number(await count('-keystore /run/moat/java.jks'))).toBe(Number(await count('-cacerts')) + 1)
    const before = readFileSync(join(sandbox.home, 'proxy/ca/ca.crt'), 'utf8')
    await sandbox.json(['proxy', 'ca', 'rotate'])
    expect(readFileSync(join(sandbox.home, 'proxy/ca/ca.crt'), 'utf8')).not.toBe(before)
    expect(await inside('java Ask.java')).toBe('reached\n')
  })
})
