// Caddy with the layer4 module, which serves HTTPS, plain HTTP and TCP by name on one port. scripts/setup/layer4.sh builds it;
// `moat setup` gets the same from Caddy's download service.
package main

import (
	caddycmd "github.com/caddyserver/caddy/v2/cmd"

	_ "github.com/caddyserver/caddy/v2/modules/standard"
	_ "github.com/mholt/caddy-l4"
)

func main() {
	caddycmd.Main()
}
