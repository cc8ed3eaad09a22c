// Owns what to tell runtimes that read no store of the system: variables to set, printed and never set by moat.
import { homedir } from 'node:os'
import { displayPath } from '../config/paths.js'
import { shellQuote } from '../config/shell-quote.js'

/** Lines to print. `certificate` is the root's path, `javaStore` where a store for Java may be made. */
export function runtimeHints(certificate: string, javaStore: string, platform: NodeJS.Platform): string[] {
  const file = inShell(certificate)
  return [
    'Node and Java have authorities of their own. In your shell:',
    `  export NODE_EXTRA_CA_CERTS=${file}`,
    ...(platform === 'darwin' ? keychainForJava : copyForJava(file, inShell(javaStore))),
  ]
}

const keychainForJava = ['  export JAVA_TOOL_OPTIONS=-Djavax.net.ssl.trustStoreType=KeychainStore']

/** A copy, because Java reads one store only. Where the distribution makes Java's store from the system's, none is needed. */
function copyForJava(file: string, store: string): string[] {
  const options = `-noprompt -alias moat -storepass changeit -keystore ${store} -file ${file}`
  return [
    `  cp -L "$JAVA_HOME/lib/security/cacerts" ${store} && keytool -importcert ${options}`,
    `  export JAVA_TOOL_OPTIONS=-Djavax.net.ssl.trustStore=${store}`,
  ]
}

/** A path that a shell takes as it stands, also behind a `=`. */
function inShell(path: string): string {
  const short = displayPath(path, homedir())
  return short.startsWith('~/') ? `"$HOME"/${shellQuote(short.slice(2))}` : shellQuote(path)
}
