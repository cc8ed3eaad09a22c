// Owns what of the host's environment a build is told: proxies, and certificates of companies that read along.

/** Predefined by engines: a Dockerfile needs no ARG for them, and they do not count for what was built before. */
const proxyVariables = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'FTP_PROXY', 'ALL_PROXY'].flatMap((name) => [
  name,
  name.toLowerCase(),
])

/** Paths of certificates, which count in a build only where the image has a file there. */
export const caVariables = [
  'CARGO_HTTP_CAINFO',
  'CURL_CA_BUNDLE',
  'GIT_SSL_CAINFO',
  'NODE_EXTRA_CA_CERTS',
  'PIP_CERT',
  'REQUESTS_CA_BUNDLE',
  'SSL_CERT_FILE',
] as const

/** Those set on the host. The certificates only for a Dockerfile that declares them, or the engine warns. */
export function buildArguments(dockerfile: string, env: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const declared = caVariables.filter((name) => dockerfile.includes(`\nARG ${name}\n`))
  return Object.fromEntries(
    [...proxyVariables, ...declared].flatMap((name) => {
      const value = env[name]
      return value ? [[name, value]] : []
    }),
  )
}
