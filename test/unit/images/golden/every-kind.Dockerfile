FROM my-image:1
LABEL dev.moat.image=1 dev.moat.branch="" dev.moat.clone="" dev.moat.discover="" dev.moat.endpoints="" dev.moat.forwards="" dev.moat.grants="" dev.moat.home="" dev.moat.keep="" dev.moat.name="" dev.moat.network="" dev.moat.relays="" dev.moat.repository="" dev.moat.routes="" dev.moat.run-id="" dev.moat.seal="" dev.moat.services="" dev.moat.way-in="" dev.moat.workspace=""
USER 0
RUN { command -v apt-get > /dev/null || { echo "This image has no apt-get: choose a base_image that is Debian or made from it."; exit 127; }; } \
 && apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends libbz2-1.0 libdb5.3 libffi8 libgdbm6 liblzma5 libncursesw6 libpq-dev libreadline8 libsqlite3-0 libssl3 libuuid1 netbase zlib1g $(test -e /etc/ssl/certs/ca-certificates.crt || echo ca-certificates) \
 && rm -rf /var/lib/apt/lists/*
COPY --from=python:3.12-slim-bookworm /usr/local /usr/local
RUN ldconfig && python3 --version
ARG CARGO_HTTP_CAINFO
ARG CURL_CA_BUNDLE
ARG GIT_SSL_CAINFO
ARG NODE_EXTRA_CA_CERTS
ARG PIP_CERT
ARG REQUESTS_CA_BUNDLE
ARG SSL_CERT_FILE
RUN { command -v npm > /dev/null || { echo "This image has no npm: add node to dependencies, or choose a base_image that has npm."; exit 127; }; } \
 && { for name in CARGO_HTTP_CAINFO CURL_CA_BUNDLE GIT_SSL_CAINFO NODE_EXTRA_CA_CERTS PIP_CERT REQUESTS_CA_BUNDLE SSL_CERT_FILE; do eval "test -e \"\$$name\"" || unset "$name"; done; } \
 && npm install --global --no-audit --no-fund --no-update-notifier @anthropic-ai/claude-code@latest \
 && rm -rf /root/.npm
RUN { command -v pip > /dev/null || { echo "This image has no pip: add python to dependencies, or choose a base_image that has pip."; exit 127; }; } \
 && { for name in CARGO_HTTP_CAINFO CURL_CA_BUNDLE GIT_SSL_CAINFO NODE_EXTRA_CA_CERTS PIP_CERT REQUESTS_CA_BUNDLE SSL_CERT_FILE; do eval "test -e \"\$$name\"" || unset "$name"; done; } \
 && pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore 'uvicorn[standard]==0.34.0'
RUN { command -v cargo > /dev/null || { echo "This image has no cargo: add rust to dependencies, or choose a base_image that has cargo."; exit 127; }; } \
 && { for name in CARGO_HTTP_CAINFO CURL_CA_BUNDLE GIT_SSL_CAINFO NODE_EXTRA_CA_CERTS PIP_CERT REQUESTS_CA_BUNDLE SSL_CERT_FILE; do eval "test -e \"\$$name\"" || unset "$name"; done; } \
 && CARGO_TARGET_DIR=/tmp/cargo-build cargo install --locked --root /usr/local just \
 && rm -rf /tmp/cargo-build "${CARGO_HOME:-/root/.cargo}/registry"
RUN sed -i '/^agent:/d' /etc/passwd \
 && printf 'agent:*:501:20::/home/agent:%s\n' "$(command -v bash || echo /bin/sh)" | cat - /etc/passwd > /tmp/passwd \
 && cat /tmp/passwd > /etc/passwd \
 && rm /tmp/passwd \
 && { grep -q '^[^:]*:[^:]*:20:' /etc/group || { sed -i '/^agent:/d' /etc/group && echo 'agent:*:20:' >> /etc/group; }; } \
 && mkdir -p /home/agent \
 && chown -R 501:20 /home/agent
WORKDIR /root
RUN ["sh","-c","for name in CARGO_HTTP_CAINFO CURL_CA_BUNDLE GIT_SSL_CAINFO NODE_EXTRA_CA_CERTS PIP_CERT REQUESTS_CA_BUNDLE SSL_CERT_FILE; do eval \"test -e \\\"\\$$name\\\"\" || unset \"$name\"; done; exec sh -c \"$1\"","sh","as root"]
USER agent
ENV PATH=/home/agent/.local/bin:$PATH
WORKDIR /home/agent
RUN ["sh","-c","for name in CARGO_HTTP_CAINFO CURL_CA_BUNDLE GIT_SSL_CAINFO NODE_EXTRA_CA_CERTS PIP_CERT REQUESTS_CA_BUNDLE SSL_CERT_FILE; do eval \"test -e \\\"\\$$name\\\"\" || unset \"$name\"; done; exec sh -c \"$1\"","sh","one"]
RUN ["sh","-c","for name in CARGO_HTTP_CAINFO CURL_CA_BUNDLE GIT_SSL_CAINFO NODE_EXTRA_CA_CERTS PIP_CERT REQUESTS_CA_BUNDLE SSL_CERT_FILE; do eval \"test -e \\\"\\$$name\\\"\" || unset \"$name\"; done; exec sh -c \"$1\"","sh","two\nlines \"quoted\" \\"]
