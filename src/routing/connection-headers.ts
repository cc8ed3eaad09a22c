// Owns which headers are of one connection, and not of the request: whoever hands the request on makes them anew. Pure.

const hopByHop =
  /^(connection|keep-alive|proxy-(authenticate|authorization|connection)|te|trailer|transfer-encoding|upgrade)$/i

export function isHopByHop(name: string): boolean {
  return hopByHop.test(name)
}

/** Also those that say how the body of a request is sent: nobody else may set them. */
export function isOfConnection(name: string): boolean {
  return isHopByHop(name) || /^(content-length|expect)$/i.test(name)
}
