FROM node:22-slim
LABEL dev.moat.image=1 dev.moat.branch="" dev.moat.clone="" dev.moat.discover="" dev.moat.endpoints="" dev.moat.forwards="" dev.moat.grants="" dev.moat.home="" dev.moat.keep="" dev.moat.name="" dev.moat.network="" dev.moat.relays="" dev.moat.repository="" dev.moat.routes="" dev.moat.run-id="" dev.moat.seal="" dev.moat.services="" dev.moat.way-in="" dev.moat.workspace=""
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends fd-find git $(test -e /etc/ssl/certs/ca-certificates.crt || echo ca-certificates) \
 && rm -rf /var/lib/apt/lists/* \
 && ln -sf /usr/bin/fdfind /usr/local/bin/fd
RUN sed -i '/^agent:/d' /etc/passwd \
 && printf 'agent:*:1000:1000::/home/agent:%s\n' "$(command -v bash || echo /bin/sh)" | cat - /etc/passwd > /tmp/passwd \
 && cat /tmp/passwd > /etc/passwd \
 && rm /tmp/passwd \
 && { grep -q '^[^:]*:[^:]*:1000:' /etc/group || { sed -i '/^agent:/d' /etc/group && echo 'agent:*:1000:' >> /etc/group; }; } \
 && mkdir -p /home/agent \
 && chown -R 1000:1000 /home/agent
USER agent
ENV PATH=/home/agent/.local/bin:$PATH
