FROM debian:bookworm-slim
LABEL dev.moat.image=1 dev.moat.branch="" dev.moat.clone="" dev.moat.discover="" dev.moat.endpoints="" dev.moat.forwards="" dev.moat.grants="" dev.moat.home="" dev.moat.keep="" dev.moat.name="" dev.moat.network="" dev.moat.relays="" dev.moat.repository="" dev.moat.routes="" dev.moat.run-id="" dev.moat.seal="" dev.moat.services="" dev.moat.way-in="" dev.moat.workspace=""
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends libstdc++6 $(test -e /etc/ssl/certs/ca-certificates.crt || echo ca-certificates) \
 && rm -rf /var/lib/apt/lists/*
COPY --from=golang:1.24 /usr/local/go /usr/local/go
ENV GOPATH=/go PATH=/go/bin:/usr/local/go/bin:$PATH
RUN mkdir -p /go/bin /go/src && chmod -R 1777 /go && go version
COPY --from=node:22-slim /usr/local/bin/node /usr/local/bin/node
COPY --from=node:22-slim /usr/local/lib/node_modules /usr/local/lib/node_modules
RUN ln -sf ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && ln -sf ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx && node --version && npm --version
ARG CARGO_HTTP_CAINFO
ARG CURL_CA_BUNDLE
ARG GIT_SSL_CAINFO
ARG NODE_EXTRA_CA_CERTS
ARG PIP_CERT
ARG REQUESTS_CA_BUNDLE
ARG SSL_CERT_FILE
RUN { for name in CARGO_HTTP_CAINFO CURL_CA_BUNDLE GIT_SSL_CAINFO NODE_EXTRA_CA_CERTS PIP_CERT REQUESTS_CA_BUNDLE SSL_CERT_FILE; do eval "test -e \"\$$name\"" || unset "$name"; done; } \
 && npm install --global --no-audit --no-fund --no-update-notifier typescript@5.9 \
 && rm -rf /root/.npm
RUN { for name in CARGO_HTTP_CAINFO CURL_CA_BUNDLE GIT_SSL_CAINFO NODE_EXTRA_CA_CERTS PIP_CERT REQUESTS_CA_BUNDLE SSL_CERT_FILE; do eval "test -e \"\$$name\"" || unset "$name"; done; } \
 && export GOBIN=/usr/local/bin GOCACHE=/tmp/go-build GOMODCACHE=/tmp/go-mod GOTOOLCHAIN=auto \
 && go install golang.org/x/tools/gopls@v0.18.1 \
 && rm -rf /tmp/go-build /tmp/go-mod
