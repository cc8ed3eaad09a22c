// Owns what clients ask for in a TLS handshake (ALPN) when they are going to speak HTTP: nothing else may have these names.
export const httpProtocols: readonly string[] = ['h2', 'http/1.1', 'http/1.0', 'h3', 'acme-tls/1']
